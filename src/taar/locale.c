/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/locale.h"

#include "taar/sql.h"

#include <inttypes.h>
#include <stdio.h>

enum { SQL_BYTES_MAX = 256 << 20, NUMBER_BYTES = 24 };

/* Where staged files leave their rows: only together they tell a client's latest one. */
static const char days_table[] = "locale_days";

const char *const locale_needed[] = {"client_id", "channel",       "app_name",
                                     "locale",    "active_addons", NULL};

static int append_limit(struct buf *out, uint64_t limit, struct err *err)
{
    return buf_printf(out, err, "%" PRIu64, limit > 0 ? limit : (uint64_t)INT64_MAX);
}

/* An expression of a locale's limit, null where it does not count. */
static int append_limits(struct buf *out, struct warehouse *w, const struct locale_limits *l,
                         struct err *err)
{
    int r = l->n > 0 ? buf_append_str(out, "CASE locale", err) : append_limit(out, l->all, err);
    for (size_t i = 0; i < l->n && r == 0; i++) {
        const struct sql_value values[] = {{"locale", SQL_TEXT, l->list[i].locale, 0},
                                           {.name = NULL}};
        r = warehouse_fill_sql(out, w, " WHEN {locale} THEN ", values, err);
        if (r < 0)
            return r;
        out->len--; // its NUL
        r = append_limit(out, l->list[i].limit, err);
    }
    if (r == 0 && l->n > 0)
        r = buf_append_str(out, " END", err);
    return r < 0 ? r : buf_append_byte(out, '\0', err);
}

static int append_turn(struct buf *out, struct warehouse *w, const struct locale_config *config,
                       struct err *err)
{
    char seed[NUMBER_BYTES];
    if (config->first)
        return buf_append(out, "place", sizeof "place", err);
    (void)snprintf(seed, sizeof seed, "%" PRIu64 ":", config->seed);
    const struct sql_value values[] = {{"seed", SQL_TEXT, seed, 0}, {.name = NULL}};
    return warehouse_fill_sql(out, w, sql_of(w, &sql_locale_random), values, err);
}

static int append_counts(struct buf *out, struct warehouse *w, const char *latest,
                         const struct whitelist *whitelist, const struct locale_config *config,
                         struct err *err)
{
    CLEANUP(buf_deinit) struct buf guids = BUF_INIT(SQL_BYTES_MAX);
    CLEANUP(buf_deinit) struct buf limits = BUF_INIT(SQL_BYTES_MAX);
    CLEANUP(buf_deinit) struct buf turn = BUF_INIT(SQL_BYTES_MAX);
    int r = whitelist_literals(&guids, w, whitelist, err);
    if (r == 0)
        r = append_limits(&limits, w, config->limits, err);
    if (r == 0)
        r = append_turn(&turn, w, config, err);
    const struct sql_value values[] = {{"latest", SQL_VERBATIM, latest, 0},
                                       {"whitelist", SQL_VERBATIM, (const char *)guids.data, 0},
                                       {"limit", SQL_VERBATIM, (const char *)limits.data, 0},
                                       {"turn", SQL_VERBATIM, (const char *)turn.data, 0},
                                       {.name = NULL}};
    return r < 0 ? r : warehouse_fill_sql(out, w, sql_of(w, &sql_locale_counts), values, err);
}

struct counting {
    struct locale_counts *c;
    const struct locale_config *config;
    bool any;
};

static int take_count(void *arg, const struct cell *cells, struct err *err)
{
    struct counting *counting = arg;
    const struct whitelist *whitelist = counting->c->whitelist;
    uint64_t limit;
    double *counts = NULL;
    counting->any = true;
    if (!locale_limits_find(counting->config->limits, cells[0].text, &limit))
        return 0;
    const int r = locale_counts_row(counting->c, cells[0].text, &counts, err);
    if (r < 0 || cells[1].is_null)
        return r;
    const size_t place = whitelist_find(whitelist, cells[1].text);
    if (place == SIZE_MAX)
        return err_set(err, E_FORMAT, 0, "the warehouse counted an add-on that was not asked for");
    counts[place] = (double)cells[2].integer;
    return 0;
}

