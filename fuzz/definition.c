/* SPDX-License-Identifier: MPL-2.0 */
#include "fxci/definition.h"

#include "base/cpu.h"
#include "base/utf8.h"
#include "codec/ndjson.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_row(const struct definition *d)
{
    for (size_t i = 0; i < DEF_N; i++) {
        if (!utf8_is_valid(d->row[i].text))
            abort();
        for (size_t k = 0; k < d->row[i].n_items; k++)
            if (!utf8_is_valid(d->row[i].items[k]))
                abort();
    }
    if (d->row[DEF_EXTRA].text.len == 0 || d->expires_us != d->row[DEF_EXPIRES].integer)
        abort();
}

static int map(void *arg, struct span task_id, struct span task, struct err *err)
{
    struct definition_mapper *m = arg;
    struct definition d;
    if (definition_map(m, &d, task_id, task, err) != 0)
        abort();
    if (d.reason[0] == '\0')
        check_row(&d);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct definition_mapper m;
    struct buf token = BUF_INIT(size + 1);
    uint64_t n_skipped = 0;
    uint8_t *bytes = calloc(1, size + NDJSON_SLACK);
    if (!bytes)
        abort();
    if (size > 0)
        memcpy(bytes, data, size);
    definition_mapper_init(&m, cpu_detect(), 20685);
    const int r = definitions_page(span_of(bytes, size), &m.ops, map, &m, &token, &n_skipped, NULL);
    if ((r != 0 && r != E_FORMAT) || !utf8_is_valid(buf_span(&token)))
        abort();
    (void)map(&m, span_str("id"), span_of(bytes, size), NULL); // also what is no page
    definition_mapper_deinit(&m);
    buf_deinit(&token);
    free(bytes);
    return 0;
}
