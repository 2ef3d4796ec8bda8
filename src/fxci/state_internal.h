/* state_internal.h - what the files of state share. */
#pragma once

#include "base/buf.h"
#include "codec/base64.h"
#include "codec/record.h"
#include "fxci/state.h"

#include <openssl/evp.h>

/* Where entries are kept. Records have an object a table, so there are more objects than kinds. */
enum state_place {
    PLACE_TASKS,
    PLACE_RUNS,
    PLACE_DEFINITION_ROWS,
    PLACE_DEFINITIONS,
    PLACE_PENDING,
    PLACE_EVENTS,
    STATE_N_PLACES
};
struct state_place_info {
    const char *key; // in the store
    enum state_kind kind;
    enum fxci_table table; // of records; else FXCI_N_TABLES
};
extern const struct state_place_info state_places[STATE_N_PLACES];
/** "tasks_v2" for PLACE_TASKS; NULL for what is no row. */
const char *state_place_table(enum state_place place);

enum { STATE_KEY_BYTES = 16, STATE_MAX_DEPTH = 60, STATE_SLACK = 64 };
struct state_key {
    uint8_t bytes[STATE_KEY_BYTES];
};

/* One entry, in one block with its texts; the reason alone may change. */
struct state_item {
    struct state_entry e; // as it will be stored
    struct state_key key;
    enum state_place place;
    char *reason;
    uint64_t seq;             // tells apart what was first seen at the same time
    uint64_t stored_attempts; // e.attempts is this and n_more
    uint64_t n_more;          // failures, or questions without an answer, that are not saved yet
    bool stored;              // it is in the object, as far as we know
    bool removed;             // it is not to be there any more
    bool tried;               // state_fail was called for it
    bool seen;                // in the object that is being read
    struct state_item *next_dead;
    uint8_t texts[];
};

/* Items by key. Keys are hashes already. */
struct state_table {
    struct state_item **slots;
    size_t n, room; // room: a power of two, or 0
};
struct state_item *state_table_get(const struct state_table *t, const struct state_key *key);
/** The key is not there yet. @return 0 or E_NOMEM. */
MUST_CHECK int state_table_add(struct state_table *t, struct state_item *item, struct err *err);
void state_table_drop(struct state_table *t, const struct state_item *item);

struct state_object {
    struct state_item **items;
    size_t n, room;
    bool known;      // read, or written, by us
    bool exists;     // then: as this version
    bool unreadable; // what is there is no JSON array
    char version[STORE_VERSION_BYTES];
};

struct state {
    struct store *store;
    int64_t now_us;
    struct record_ops ops;
    struct base64_ops base64;
    EVP_MD *md;
    EVP_MD_CTX *digest;
    struct state_object objects[STATE_N_PLACES];
    struct state_table table;
    uint64_t next_seq;
    unsigned n_walks;        // calls of state_each that have not returned
    struct state_item *dead; // freed when nobody walks
};

/** The hash of X4. @return 0 or E_CRYPTO. */
MUST_CHECK int state_key_of(struct state *s, struct state_key *key, const struct state_entry *e,
                            struct err *err);
void state_key_text(char id[STATE_ID_BYTES], const struct state_key *key);
bool state_key_read(struct state_key *key, const char *id);

/** A new item with copies of e's texts, put into its table and place; attempts and first_seen as in
 * e. @return 0, E_NOMEM. */
MUST_CHECK int state_item_add(struct state *s, struct state_item **out, enum state_place place,
                              const struct state_entry *e, const struct state_key *key,
                              struct err *err);
MUST_CHECK int state_item_set_reason(struct state_item *item, struct span reason, struct err *err);
/** Out of the table; the caller takes it out of its place. */
void state_item_bury(struct state *s, struct state_item *item);
void state_free_dead(struct state *s); // unless somebody walks

/** The elements of a JSON array, as spans of its text, in *out (owned by the caller). An element
 * that is no JSON, or nests too deep, is one, too. STATE_SLACK bytes behind text are readable.
 * @return 1; 0: not an array; or E_NOMEM. */
MUST_CHECK int state_split(const struct state *s, struct span text, struct span **out, size_t *n,
                           struct err *err);
/** An element of an object as an entry; spans borrow from it or scratch. Whatever it is, it becomes
 * one. @return 0 or E_NOMEM. */
MUST_CHECK int state_read_entry(const struct state *s, enum state_place place, struct span element,
                                struct state_entry *e, struct buf *scratch, struct err *err);
/** The text's "taskId", unescaped into scratch, which is cleared. @return 1, 0: none, or E_NOMEM.
 */
MUST_CHECK int state_body_task(const struct state *s, struct span body, struct span *task_id,
                               struct buf *scratch, struct err *err);
/** One JSON value that does not nest deeper than STATE_MAX_DEPTH? */
bool state_is_json(const struct state *s, struct span text);

/** Append an entry as it is stored. */
MUST_CHECK int state_write_entry(const struct state *s, struct buf *out,
                                 const struct state_entry *e, struct err *err);

/** The entry as others see it: an id that waits has a reason, too. */
struct state_entry state_shown(const struct state_item *item);

/** By first_seen, then seq: pointers to items. */
int state_item_order(const void *a, const void *b);
