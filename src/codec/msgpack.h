/* msgpack.h - the subset of msgpack that Prio v1 uses (prio-v1.md section 2): str, array headers,
 * small integers. */
#pragma once

#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MSGPACK_HEADER_MAX = 5 };

/* A reader walks forward; a failed read leaves the position unspecified: stop reading. */
struct msgpack_reader {
    const uint8_t *pos, *end;
};

/** str in any of its four encodings (fixstr, d9, da, db), minimal or not; never bin. *body borrows
 * from the input. */
bool msgpack_read_str(struct msgpack_reader *r, struct span *body);
/** Header of an array in any of its three encodings. Nothing is allocated: compare *count before
 * trusting it. */
bool msgpack_read_array(struct msgpack_reader *r, uint32_t *count);
/** An integer >= 0 in any of the encodings: fixint, cc..cf, and d0..d3 where not negative. */
bool msgpack_read_uint(struct msgpack_reader *r, uint64_t *value);

/* Writers use the shortest form and return the bytes written; out has MSGPACK_HEADER_MAX bytes (+
 * len for str). */
size_t msgpack_write_str(uint8_t *out, struct span body);
size_t msgpack_write_array(uint8_t *out, uint32_t count);
/** value <= 0x7f: a positive fixint. */
size_t msgpack_write_fixint(uint8_t *out, uint8_t value);
