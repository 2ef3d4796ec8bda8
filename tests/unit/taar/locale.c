/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/locale.h"

#include "../base/base_test.h"
#include "base/utc.h"
#include "taar_test.h"

#include <math.h>

enum { DRAWINGS = 30 };
#define LIMITS CLEANUP(locale_limits_deinit) struct locale_limits
#define COUNTS CLEANUP(locale_counts_deinit) struct locale_counts

static void assert_done(int r, const struct err *err)
{
    if (r != 0)
        fail_msg("%s", err->text);
}

struct place {
    char dir[TEST_PATH_BYTES];
    struct warehouse *w;
    json_t *guids;
    struct whitelist whitelist;
};

static void list_guids(struct whitelist *whitelist, const json_t *guids)
{
    struct err err = {0};
    for (size_t i = 0; i < json_array_size(guids); i++) {
        const char *guid = json_string_value(json_array_get(guids, i));
        assert_true(guids_add(&whitelist->guids, span_str(guid), &(size_t){0}, &err) == 1);
    }
}

/* The rows of the vectors, with the columns that are read. */
static void load_rows(struct warehouse *w)
{
    static const char sql[] =
        "CREATE TABLE days AS FROM read_json('" WEIR_VECTORS "/taar/clients/clients_daily.ndjson', "
        "columns={submission_date: 'DATE', client_id: 'VARCHAR', channel: 'VARCHAR', "
        "app_name: 'VARCHAR', locale: 'VARCHAR', active_addons: 'STRUCT(addon_id VARCHAR, "
        "blocklisted BOOLEAN, user_disabled BOOLEAN, app_disabled BOOLEAN, type VARCHAR, "
        "signed_state BIGINT, is_system BOOLEAN)[]'})";
    struct err err = {0};
    assert_done(warehouse_query(w, sql, NULL, NULL, NULL, &err), &err);
}

static int make_place(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    char url[TEST_PATH_BYTES + 64];
    struct err err = {0};
    assert_non_null(p);
    make_temp_dir(p->dir);
    (void)snprintf(url, sizeof url, "duckdb://%s/w.duckdb", p->dir);
    assert_done(warehouse_open(&p->w, &(struct warehouse_config){.url = url}, &err), &err);
    load_rows(p->w);
    p->guids = json_load_file(WEIR_VECTORS "/taar/amo/expected/only_guids_top_200.json", 0, NULL);
    list_guids(&p->whitelist, p->guids);
    *state = p;
    return 0;
}

static int remove_place(void **state)
{
    struct place *p = *state;
    char command[TEST_PATH_BYTES + 16];
    warehouse_close(p->w);
    whitelist_deinit(&p->whitelist);
    json_decref(p->guids);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", p->dir);
    free(p);
    return system(command); // NOLINT(cert-env33-c): a path of our own making
}

static json_t *parse(struct buf *text)
{
    json_t *json = json_loadb((const char *)text->data, text->len, 0, NULL);
    assert_non_null(json);
    return json;
}

/* Means are as near as 4 standard deviations; the spread of all counts together is as given. */
static void assert_moments(const struct place *p, const struct locale_counts *c, const double *sums,
                           const double *squares, const json_t *moments)
{
    const size_t n = p->whitelist.guids.n;
    double spread = 0, variances = 0;
    for (size_t i = 0; i < c->n * n; i++) {
        const json_t *row = json_object_get(moments, c->rows[i / n].name);
        char *guid = span_to_text(p->whitelist.guids.list[i % n]);
        const json_t *want = json_object_get(row, guid);
        const double mean = json_number_value(json_array_get(want, 0)); // 0 where it is left out
        const double variance = json_number_value(json_array_get(want, 1));
        const double got = sums[i] / DRAWINGS;
        assert_non_null(row);
        if (fabs(got - mean) > 4 * sqrt(variance / DRAWINGS) + 1e-9)
            fail_msg("%s %s: mean %f, not %f", c->rows[i / n].name, guid, got, mean);
        spread += squares[i] / DRAWINGS - got * got;
        variances += variance;
        free(guid);
    }
    assert_true(fabs(spread / variances - 1) < 0.1);
}

