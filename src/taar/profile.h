/*
 * profile.h - taar-etl profile: one row a client for the recommender, in stages that can run apart.
 * Source: taar-etl.md 4, Y6, Y9, Y10, H2, H10.
 */
#pragma once

#include "base/buf.h"
#include "codec/avro.h"
#include "profiles/profiles.h"
#include "store/store.h"
#include "taar/telemetry.h"
#include "warehouse/warehouse.h"

/* The table between fill and export: names of letters, digits, _ and -. */
struct profile_table {
    const char *dataset, *table;
};

struct profile_fill_config {
    struct profile_table table;
    double rate;          // share of the rows, 0 to 1
    const uint64_t *seed; // chooses clients by it; NULL: rows by chance
};
/** Create or replace the table from a day's clients_last_seen. t: opened in w. @return 0 with the
 * table's rows, or E_*: the table is as it was. */
MUST_CHECK int profile_fill(struct warehouse *w, struct telemetry *t,
                            const struct profile_fill_config *config, uint64_t *n_rows,
                            struct err *err);
/** One that is not there is fine. */
MUST_CHECK int profile_wipe_table(struct warehouse *w, const struct profile_table *table,
                                  struct err *err);
/** Append sql, and a NUL, with {table}; {part}, a table beside it that is being filled; {dataset};
 * and {name}, that of the table without its dataset. @return 0, E_ARG (unusable names), E_NOMEM. */
MUST_CHECK int profile_fill_sql(struct buf *out, struct warehouse *w, const char *sql,
                                const struct profile_table *table, struct err *err);

/* Avro files: taar-profile.20210314.avro.000000000000 and so on. */
struct profile_files {
    struct store *bucket;
    const char *iso; // eight digits
};
enum { PROFILE_NAME_BYTES = 64 };

/** Write the table's rows to files of about shard_bytes, which take the place of the day's older
 * ones. BigQuery exports by itself, to gs:// only, in sizes of its own; n_rows is 0 then. */
MUST_CHECK int profile_export(struct warehouse *w, const struct profile_table *table,
                              const struct profile_files *files, uint64_t shard_bytes,
                              uint64_t *n_rows, struct err *err);
/** Delete taar-profile.*.avro* of all days. */
MUST_CHECK int profile_wipe_avro(struct store *bucket, uint64_t *n_files, struct err *err);
/** Delete those of one day. */
MUST_CHECK int profile_wipe_day(const struct profile_files *files, uint64_t *n_files,
                                struct err *err);

struct profile_load_counts {
    uint64_t n_files, n_rows;
    uint64_t n_null_ids, n_not_finite; // records that were skipped
};
/**
 * Put a row for each record of the day's files. timestamp_us: of the cells; cut to milliseconds.
 * fetcher_keys: with the keys that the service's fetcher asks for, too (H2).
 * @return 0, E_ABSENT: there are no files, or E_*; rows that were put stay.
 */
MUST_CHECK int profile_load(struct profiles *p, const struct profile_files *files,
                            int64_t timestamp_us, bool fetcher_keys,
                            struct profile_load_counts *counts, struct err *err);

struct profile_delete_counts {
    uint64_t n_clients, n_null_ids;
};
/** Delete the rows of all clients in a window of deletion requests. */
MUST_CHECK int profile_delete_opt_out(struct profiles *p, struct telemetry *t,
                                      struct profile_delete_counts *counts, struct err *err);

enum { PROFILE_KEY_BYTES = 64 };
/** The row key of a client: lower-case hex of its SHA-256, with a NUL. */
MUST_CHECK int profile_key(char key[PROFILE_KEY_BYTES + 1], struct span client_id, struct err *err);
