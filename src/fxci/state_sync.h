/* state_sync.h - between memory and the store. */
#pragma once

#include "fxci/state_internal.h"

enum { STATE_ASIDE_BYTES = 128 };

/** Read an object as it is now; what was changed here and is not saved stays laid over it. @return
 * 0 or E_*. */
MUST_CHECK int state_read_object(struct state *s, enum state_place place, struct err *err);
/** Where an object's unreadable version goes. */
void state_aside_key(char key[STATE_ASIDE_BYTES], const struct state *s, enum state_place place);
