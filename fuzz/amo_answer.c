/* SPDX-License-Identifier: MPL-2.0 */
#include "base/cpu.h"
#include "codec/ndjson.h"
#include "taar/amo_json.h"

#include <stdlib.h>

enum { ESCAPED = 6 }; // bytes of JSON that a byte may become

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* With its last brace, what was written of a record is an object again, and without our member. */
static void check_record(const struct record_ops *ops, struct span record, size_t size)
{
    struct buf out = BUF_INIT(size * ESCAPED + 2 * NDJSON_SLACK);
    struct span value;
    if (amo_record_write(&out, ops, record, NULL) < 0 || buf_append_byte(&out, '}', NULL) < 0 ||
        buf_reserve(&out, NDJSON_SLACK, NULL) < 0)
        abort();
    memset(out.data + out.len, 0, NDJSON_SLACK);
    if (record.ptr[0] == '{' && (!amo_is_json(ops, buf_span(&out)) ||
                                 amo_member(ops, buf_span(&out), "first_create_date", &value)))
        abort();
    buf_deinit(&out);
}

static void check_answer(const struct record_ops *ops, struct span text)
{
    struct amo_listing listing;
    struct span results, element;
    struct buf date = BUF_INIT(text.len + 1);
    const char *missing;
    if (amo_listing_read(ops, text, &listing, NULL) == 0 && listing.page_count > AMO_MAX_PAGES)
        abort();
    if (amo_first_created(&date, ops, text, &missing, NULL) < 0)
        abort();
    if (amo_member(ops, text, "results", &results) && amo_first(ops, results, &element))
        check_record(ops, element, text.len);
    buf_deinit(&date);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *bytes = calloc(1, size + NDJSON_SLACK);
    if (!bytes)
        abort();
    if (size > 0)
        memcpy(bytes, data, size);
    struct record_ops fast, plain;
    record_ops_init(&fast, cpu_detect());
    record_ops_init(&plain, 0);
    const struct span text = span_of(bytes, size);
    const bool ok = amo_is_json(&fast, text);
    if (ok != amo_is_json(&plain, text))
        abort();
    if (ok)
        check_answer(&fast, text);
    free(bytes);
    return 0;
}
