/* SPDX-License-Identifier: MPL-2.0 */
#include "stage/digest.h"

#include "stage_test.h"

static const struct digest_key key = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}};

static struct digest of_id(struct digester *d, enum record_id kind, const char *id)
{
    struct digest out;
    assert_int_equal(digester_id(d, &out, kind, span_str(id), NULL), 0);
    return out;
}

static bool same(struct digest a, struct digest b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

static void equal_ids_have_equal_digests_whatever_came_between(void **state)
{
    (void)state;
    struct digester *one, *two;
    assert_int_equal(digester_new(&one, &key, NULL), 0);
    assert_int_equal(digester_new(&two, &key, NULL), 0);
    const struct digest first = of_id(one, RECORD_ID_STRING, "abc");
    (void)of_id(one, RECORD_ID_STRING, "something else, and longer than a block of the hash");
    assert_true(same(of_id(one, RECORD_ID_STRING, "abc"), first));
    assert_true(same(of_id(two, RECORD_ID_STRING, "abc"), first));
    digester_free(one);
    digester_free(two);
}

static void different_ids_types_and_keys_have_different_digests(void **state)
{
    (void)state;
    struct digester *d, *other;
    struct digest_key random;
    assert_int_equal(digest_key_random(&random, NULL), 0);
    assert_int_equal(digester_new(&d, &key, NULL), 0);
    assert_int_equal(digester_new(&other, &random, NULL), 0);
    const struct digest one = of_id(d, RECORD_ID_STRING, "1");
    assert_false(same(one, of_id(d, RECORD_ID_NUMBER, "1")));
    assert_false(same(one, of_id(d, RECORD_ID_STRING, "2")));
    assert_false(same(one, of_id(d, RECORD_ID_STRING, "")));
    assert_false(same(one, of_id(d, RECORD_ID_STRING, "11")));
    assert_false(same(one, of_id(other, RECORD_ID_STRING, "1")));
    digester_free(d);
    digester_free(other);
}

static void the_digest_is_siphash_2_4_of_type_and_id(void **state)
{
    // Input 00 01 .. 0e under key 00 .. 0f: the 128-bit test vector of SipHash's authors, cut off.
    (void)state;
    static const uint8_t want[DIGEST_BYTES] = {0x54, 0x93, 0xe9, 0x99, 0x33, 0xb0,
                                               0xa8, 0x11, 0x7e, 0x08, 0xec, 0x0f};
    static const uint8_t rest[14] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14};
    struct digester *d;
    struct digest out;
    assert_int_equal(digester_new(&d, &key, NULL), 0);
    assert_int_equal(digester_id(d, &out, RECORD_ID_NONE, span_of(rest, sizeof rest), NULL), 0);
    assert_memory_equal(out.bytes, want, sizeof want);
    digester_free(d);
}

static void head_and_tag_make_a_ciphertext(void **state)
{
    (void)state;
    enum { LEN = 100 };
    uint8_t share[LEN] = {0};
    struct digester *d;
    struct digest plain, changed;
    assert_int_equal(digester_new(&d, &key, NULL), 0);
    assert_int_equal(digester_share(d, &plain, span_of(share, LEN), NULL), 0);
    for (size_t i = 0; i < LEN; i++) {
        share[i] ^= 1;
        assert_int_equal(digester_share(d, &changed, span_of(share, LEN), NULL), 0);
        const bool counts = i < 44 || i >= LEN - 16;
        assert_int_equal(same(plain, changed), !counts);
        share[i] ^= 1;
    }
    digester_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_ids_have_equal_digests_whatever_came_between),
        cmocka_unit_test(different_ids_types_and_keys_have_different_digests),
        cmocka_unit_test(the_digest_is_siphash_2_4_of_type_and_id),
        cmocka_unit_test(head_and_tag_make_a_ciphertext),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
