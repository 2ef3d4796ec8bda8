/* SPDX-License-Identifier: MPL-2.0 */
/* The stage bigtable-delete-opt-out: rows of clients that asked for it. */
#include "taar/profile.h"

enum { SQL_BYTES_MAX = 256 << 20 };

struct deletion {
    struct profiles *profiles;
    struct warehouse *warehouse;
    struct profile_delete_counts *counts;
};

static int delete_client(void *arg, const struct cell *cells, struct err *err)
{
    struct deletion *d = arg;
    char key[PROFILE_KEY_BYTES + 1];
    if (cells[0].is_null) {
        d->counts->n_null_ids += (uint64_t)cells[1].integer;
        return 0;
    }
    d->counts->n_clients++;
    const int r = profile_key(key, cells[0].text, err);
    return r < 0 ? r : profiles_delete(d->profiles, span_of(key, PROFILE_KEY_BYTES), err);
}

/* A client of two pieces is deleted twice, which does no harm. */
static int delete_piece(void *arg, const char *relation, struct err *err)
{
    static const struct column columns[] = {{.name = "client_id", .type = COLUMN_STRING},
                                            {.name = "n", .type = COLUMN_INT64},
                                            {.name = NULL}};
    struct deletion *d = arg;
    CLEANUP(buf_deinit) struct buf sql = BUF_INIT(SQL_BYTES_MAX);
    const struct sql_value values[] = {{"relation", SQL_VERBATIM, relation, 0}, {.name = NULL}};
    const int r = warehouse_fill_sql(&sql, d->warehouse,
                                     "SELECT client_id, COUNT(*) AS n FROM {relation} AS requests "
                                     "GROUP BY client_id",
                                     values, err);
    return r < 0 ? r
                 : warehouse_query(d->warehouse, (const char *)sql.data, columns, delete_client, d,
                                   err);
}

int profile_delete_opt_out(struct profiles *p, struct telemetry *t,
                           struct profile_delete_counts *counts, struct err *err)
{
    struct deletion d = {.profiles = p, .warehouse = telemetry_warehouse(t), .counts = counts};
    *counts = (struct profile_delete_counts){0};
    int r = profiles_ensure_table(p, err);
    if (r == 0)
        r = telemetry_each(t, false, delete_piece, &d, err);
    return r == 0 ? profiles_flush(p, err) : r;
}
