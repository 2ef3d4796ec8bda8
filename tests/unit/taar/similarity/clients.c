/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/similarity/clients.h"

#include "vectors.h"

#include <math.h>

static void add(struct clients *c, const char *id, const char *city, const char *hours,
                double bookmarks)
{
    static const struct span addons[] = {{(const uint8_t *)"a", 1}, {(const uint8_t *)"b", 1}};
    struct err err = {0};
    struct cell row[CLIENT_COLUMNS] = {0};
    for (unsigned i = 0; i < CLIENT_ADDONS; i++)
        row[i].is_null = true;
    row[CLIENT_ID] = (struct cell){.text = span_str(id)};
    if (city)
        row[CLIENT_CITY] = (struct cell){.text = span_str(city)};
    if (hours)
        row[CLIENT_HOURS] = (struct cell){.text = span_str(hours)};
    row[CLIENT_BOOKMARKS] = (struct cell){.real = bookmarks};
    row[CLIENT_ADDONS] = (struct cell){.items = addons, .n_items = 2};
    assert_done(clients_add(c, row, &err), &err);
}

static void rows_come_back_as_they_were(void **state)
{
    (void)state;
    CLIENTS c;
    struct cell row[CLIENT_COLUMNS];
    struct span items[CLIENT_ADDONS_MAX];
    clients_init(&c);
    add(&c, "one", "Rome", "1.500000000", 2.5);
    clients_row(&c, clients_get(&c, 0), row, items);
    assert_true(span_equal(row[CLIENT_ID].text, span_str("one")));
    assert_true(span_equal(row[CLIENT_CITY].text, span_str("Rome")));
    assert_true(span_equal(row[CLIENT_HOURS].text, span_str("1.5")));
    assert_true(row[CLIENT_LOCALE].is_null && row[CLIENT_TABS].is_null);
    assert_true(row[CLIENT_BOOKMARKS].real == 2.5);
    assert_int_equal(row[CLIENT_ADDONS].n_items, 2);
    assert_true(span_equal(row[CLIENT_ADDONS].items[1], span_str("b")));
    assert_true(clients_hours(&c, clients_get(&c, 0)) == 1.5);
}

static void numbers_that_are_none_are_left_out_and_counted(void **state)
{
    (void)state;
    CLIENTS c;
    clients_init(&c);
    add(&c, "1", NULL, NULL, NAN);
    add(&c, "2", NULL, NULL, INFINITY);
    add(&c, "3", NULL, "nan", 0);
    add(&c, "4", NULL, "0E-9", 0);
    assert_int_equal(c.n_refused, 3);
    assert_int_equal(clients_count(&c), 1);
    assert_true(clients_hours(&c, clients_get(&c, 0)) == 0);
}

/* Also of one id, by what else they say. */
static void the_order_of_arrival_does_not_matter(void **state)
{
    static const struct {
        const char *id, *city, *hours;
    } rows[] = {{"aa", "x", "1"}, {"a", NULL, NULL}, {"b", "y", "2"},
                {"b", "x", "2"},  {"b", "x", "3"},   {"b", NULL, "3"}};
    static const char *const order[] = {"a ", "aa1", "b2", "b3", "b2", "b3"};
    (void)state;
    for (size_t turn = 0; turn < ARRAY_LEN(rows); turn++) {
        CLIENTS c;
        clients_init(&c);
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
            const size_t k = (i + turn) % ARRAY_LEN(rows);
            add(&c, rows[k].id, rows[k].city, rows[k].hours, 0);
        }
        clients_sort(&c);
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
            const struct client *client = clients_get(&c, i);
            assert_memory_equal(c.text.data + client->text, order[i], client->id_len);
            assert_int_equal((int)clients_hours(&c, client),
                             (int)strtol(&order[i][client->id_len], NULL, 10));
        }
    }
}

static void rows_without_what_clients_have_are_refused(void **state)
{
    (void)state;
    CLIENTS c;
    struct err err = {0};
    struct cell row[CLIENT_COLUMNS] = {0};
    clients_init(&c);
    row[CLIENT_ID].is_null = true;
    assert_int_equal(clients_add(&c, row, &err), E_FORMAT);
    row[CLIENT_ID] = (struct cell){.text = span_str("x")};
    row[CLIENT_ADDONS].n_items = CLIENT_ADDONS_MAX + 1;
    assert_int_equal(clients_add(&c, row, &err), E_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_back_as_they_were),
        cmocka_unit_test(numbers_that_are_none_are_left_out_and_counted),
        cmocka_unit_test(the_order_of_arrival_does_not_matter),
        cmocka_unit_test(rows_without_what_clients_have_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