static void draw_counts(struct place *p, const char *relation, const char *limits_text,
                        const json_t *moments)
{
    LIMITS limits;
    struct err err = {0};
    const size_t n = p->whitelist.guids.n, room = json_object_size(moments) * n;
    double *sums = calloc(2 * room, sizeof *sums), *squares = sums + room;
    assert_non_null(sums);
    assert_done(locale_limits_read(&limits, limits_text, &err), &err);
    for (uint64_t seed = 0; seed < DRAWINGS; seed++) {
        COUNTS c = {.whitelist = &p->whitelist};
        const struct locale_config config = {.limits = &limits, .seed = seed};
        assert_done(locale_count_relation(&c, p->w, relation, &config, &err), &err);
        assert_int_equal(c.n * n, room);
        for (size_t i = 0; i < room; i++) {
            const double x = c.rows[i / n].counts[i % n];
            sums[i] += x;
            squares[i] += x * x;
        }
        if (seed + 1 == DRAWINGS)
            assert_moments(p, &c, sums, squares, moments);
    }
    free(sums);
}

static void random_add_ons_have_the_moments_of_the_vectors(void **state)
{
    static const struct {
        const char *relation, *limits, *file;
    } cases[] = {
        {"(FROM days WHERE submission_date >= '2021-03-11')", "1",
         "locale/window/counts_limit1_random_moments.json"},
        {"(FROM days WHERE submission_date >= '2021-03-11')", "en-US=1,de=3,pl=7",
         "locale/window/counts_limits_random_moments.json"},
        {"(FROM days WHERE submission_date = '2021-03-14')", "1",
         "locale/partition/counts_limit1_random_moments.json"},
        {"(FROM days WHERE submission_date = '2021-03-14')", "en-US=1,de=3,pl=7",
         "locale/partition/counts_limits_random_moments.json"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        JSON *moments = read_vector(cases[i].file);
        assert_true(json_object_size(moments) > 0);
        draw_counts(*state, cases[i].relation, cases[i].limits, moments);
    }
}

/* A client with rows of every day and many add-ons, some of them often, changes the counts by at
 * most its limit, which is that of its latest row's locale. */
static void a_client_moves_counts_by_at_most_its_limit(void **state)
{
    struct place *p = *state;
    static const char grown[] =
        "(FROM days WHERE submission_date >= '2021-03-01' UNION ALL BY NAME "
        "SELECT 'one more' AS client_id, submission_date, 'release' AS channel, "
        "'Firefox' AS app_name, CASE WHEN submission_date < '2021-03-14' THEN 'pl' ELSE 'de' END "
        "AS locale, flatten(list(active_addons) OVER ()) AS active_addons FROM days "
        "WHERE active_addons IS NOT NULL)";
    LIMITS limits;
    struct err err = {0};
    assert_done(locale_limits_read(&limits, "de=3,pl=2", &err), &err);
    for (uint64_t seed = 0; seed < 3; seed++) {
        COUNTS with = {.whitelist = &p->whitelist};
        COUNTS without = {.whitelist = &p->whitelist};
        const struct locale_config config = {.limits = &limits, .seed = seed};
        assert_done(locale_count_relation(&without, p->w,
                                          "(FROM days WHERE submission_date >= '2021-03-01')",
                                          &config, &err),
                    &err);
        assert_done(locale_count_relation(&with, p->w, grown, &config, &err), &err);
        double moved[2] = {0, 0};
        for (size_t i = 0; i < 2 * p->whitelist.guids.n; i++) {
            const size_t row = i / p->whitelist.guids.n, k = i % p->whitelist.guids.n;
            moved[row] += fabs(with.rows[row].counts[k] - without.rows[row].counts[k]);
        }
        assert_true(moved[0] == 3 && moved[1] == 0);
    }
}

/* Rows that are told apart by nothing but their content: always the same one is taken. */
static void one_of_many_rows_of_a_day_is_taken(void **state)
{
    struct place *p = *state;
    static const char *const orders[] = {"ASC", "DESC"};
    LIMITS limits = {.n = 0};
    TEXT(first);
    for (size_t turn = 0; turn < ARRAY_LEN(orders); turn++) {
        COUNTS c = {.whitelist = &p->whitelist};
        TEXT(text);
        char relation[1024];
        struct err err = {0};
        (void)snprintf(
            relation, sizeof relation,
            "(SELECT * REPLACE ('twin' AS client_id, DATE '2021-03-14' AS submission_date) FROM "
            "days WHERE locale IN ('de', 'pl') AND len(list_filter(active_addons, lambda a: "
            "a.signed_state = 2 AND NOT a.is_system AND NOT a.user_disabled AND NOT "
            "a.app_disabled AND NOT a.blocklisted AND a.type = 'extension')) > 0 "
            "ORDER BY client_id %s, submission_date)",
            orders[turn]);
        const struct locale_config config = {.limits = &limits, .first = true};
        assert_done(locale_count_relation(&c, p->w, relation, &config, &err), &err);
        assert_int_equal(c.n, 1);
        assert_done(locale_counts_json(turn == 0 ? &first : &text, &c, &err), &err);
        assert_true(turn == 0 || span_equal(buf_span(&first), buf_span(&text)));
    }
}

static void fill_counts(struct locale_counts *c, const json_t *counts)
{
    struct err err = {0};
    const char *locale;
    json_t *row;
    json_object_foreach((json_t *)counts, locale, row)
    {
        double *cells;
        assert_done(locale_counts_row(c, span_str(locale), &cells, &err), &err);
        for (size_t k = 0; k < c->whitelist->guids.n; k++) {
            char *guid = span_to_text(c->whitelist->guids.list[k]);
            cells[k] = json_number_value(json_object_get(row, guid));
            free(guid);
        }
    }
    locale_counts_sort(c);
}

static void assert_top(const struct whitelist *whitelist, const json_t *counts, size_t n,
                       const json_t *want)
{
    COUNTS c = {.whitelist = whitelist};
    TEXT(text);
    struct err err = {0};
    fill_counts(&c, counts);
    assert_done(locale_top_json(&text, &c, n, &err), &err);
    JSON *got = parse(&text);
    if (!json_equal(got, want))
        fail_msg("%.*s", (int)text.len, (const char *)text.data);
}

static void weights_of_noisy_counts_are_those_of_the_vectors(void **state)
{
    (void)state;
    CLEANUP(whitelist_deinit) struct whitelist whitelist = {0};
    CLEANUP(whitelist_deinit) struct whitelist three = {0};
    JSON *cases = read_vector("locale/noise_cases.json");
    json_t *guids = json_object_get(cases, "whitelist");
    list_guids(&whitelist, guids);
    assert_top(&whitelist, json_object_get(cases, "noise_replaced_by_its_scale"), 3,
               json_object_get(cases, "top3_of_noise_replaced_by_its_scale"));
    JSON *first = json_pack("[OOO]", json_array_get(guids, 0), json_array_get(guids, 1),
                            json_array_get(guids, 2));
    list_guids(&three, first);
    assert_top(&three, json_object_get(cases, "with_a_negative_count"), 3,
               json_object_get(cases, "top3_with_a_negative_count"));
}

static void equal_counts_have_no_weight(void **state)
{
    (void)state;
    CLEANUP(whitelist_deinit) struct whitelist whitelist = {0};
    JSON *guids = json_pack("[sss]", "a", "b\"\xc3\xa9", "c");
    JSON *counts = json_pack("{s{sfsfsf}}", "xx", "a", 2.5, "b\"\xc3\xa9", 2.5, "c", 2.5);
    JSON *want = json_pack("{s[[sf][sf]]}", "xx", "c", 0.0, "b\"\xc3\xa9", 0.0);
    list_guids(&whitelist, guids);
    assert_top(&whitelist, counts, 2, want);
}

/* Every count gets noise of its own, and of its locale's scale. */
static void noise_has_the_scale_of_the_locale(void **state)
{
    struct place *p = *state;
    const uint64_t seed = 11;
    struct err err = {0};
    LIMITS limits;
    COUNTS c = {.whitelist = &p->whitelist};
    CLEANUP(noise_closep) struct noise *noise = NULL;
    double *cells, size[2] = {0, 0};
    enum { TIMES = 400 };
    assert_done(locale_limits_read(&limits, "a=1,b=3", &err), &err);
    assert_done(noise_open(&noise, &seed, &err), &err);
    assert_done(locale_counts_row(&c, span_str("a"), &cells, &err), &err);
    assert_done(locale_counts_row(&c, span_str("b"), &cells, &err), &err);
    const size_t n = p->whitelist.guids.n;
    for (int i = 0; i < TIMES; i++) {
        for (size_t k = 0; k < 2 * n; k++)
            c.rows[k / n].counts[k % n] = 1000;
        assert_done(locale_counts_add_noise(&c, &limits, 0.4, noise, &err), &err);
        for (size_t k = 0; k < 2 * n; k++)
            size[k / n] += fabs(c.rows[k / n].counts[k % n] - 1000);
    }
    const double draws = TIMES * (double)n;
    assert_true(fabs(size[0] / draws - 2.5) < 4 * 2.5 / sqrt(draws));
    assert_true(fabs(size[1] / draws - 7.5) < 4 * 7.5 / sqrt(draws));
    limits.list[1].limit = 0;
    assert_int_equal(locale_counts_add_noise(&c, &limits, 0.4, noise, &err), E_ARG);
}

static void limits_are_read(void **state)
{
    (void)state;
    LIMITS limits;
    struct err err = {0};
    uint64_t m;
    assert_done(locale_limits_read(&limits, "7", &err), &err);
    assert_true(locale_limits_find(&limits, span_str("any"), &m) && m == 7);
    assert_false(locale_limits_are_open(&limits));
    assert_done(locale_limits_read(&limits, "en-US=1,=0,it's=1000000", &err), &err);
    assert_true(locale_limits_find(&limits, span_str("en-US"), &m) && m == 1);
    assert_true(locale_limits_find(&limits, span_str(""), &m) && m == 0);
    assert_true(locale_limits_find(&limits, span_str("it's"), &m) && m == LOCALE_LIMIT_MAX);
    assert_false(locale_limits_find(&limits, span_str("de"), &m));
    assert_true(locale_limits_are_open(&limits));
}

static void other_limits_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "x",
                                      "-1",
                                      "1.5",
                                      "1000001",
                                      "1,2",
                                      "de=",
                                      "de=1,",
                                      ",de=1",
                                      "de=1x",
                                      "de=1,de=2",
                                      "de=1,3",
                                      "99999999999999999999"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct err err = {0};
        LIMITS limits;
        if (locale_limits_read(&limits, bad[i], &err) != E_ARG)
            fail_msg("\"%s\" is taken", bad[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_add_ons_have_the_moments_of_the_vectors),
        cmocka_unit_test(a_client_moves_counts_by_at_most_its_limit),
        cmocka_unit_test(one_of_many_rows_of_a_day_is_taken),
        cmocka_unit_test(weights_of_noisy_counts_are_those_of_the_vectors),
        cmocka_unit_test(equal_counts_have_no_weight),
        cmocka_unit_test(noise_has_the_scale_of_the_locale),
        cmocka_unit_test(limits_are_read),
        cmocka_unit_test(other_limits_are_refused),
    };
    return cmocka_run_group_tests(tests, make_place, remove_place);
}
