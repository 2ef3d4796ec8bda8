/*
 * amo_records.h - the records of a crawl: their texts in a nameless file, the rest in memory, about
 * 100 bytes each. Source: taar-etl.md 3.2.
 */
#pragma once

#include "base/buf.h"
#include "base/tempfile.h"
#include "codec/record.h"
#include "taar/amo_journal.h"

#include <pthread.h>

enum { AMO_MAX_GUID = 1024, AMO_MAX_DATE = 256 };

struct amo_record {
    uint64_t order;  // of its page and its place there
    uint64_t offset; // of its text: amo_record_write's
    uint32_t len;
    uint32_t guid_len;
    char *guid;          // its bytes, owned; a zero byte stands behind them
    char *date;          // owned: first_create_date, NULL until it is known
    uint32_t page_count; // half way: how many pages its versions have; 0: not asked
    bool is_done;        // dated or dropped
};

struct amo_records {
    struct amo_record *items;
    size_t n, room;
    struct tempfile texts;
    pthread_mutex_t lock; // of all above, while pages are added
};

/** dir: where the file lies. On failure amo_records_deinit is still due. */
MUST_CHECK int amo_records_init(struct amo_records *r, const char *dir, struct err *err);
void amo_records_deinit(struct amo_records *r);

static inline struct span amo_record_guid(const struct amo_record *r)
{
    return span_of(r->guid, r->guid_len);
}

/** What a page's records were; why is what is missing, for the counts. */
struct amo_page_counts {
    uint64_t n_records;
    void (*dropped)(void *arg, const char *why);
    void *arg;
};
/** Add the records of a search answer, checked JSON, which is page number `page` in the order of
 * pages. Thread: any. @return 1, 0: it has no array "results", or E_*. */
MUST_CHECK int amo_records_add(struct amo_records *r, const struct record_ops *ops,
                               struct span answer, uint64_t page, struct amo_page_counts *counts,
                               struct err *err);

/** Of each guid the record of the last page stays; they are sorted by guid. When all pages are
 * there. */
void amo_records_merge(struct amo_records *r);
/** After the merge. @return the record, or NULL. */
struct amo_record *amo_records_find(struct amo_records *r, struct span guid);
/** After the merge: they are sorted as on the pages, and not to be found by guid any more. */
void amo_records_sort_by_page(struct amo_records *r);
/** Append the object guid -> record of all that are dated. @return 0 or E_*. */
MUST_CHECK int amo_records_write(const struct amo_records *r, struct buf *json, struct err *err);
