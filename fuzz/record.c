/* SPDX-License-Identifier: MPL-2.0 */
#include "codec/record.h"

#include "base/cpu.h"
#include "codec/ndjson.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_ENTRIES = 64, MAX_OUT = 1 << 22 };

struct parsed {
    uint8_t *bytes;
    struct buf scratch;
    struct record record;
    int result;
};

static struct parsed parse(const struct record_ops *ops, struct span text)
{
    struct parsed p = {.bytes = calloc(1, text.len + NDJSON_SLACK), .scratch = BUF_INIT(text.len)};
    if (!p.bytes)
        abort();
    if (text.len > 0)
        memcpy(p.bytes, text.ptr, text.len);
    p.result = record_parse(&p.record, ops, span_of(p.bytes, text.len), &p.scratch, NULL);
    if (p.result < 0)
        abort(); // a scratch as long as the line is always enough
    return p;
}

static void parsed_deinit(struct parsed *p)
{
    buf_deinit(&p->scratch);
    free(p->bytes);
}

static bool same_record(const struct record *a, const struct record *b)
{
    return a->id_kind == b->id_kind && span_equal(a->id, b->id) &&
           a->has_payload == b->has_payload && span_equal(a->payload, b->payload) &&
           a->payload_is_array == b->payload_is_array && a->plain == b->plain &&
           span_equal(a->payload_raw, b->payload_raw);
}

static void check_arrays(struct span text)
{
    uint64_t values[MAX_ENTRIES];
    uint8_t bits[MAX_ENTRIES];
    for (size_t n = 0; n <= MAX_ENTRIES; n += 1 + n / 4) {
        size_t bad = 0, bad_bit = 0;
        const int r = uint_array_parse(values, n, 2, text, &bad);
        if (r != bit_array_parse(bits, n, text, &bad_bit) || (r == 0 && bad != bad_bit))
            abort();
        for (size_t i = 0; r == 1 && i < n; i++)
            if (values[i] != bits[i])
                abort();
    }
}

/* A rewritten line is a record with the same id and the new payload, and rewriting it changes
 * nothing. */
static void check_rewriting(const struct record_ops *ops, const struct record *r)
{
    static const char payload[] = "TkVX";
    struct buf out = BUF_INIT(MAX_OUT), again = BUF_INIT(MAX_OUT);
    if (record_rewrite(&out, r, span_str(payload), NULL) != 0)
        abort();
    for (size_t i = 0; i + 1 < out.len; i++)
        if (out.data[i] < ' ' || out.data[i] > '~')
            abort(); // one line of ASCII
    struct parsed p = parse(ops, span_of(out.data, out.len - 1));
    if (p.result != 1 || !p.record.has_payload || !span_equal(p.record.payload, span_str(payload)))
        abort();
    if (p.record.id_kind != r->id_kind || !span_equal(p.record.id, r->id))
        abort();
    if (record_rewrite(&again, &p.record, span_str(payload), NULL) != 0 ||
        !span_equal(buf_span(&again), buf_span(&out)))
        abort();
    parsed_deinit(&p);
    buf_deinit(&again);
    buf_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct record_ops plain_ops, fast_ops;
    record_ops_init(&plain_ops, 0);
    record_ops_init(&fast_ops, cpu_detect());
    const struct span text = span_of(data, size);
    struct parsed plain = parse(&plain_ops, text), fast = parse(&fast_ops, text);
    if (plain.result != fast.result ||
        (plain.result == 1 && !same_record(&plain.record, &fast.record)))
        abort();
    if (fast.result == 1) {
        check_arrays(fast.record.payload_raw);
        check_rewriting(&fast_ops, &fast.record);
    }
    check_arrays(text); // also what no JSON parser has seen before
    parsed_deinit(&fast);
    parsed_deinit(&plain);
    return 0;
}
