/* SPDX-License-Identifier: MPL-2.0 */
#include "fxci/load_row.h"

#include "base/cpu.h"
#include "codec/ndjson.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OUT_MAX = 16 << 20 };

static void ignore_unknown(void *arg, const char *name)
{
    (void)arg;
    (void)name;
}

static int read_row(struct load_row *l, const struct table_schema *schema, bool tabular,
                    struct span text)
{
    uint8_t *bytes = calloc(1, text.len + NDJSON_SLACK);
    if (!bytes)
        abort();
    if (text.len > 0)
        memcpy(bytes, text.ptr, text.len);
    load_row_init(l, cpu_detect(), schema, tabular);
    l->unknown = ignore_unknown;
    struct buf out = BUF_INIT(OUT_MAX), again = BUF_INIT(OUT_MAX);
    struct err err = {0};
    const int r = load_row_read(l, span_of(bytes, text.len), &err);
    if (r == E_FORMAT ? err.text[0] == '\0' : r != 0)
        abort();
    if (r == 0 && warehouse_row_json(&out, schema->columns, l->cells, NULL) != 0)
        abort();
    load_row_deinit(l);
    // What was read is written so that it reads the same.
    if (r == 0) {
        static const uint8_t slack[NDJSON_SLACK];
        const size_t len = out.len;
        if (buf_append(&out, slack, sizeof slack, NULL) < 0)
            abort();
        load_row_init(l, 0, schema, false);
        if (load_row_read(l, span_of(out.data, len), NULL) != 0 ||
            warehouse_row_json(&again, schema->columns, l->cells, NULL) != 0 ||
            !span_equal(buf_span(&again), span_of(out.data, len)))
            abort();
        load_row_deinit(l);
    }
    buf_deinit(&out);
    buf_deinit(&again);
    free(bytes);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fxci_tables tables;
    struct load_row row;
    if (size == 0)
        return 0;
    if (fxci_tables_init(&tables, &(const struct fxci_table_names){0}, false, NULL) != 0)
        abort();
    const struct table_schema *schema = &tables.schemas[(data[0] & 15) % FXCI_N_TABLES];
    (void)read_row(&row, schema, data[0] & 16, span_of(data + 1, size - 1));
    return 0;
}
