/* ranking.h - how often each add-on is installed. Source: taar-etl.md 7.2, Y13. */
#pragma once

#include "taar/telemetry.h"

struct ranking_config {
    bool of_clients;       // the source is clients_daily: the older job
    bool distinct_clients; // count clients, not pings or rows
    bool without_null;     // leave out the key "null", which stands for a missing add-on id
};
/** The columns of clients_daily that are needed, for telemetry_open. */
extern const char *const ranking_clients_needed[];
/** Append {"guid": 1234, ..}, keys in the order of their bytes. *n_guids: how many. */
MUST_CHECK int ranking_json(struct buf *out, size_t *n_guids, struct telemetry *t,
                            const struct ranking_config *config, struct err *err);
