/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A row's valid add-ons are read as a list from DuckDB and paired here: that is faster than a join
 * in SQL, and needs memory for the pairs only. BigQuery counts pairs itself, so that few rows
 * travel.
 */
#include "taar/lite.h"

#include "taar/sql.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum { SQL_BYTES_MAX = 256 << 20 };
/* A query of BigQuery has at most 1 MB: longer whitelists are looked up here only. */
enum { BIGQUERY_LIST_MAX = 700000 };
static const char pioneer[] = "pioneer-opt-in@mozilla.org";

const char *const lite_needed[] = {"client_id",          "channel",       "app_name",
                                   "normalized_channel", "active_addons", NULL};

struct counting {
    struct coinstallation *c;
    const struct lite_config *config;
    struct telemetry *t;
    size_t pioneer;
    size_t *places; // of a row
    size_t room;
};

static size_t find_place(const struct counting *counting, struct span guid)
{
    const size_t place = whitelist_find(counting->c->whitelist, guid);
    return place == counting->pioneer ? SIZE_MAX : place;
}

static int make_room(struct counting *counting, size_t n, struct err *err)
{
    if (n <= counting->room)
        return 0;
    size_t *places = realloc(counting->places, 2 * n * sizeof *places);
    if (!places)
        return err_set(err, E_NOMEM, 0, "no memory for a list of add-ons");
    counting->places = places;
    counting->room = 2 * n;
    return 0;
}

static int take_list(void *arg, const struct cell *cells, struct err *err)
{
    struct counting *counting = arg;
    size_t n = 0;
    int r = make_room(counting, cells[0].n_items, err);
    for (size_t i = 0; i < cells[0].n_items && r == 0; i++) {
        const size_t place = find_place(counting, cells[0].items[i]);
        if (place == SIZE_MAX)
            continue;
        for (size_t j = 0; j < n && r == 0; j++)
            r = coinstallation_add(counting->c, counting->places[j], place, 1, err);
        counting->places[n++] = place;
    }
    counting->c->n_lists += n > 1;
    return r;
}

static int take_pair(void *arg, const struct cell *cells, struct err *err)
{
    struct counting *counting = arg;
    const size_t a = find_place(counting, cells[0].text), b = find_place(counting, cells[1].text);
    return a == SIZE_MAX || b == SIZE_MAX
               ? 0
               : coinstallation_add(counting->c, a, b, (uint64_t)cells[2].integer, err);
}

/* Hash digits below it are those of a chosen row. */
static int append_sample(struct buf *out, struct warehouse *w, const struct lite_config *config,
                         struct err *err)
{
    if (config->rate >= 1)
        return buf_append(out, "", 1, err);
    const double scaled = ldexp(config->rate, 64);
    char limit[sizeof "0123456789abcdef"], seed[24];
    (void)snprintf(limit, sizeof limit, "%016" PRIx64, (uint64_t)scaled);
    (void)snprintf(seed, sizeof seed, "%" PRIu64 ":", config->seed);
    const struct sql_value values[] = {
        {"seed", SQL_TEXT, seed, 0}, {"limit", SQL_TEXT, limit, 0}, {.name = NULL}};
    return warehouse_fill_sql(out, w, sql_of(w, &sql_sample), values, err);
}

static int append_whitelist(struct buf *out, struct warehouse *w, const struct whitelist *whitelist,
                            struct err *err)
{
    int r = 0;
    for (size_t i = 0; i < whitelist->guids.n && r == 0; i++) {
        char *guid = span_to_text(whitelist->guids.list[i]);
        const struct sql_value values[] = {{"guid", SQL_TEXT, guid, 0}, {.name = NULL}};
        r = guid ? buf_append_str(out, i == 0 ? "AND addon.addon_id IN (" : ", ", err)
                 : err_set(err, E_NOMEM, 0, "no memory for a guid");
        if (r == 0)
            r = warehouse_fill_sql(out, w, "{guid}", values, err);
        if (r == 0)
            out->len--; // its NUL
        free(guid);
    }
    if (r == 0 && out->len > BIGQUERY_LIST_MAX)
        buf_clear(out);
    return r < 0 ? r : buf_append(out, out->len > 0 ? ")" : "", out->len > 0 ? 2 : 1, err);
}

static int count_lists(struct counting *counting, struct warehouse *w, const char *relation,
                       const char *sample, struct err *err)
{
    static const struct column columns[] = {{.name = "addons", .type = COLUMN_STRINGS},
                                            {.name = NULL}};
    CLEANUP(buf_deinit) struct buf sql = BUF_INIT(SQL_BYTES_MAX);
    const struct sql_value values[] = {{"relation", SQL_VERBATIM, relation, 0},
                                       {"sample", SQL_VERBATIM, sample, 0},
                                       {.name = NULL}};
    const int r = warehouse_fill_sql(&sql, w, sql_lite_lists.duckdb, values, err);
    return r < 0 ? r
                 : warehouse_query(w, (const char *)sql.data, columns, take_list, counting, err);
}

static int count_pairs(struct counting *counting, struct warehouse *w, const char *relation,
                       const char *sample, struct err *err)
{
    static const struct column columns[] = {{.name = "key_addon", .type = COLUMN_STRING},
                                            {.name = "co_addon", .type = COLUMN_STRING},
                                            {.name = "n", .type = COLUMN_INT64},
                                            {.name = NULL}};
    CLEANUP(buf_deinit) struct buf whitelist = BUF_INIT(SQL_BYTES_MAX);
    CLEANUP(buf_deinit) struct buf sql = BUF_INIT(SQL_BYTES_MAX);
    int r = append_whitelist(&whitelist, w, counting->c->whitelist, err);
    const struct sql_value values[] = {{"relation", SQL_VERBATIM, relation, 0},
                                       {"sample", SQL_VERBATIM, sample, 0},
                                       {"whitelist", SQL_VERBATIM, (const char *)whitelist.data, 0},
                                       {.name = NULL}};
    if (r == 0)
        r = warehouse_fill_sql(&sql, w, sql_lite_pairs.bigquery, values, err);
    return r < 0 ? r
                 : warehouse_query(w, (const char *)sql.data, columns, take_pair, counting, err);
}

static int count_piece(void *arg, const char *relation, struct err *err)
{
    struct counting *counting = arg;
    struct warehouse *w = telemetry_warehouse(counting->t);
    CLEANUP(buf_deinit) struct buf sample = BUF_INIT(1 << 16);
    const int r = append_sample(&sample, w, counting->config, err);
    const char *text = (const char *)sample.data;
    if (r < 0)
        return r;
    return warehouse_is_bigquery(w) ? count_pairs(counting, w, relation, text, err)
                                    : count_lists(counting, w, relation, text, err);
}

int lite_count(struct coinstallation *c, struct telemetry *t, const struct lite_config *config,
               struct err *err)
{
    struct counting counting = {.c = c,
                                .config = config,
                                .t = t,
                                .pioneer = whitelist_find(c->whitelist, span_str(pioneer))};
    if (config->rate <= 0) // nothing is chosen
        return 0;
    if (counting.pioneer == SIZE_MAX)
        counting.pioneer = SIZE_MAX - 1; // no place
    const int r = telemetry_each(t, false, count_piece, &counting, err);
    free(counting.places);
    return r;
}
