/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/similarity/similarity.h"

#include "base/log.h"
#include "vectors.h"

#include <math.h>
#include <stdio.h>

static const struct similarity_config usual = {.n_clusters = 5,
                                               .n_donors = 100,
                                               .bandwidth = 0.35,
                                               .n_points = 1000,
                                               .seed = 1,
                                               .n_workers = 2};
#define RESULT CLEANUP(similarity_result_deinit) struct similarity_result

static void run(struct similarity_result *result, const struct clients *c,
                struct similarity_config config)
{
    struct err err = {0};
    assert_done(similarity_run(result, c, &config, &err), &err);
}

static json_t *parse(const struct buf *text)
{
    json_t *json = json_loadb((const char *)text->data, text->len, 0, NULL);
    assert_non_null(json);
    return json;
}

/* The eligible client that says the same, by its text without client_id. */
static json_t *index_clients(const char *name)
{
    JSON *lines = vector_lines(name);
    json_t *index = json_object(), *line;
    size_t i;
    json_array_foreach(lines, i, line)
    {
        (void)json_object_del(line, "client_id");
        char *text = json_dumps(line, JSON_SORT_KEYS);
        assert_int_equal(json_object_set_new(index, text, json_integer(1)), 0);
        free(text);
    }
    return index;
}

static void each_donor_is_one_eligible_client(void **state)
{
    (void)state;
    CLIENTS c;
    RESULT result;
    clients_init(&c);
    add_lines(&c, "eligible_snapshot.ndjson");
    clients_sort(&c);
    run(&result, &c, usual);
    JSON *index = index_clients("eligible_snapshot.ndjson"), *donors = parse(&result.donors);
    size_t i;
    json_t *donor;
    assert_int_equal(json_array_size(donors), result.n_donors);
    assert_in_range(result.n_donors, 20, 130);
    json_array_foreach(donors, i, donor)
    {
        char *text = json_dumps(donor, JSON_SORT_KEYS);
        assert_true(json_object_del(index, text) == 0); // so that none comes twice
        free(text);
    }
}

static void keys_stand_in_their_order(void **state)
{
    (void)state;
    static const char *const keys[] = {"city",      "subsession_hours_sum", "locale",
                                       "os",        "bookmark_count",       "tab_open_count",
                                       "total_uri", "unique_tlds",          "active_addons",
                                       "geo_city",  "subsession_length"};
    CLIENTS c;
    clients_init(&c);
    add_lines(&c, "eligible_snapshot.ndjson");
    for (unsigned service_keys = 0; service_keys < 2; service_keys++) {
        CLEANUP(buf_deinit) struct buf text = BUF_INIT(1 << 16);
        struct err err = {0};
        assert_done(similarity_client_json(&text, &c, 0, false, service_keys, &err), &err);
        JSON *object = parse(&text);
        const char *key;
        json_t *value;
        size_t i = 0;
        json_object_foreach(object, key, value) assert_string_equal(key, keys[i++]);
        assert_int_equal(i, service_keys ? 11 : 9);
        if (service_keys)
            assert_int_equal(json_integer_value(json_object_get(object, "subsession_length")),
                             12646); // of 3.512757 h
    }
}

static void eligible_clients_are_written_as_they_were_read(void **state)
{
    (void)state;
    JSON *lines = vector_lines("eligible_window.ndjson");
    CLIENTS c;
    clients_init(&c);
    add_lines(&c, "eligible_window.ndjson");
    for (size_t i = 0; i < clients_count(&c); i++) {
        CLEANUP(buf_deinit) struct buf text = BUF_INIT(1 << 16);
        struct err err = {0};
        assert_done(similarity_client_json(&text, &c, i, true, false, &err), &err);
        JSON *object = parse(&text);
        assert_true(json_equal(object, json_array_get(lines, i)));
    }
}

static double point(json_t *curve, size_t i, int of)
{
    json_t *p = json_array_get(curve, i);
    return json_number_value(of < 0 ? json_array_get(p, 0)
                                    : json_array_get(json_array_get(p, 1), (size_t)of));
}

static void the_curve_is_one(void **state)
{
    (void)state;
    CLIENTS c;
    RESULT result;
    clients_init(&c);
    add_lines(&c, "eligible_snapshot.ndjson");
    run(&result, &c, usual);
    JSON *curve = parse(&result.curve);
    const size_t n = json_array_size(curve);
    double area[2] = {0, 0};
    assert_in_range(n, 1000, 1001);
    for (size_t i = 0; i < n; i++) {
        assert_true(point(curve, i, 0) >= 0 && point(curve, i, 1) > 0);
        for (int of = 0; of < 2 && i > 0; of++)
            area[of] += (point(curve, i, -1) - point(curve, i - 1, -1)) *
                        (point(curve, i, of) + point(curve, i - 1, of)) / 2;
        assert_true(i == 0 || point(curve, i, -1) > point(curve, i - 1, -1));
    }
    for (int of = 0; of < 2; of++)
        assert_true(area[of] > 0.4 && area[of] < 1);
    assert_true(point(curve, 0, -1) >= 0 && point(curve, n - 1, -1) <= 5.001);
}

