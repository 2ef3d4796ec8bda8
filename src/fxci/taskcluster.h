/*
 * taskcluster.h - where definitions come from: the queue service, or a file of recorded pages.
 * Source: fxci-etl.md 3.4, 6.1, X3.
 */
#pragma once

#include "fxci/definition.h"
#include "net/http.h"

struct taskcluster;
enum { TASKCLUSTER_MAX_IDS = 1000 }; // a page holds at most so many, so that one answer is one page

struct taskcluster_config {
    const char *root_url; // "https://firefox-ci-tc.services.mozilla.com"
    const char *pages;    // a file instead: {"request", "pages": [..]} or NDJSON of pages, gzip too
    const char *ca_file;  // PEM; NULL: the system's
    unsigned cpu;
};
/** A file is read whole, and wins over the service. Contacts nobody. @return 0, E_ARG, E_ABSENT,
 * E_FORMAT. */
MUST_CHECK int taskcluster_open(struct taskcluster **out, const struct taskcluster_config *config,
                                struct err *err);
void taskcluster_close(struct taskcluster *t);
DEFINE_FREEP(struct taskcluster, taskcluster_close)
/**
 * Definitions of n ids, at most TASKCLUSTER_MAX_IDS, in any order; what was not asked for is not
 * handed out, and each id once, the first one. Ids that nobody knows are simply left out.
 * @return 0: asked and answered in full; what fn returned; or E_IO, E_FORMAT: some may have been
 * handed out already.
 */
MUST_CHECK int taskcluster_fetch(struct taskcluster *t, const struct span *ids, size_t n,
                                 definition_fn *fn, void *arg, struct err *err);
