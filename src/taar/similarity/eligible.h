/* eligible.h - which clients of a telemetry source reach clustering. Source: taar-etl.md section 5
 * steps 1 and 2, section 2 (valid add-on), Y3, Y11. */
#pragma once

#include "taar/similarity/clients.h"
#include "taar/whitelist.h"

enum { ELIGIBLE_ADDONS_MIN = 3 };

struct eligible_config {
    const struct whitelist *whitelist; // the curated one
    bool latest; // of several rows of a client the latest counts: for more than one day
};

/** Append the SELECT of step 1, and a NUL: the clients that are looked at, each with its valid
 * add-ons, also where these are too few. relation: as telemetry.h gives it, of the wanted days.
 * @return 0, E_FORMAT: the whitelist is empty, or E_*. */
MUST_CHECK int eligible_sample_sql(struct buf *out, struct warehouse *w, const char *relation,
                                   const struct eligible_config *config, struct err *err);
/** Add the clients of step 2 to clients, as they come. @return 0 or E_*. */
MUST_CHECK int eligible_read(struct clients *clients, struct warehouse *w, const char *relation,
                             const struct eligible_config *config, struct err *err);
