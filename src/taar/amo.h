/*
 * amo.h - taar-etl amodump: the catalogue of addons.mozilla.org, crawled. Source: taar-etl.md 3.1,
 * 3.2, Y2, Y5, H6, H7.
 */
#pragma once

#include "base/progress.h"
#include "taar/amo_fetch.h"
#include "taar/objects.h"

enum { AMO_DEFAULT_WORKERS = 4, AMO_MAX_DROPS = 64 };

struct amo_options {
    const struct objects *objects;
    const char *date;     // as given
    const char *amo_url;  // with the path of a version ("https://../api/v4/"), or without one: then
                          // the generation's; NULL: AMO's own
    const char *temp_dir; // for the records' texts
    unsigned n_workers;   // requests at a time
    double max_failed;    // share of pages or of add-ons that may fail for passing reasons
    unsigned cpu;
    enum progress_mode progress;
    struct amo_client_options client;
};

struct amo_drop {
    char why[AMO_REASON_BYTES + 16]; // "guid_null", "versions_http_404"
    uint64_t n;
};

struct amo_counts {
    uint64_t n_requests;
    uint64_t n_parts, n_pages, n_pages_failed; // of the search
    uint64_t n_listed;                         // what the search says that there are
    uint64_t n_records, n_guids;               // on the pages; distinct ones of texts
    uint64_t n_failed;                         // add-ons without an answer, for passing reasons
    uint64_t n_written;
    struct amo_drop drops[AMO_MAX_DROPS]; // records, pages and add-ons that are missing, by reason
    size_t n_drops;
};

/**
 * Crawl, or go on where a killed crawl of this date stopped, and write
 * extended_addons_database. counts: filled as far as it came.
 * @return 0, or E_*: then nothing was written, and what was there stays; the journal stays too.
 */
MUST_CHECK int amo_dump(const struct amo_options *options, struct amo_counts *counts,
                        struct err *err);
