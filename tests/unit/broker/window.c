/* SPDX-License-Identifier: MPL-2.0 */
#include "broker/window.h"

#include "codec/ndjson.h"
#include "codec/testing.h"

enum { MESSAGE_BYTES = 1000 };

static uint8_t *take(struct window *w, uint64_t tag, size_t len)
{
    uint8_t *at = NULL;
    assert_int_equal(window_take(w, tag, len, &at, NULL), 0);
    memset(at, (int)(tag & 0xff), len);
    for (size_t i = 0; i < NDJSON_SLACK; i++)
        assert_int_equal(at[len + i], 0);
    return at;
}

static void bytes_stay_until_their_tag_is_released(void **state)
{
    (void)state;
    struct window w = {0};
    uint8_t *at[5000];
    for (uint64_t tag = 1; tag < 5000; tag++)
        at[tag] = take(&w, tag, MESSAGE_BYTES);
    window_release(&w, 2500);
    for (uint64_t tag = 2501; tag < 5000; tag++)
        for (size_t i = 0; i < MESSAGE_BYTES; i++)
            assert_int_equal(at[tag][i], tag & 0xff);
    window_release(&w, 4999);
    assert_int_equal(w.n_used, 0);
    window_deinit(&w);
}

static void blocks_are_used_again(void **state)
{
    (void)state;
    struct window w = {0};
    uint8_t *const first = take(&w, 1, MESSAGE_BYTES);
    for (uint64_t tag = 2; tag < 20000; tag++) {
        window_release(&w, tag - 1);
        assert_ptr_equal(take(&w, tag, MESSAGE_BYTES), first);
    }
    window_deinit(&w);
}

static void a_long_message_has_a_block_of_its_own(void **state)
{
    (void)state;
    struct window w = {0};
    take(&w, 1, MESSAGE_BYTES);
    take(&w, 2, 3 << 20);
    take(&w, 3, MESSAGE_BYTES);
    assert_in_range(w.n_used, 3 << 20, 4 << 20);
    window_release(&w, 2);
    assert_in_range(w.n_used, MESSAGE_BYTES, 1 << 20);
    window_release_all(&w);
    assert_int_equal(w.n_used, 0);
    window_deinit(&w);
    assert_int_equal(window_take(&w, 4, SIZE_MAX, &(uint8_t *){NULL}, NULL), E_NOMEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_stay_until_their_tag_is_released),
        cmocka_unit_test(blocks_are_used_again),
        cmocka_unit_test(a_long_message_has_a_block_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
