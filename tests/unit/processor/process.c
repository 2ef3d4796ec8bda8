/* SPDX-License-Identifier: MPL-2.0 */
#include "pair_test.h"

static const struct pair_data usual = {.n = 30, .bad = 4, .seed = 1};
static const struct pair_how plain = {0};

static void two_servers_publish_the_true_sums(void **state)
{
    (void)state;
    for (int one_bucket = 0; one_bucket < 2; one_bucket++) {
        struct pair *p = pair_new(one_bucket == 1);
        pair_stage(p, &usual);
        assert_true(pair_run_both(p, &plain));
        pair_assert_published(p, &usual);
        pair_assert_clean(p);
        pair_free(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_servers_publish_the_true_sums),
    };
    return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