/* Limits name locales that count, also where nobody has them. */
static int add_named(struct locale_counts *c, const struct locale_limits *l, struct err *err)
{
    double *counts;
    int r = 0;
    for (size_t i = 0; i < l->n && r == 0; i++)
        r = locale_counts_row(c, span_str(l->list[i].locale), &counts, err);
    return r;
}

/* days: a relation as locale_rows makes it. */
static int count_days(struct locale_counts *c, struct warehouse *w, const char *days,
                      const struct locale_config *config, struct err *err)
{
    static const struct column columns[] = {{.name = "locale", .type = COLUMN_STRING},
                                            {.name = "guid", .type = COLUMN_STRING},
                                            {.name = "n", .type = COLUMN_INT64},
                                            {.name = NULL}};
    CLEANUP(buf_deinit) struct buf latest = BUF_INIT(SQL_BYTES_MAX);
    CLEANUP(buf_deinit) struct buf sql = BUF_INIT(SQL_BYTES_MAX);
    struct counting counting = {c, config, false};
    const struct sql_value values[] = {{"rows", SQL_VERBATIM, days, 0}, {.name = NULL}};
    int r = warehouse_fill_sql(&latest, w, sql_of(w, &sql_locale_latest), values, err);
    if (r == 0)
        r = append_counts(&sql, w, (const char *)latest.data, c->whitelist, config, err);
    if (r == 0)
        r = add_named(c, config->limits, err);
    if (r == 0)
        r = warehouse_query(w, (const char *)sql.data, columns, take_count, &counting, err);
    if (r == 0 && !counting.any)
        r = err_set(err, E_ABSENT, 0,
                    "no client has an add-on: no row of Firefox's release channel in these days "
                    "has one that is signed and enabled, and a locale");
    locale_counts_sort(c);
    return r;
}

static int append_rows(struct buf *out, struct warehouse *w, const char *relation, struct err *err)
{
    CLEANUP(buf_deinit) struct buf rows = BUF_INIT(SQL_BYTES_MAX);
    const struct sql_value values[] = {{"relation", SQL_VERBATIM, relation, 0}, {.name = NULL}};
    const int r = warehouse_fill_sql(&rows, w, sql_of(w, &sql_locale_rows), values, err);
    return r < 0 ? r : buf_printf(out, err, "(%s)", (const char *)rows.data);
}

int locale_count_relation(struct locale_counts *c, struct warehouse *w, const char *relation,
                          const struct locale_config *config, struct err *err)
{
    CLEANUP(buf_deinit) struct buf days = BUF_INIT(SQL_BYTES_MAX);
    int r = append_rows(&days, w, relation, err);
    if (r == 0)
        r = buf_append_byte(&days, '\0', err);
    return r < 0 ? r : count_days(c, w, (const char *)days.data, config, err);
}

struct piece {
    struct locale_counts *c;
    struct warehouse *w;
    const struct locale_config *config;
    size_t n_kept;
};

static int keep_days(void *arg, const char *relation, struct err *err)
{
    struct piece *piece = arg;
    CLEANUP(buf_deinit) struct buf sql = BUF_INIT(SQL_BYTES_MAX);
    int r = buf_printf(&sql, err,
                       piece->n_kept > 0 ? "INSERT INTO %s FROM " : "CREATE TABLE %s AS FROM ",
                       days_table);
    if (r == 0)
        r = append_rows(&sql, piece->w, relation, err);
    if (r == 0)
        r = buf_append_byte(&sql, '\0', err);
    if (r == 0)
        r = warehouse_query(piece->w, (const char *)sql.data, NULL, NULL, NULL, err);
    piece->n_kept += r == 0;
    return r;
}

static int count_piece(void *arg, const char *relation, struct err *err)
{
    const struct piece *piece = arg;
    return locale_count_relation(piece->c, piece->w, relation, piece->config, err);
}

int locale_count(struct locale_counts *c, struct telemetry *t, const struct locale_config *config,
                 struct err *err)
{
    struct piece piece = {c, telemetry_warehouse(t), config, 0};
    if (!telemetry_is_staged(t))
        return telemetry_each(t, true, count_piece, &piece, err);
    const int r = telemetry_each(t, false, keep_days, &piece, err);
    if (r < 0)
        return r;
    return piece.n_kept > 0 ? count_days(c, piece.w, days_table, config, err)
                            : err_set(err, E_ABSENT, 0, "all files of these days are empty");
}
