/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/ranking.h"

#include "taar/guids.h"
#include "taar/sql.h"

#include <inttypes.h>

enum { SQL_BYTES_MAX = 256 << 20 };

const char *const ranking_clients_needed[] = {"client_id", "channel", "app_name", "active_addons",
                                              NULL};

struct count {
    char *guid;
    size_t len;
    int64_t n;
};

struct ranking {
    const struct ranking_config *config;
    struct telemetry *t;
    struct guids guids; // borrows from counts
    struct count *counts;
    size_t room;
};

static void ranking_deinit(struct ranking *k)
{
    for (size_t i = 0; i < k->guids.n; i++)
        free(k->counts[i].guid);
    free(k->counts);
    guids_deinit(&k->guids);
}

static int make_room(struct ranking *k, struct err *err)
{
    if (k->guids.n < k->room)
        return 0;
    const size_t room = k->room > 0 ? 2 * k->room : 1024;
    struct count *counts = realloc(k->counts, room * sizeof *counts);
    if (!counts)
        return err_set(err, E_NOMEM, 0, "no memory for add-ons");
    k->counts = counts;
    k->room = room;
    return 0;
}

static int add_guid(struct ranking *k, struct span guid, int64_t n, struct err *err)
{
    size_t place = 0;
    int r = make_room(k, err);
    if (r < 0)
        return r;
    char *text = span_to_text(guid);
    if (!text)
        return err_set(err, E_NOMEM, 0, "no memory for an add-on");
    r = guids_add(&k->guids, span_of(text, guid.len), &place, err);
    if (r < 0) {
        free(text);
        return r;
    }
    k->counts[place] = (struct count){text, guid.len, n};
    return 0;
}

static int take_count(void *arg, const struct cell *cells, struct err *err)
{
    struct ranking *k = arg;
    const struct span guid = cells[0].text;
    if (k->config->without_null && span_equal(guid, span_str("null")))
        return 0;
    const size_t place = guids_find(&k->guids, guid);
    if (place == SIZE_MAX)
        return add_guid(k, guid, cells[1].integer, err);
    k->counts[place].n += cells[1].integer;
    return 0;
}

/* The older job counts rows, whoever's they are. */
static const char *count_of(const struct ranking_config *config)
{
    if (config->distinct_clients)
        return "COUNT(DISTINCT client_id)";
    return config->of_clients ? "COUNT(*)" : "COUNT(client_id)";
}

static int count_piece(void *arg, const char *relation, struct err *err)
{
    static const struct column columns[] = {{.name = "guid", .type = COLUMN_STRING},
                                            {.name = "n", .type = COLUMN_INT64},
                                            {.name = NULL}};
    struct ranking *k = arg;
    struct warehouse *w = telemetry_warehouse(k->t);
    CLEANUP(buf_deinit) struct buf sql = BUF_INIT(SQL_BYTES_MAX);
    const struct sql_value values[] = {{"relation", SQL_VERBATIM, relation, 0},
                                       {"count", SQL_VERBATIM, count_of(k->config), 0},
                                       {.name = NULL}};
    const struct sql_text *text = k->config->of_clients ? &sql_ranking_clients : &sql_ranking;
    const int r = warehouse_fill_sql(&sql, w, sql_of(w, text), values, err);
    return r < 0 ? r : warehouse_query(w, (const char *)sql.data, columns, take_count, k, err);
}

static int by_bytes(const void *a, const void *b)
{
    const struct count *x = a, *y = b;
    const int order = memcmp(x->guid, y->guid, x->len < y->len ? x->len : y->len);
    return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

static int spell(struct buf *out, struct ranking *k, struct err *err)
{
    if (k->guids.n > 0)
        qsort(k->counts, k->guids.n, sizeof *k->counts, by_bytes);
    int r = buf_append_str(out, "{", err);
    for (size_t i = 0; i < k->guids.n && r == 0; i++) {
        r = i > 0 ? buf_append_str(out, ", ", err) : 0;
        if (r == 0)
            r = append_json_text(out, span_of(k->counts[i].guid, k->counts[i].len), err);
        if (r == 0)
            r = buf_printf(out, err, ": %" PRId64, k->counts[i].n);
    }
    return r < 0 ? r : buf_append_str(out, "}", err);
}

int ranking_json(struct buf *out, size_t *n_guids, struct telemetry *t,
                 const struct ranking_config *config, struct err *err)
{
    CLEANUP(ranking_deinit) struct ranking k = {.config = config, .t = t};
    // clients are only told apart where all rows are
    int r = telemetry_each(t, config->distinct_clients, count_piece, &k, err);
    *n_guids = k.guids.n;
    return r < 0 ? r : spell(out, &k, err);
}
