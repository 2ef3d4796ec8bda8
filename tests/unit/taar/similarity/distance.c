/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/similarity/distance.h"

#include "vectors.h"

#include <unistd.h>

#define RESTATED SHARED_DIR "/vectors/taar/original_tests/similarity_users.json"

static void pairs_are_as_far_apart_as_they_should(void **state)
{
    (void)state;
    JSON *pairs = vector("pairs.json");
    size_t i;
    json_t *p;
    assert_true(json_array_size(pairs) > 0);
    json_array_foreach(pairs, i, p)
    {
        CLIENTS c;
        clients_init(&c);
        add_client(&c, json_object_get(p, "x"), "x");
        add_client(&c, json_object_get(p, "y"), "y");
        const struct client *x = clients_get(&c, 0), *y = clients_get(&c, 1);
        assert_true(distance_hamming(x, y) == json_number_value(json_object_get(p, "hamming")));
        assert_true(distance_canberra(&c, x, y) ==
                    json_number_value(json_object_get(p, "canberra")));
        assert_true(distance(&c, x, y) == json_number_value(json_object_get(p, "similarity")));
        assert_true(distance(&c, y, x) == distance(&c, x, y));
    }
}

static void the_originals_users_are_as_far_apart(void **state)
{
    (void)state;
    const char *ci = getenv("CI");
    if (access(RESTATED, R_OK) != 0) {
        if (ci && *ci != '\0')
            fail_msg("CI is set and %s is missing", RESTATED);
        skip();
    }
    JSON *users = json_load_file(RESTATED, 0, NULL);
    CLIENTS c;
    clients_init(&c);
    for (int i = 1; i <= 5; i++) {
        const char name[] = {(char)('0' + i), '\0'};
        add_client(&c, json_object_get(json_object_get(users, "users"), name), name);
    }
    size_t i;
    json_t *p;
    json_array_foreach(json_object_get(users, "pairs"), i, p)
    {
        const json_int_t x = json_integer_value(json_object_get(p, "x"));
        const json_int_t y = json_integer_value(json_object_get(p, "y"));
        assert_close(distance(&c, clients_get(&c, (size_t)x - 1), clients_get(&c, (size_t)y - 1)),
                     json_number_value(json_object_get(p, "similarity")));
    }
}

static void the_largest_numbers_are_at_most_five_apart(void **state)
{
    (void)state;
    CLIENTS c;
    clients_init(&c);
    JSON *x = json_pack("{sssfsfsfsIsI}", "city", "a", "subsession_hours_sum", 9e307,
                        "bookmark_count", 1.7e308, "unique_tlds", 1.7e308, "total_uri",
                        (json_int_t)INT64_MIN, "tab_open_count", (json_int_t)INT64_MIN);
    JSON *y = json_pack("{sssfsfsfsIsI}", "os", "a", "subsession_hours_sum", -9e307,
                        "bookmark_count", -1.7e308, "unique_tlds", -1.7e308, "total_uri",
                        (json_int_t)INT64_MAX, "tab_open_count", (json_int_t)INT64_MAX);
    add_client(&c, x, "x");
    add_client(&c, y, "y");
    assert_true(distance_canberra(&c, clients_get(&c, 0), clients_get(&c, 1)) == 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_are_as_far_apart_as_they_should),
        cmocka_unit_test(the_originals_users_are_as_far_apart),
        cmocka_unit_test(the_largest_numbers_are_at_most_five_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
