/* amo_crawl.h - what the parts of a crawl share. */
#pragma once

#include "taar/amo.h"
#include "taar/amo_journal.h"
#include "taar/amo_records.h"

enum { AMO_MAX_URL = 16 << 10, AMO_MAX_PARTS = 1000 };
#define AMO_NO_END UINT64_MAX

/* Add-ons with so many users: one query of the search. */
struct amo_part {
    uint64_t from, to; // first, and the first that is not; AMO_NO_END
    struct amo_listing listing;
    uint64_t first_page; // its number in the order of all pages
};

struct amo_crawl {
    const struct amo_options *options;
    struct record_ops ops;
    struct buf base, search; // texts of URLs
    struct amo_client client;
    struct amo_journal *journal;
    struct amo_records records;
    struct amo_part parts[AMO_MAX_PARTS];
    size_t n_parts;
    struct progress progress;

    pthread_mutex_t lock; // of all below
    struct amo_counts *counts;
    uint64_t next;    // piece of work
    uint64_t n_tried; // of what `failed` is a share
};

/** One more that is missing for this reason. prefix: "versions_" or the like. */
void amo_drop(struct amo_crawl *c, const char *prefix, const char *why);
/** One more of n failed: @return 0, or E_IO when these are too many. what: "pages". */
MUST_CHECK int amo_fail(struct amo_crawl *c, uint64_t *n_failed, uint64_t n, const char *what,
                        struct err *err);
/** Run fn for each of 0 .. n-1 with all workers; the first failure stops them. */
typedef int amo_work_fn(struct amo_crawl *c, uint64_t i, struct amo_answer *a, struct buf *text,
                        struct err *err);
MUST_CHECK int amo_work(struct amo_crawl *c, const char *label, uint64_t n, amo_work_fn *fn,
                        struct err *err);

/** The answer of a part's page, 0 being the query without a page, from the journal or from AMO;
 * text: for the URL. @return as amo_get, or E_* of the journal. */
MUST_CHECK int amo_page(struct amo_crawl *c, const struct amo_part *part, uint64_t page,
                        struct amo_answer *a, struct buf *text, struct err *err);
/** Ask how many there are, and split the query until all parts fit. */
MUST_CHECK int amo_plan(struct amo_crawl *c, struct err *err);
/** All pages of all parts into the records. */
MUST_CHECK int amo_pages(struct amo_crawl *c, struct err *err);
/** first_create_date of all merged records. */
MUST_CHECK int amo_versions(struct amo_crawl *c, struct err *err);
