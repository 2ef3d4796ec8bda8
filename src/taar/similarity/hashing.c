/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/similarity/features.h"

static uint32_t rotate(uint32_t x, unsigned by)
{
    return x << by | x >> (32 - by);
}

static uint32_t mix(uint32_t h, uint32_t k)
{
    k = rotate(k * 0xcc9e2d51U, 15) * 0x1b873593U;
    return rotate(h ^ k, 13) * 5 + 0xe6546b64U;
}

static uint32_t finish(uint32_t h)
{
    h = (h ^ h >> 16) * 0x85ebca6bU;
    h = (h ^ h >> 13) * 0xc2b2ae35U;
    return h ^ h >> 16;
}

int32_t spark_hash(struct span text)
{
    uint32_t h = 42;
    size_t i = 0;
    for (; i + 4 <= text.len; i += 4) {
        const uint8_t *p = text.ptr + i;
        h = mix(h, p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24);
    }
    for (; i < text.len; i++)
        h = mix(h, (uint32_t)(int8_t)text.ptr[i]);
    return (int32_t)finish(h ^ (uint32_t)text.len);
}

uint32_t term_index(struct span text)
{
    return (uint32_t)spark_hash(text) % N_FEATURES; // a power of two: the sign makes no difference
}
