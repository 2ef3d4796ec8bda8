/* ingest.h - both servers' ingest buckets, as whoever fills them sees them. */
#pragma once

#include "processor/place.h"
#include "weir/prio.h"

enum { N_SERVERS = 2 };

/* By role: PRIO_SERVER_A is "internal" in the variables of `generate` and `transfer`. */
struct ingest {
    struct store *bucket[N_SERVERS];   // NULL: none is wanted for that server
    const char *public_key[N_SERVERS]; // hex, spelt as the servers spell it
    const char *bucket_prefix, *app_name, *date;
};

/**
 * Set out to the folder of a server's raw shares, ".../raw/shares", NUL-terminated. It lies under
 * the other server's key (4.2). out: of PLACE_KEY_INIT. @return 0, or E_ARG as layout_prefix.
 */
MUST_CHECK int ingest_folder(struct buf *out, const struct ingest *ingest, enum prio_role role,
                             struct err *err);