static void equal_seeds_give_equal_bytes_with_any_number_of_workers(void **state)
{
    (void)state;
    CLIENTS c;
    clients_init(&c);
    add_lines(&c, "eligible_snapshot.ndjson");
    RESULT one, eight, other;
    struct similarity_config config = usual;
    config.n_workers = 1;
    run(&one, &c, config);
    config.n_workers = 8;
    run(&eight, &c, config);
    config.seed++;
    run(&other, &c, config);
    assert_true(span_equal(buf_span(&one.donors), buf_span(&eight.donors)));
    assert_true(span_equal(buf_span(&one.curve), buf_span(&eight.curve)));
    assert_false(span_equal(buf_span(&one.donors), buf_span(&other.donors)));
}

/* As the original's test has it: three cities, each with add-ons of its own. */
static void add_cities(struct clients *c)
{
    static const struct {
        const char *city, *os, *locale;
        int hours;
    } cities[] = {{"Rome", "Linux", "it-IT", 3785},
                  {"London", "MacOS", "en-UK", 1107},
                  {"Boston", "Windows", "en-US", 201507}};
    for (size_t i = 0; i < 150; i++) {
        char id[16], addon[3][24];
        const size_t g = i / 50;
        for (size_t k = 0; k < 3; k++)
            (void)snprintf(addon[k], sizeof addon[k], "var-%zu-guid-%zu", g, k);
        JSON *object = json_pack("{sssssssis[sss]}", "city", cities[g].city, "os", cities[g].os,
                                 "locale", cities[g].locale, "subsession_hours_sum",
                                 cities[g].hours, "active_addons", addon[0], addon[1], addon[2]);
        (void)snprintf(id, sizeof id, "%04zu", i);
        add_client(c, object, id);
    }
}

static void cities_are_told_apart(void **state)
{
    (void)state;
    CLIENTS c;
    RESULT result;
    struct similarity_config config = usual;
    clients_init(&c);
    add_cities(&c);
    config.n_clusters = 3;
    config.n_donors = 10;
    config.seed = 42;
    run(&result, &c, config);
    assert_int_equal(result.n_clusters, 3);
    JSON *donors = parse(&result.donors);
    size_t i, n_of[3] = {0};
    json_t *donor;
    json_array_foreach(donors, i, donor)
    {
        const char *city = json_string_value(json_object_get(donor, "city"));
        json_t *addons = json_object_get(donor, "active_addons");
        const size_t g = city[0] == 'R' ? 0 : city[0] == 'L' ? 1 : 2;
        assert_int_equal(json_array_size(addons), 3);
        for (size_t k = 0; k < 3; k++)
            assert_int_equal(json_string_value(json_array_get(addons, k))[4], '0' + (int)g);
        n_of[g]++;
    }
    assert_true(n_of[0] > 0 && n_of[1] > 0 && n_of[2] > 0);
}

/* All donors of the vectors' cities are alike within a cluster: no pair of one cluster differs. */
static void what_cannot_be_told_apart_is_an_error(void **state)
{
    (void)state;
    JSON *vectors = vector("clusters.json");
    json_t *alike =
        json_object_get(json_array_get(json_object_get(vectors, "cases"), 2), "documents");
    CLIENTS none, same, single;
    RESULT a, b, d;
    struct err err = {0};
    clients_init(&none);
    clients_init(&same);
    clients_init(&single);
    assert_int_equal(similarity_run(&a, &none, &usual, &err), E_FORMAT);
    assert_non_null(strstr(err.text, "no client has more than 2 add-ons"));
    add_documents(&same, alike);
    assert_int_equal(similarity_run(&b, &same, &usual, &err), E_FORMAT);
    assert_int_equal(b.n_clusters, 1);
    assert_non_null(strstr(err.text, "no two donors are of different clusters"));
    JSON *one = json_pack("[[sss]]", "a", "b", "c");
    add_documents(&single, one);
    assert_int_equal(similarity_run(&d, &single, &usual, &err), E_FORMAT);
    assert_non_null(strstr(err.text, "fewer than 2 donors"));
    assert_int_equal(d.donors.len + d.curve.len, 0);
}

static void equal_scores_are_an_error(void **state)
{
    (void)state;
    JSON *vectors = vector("clusters.json");
    CLIENTS c;
    RESULT result;
    struct err err = {0};
    clients_init(&c);
    add_documents(
        &c, json_object_get(json_array_get(json_object_get(vectors, "cases"), 0), "documents"));
    assert_int_equal(similarity_run(&result, &c, &usual, &err), E_FORMAT);
    assert_non_null(strstr(err.text, "equally far apart"));
}

static void assignments_name_each_client_once(void **state)
{
    (void)state;
    CLIENTS c;
    RESULT result;
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(1 << 20);
    struct err err = {0};
    clients_init(&c);
    add_cities(&c);
    run(&result, &c, usual);
    assert_done(similarity_assignments_json(&text, &c, result.cluster_of, &err), &err);
    JSON *object = parse(&text);
    assert_int_equal(json_object_size(object), 150);
    assert_int_equal(json_integer_value(json_object_get(object, "0149")), result.cluster_of[149]);
}

int main(void)
{
    log_init("test", LOG_FORMAT_TEXT, LOG_LEVEL_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_donor_is_one_eligible_client),
        cmocka_unit_test(keys_stand_in_their_order),
        cmocka_unit_test(eligible_clients_are_written_as_they_were_read),
        cmocka_unit_test(the_curve_is_one),
        cmocka_unit_test(equal_seeds_give_equal_bytes_with_any_number_of_workers),
        cmocka_unit_test(cities_are_told_apart),
        cmocka_unit_test(what_cannot_be_told_apart_is_an_error),
        cmocka_unit_test(equal_scores_are_an_error),
        cmocka_unit_test(assignments_name_each_client_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
