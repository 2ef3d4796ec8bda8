/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/similarity/eligible.h"

#include "taar/similarity/similarity.h"
#include "vectors.h"

enum { SQL_BYTES_MAX = 1 << 20 };

/* The rows as telemetry.h hands them on: names and types of section 2. */
#define ROWS                                                                                       \
    "(SELECT * REPLACE (CAST(subsession_hours_sum AS DECIMAL(38,9)) AS subsession_hours_sum) "     \
    "FROM read_json('" WEIR_VECTORS "/taar/clients/clients_daily.ndjson', "                        \
    "columns={submission_date: 'DATE', client_id: 'VARCHAR', channel: 'VARCHAR', "                 \
    "app_name: 'VARCHAR', locale: 'VARCHAR', city: 'VARCHAR', os: 'VARCHAR', "                     \
    "subsession_hours_sum: 'VARCHAR', places_bookmarks_count_mean: 'DOUBLE', "                     \
    "scalar_parent_browser_engagement_unique_domains_count_mean: 'DOUBLE', "                       \
    "scalar_parent_browser_engagement_tab_open_event_count_sum: 'BIGINT', "                        \
    "scalar_parent_browser_engagement_total_uri_count_sum: 'BIGINT', "                             \
    "active_addons: 'STRUCT(addon_id VARCHAR, user_disabled BOOLEAN, app_disabled BOOLEAN, "       \
    "type VARCHAR, foreign_install BOOLEAN, is_system BOOLEAN)[]'}) WHERE submission_date "

struct place {
    char dir[TEST_PATH_BYTES];
    struct warehouse *w;
    json_t *guids;
    struct whitelist whitelist;
};

static int make_place(void **state)
{
    static struct place p;
    char url[TEST_PATH_BYTES + 64];
    struct err err = {0};
    p = (struct place){0};
    make_temp_dir(p.dir);
    (void)snprintf(url, sizeof url, "duckdb://%s/w.duckdb", p.dir);
    assert_done(warehouse_open(&p.w, &(struct warehouse_config){.url = url}, &err), &err);
    p.guids = json_load_file(WEIR_VECTORS "/taar/amo/expected/only_guids_top_200.json", 0, NULL);
    for (size_t i = 0; i < json_array_size(p.guids); i++) {
        const char *guid = json_string_value(json_array_get(p.guids, i));
        assert_true(guids_add(&p.whitelist.guids, span_str(guid), &(size_t){0}, &err) >= 0);
    }
    *state = &p;
    return 0;
}

static int remove_place(void **state)
{
    struct place *p = *state;
    char command[TEST_PATH_BYTES + 16];
    warehouse_close(p->w);
    json_decref(p->guids);
    guids_deinit(&p->whitelist.guids);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", p->dir);
    return system(command); // NOLINT(cert-env33-c): a path of our own making
}

static void assert_same_clients(const struct clients *c, const char *name)
{
    JSON *want = vector_lines(name);
    assert_int_equal(clients_count(c), json_array_size(want));
    for (size_t i = 0; i < clients_count(c); i++) {
        CLEANUP(buf_deinit) struct buf text = BUF_INIT(SQL_BYTES_MAX);
        struct err err = {0};
        assert_done(similarity_client_json(&text, c, i, true, false, &err), &err);
        JSON *got = json_loadb((const char *)text.data, text.len, 0, NULL);
        if (!json_equal(got, json_array_get(want, i)))
            fail_msg("%.*s", (int)text.len, (const char *)text.data);
    }
}

static int take_number(void *arg, const struct cell *cells, struct err *err)
{
    (void)err;
    *(int64_t *)arg = cells[0].integer;
    return 0;
}

static int64_t count_sampled(struct place *p, const char *relation, bool latest)
{
    static const struct column columns[] = {{.name = "n", .type = COLUMN_INT64}, {.name = NULL}};
    CLEANUP(buf_deinit) struct buf sql = BUF_INIT(SQL_BYTES_MAX);
    CLEANUP(buf_deinit) struct buf count = BUF_INIT(SQL_BYTES_MAX);
    const struct eligible_config config = {&p->whitelist, latest};
    struct err err = {0};
    int64_t n = -1;
    assert_done(eligible_sample_sql(&sql, p->w, relation, &config, &err), &err);
    assert_done(buf_printf(&count, &err, "SELECT count(*) AS n FROM (%s)", (char *)sql.data), &err);
    assert_done(buf_append_byte(&count, '\0', &err), &err);
    assert_done(warehouse_query(p->w, (char *)count.data, columns, take_number, &n, &err), &err);
    return n;
}

static void clients_are_those_of_the_vectors(void **state)
{
    static const struct {
        const char *relation, *file, *name;
        bool latest;
    } modes[] = {
        {ROWS "= '2021-03-14')", "eligible_snapshot.ndjson", "snapshot", false},
        {ROWS ">= '2021-03-01')", "eligible_window.ndjson", "window", true},
    };
    struct place *p = *state;
    JSON *summary = vector("eligible_summary.json");
    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        CLIENTS c;
        struct err err = {0};
        const struct eligible_config config = {&p->whitelist, modes[i].latest};
        clients_init(&c);
        assert_done(eligible_read(&c, p->w, modes[i].relation, &config, &err), &err);
        clients_sort(&c);
        assert_same_clients(&c, modes[i].file);
        json_t *counts = json_object_get(summary, modes[i].name);
        assert_int_equal(count_sampled(p, modes[i].relation, modes[i].latest),
                         json_integer_value(json_object_get(counts, "sampled_clients")));
    }
}

static void an_empty_whitelist_is_an_error(void **state)
{
    struct place *p = *state;
    CLIENTS c;
    struct err err = {0};
    const struct whitelist none = {.text = {0}};
    clients_init(&c);
    assert_int_equal(eligible_read(&c, p->w, ROWS "= '2021-03-14')",
                                   &(struct eligible_config){&none, false}, &err),
                     E_FORMAT);
    assert_contains(err.text, "the whitelist is empty");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(clients_are_those_of_the_vectors, make_place, remove_place),
        cmocka_unit_test_setup_teardown(an_empty_whitelist_is_an_error, make_place, remove_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
