/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What leaves a server does not depend on how it was computed: from traces and the sum of verify1,
 * or from the shares, in one process or in several. Objects are compared byte for byte, with their
 * names.
 */
#include "pair_steps.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>
#include <zlib.h>

static const struct pair_data usual = {.n = 30, .bad = 4, .seed = 1, .n_parts = 3};
static const struct pair_how kept = {.keep_state = true};

/* All that both servers sent, and the totals. */
static char *results(struct pair *p)
{
    struct buf out = BUF_INIT(64 << 20);
    for (int role = 0; role < 2; role++) {
        char *sent = pair_bytes(p, role, "shared", "");
        assert_non_null(strstr(sent, "aggregate/batch_id="));
        assert_int_equal(buf_append_str(&out, sent, NULL), 0);
        free(sent);
        for (size_t b = 0; b + 1 < PAIR_BATCHES; b++) {
            char *text = pair_published_text(p, role, b);
            assert_non_null(text);
            assert_int_equal(buf_append_str(&out, strstr(text, "\"payload\""), NULL), 0);
            free(text);
        }
    }
    assert_int_equal(buf_append_byte(&out, '\0', NULL), 0);
    return (char *)out.data;
}

static char *reference(struct pair *p, const struct pair_how *how)
{
    assert_true(pair_run_both(p, how));
    char *wanted = results(p);
    pair_forget(p);
    return wanted;
}

static void assert_same(struct pair *p, const char *wanted, const char *what)
{
    char *got = results(p);
    if (strcmp(got, wanted) != 0)
        fail_msg("%s: other results", what);
    free(got);
    pair_forget(p);
}

static struct pair *stage(const struct pair_data *data)
{
    struct pair *p = pair_new(false);
    pair_stage(p, data);
    return p;
}

static void each_stage_in_a_process_of_its_own(void **state)
{
    (void)state;
    struct pair *p = stage(&usual);
    char *wanted = reference(p, &kept);
    assert_true(pair_alternate(p, &kept));
    assert_same(p, wanted, "in turns");
    for (unsigned workers = 2; workers <= 4; workers += 2) {
        const struct pair_how how = {.keep_state = true, .n_workers = workers};
        assert_true(pair_run_both(p, &how));
        assert_same(p, wanted, "with more workers");
    }
    free(wanted);
    pair_free(p);
}

static void remove_all(struct pair *p, int role, const char *pattern)
{
    char *key;
    while ((key = pair_find(p, role, "private", pattern)) != NULL) {
        pair_remove(p, role, "private", key);
        free(key);
    }
}

/* Both in turns, while what verify1 left behind is taken away after each step. */
static void without(const char *pattern)
{
    struct pair *p = stage(&usual);
    char *wanted = reference(p, &kept);
    int status[2] = {1, 1};
    for (int i = 0; i < 6 && (status[0] != 0 || status[1] != 0); i++)
        for (int role = 0; role < 2; role++) {
            if (status[role] != 0)
                status[role] = pair_step(p, role, &kept);
            remove_all(p, role, pattern);
        }
    if (status[0] != 0 || status[1] != 0)
        fail_msg("without %s they do not finish", pattern);
    assert_same(p, wanted, pattern);
    free(wanted);
    pair_free(p);
}

static void without_what_verify1_left(void **state)
{
    (void)state;
    without("state/verify1/*");
    without("state/verify1/*.trace");
    without("state/verify1/batch_id=first-0/part-00001.json");
    without("state/*.json.tmp"); // nothing: the control
    without("state/raw.json");
    without("state/verify[12].json");
}

/* Flip a bit in the middle of an object, in place. */
static void damage(struct pair *p, int role, const char *pattern)
{
    char path[2048], byte;
    char *key = pair_find(p, role, "private", pattern);
    assert_non_null(key);
    pair_path(p, role, "private", path, sizeof path);
    (void)strncat(path, key, sizeof path - strlen(path) - 1);
    free(key);
    const int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    const off_t at = lseek(fd, 0, SEEK_END) / 2;
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte = (char)(byte ^ 1);
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    (void)close(fd);
}

static const char trace[] = "state/verify1/batch_id=first-0/part-00001.trace";

static void a_damaged_trace_is_not_used(void **state)
{
    (void)state;
    struct pair *p = stage(&usual);
    char *wanted = reference(p, &kept);
    struct pair_how how = kept;
    how.log_file = pair_file(p, "log");
    assert_int_equal(pair_step(p, 0, &kept), 1);
    damage(p, 0, trace);
    assert_int_equal(pair_step(p, 1, &kept), 1);
    assert_int_equal(pair_step(p, 0, &how), 1);
    char *log = pair_read_file(how.log_file);
    assert_non_null(strstr(log, "the traces of a batch are of no use"));
    free(log);
    assert_true(pair_alternate(p, &kept));
    assert_same(p, wanted, "a damaged trace in verify2");
    free(wanted);
    pair_free(p);
}

/* The process that has summed in verify1 goes on, and finds its trace changed. */
static void stopped_and_changed(const char *at, bool remove, const char *what)
{
    struct pair *p = stage(&usual);
    char *wanted = reference(p, &kept);
    struct pair_how stopping = kept;
    stopping.fate.at = at;
    stopping.fate.signal = SIGSTOP;
    const int a = pair_spawn(p, 0, &stopping, 0), b = pair_spawn(p, 1, &kept, 0);
    pair_await_stop(a);
    if (remove)
        remove_all(p, 0, "state/verify1/*");
    else
        damage(p, 0, trace);
    pair_go_on(a);
    assert_int_equal(pair_wait(a), 0);
    assert_int_equal(pair_wait(b), 0);
    assert_same(p, wanted, what);
    free(wanted);
    pair_free(p);
}

