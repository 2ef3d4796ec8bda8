/* SPDX-License-Identifier: MPL-2.0 */
#include "broker/recorded_line.h"

#include "base/utf8.h"
#include "codec/ndjson.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_same(const struct recorded_line *a, const struct recorded_line *b)
{
    return span_equal(a->exchange, b->exchange) && span_equal(a->routing_key, b->routing_key) &&
           span_equal(a->content_type, b->content_type) && span_equal(a->body, b->body) &&
           a->has_exchange == b->has_exchange && a->reason == b->reason;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *bytes = calloc(1, size + NDJSON_SLACK);
    if (!bytes)
        abort();
    if (size > 0)
        memcpy(bytes, data, size);
    const struct span text = span_of(bytes, size);
    struct recorded_parser fast, plain;
    recorded_parser_init(&fast, size);
    recorded_parser_init(&plain, size);
    record_ops_init(&plain.text, 0);
    base64_ops_init(&plain.base64, 0);
    struct recorded_line line, same;
    const int r = recorded_line_read(&line, &fast, text, NULL);
    if (r < 0 || r != recorded_line_read(&same, &plain, text, NULL))
        abort();
    if (r == 1 && (!is_same(&line, &same) || line.body.len > size))
        abort();
    if (r == 1 && (!utf8_is_valid(line.exchange) || !utf8_is_valid(line.routing_key)))
        abort();
    if (r == 1 && line.reason && !span_equal(line.body, text))
        abort();
    recorded_parser_deinit(&fast);
    recorded_parser_deinit(&plain);
    free(bytes);
    return 0;
}
