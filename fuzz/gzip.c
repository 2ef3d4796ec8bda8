/* SPDX-License-Identifier: MPL-2.0 */
#include "codec/gzip.h"

#include <stdbool.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_UNPACKED = 1 << 20 }; // a few bytes can unpack to a thousand times as many

struct outcome {
    uint64_t digest, bytes;
    ssize_t end;
    bool first_bytes_equal; // to the packed ones
};

static struct outcome unpack(struct span packed, size_t step, size_t cap)
{
    struct memory_source memory = {packed, step};
    struct gunzip *g;
    struct outcome o = {.first_bytes_equal = true};
    uint8_t out[4096];
    if (gunzip_new(&g, memory_source(&memory), NULL) != 0)
        abort();
    const struct source unpacked = gunzip_source(g);
    while ((o.end = unpacked.read(unpacked.arg, out, cap, NULL)) > 0 && o.bytes < MAX_UNPACKED) {
        if ((size_t)o.end > cap)
            abort();
        for (ssize_t i = 0; i < o.end; i++, o.bytes++) {
            o.digest = o.digest * 31 + out[i];
            o.first_bytes_equal &= o.bytes < packed.len && out[i] == packed.ptr[o.bytes];
        }
    }
    gunzip_free(g);
    return o;
}

/* The first byte picks how the rest is cut. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    const struct span packed = span_of(data + 1, size - 1);
    const struct outcome whole = unpack(packed, 0, 4096);
    const struct outcome cut = unpack(packed, 1 + data[0] % 7u, 4096);
    const bool is_gzip = packed.len >= 2 && packed.ptr[0] == 0x1f && packed.ptr[1] == 0x8b;
    if (!is_gzip && (whole.end != 0 || whole.bytes != packed.len || !whole.first_bytes_equal))
        abort(); // a plain input passes unchanged
    if (whole.bytes >= MAX_UNPACKED || cut.bytes >= MAX_UNPACKED)
        return 0;
    if (whole.end != 0 && whole.end != E_FORMAT)
        abort();
    if (whole.end != cut.end ||
        (whole.end == 0 && (whole.bytes != cut.bytes || whole.digest != cut.digest)))
        abort();
    return 0;
}
