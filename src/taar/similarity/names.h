/* names.h - texts that occur often, kept once, as numbers 0, 1, 2 .. in order of appearance. */
#pragma once

#include "base/buf.h"

struct names {
    struct buf text;
    struct buf ends;  // uint64_t: where each stops in text
    struct buf table; // uint32_t: number + 1, 0 is free; a power of two of them
    uint32_t n;
};

void names_init(struct names *names);
void names_deinit(struct names *names);
/** The number of a text, a new one where it is new. @return 0 or E_NOMEM. */
MUST_CHECK int names_intern(struct names *names, struct span text, uint32_t *number,
                            struct err *err);
/** Borrowed until the next names_intern. */
struct span names_get(const struct names *names, uint32_t number);
