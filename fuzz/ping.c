/* SPDX-License-Identifier: MPL-2.0 */
#include "codec/ping.h"

#include "base/cpu.h"
#include "codec/ndjson.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside_text(struct span part, struct span whole)
{
    if (part.len > whole.len)
        abort();
}

/* What goes into an output line as it stands must be the inside of one JSON string. */
static void check_inside(const struct record_ops *ops, struct span part)
{
    uint8_t *line = calloc(1, part.len + 16 + NDJSON_SLACK);
    if (!line)
        abort();
    const char head[] = "{\"payload\":\"", tail[] = "\"}";
    memcpy(line, head, sizeof head - 1);
    if (part.len > 0)
        memcpy(line + sizeof head - 1, part.ptr, part.len);
    memcpy(line + sizeof head - 1 + part.len, tail, sizeof tail - 1);
    const size_t len = sizeof head - 1 + part.len + sizeof tail - 1;
    struct buf scratch = BUF_INIT(len);
    struct record record;
    if (record_parse(&record, ops, span_of(line, len), &scratch, NULL) != 1 || !record.has_payload)
        abort();
    buf_deinit(&scratch);
    free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *bytes = calloc(1, size + NDJSON_SLACK);
    struct ping *ping = malloc(sizeof *ping), *plain = malloc(sizeof *plain);
    if (!bytes || !ping || !plain)
        abort();
    if (size > 0)
        memcpy(bytes, data, size);
    const struct span text = span_of(bytes, size);
    struct record_ops fast_ops, plain_ops;
    record_ops_init(&fast_ops, cpu_detect());
    record_ops_init(&plain_ops, 0);

    struct buf scratch = BUF_INIT(size);
    struct ping_message m;
    if (ping_read_message(&m, &fast_ops, text, &scratch, NULL) < 0)
        abort();
    const bool ok = ping_read(ping, &fast_ops, text);
    if (ok != ping_read(plain, &plain_ops, text) || ping->id_kind != plain->id_kind)
        abort();
    struct ping_share share, same;
    while (ok && ping_next(ping, &share)) {
        if (!ping_next(plain, &same) || share.usable != same.usable)
            abort();
        if (!share.usable)
            continue;
        inside_text(share.encoding, text);
        check_inside(&fast_ops, share.a);
        check_inside(&fast_ops, share.b);
    }
    buf_deinit(&scratch);
    free(plain);
    free(ping);
    free(bytes);
    return 0;
}
