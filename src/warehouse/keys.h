/* keys.h - which keys a batch has rows of already. */
#pragma once

#include "warehouse/backend.h"

enum { KEY_MAX_COLUMNS = 16 };

/* Null equals null. Keys lie in `bytes`, one behind the other; slots is an open hash table over
 * them. */
struct key_set {
    const struct column *columns;
    size_t n_columns, places[KEY_MAX_COLUMNS]; // where in a row
    struct buf bytes;
    struct key_slot *slots;
    size_t n_slots, n_keys; // n_slots is a power of two, or 0
};

/** @return 0, or E_ARG: the schema has no key, or one of a type that is none. */
int key_set_init(struct key_set *set, const struct table_schema *schema, struct err *err);
void key_set_deinit(struct key_set *set);
/** Add a row's key. @return 1: it is new, 0: it is there already, or E_NOMEM. */
int key_set_add(struct key_set *set, const struct cell *cells, struct err *err);
