/* conformance.h - what the parts of the store conformance test share. */
#pragma once

#include "base/base_test.h"
#include "base/buf.h"
#include "store/store.h"

struct conformance {
    struct store *store; // below a fresh random prefix
    char *url;           // of it
    char *bucket_url;    // without the prefix
    char *folder;        // made for the test when no URL was given; else NULL
    const char *program; // to be started again
};
extern struct conformance conformance;

/** Open any URL with the endpoint and the credentials of the environment; fails the test. */
struct store *open_with_environment(const char *url);
/** "<test>/<name>": every test has a folder of its own. Valid for the next 16 calls. */
const char *key_of(const char *test, const char *name);

void put_text(const char *key, const char *text);
/** text NULL: there must be no such object, by stat and by get. */
void assert_text(const char *key, const char *text);
/** The keys below prefix, sorted bytewise and joined by spaces. */
void assert_keys(const char *prefix, const char *joined);
/** Fail with err's text unless r is what is expected. */
void assert_result(int r, int expected, const struct err *err);

/* Bytes that are a function of seed and offset, for objects too large to hold twice. */
void fill_pattern(uint8_t *out, size_t n, uint64_t seed, uint64_t offset);
void put_pattern(const char *key, uint64_t len, uint64_t seed,
                 const struct store_put_options *options, int expected);
/** Read [offset, offset + len) of the object and compare. */
void assert_pattern(const char *key, uint64_t offset, uint64_t len, uint64_t size, uint64_t seed);

/* The parts. */
void keys_of_every_kind_come_back(void **state);
void unusable_keys_are_refused(void **state);
void a_long_key_comes_back(void **state);
void a_thousand_objects_are_listed(void **state);
void a_prefix_may_end_within_a_name(void **state);
void a_level_is_listed_by_itself(void **state);
void directory_objects_are_objects(void **state);
void absent_objects_are_absent(void **state);
void an_absent_bucket_is_absent(void **state);

void empty_objects_are_objects(void **state);
void an_overwrite_is_seen_at_once(void **state);
void an_abandoned_object_never_appears(void **state);
void a_large_object_comes_back(void **state);
void sizes_around_a_part_come_back(void **state);
void conditions_hold(void **state);
void conditions_hold_for_large_objects(void **state);
void a_version_is_deleted_only_as_itself(void **state);
void known_contents_are_true(void **state);

void ranges_are_read(void **state);
void an_overwritten_object_is_not_mixed(void **state);
void a_reader_may_be_closed_early(void **state);
void a_small_buffer_is_not_overrun(void **state);
void threads_share_a_store(void **state);
void writers_of_one_name_do_not_mix(void **state);

void a_lock_keeps_others_out(void **state);
void a_lock_of_a_killed_process_is_taken_over(void **state);
void a_lock_that_was_taken_away_is_lost(void **state);
/** The other process of the tests above: take the lock, say so, wait to be killed. */
int hold_lock(const char *url, const char *key);
