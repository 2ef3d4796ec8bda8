/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/transfer.h"

#include "base/log.h"
#include "folder_test.h"

static const char staged[] = "staged/submission_date=2026-03-14/server_id=";
static const char a_raw[] = "a-ingest/data/v1/BBBB/app/2026-03-14/raw/shares/";
static const char b_raw[] = "b-ingest/data/v1/AAAA/app/2026-03-14/raw/shares/";

/* Both ingest buckets, and what was reported. */
struct world {
    const struct folder *f;
    struct store *bucket[N_SERVERS];
    struct transfer_options options;
    struct buf log;
    const char *touch; // an object that is written again at the first report
};

static void note(void *arg, enum transfer_action action, const char *bucket, const char *key)
{
    struct world *w = arg;
    add(&w->log, "%s %s/%s\n", transfer_action_name(action), strrchr(bucket, '/') + 1, key);
    if (w->touch)
        folder_put(w->f, w->touch, "");
    w->touch = NULL;
}

static void put_staged(const struct folder *f)
{
    static const char *const files[] = {
        "a/batch_id=x-0/part-00000-u", "a/batch_id=x-1/part-00000-u", "b/batch_id=x-0/part-00000-u",
        "b/batch_id=x-1/part-00000-u"};
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        TEXT(key);
        add(&key, "%s%s", staged, files[i]);
        folder_put(f, text_of(&key), files[i]);
    }
    folder_put(f, "staged/submission_date=2026-03-13/server_id=a/batch_id=x-0/part-0", "other");
    folder_put(f, "staged/_SUCCESS", "");
}

static struct world *world_new(const struct folder *f)
{
    static const char *const names[N_SERVERS] = {"a-ingest", "b-ingest"};
    struct world *w = calloc(1, sizeof *w);
    struct err err = {0};
    assert_non_null(w);
    *w = (struct world){.f = f, .log = BUF_INIT(FOLDER_MAX_TEXT)};
    w->options = (struct transfer_options){.input = folder_place(f, "staged"),
                                           .ingest = {.public_key = {"AAAA", "BBBB"},
                                                      .bucket_prefix = "data/v1",
                                                      .app_name = "app",
                                                      .date = "2026-03-14"},
                                           .report = note,
                                           .report_arg = w};
    for (int i = 0; i < N_SERVERS; i++) {
        TEXT(path);
        add(&path, "%s/%s", f->path, names[i]);
        assert_ok(store_open(&w->bucket[i], &(struct store_config){.url = text_of(&path)}, &err));
        w->options.ingest.bucket[i] = w->bucket[i];
    }
    return w;
}

static void world_free(struct world *w)
{
    store_close(w->bucket[0]);
    store_close(w->bucket[1]);
    buf_deinit(&w->log);
    free(w);
}
DEFINE_FREEP(struct world, world_free)
#define WORLD CLEANUP(world_freep) struct world *

static bool has(const struct folder *f, const char *folder, const char *rest)
{
    TEXT(key);
    add(&key, "%s%s", folder, rest);
    return folder_has(f, text_of(&key));
}

static struct transfer_result transfer(struct world *w)
{
    struct transfer_result result;
    struct err err = {0};
    assert_ok(transfer_run(&w->options, &result, &err));
    return result;
}

static void each_half_goes_under_the_other_servers_key(void **state)
{
    const struct folder *f = *state;
    put_staged(f);
    WORLD w = world_new(f);
    const struct transfer_result r = transfer(w);
    assert_int_equal(r.n_copied, 4);
    TEXT(tree);
    folder_tree(f, "a-ingest/", true, &tree);
    folder_tree(f, "b-ingest/", true, &tree);
    TEXT(want);
    add(&want, "%s_SUCCESS\n", a_raw);
    for (int i = 0; i < 2; i++)
        add(&want, "%sbatch_id=x-%d/part-00000-u\n    a/batch_id=x-%d/part-00000-u (no newline)\n",
            a_raw, i, i);
    add(&want, "%s_SUCCESS\n", b_raw);
    for (int i = 0; i < 2; i++)
        add(&want, "%sbatch_id=x-%d/part-00000-u\n    b/batch_id=x-%d/part-00000-u (no newline)\n",
            b_raw, i, i);
    assert_string_equal(text_of(&tree), text_of(&want));
}

