/* SPDX-License-Identifier: MPL-2.0 */
#include "codec/msgpack.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was read and is written again in the shortest form must read the same, in no more bytes. */
static void check_str(struct span body, size_t taken)
{
    uint8_t *out = malloc(MSGPACK_HEADER_MAX + body.len);
    struct span again;
    if (!out)
        abort();
    const size_t n = msgpack_write_str(out, body);
    struct msgpack_reader r = {out, out + n};
    if (n > taken || !msgpack_read_str(&r, &again) || !span_equal(again, body) || r.pos != r.end)
        abort();
    free(out);
}

static void check_array(uint32_t count, size_t taken)
{
    uint8_t out[MSGPACK_HEADER_MAX];
    uint32_t again;
    const size_t n = msgpack_write_array(out, count);
    struct msgpack_reader r = {out, out + n};
    if (n > taken || !msgpack_read_array(&r, &again) || again != count || r.pos != r.end)
        abort();
}

/* Read objects one after another, each as the type that takes it. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct msgpack_reader r = {data, data + size};
    for (;;) {
        struct msgpack_reader s = r, a = r, u = r;
        struct span body;
        uint32_t count;
        uint64_t value;
        const bool is_str = msgpack_read_str(&s, &body), is_array = msgpack_read_array(&a, &count);
        const bool is_uint = msgpack_read_uint(&u, &value);
        if (is_str + is_array + is_uint > 1)
            abort(); // one object, one type
        if (is_str)
            check_str(body, (size_t)(s.pos - r.pos));
        if (is_array)
            check_array(count, (size_t)(a.pos - r.pos));
        if (!is_str && !is_array && !is_uint)
            return 0;
        r = is_str ? s : is_array ? a : u;
        if (r.pos > r.end)
            abort();
    }
}
