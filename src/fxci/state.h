/*
 * state.h - what is kept between runs of `pulse drain`: events, rows and definitions that failed,
 * ids whose definition is wanted. Source: fxci-etl.md 3.6, X3, X4, X10.
 *
 * Five objects, JSON arrays of self-describing entries, plus failed-definitions.json. Changes are
 * gathered in memory and laid over what is stored, by state_save: it reads, merges and writes under
 * a precondition, and again where another run was faster. So two runs never take back each other's
 * entries. Whatever lies there is never fatal: an object that is no JSON array counts as empty,
 * with a warning, and the next save moves it aside to NAME.unreadable-<hash>; old forms ({"data":
 * ..}, bare ids, error descriptions) are read, and an element that is none of these is kept.
 */
#pragma once

#include "fxci/tables.h"
#include "store/store.h"

struct state;

enum state_kind { STATE_EVENT, STATE_RECORD, STATE_DEFINITION, STATE_PENDING_ID, STATE_N_KINDS };
extern const char *const state_kind_names[STATE_N_KINDS + 1]; // "event", "record" ...
enum { STATE_ID_BYTES = 33, STATE_MAX_OBJECT_BYTES = 256 << 20 };

struct state_entry {
    char id[STATE_ID_BYTES]; // hex of a hash of kind, exchange, routing key, table and body (X4)
    enum state_kind kind;
    struct span exchange, routing_key; // events
    /* Event: the JSON value, or where undecodable the raw bytes; pending id: the task id, plain;
     * definition: {"taskId", "task"}; record: the row. */
    struct span body;
    bool undecodable; // the body is bytes, not JSON
    struct span content_type;
    /* Found in an object, but no entry of it: the body is what was found. It can only be dropped.
     */
    bool foreign;
    const char *table; // records: fxci_table_name() of it, whatever it is called; else NULL
    struct span reason;
    uint64_t attempts;
    int64_t first_seen_us;
    int64_t expires_us; // pending ids; INT64_MIN: not known
};

/** Contacts nobody. The store is borrowed. */
MUST_CHECK int state_open(struct state **out, struct store *store, int64_t now_us, struct err *err);
void state_close(struct state *s); // unsaved changes are gone
DEFINE_FREEP(struct state, state_close)
/** Read everything as it is now, dropping nothing that was changed here. Writes nothing. @return 0
 * or E_*: the store, memory. */
MUST_CHECK int state_load(struct state *s, struct err *err);

/** An event, record or definition failed now: attempts grow by one. id, attempts, first_seen are
 * filled in here; all texts are copied. Fills out_id where not NULL. */
MUST_CHECK int state_fail(struct state *s, const struct state_entry *entry,
                          char out_id[STATE_ID_BYTES], struct err *err);
/** An id's definition is wanted; known ones are left as they are. */
MUST_CHECK int state_want(struct state *s, struct span task_id, int64_t expires_us,
                          struct err *err);
/**
 * An id was asked for and not returned: one attempt more. After 5 of them and its task's `expires`
 * (30 days where not known), whichever is later, it becomes a definition entry with a reason;
 * *given_up says so.
 */
MUST_CHECK int state_missed(struct state *s, struct span task_id, bool *given_up, struct err *err);
/** An id's row, or its definition entry, is there: it is wanted no longer. */
MUST_CHECK int state_have(struct state *s, struct span task_id, struct err *err);
/** An entry is dealt with: it goes. @return 0, E_ABSENT, E_NOMEM. */
MUST_CHECK int state_resolve(struct state *s, const char *id, struct err *err);

/** Entries of a kind as loaded and changed here, without the foreign ones, in the order of their
 * first failure. The entry is borrowed during the call, with NDJSON_SLACK readable bytes behind its
 * body; fn may change and save the state. @return 0 or what fn returned. */
typedef int state_fn(void *arg, const struct state_entry *entry, struct err *err);
MUST_CHECK int state_each(struct state *s, enum state_kind kind, state_fn *fn, void *arg,
                          struct err *err);
/** All of every kind, the foreign ones too, by kind, first_seen and id. */
MUST_CHECK int state_list(struct state *s, state_fn *fn, void *arg, struct err *err);
/** The entry with this id, its reason as listed; borrowed until something changes. @return false:
 * none. */
bool state_get(const struct state *s, const char *id, struct state_entry *entry);
/** Did this run try it (state_fail, state_missed)? Each event is tried, and each id asked for, once
 * a run. */
bool state_was_tried(const struct state *s, const char *id);
uint64_t state_count(const struct state *s, enum state_kind kind);

/**
 * Make every change durable. Nothing to do: nothing is contacted.
 * @return 0, or E_*: then everything is still to be saved. An object would grow beyond
 * STATE_MAX_OBJECT_BYTES: E_NOMEM, with a text that says what to do.
 */
MUST_CHECK int state_save(struct state *s, struct err *err);

/** One line of `failed list` (X4), without its newline. */
struct buf;
MUST_CHECK int state_entry_json(struct buf *out, const struct state_entry *entry, struct err *err);
