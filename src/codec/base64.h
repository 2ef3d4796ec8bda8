/* base64.h - RFC 4648 section 4: standard alphabet, with padding, nothing else. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BASE64_SLACK = 64 }; // bytes behind every output that a fast version may overwrite

static inline size_t base64_encoded_len(size_t n)
{
    return (n + 2) / 3 * 4;
}

/** Room that decode needs for len characters, slack included. */
static inline size_t base64_decode_room(size_t len)
{
    return len / 4 * 3 + BASE64_SLACK;
}

/* One table, filled for a CPU; every version agrees with the C one byte for byte. */
struct base64_ops {
    /**
     * Decode len characters. out: base64_decode_room(len) bytes, not overlapping in.
     * @return the number of bytes, or -1: length not a multiple of four, a foreign character (white
     * space included), padding that is missing or in the wrong place, or spare bits that are not
     * zero (prio-v1.md 16.3).
     */
    ptrdiff_t (*decode)(uint8_t *out, const uint8_t *in, size_t len);
    /** Encode n bytes. out: base64_encoded_len(n) + BASE64_SLACK bytes; no terminator. @return
     * characters written. */
    size_t (*encode)(uint8_t *out, const uint8_t *in, size_t n);
};

/** cpu: cpu_feature bits (base/cpu.h), 0 = plain C. */
void base64_ops_init(struct base64_ops *ops, unsigned cpu);
