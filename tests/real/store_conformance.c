/* SPDX-License-Identifier: MPL-2.0 */
/*
 * store_conformance [URL] - every sentence of store.h, on a fresh prefix below URL (a bucket, or a
 * directory; none: a temporary one). Endpoint and credentials come from WEIR_TEST_ENDPOINT,
 * _REGION, _ACCESS_KEY, _SECRET_KEY, _SESSION_TOKEN, _CA_FILE, _VIRTUAL_HOST and
 * _GOOGLE_CREDENTIALS.
 */
#include "real/conformance.h"

#include <ftw.h>

static int set_up(void **state)
{
    unsigned char random[8];
    char folder[TEST_PATH_BYTES];
    (void)state;
    if (!conformance.bucket_url) {
        make_temp_dir(folder);
        conformance.folder = strdup(folder);
        conformance.bucket_url = strdup(folder);
    }
    if (getentropy(random, sizeof random) != 0 ||
        asprintf(&conformance.url, "%s/conformance-%02x%02x%02x%02x%02x%02x",
                 conformance.bucket_url, random[0], random[1], random[2], random[3], random[4],
                 random[5]) < 0)
        return -1;
    conformance.store = open_with_environment(conformance.url);
    return conformance.store ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    (void)st;
    (void)kind;
    (void)where;
    return remove(path);
}

static int delete_all(void)
{
    struct store_listing listing = {0};
    struct err err = {0};
    int r = store_list(conformance.store, "", &listing, &err);
    const char **keys = calloc(listing.n + 1, sizeof *keys);
    for (size_t i = 0; keys && i < listing.n; i++)
        keys[i] = listing.objects[i].key;
    if (r == 0 && keys)
        r = store_delete(conformance.store, keys, listing.n, &err);
    if (r != 0)
        (void)fprintf(stderr, "# %s\n", err.text);
    free(keys);
    store_listing_deinit(&listing);
    return r;
}

static int tear_down(void **state)
{
    int r = conformance.store ? delete_all() : 0;
    (void)state;
    store_close(conformance.store);
    if (conformance.folder)
        r |= nftw(conformance.folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(conformance.folder);
    free(conformance.bucket_url);
    free(conformance.url);
    return r;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_of_every_kind_come_back),
        cmocka_unit_test(unusable_keys_are_refused),
        cmocka_unit_test(a_long_key_comes_back),
        cmocka_unit_test(a_thousand_objects_are_listed),
        cmocka_unit_test(a_prefix_may_end_within_a_name),
        cmocka_unit_test(a_level_is_listed_by_itself),
        cmocka_unit_test(directory_objects_are_objects),
        cmocka_unit_test(absent_objects_are_absent),
        cmocka_unit_test(an_absent_bucket_is_absent),
        cmocka_unit_test(empty_objects_are_objects),
        cmocka_unit_test(an_overwrite_is_seen_at_once),
        cmocka_unit_test(an_abandoned_object_never_appears),
        cmocka_unit_test(a_large_object_comes_back),
        cmocka_unit_test(sizes_around_a_part_come_back),
        cmocka_unit_test(conditions_hold),
        cmocka_unit_test(conditions_hold_for_large_objects),
        cmocka_unit_test(a_version_is_deleted_only_as_itself),
        cmocka_unit_test(known_contents_are_true),
        cmocka_unit_test(ranges_are_read),
        cmocka_unit_test(an_overwritten_object_is_not_mixed),
        cmocka_unit_test(a_reader_may_be_closed_early),
        cmocka_unit_test(a_small_buffer_is_not_overrun),
        cmocka_unit_test(threads_share_a_store),
        cmocka_unit_test(writers_of_one_name_do_not_mix),
        cmocka_unit_test(a_lock_keeps_others_out),
        cmocka_unit_test(a_lock_of_a_killed_process_is_taken_over),
        cmocka_unit_test(a_lock_that_was_taken_away_is_lost),
    };
    if (argc == 4 && strcmp(argv[1], "--hold") == 0)
        return hold_lock(argv[2], argv[3]);
    conformance.program = argv[0];
    conformance.bucket_url = argc > 1 ? strdup(argv[1]) : NULL;
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
