/*
 * failed.h - what failed: picked, tried again, dropped. Source: fxci-etl.md X4.
 */
#pragma once

#include "codec/record.h"
#include "fxci/rows.h"
#include "fxci/state.h"

enum { FAILED_ANY_KIND = -1 };

/* Which entries are meant: those with these ids, or, with no ids, all of a kind. */
struct failed_pick {
    const char *const *ids;
    size_t n_ids;
    int kind; // enum state_kind, or FAILED_ANY_KIND
};

struct failed_entries {
    struct failed_item {
        char id[STATE_ID_BYTES];
        enum state_kind kind;
        bool foreign;
        int64_t first_seen_us;
    } * items; // in the order of `failed list`, each once
    size_t n, room;
};
/** @return 0, or E_ABSENT naming an id that no entry of that kind has. */
MUST_CHECK int failed_find(struct failed_entries *out, struct state *s,
                           const struct failed_pick *pick, struct err *err);
void failed_entries_deinit(struct failed_entries *entries); // zeroed is fine

/** Take them out for good; the state is saved. */
MUST_CHECK int failed_drop(struct state *s, const struct failed_entries *entries, struct err *err);

/** Of a definition's body, task empty where there is none. @return 1, 0: it has no taskId; or
 * E_NOMEM. */
MUST_CHECK int failed_definition(struct span *task_id, struct span *task,
                                 const struct record_ops *ops, struct span body,
                                 struct buf *scratch, struct err *err);

struct failed_retry {
    rows_open_fn *open; // the tables are there
    void *open_arg;
    const struct fxci_tables *tables;
    int64_t now_us;
    int64_t window_days; // how far back rows of the same key are looked for
    unsigned cpu;
};
struct failed_counts {
    uint64_t n_done;    // rows are stored, or there is nothing to store: the entry is gone
    uint64_t n_failed;  // once more
    uint64_t n_waiting; // ids: the next drain asks for them
    uint64_t n_foreign; // can only be dropped
};
/**
 * Map and store them again: rows first, then the state, in transactions of at most 5,000 entries.
 * An entry whose rows cannot be stored counts one attempt more.
 * @return 0, or E_*: the warehouse or the store failed; what is counted is done.
 */
MUST_CHECK int failed_retry(struct state *s, const struct failed_retry *how,
                            const struct failed_entries *entries, struct failed_counts *counts,
                            struct err *err);
