/* bigtable_messages.h - what is said to Bigtable: framed messages (net/grpc.h), replacing a buf. */
#pragma once

#include "profiles/batch.h"

#define PROFILES_FAMILY    "profile"
#define PROFILES_QUALIFIER "payload"

MUST_CHECK int bigtable_pack_get_table(struct buf *out, const char *table_name, struct err *err);
/** One family, garbage collection of what is older than 90 days or more than 1 version. */
MUST_CHECK int bigtable_pack_create_table(struct buf *out, const char *parent, const char *table_id,
                                          struct err *err);

enum { BIGTABLE_REQUEST_BYTES = 32 << 20 }; // a ceiling for the buf of a batch
/** The n rows of the batch whose numbers are in which, in that order. */
MUST_CHECK int bigtable_pack_mutate_rows(struct buf *out, const char *table_name,
                                         const struct batch *batch, const uint32_t *which, size_t n,
                                         struct err *err);

/* The newest cell of the one column, of a row, or of at most limit rows behind a key ("": all). */
MUST_CHECK int bigtable_pack_read_row(struct buf *out, const char *table_name, struct span key,
                                      struct err *err);
MUST_CHECK int bigtable_pack_read_rows(struct buf *out, const char *table_name, struct span behind,
                                       int64_t limit, struct err *err);
