/*
 * amo_journal.h - what a crawl has finished, kept in the bucket until all of it is. Source:
 * taar-etl.md 3.2 (resume), Y5.
 *
 * Below <prefix>/.journal/<date>/, the date without dashes:
 *   source               the search URL; a journal of another one is thrown away
 *   <part>/<page>.<status>   a page's answer as it came, packed or not; empty where it is no 200
 *   addons-<k>-<i>       lines, one an add-on: {"guid":..,"first_create_date":..},
 *                        {"guid":..,"dropped":..} or, half way, {"guid":..,"page_count":..}
 * Object stores cannot append. So lines are gathered in memory, and whoever adds one puts all that
 * are there since object k was begun as its next version i, for itself and for those that wait
 * meanwhile; the highest i of a k holds all of the lower ones, which are deleted when k is full. A
 * name is never written twice, which GCS would slow down to one write a second.
 */
#pragma once

#include "codec/record.h"
#include "store/store.h"

enum { AMO_JOURNAL_NAME_BYTES = 96 };

struct amo_journal;

struct amo_journal_place {
    struct store *store;
    const char *prefix; // of the job's files, with or without a slash at its end
    const char *date;   // 20200601 or 2020-06-01
    const char *source; // the search URL
};

/** Read what is there, or begin one. Journals of other dates are reported and left alone. @return 0
 * or E_*. */
MUST_CHECK int amo_journal_open(struct amo_journal **out, const struct amo_journal_place *place,
                                const struct record_ops *ops, struct err *err);
void amo_journal_close(struct amo_journal *j); // leaves it in the bucket; NULL is fine
DEFINE_FREEP(struct amo_journal, amo_journal_close)
/** Had it anything when it was opened? */
bool amo_journal_resumes(const struct amo_journal *j);

/** Append the answer of a page that was there at the opening. @return 1, 0: it was not, or E_*. */
MUST_CHECK int amo_journal_get(struct amo_journal *j, const char *name, int *status,
                               struct buf *body, struct err *err);
/** Thread: any. @return 0 or E_*: it is durable. */
MUST_CHECK int amo_journal_put(struct amo_journal *j, const char *name, int status,
                               struct span body, struct err *err);

/* How far an add-on is. */
enum amo_ending { AMO_DATED, AMO_DROPPED, AMO_HALF_WAY };
struct amo_line {
    struct span guid;
    enum amo_ending ending;
    struct span text;    // the date, or the reason
    uint64_t page_count; // half way
};
/** Thread: any. @return 0 or E_*: the line is durable. */
MUST_CHECK int amo_journal_add(struct amo_journal *j, const struct amo_line *line, struct err *err);
/** Hand out the lines that were there at the opening, an add-on's in their order. */
typedef int amo_journal_fn(void *arg, const struct amo_line *line, struct err *err);
MUST_CHECK int amo_journal_lines(struct amo_journal *j, amo_journal_fn *fn, void *arg,
                                 struct err *err);

/** All of it is in the result. @return 0 or E_*. */
MUST_CHECK int amo_journal_remove(struct amo_journal *j, struct err *err);
