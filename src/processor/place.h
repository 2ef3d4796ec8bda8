/* place.h - a folder of a store: where a command reads or writes. */
#pragma once

#include "base/buf.h"
#include "store/store.h"

enum { PLACE_DELETE_AT_ONCE = 1000 };

struct place {
    struct store *store; // borrowed; NULL: not given
    const char *dir;     // borrowed; "" or "a/b", without a "/" at its end
};

#define PLACE_KEY_INIT BUF_INIT(2 * STORE_MAX_KEY)

/** Set out to "dir/rest", NUL-terminated; rest "" gives "dir/", or "" at the store's root. out: of
 * PLACE_KEY_INIT. @return the text, or NULL with err set (E_NOMEM: too long). */
const char *place_key(struct buf *out, const struct place *place, const char *rest,
                      struct err *err);
/** Delete every object below "dir/rest". @return 0 or E_*. */
MUST_CHECK int place_clear(const struct place *place, const char *rest, struct err *err);
/** Write the empty object "dir/rest" (_SUCCESS), or delete it. */
MUST_CHECK int place_mark(const struct place *place, const char *rest, struct err *err);
MUST_CHECK int place_unmark(const struct place *place, const char *rest, struct err *err);
/**
 * Make an output folder empty, as commands in overwrite mode do: its marker goes first.
 * @return 0, E_ARG for a whole bucket, or E_*.
 */
MUST_CHECK int place_overwrite(const struct place *place, struct err *err);