static void what_is_stale_goes_and_other_dates_stay(void **state)
{
    const struct folder *f = *state;
    static const char other[] = "a-ingest/data/v1/BBBB/app/2026-03-13/raw/shares/batch_id=x-0/p";
    put_staged(f);
    TEXT(key);
    add(&key, "%sbatch_id=gone/part-0", a_raw);
    folder_put(f, text_of(&key), "stale");
    buf_clear(&key);
    add(&key, "%sbatch_id=x-0/part-00001-u", a_raw);
    folder_put(f, text_of(&key), "stale");
    folder_put(f, other, "stays");
    WORLD w = world_new(f);
    for (int i = 0; i < 2; i++) {
        const struct transfer_result r = transfer(w);
        assert_int_equal(r.n_deleted, i == 0 ? 2 : 0);
        assert_false(has(f, a_raw, "batch_id=gone/part-0"));
        assert_false(has(f, a_raw, "batch_id=x-0/part-00001-u"));
        assert_true(has(f, a_raw, "batch_id=x-0/part-00000-u"));
        assert_true(folder_has(f, other));
    }
}

static void markers_go_first_and_come_last(void **state)
{
    const struct folder *f = *state;
    put_staged(f);
    WORLD w = world_new(f);
    w->options.n_at_once = 1;
    (void)transfer(w);
    buf_clear(&w->log);
    (void)transfer(w);
    static const char a[] = "a-ingest/data/v1/BBBB/app/2026-03-14/raw/shares/";
    static const char b[] = "b-ingest/data/v1/AAAA/app/2026-03-14/raw/shares/";
    TEXT(want);
    add(&want, "delete %s_SUCCESS\ndelete %s_SUCCESS\n", a, b);
    for (int side = 0; side < 2; side++)
        for (int i = 0; i < 2; i++)
            add(&want, "copy %sbatch_id=x-%d/part-00000-u\n", side ? b : a, i);
    add(&want, "mark %s_SUCCESS\nmark %s_SUCCESS\n", a, b);
    assert_string_equal(text_of(&w->log), text_of(&want));
}

static void a_server_can_be_left_alone(void **state)
{
    const struct folder *f = *state;
    put_staged(f);
    WORLD w = world_new(f);
    w->options.ingest.bucket[PRIO_SERVER_A] = NULL;
    const struct transfer_result r = transfer(w);
    assert_int_equal(r.n_copied, 2);
    assert_int_equal(folder_count(f, "a-ingest"), 0);
    assert_int_equal(folder_count(f, "b-ingest"), 3);
}

static void a_dry_run_says_what_it_would_do(void **state)
{
    const struct folder *f = *state;
    put_staged(f);
    TEXT(key);
    add(&key, "%sbatch_id=gone/part-0", a_raw);
    folder_put(f, text_of(&key), "stale");
    WORLD w = world_new(f);
    w->options.dry_run = true;
    const struct transfer_result r = transfer(w);
    assert_int_equal(r.n_copied, 4);
    assert_int_equal(r.n_deleted, 1);
    assert_contains(text_of(&w->log), "delete a-ingest/data/v1/BBBB");
    assert_contains(text_of(&w->log), "mark b-ingest/data/v1/AAAA");
    assert_int_equal(folder_count(f, "ingest/"), 1);
}

static void staging_has_to_be_done_and_stay_so(void **state)
{
    const struct folder *f = *state;
    struct transfer_result r;
    struct err err = {0};
    put_staged(f);
    WORLD w = world_new(f);
    w->touch = "staged/_SUCCESS";
    assert_int_equal(transfer_run(&w->options, &r, &err), E_AGAIN);
    assert_contains(err.text, "staging ran meanwhile");
    assert_false(has(f, a_raw, "_SUCCESS") || has(f, b_raw, "_SUCCESS"));
    assert_int_equal(store_delete_one(f->store, "staged/_SUCCESS", NULL), 0);
    assert_int_equal(transfer_run(&w->options, &r, &err), E_ABSENT);
    assert_contains(err.text, "staging has not finished");
}

static void a_day_without_data_empties_the_target_and_marks_it(void **state)
{
    const struct folder *f = *state;
    folder_put(f, "staged/_SUCCESS", "");
    TEXT(key);
    add(&key, "%sbatch_id=gone/part-0", b_raw);
    folder_put(f, text_of(&key), "stale");
    WORLD w = world_new(f);
    (void)transfer(w);
    TEXT(tree);
    folder_tree(f, "", false, &tree);
    TEXT(want);
    add(&want, "%s_SUCCESS\n%s_SUCCESS\nstaged/_SUCCESS\n", a_raw, b_raw);
    assert_string_equal(text_of(&tree), text_of(&want));
}

#define FOLDER_TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
    log_init("test", LOG_FORMAT_TEXT, LOG_LEVEL_ERROR);
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(each_half_goes_under_the_other_servers_key),
        FOLDER_TEST(what_is_stale_goes_and_other_dates_stay),
        FOLDER_TEST(markers_go_first_and_come_last),
        FOLDER_TEST(a_server_can_be_left_alone),
        FOLDER_TEST(a_dry_run_says_what_it_would_do),
        FOLDER_TEST(staging_has_to_be_done_and_stay_so),
        FOLDER_TEST(a_day_without_data_empties_the_target_and_marks_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
