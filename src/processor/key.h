/* key.h - a key of an object, put together on the stack. */
#pragma once

#include "store/store.h"

struct key {
    char text[STORE_MAX_KEY + 1];
};

/** printf into a key. @return 0, or E_ARG: it is longer than a store takes. */
MUST_CHECK int key_make(struct key *key, struct err *err, const char *fmt, ...) PRINTF_LIKE(3, 4);
