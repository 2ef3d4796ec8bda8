/* fetch_origins.h - the command `fetch-origins`: from the source list to an origin config. */
#pragma once

#include "processor/origins.h"

/* The list as it lay in Firefox's sources; the feature is gone from there. */
#define FETCH_ORIGINS_URL                                                                          \
    "https://hg.mozilla.org/mozilla-central/raw-file/tip/toolkit/components/telemetry/core/"       \
    "TelemetryOriginData.inc"

struct fetch_origins_options {
    const char *url;     // https://, http://, file:// or a plain path
    const char *ca_file; // PEM; NULL: the system's
};

struct fetch_origins_result {
    struct buf json; // the config's text; buf_deinit
    size_t n_origins;
};

/**
 * Fetch, check and convert. @return 0; or E_ABSENT, E_IO: the list is not to be had there; E_FORMAT
 * naming source and line; E_NOMEM.
 */
MUST_CHECK int fetch_origins_run(const struct fetch_origins_options *options,
                                 struct fetch_origins_result *result, struct err *err);
