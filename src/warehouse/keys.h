/* keys.h - what tells rows apart: hashes of keys, and which keys a batch has rows of already. */
#pragma once

#include "warehouse/backend.h"

enum { KEY_MAX_COLUMNS = 16 };

struct key_columns {
    const struct column *columns;
    size_t n, places[KEY_MAX_COLUMNS]; // where in a row
};
/** @return 0, or E_ARG: the schema has no key, or one of a type that is none. */
int key_columns_init(struct key_columns *key, const struct table_schema *schema, struct err *err);
/** Of a row's key, never 0. DuckDB tables keep it (duckdb_stored.c): it must not change. Keys that
 * differ may have one hash, by accident or by intent: who looks one up compares the keys. */
uint64_t key_hash(const struct key_columns *key, const struct cell *cells);

/* Null equals null. Keys lie in `bytes`, one behind the other; slots is an open hash table over
 * them. */
struct key_set {
    struct key_columns key;
    struct buf bytes;
    struct key_slot *slots;
    size_t n_slots, n_keys; // n_slots is a power of two, or 0
};

/** @return as key_columns_init. */
int key_set_init(struct key_set *set, const struct table_schema *schema, struct err *err);
void key_set_deinit(struct key_set *set);
/** Add a row's key. @return 1: it is new, 0: it is there already, or E_NOMEM. */
int key_set_add(struct key_set *set, const struct cell *cells, struct err *err);
