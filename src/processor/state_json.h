/* state_json.h - the small JSON objects that a server keeps below own/state/. */
#pragma once

#include "base/compiler.h"
#include "store/store.h"

#include <jansson.h>

static inline void state_json_freep(json_t **json)
{
    json_decref(*json);
}
#define STATE_JSON CLEANUP(state_json_freep) json_t

enum { STATE_JSON_MAX = 1 << 30 };

/** Written whole. json NULL is E_NOMEM (a failed json_pack). @return 0 or E_*. */
MUST_CHECK int state_json_write(const json_t *json, struct store *store, const char *key,
                                struct err *err);
/** @return 0 and *out (owned), E_ABSENT, E_FORMAT naming store and key, or E_*. */
MUST_CHECK int state_json_read(json_t **out, struct store *store, const char *key, struct err *err);
