/*
 * lines.h - many workers over one stream of lines, with their results in input order.
 *
 * Workers take chunks of whole lines in turn, do the costly part side by side, and pass two
 * turnstiles in chunk order: TURN_ADMIT, where a record is compared with all earlier ones, and
 * TURN_COMMIT, where results are counted and written. Work between the two runs side by side again.
 */
#pragma once

#include "base/pool.h"
#include "base/progress.h"
#include "codec/ndjson.h"

enum lines_turn { TURN_ADMIT, TURN_COMMIT, TURN_COUNT };

struct lines_options {
    size_t max_line;           // longer lines come out as too_long
    size_t target_bytes;       // of a chunk; 1 = one line
    struct progress *progress; // may be NULL
    bool secret;               // lines are wiped after use
};

struct lines {
    struct lines_options options;
    struct ndjson_reader reader;
    pthread_mutex_t lock; // of the reader
    bool unreadable;      // the reader has failed; under lock
    struct turnstile turns[TURN_COUNT];
};

MUST_CHECK int lines_init(struct lines *l, struct source src, const struct lines_options *options,
                          struct err *err);
void lines_deinit(struct lines *l);

/** LINES_ABORTED: another worker has failed; lines_work returns 0 for it. */
enum { LINES_ABORTED = 1 };
/** Process one chunk, entering and leaving each turn once. @return 0, LINES_ABORTED or E_*. */
typedef int lines_fn(void *worker, struct ndjson_chunk *chunk, struct err *err);

/**
 * A worker's life: take chunks until the input ends or some worker fails.
 * Thread: call it once in each worker. @return 0 or E_*, after which all other workers stop.
 */
MUST_CHECK int lines_work(struct lines *l, lines_fn *fn, void *worker, struct err *err);
/** Stop all workers; for one that fails outside lines_work. */
void lines_abort(struct lines *l);

/** Wait for the chunk's turn. @return 0 or LINES_ABORTED. */
MUST_CHECK int lines_enter(struct lines *l, enum lines_turn turn, const struct ndjson_chunk *chunk);
void lines_leave(struct lines *l, enum lines_turn turn, const struct ndjson_chunk *chunk);

/** Spaces, tabs and carriage returns only. */
bool line_is_blank(struct span line);