static void damage_while_the_sum_is_held(void **state)
{
    (void)state;
    stopped_and_changed("put b-shared/*/verify1/_SUCCESS", false, "damaged before verify2");
    stopped_and_changed("put b-shared/*/verify2/_SUCCESS", false, "damaged before aggregate");
    stopped_and_changed("put b-shared/*/verify1/_SUCCESS", true, "removed before verify2");
    stopped_and_changed("put b-shared/*/verify2/_SUCCESS", true, "removed before aggregate");
}

/* Killed inside verify1: some parts are reused, so there is no sum. */
static void a_restart_within_verify1(void **state)
{
    (void)state;
    struct pair *p = stage(&usual);
    char *wanted = reference(p, &kept);
    for (unsigned k = 1; k <= 6; k++) {
        pair_run_until(p, 0, &kept, "put a-private/*/state/verify1/*", k);
        assert_true(pair_run_both(p, &kept));
        assert_same(p, wanted, "a restart within verify1");
    }
    free(wanted);
    pair_free(p);
}

static void in_sequential_mode_too(void **state)
{
    (void)state;
    // Both draw the same points only where both have the same records.
    static const struct pair_data good = {.n = 30, .seed = 2, .n_parts = 3};
    const struct pair_how how = {.keep_state = true, .sequential = true, .n_workers = 2};
    struct pair *p = stage(&good);
    char *first = reference(p, &kept);
    char *wanted = reference(p, &how);
    assert_string_not_equal(first, wanted);
    assert_true(pair_alternate(p, &how));
    pair_assert_published(p, &good);
    assert_same(p, wanted, "sequential, in turns");
    free(first);
    free(wanted);
    pair_free(p);
}

static void with_the_legacy_generator_too(void **state)
{
    (void)state;
    struct pair *p = pair_new(false);
    p->prg = PRIO_PRG_LEGACY;
    pair_stage(p, &usual);
    char *wanted = reference(p, &kept);
    assert_true(pair_alternate(p, &kept));
    pair_assert_published(p, &usual);
    assert_same(p, wanted, "legacy, in turns");
    free(wanted);
    pair_free(p);
}

static void pack(struct pair *p, int role, const char *key)
{
    char path[2048];
    char *text = pair_get(p, role, "ingest", key);
    pair_remove(p, role, "ingest", key);
    pair_path(p, role, "ingest", path, sizeof path);
    (void)strncat(path, key, sizeof path - strlen(path) - 1);
    gzFile f = gzopen(path, "wb");
    assert_int_equal(gzwrite(f, text, (unsigned)strlen(text)), strlen(text));
    assert_int_equal(gzclose(f), Z_OK);
    free(text);
}

/* Lines of packed parts cannot be found again by their place. */
static void packed_parts_give_the_same(void **state)
{
    (void)state;
    struct pair *p = stage(&usual);
    char *wanted = reference(p, &kept);
    pack(p, 0, "raw/shares/batch_id=first-0/part-00001-x.c000.json");
    pack(p, 1, "raw/shares/batch_id=second%3A1/part-00000-x.c000.json");
    assert_true(pair_run_both(p, &kept));
    assert_same(p, wanted, "packed");
    assert_true(pair_alternate(p, &kept));
    assert_same(p, wanted, "packed, in turns");
    free(wanted);
    pair_free(p);
}

/* A share that changes behind verify1's back is noticed, whatever path is taken. */
static void changed_shares_are_noticed(void **state)
{
    static const char key[] = "raw/shares/batch_id=first-0/part-00000-x.c000.json";
    (void)state;
    struct pair *p = stage(&usual);
    assert_int_equal(pair_step(p, 0, &kept), 1);
    assert_int_equal(pair_step(p, 1, &kept), 1);
    const int a = pair_spawn_stopping(p, 0, &kept, "put b-shared/*/verify2/_SUCCESS");
    char *text = pair_get(p, 0, "ingest", key);
    char *payload = strstr(text, "payload\":\"") + 20;
    *payload = *payload == 'A' ? 'B' : 'A';
    pair_put(p, 0, "ingest", key, text);
    free(text);
    remove_all(p, 0, "state/verify1/*");
    char *sent = pair_versions(p, 1, "shared", "intermediate/external/aggregate/");
    pair_go_on(a);
    assert_int_equal(pair_step(p, 1, &kept), 1);
    assert_int_equal(pair_wait(a), 1);
    char *after = pair_versions(p, 1, "shared", "intermediate/external/aggregate/");
    assert_string_equal(after, sent);
    free(sent);
    free(after);
    pair_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_stage_in_a_process_of_its_own),
        cmocka_unit_test(without_what_verify1_left),
        cmocka_unit_test(a_damaged_trace_is_not_used),
        cmocka_unit_test(damage_while_the_sum_is_held),
        cmocka_unit_test(a_restart_within_verify1),
        cmocka_unit_test(in_sequential_mode_too),
        cmocka_unit_test(with_the_legacy_generator_too),
        cmocka_unit_test(packed_parts_give_the_same),
        cmocka_unit_test(changed_shares_are_noticed),
    };
    return cmocka_run_group_tests_name("process_traces", tests, NULL, NULL);
}
