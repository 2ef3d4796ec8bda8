/* SPDX-License-Identifier: MPL-2.0 */
/* What comes after a run on the same date (prio-processor.md D7, 5.10). */
#include "pair_steps.h"

#include <signal.h>

static const struct pair_data first = {.n = 9, .bad = 2, .seed = 1};
static const struct pair_data second = {.n = 12, .bad = 1, .seed = 3, .n_parts = 3};
static const struct pair_how plain = {0};
static const struct pair_how kept = {.keep_state = true};
static const char publish[] = "processed/publish/";

static struct pair *stage(const struct pair_data *data)
{
    struct pair *p = pair_new(false);
    pair_stage(p, data);
    return p;
}

static void assert_unchanged_results(struct pair *p, const char *const before[2])
{
    for (int role = 0; role < 2; role++) {
        char *after = pair_versions(p, role, "private", publish);
        assert_string_equal(after, before[role]);
        free(after);
    }
}

/* Raw shares of both servers, to be staged once more. */
struct copy {
    char *keys[64], *texts[64];
    size_t n;
};

static void copy_raw(struct pair *p, int role, struct copy *copy)
{
    char *tree = pair_tree(p, role, "ingest"), *rest = tree, *line;
    copy->n = 0;
    while ((line = strsep(&rest, "\n")) != NULL)
        if (line[0]) {
            copy->keys[copy->n] = strdup(line);
            copy->texts[copy->n++] = pair_get(p, role, "ingest", line);
        }
    free(tree);
}

static void put_raw(struct pair *p, int role, const struct copy *copy, bool rename)
{
    char key[512];
    for (size_t i = 0; i < copy->n; i++)
        if (!strstr(copy->keys[i], "_SUCCESS")) {
            (void)snprintf(key, sizeof key, "%s%s", copy->keys[i], rename ? ".renamed" : "");
            pair_put(p, role, "ingest", key, copy->texts[i]);
        }
    pair_mark(p, role);
}

static void free_copy(struct copy *copy)
{
    for (size_t i = 0; i < copy->n; i++) {
        free(copy->keys[i]);
        free(copy->texts[i]);
    }
}

static void the_same_data_staged_again(void **state)
{
    (void)state;
    for (int rename = 0; rename < 2; rename++) {
        struct pair *p = stage(&first);
        struct copy copies[2];
        for (int role = 0; role < 2; role++)
            copy_raw(p, role, &copies[role]);
        assert_true(pair_run_both(p, &plain));
        char *const before[2] = {pair_versions(p, 0, "private", publish),
                                 pair_versions(p, 1, "private", publish)};
        for (int role = 0; role < 2; role++) {
            put_raw(p, role, &copies[role], rename == 1);
            assert_int_equal(pair_step(p, role, &plain), 0);
        }
        assert_unchanged_results(p, (const char *const *)before);
        pair_assert_clean(p);
        // Repeated only where that is asked for; then under a new id.
        for (int role = 0; role < 2; role++)
            put_raw(p, role, &copies[role], rename == 1);
        char *old = pair_published_text(p, 0, 0);
        assert_true(pair_run_both(p, &(struct pair_how){.again = true}));
        pair_assert_published(p, &first);
        pair_assert_clean(p);
        char *new = pair_published_text(p, 0, 0);
        assert_string_not_equal(new, old);
        free(old);
        free(new);
        for (int role = 0; role < 2; role++) {
            free(before[role]);
            free_copy(&copies[role]);
        }
        pair_free(p);
    }
}

/* --again without raw data cannot repeat anything, and leaves the results as they are. */
static void again_needs_raw_data(void **state)
{
    (void)state;
    struct pair *p = stage(&first);
    assert_true(pair_run_both(p, &plain));
    char *before = pair_versions(p, 0, "private", publish);
    assert_int_equal(pair_step(p, 0, &(struct pair_how){.again = true}), 1);
    char *after = pair_versions(p, 0, "private", publish);
    assert_string_equal(after, before);
    free(before);
    free(after);
    pair_free(p);
}

/* The partner is late: its mail of the last run must not be taken for the new one's. */
static void old_mail_counts_as_absent(void **state)
{
    (void)state;
    struct pair *p = stage(&first);
    assert_true(pair_run_both(p, &kept));
    pair_stage(p, &second);
    char log[512];
    (void)snprintf(log, sizeof log, "%s", pair_file(p, "log"));
    struct pair_how how = kept;
    how.log_file = log;
    for (int i = 0; i < 3; i++) // also in later starts of the new run
        assert_int_equal(pair_step(p, 0, &how), 1);
    char *text = pair_read_file(log);
    assert_null(strstr(text, "stage=verify2 batch"));
    free(text);
    assert_true(pair_alternate(p, &kept));
    pair_assert_published(p, &second);
    pair_free(p);
}

/* A data set that yields the very same messages as the last one is no reason to wait for ever. */
static void two_data_sets_without_a_valid_record(void **state)
{
    static struct data_entry entries[] = {{"first-0", 5}};
    static const char key[] = "raw/shares/batch_id=first-0/part-00000-x.c000.json";
    (void)state;
    struct pair *p = pair_new(false);
    pair_configure(p, entries, 1);
    for (int i = 0; i < 3; i++) {
        char line[64];
        (void)snprintf(line, sizeof line, "{\"id\":%d,\"payload\":\"AAAA\"}\n", i);
        for (int role = 0; role < 2; role++) {
            pair_put(p, role, "ingest", key, line);
            pair_mark(p, role);
        }
        assert_true(pair_run_both(p, &kept));
        for (int role = 0; role < 2; role++) {
            char *text = pair_published_text(p, role, 0);
            assert_non_null(text);
            assert_non_null(strstr(text, "\"payload\":[0,0,0,0,0],\"error\":0,\"total\":0}"));
            free(text);
        }
    }
    pair_free(p);
}

/* Killed in the clean-up, and the next data set is there before the restart. */
static void new_data_after_half_a_clean_up(void **state)
{
    (void)state;
    bool killed = true;
    for (unsigned k = 1; killed; k += 5) {
        for (int late = 0; late < 2; late++) {
            struct pair *p = stage(&first);
            struct pair_how doomed = plain;
            doomed.fate.at = "delete a-*";
            doomed.fate.nth = k;
            doomed.fate.signal = SIGKILL;
            const int a = pair_spawn(p, 0, &doomed, 0), b = pair_spawn(p, 1, &plain, 0);
            killed = pair_wait(a) != 0;
            assert_int_equal(pair_wait(b), 0);
            pair_stage(p, &second);
            if (late == 1) // A first, for as long as it can go
                (void)pair_step(p, 0, &plain);
            if (!pair_run_both(p, &plain))
                fail_msg("killed before deletion %u: the next data set fails", k);
            pair_assert_published(p, &second);
            pair_assert_clean(p);
            pair_free(p);
        }
    }
}

/*
 * New data take the place of an unfinished run's, of which the partner's answers lie around. Who
 * goes first must have consumed the partner's old verify1, or nobody can tell it from a new one.
 */
static void new_data_in_an_unfinished_run(void **state)
{
    static const struct {
        int steps, first; // of the old run, A before B; who restarts first
    } cases[] = {{1, 0}, {2, 1}, {3, 0}, {3, 1}, {4, 0}, {4, 1}};
    (void)state;
    for (size_t c = 0; c < ARRAY_LEN(cases); c++)
        for (int keep = 0; keep < 2; keep++) {
            const struct pair_how how = {.keep_state = keep == 1};
            struct pair *p = stage(&first);
            for (int i = 0; i < cases[c].steps; i++)
                (void)pair_step(p, i % 2, &how);
            pair_stage(p, &second);
            int status[2] = {1, 1};
            for (int i = 0; i < 8; i++) {
                const int role = (cases[c].first + i) % 2;
                if (status[role] != 0)
                    status[role] = pair_step(p, role, &how);
            }
            if (status[0] != 0 || status[1] != 0)
                fail_msg("%d steps, %d first: stuck", cases[c].steps, cases[c].first);
            pair_assert_published(p, &second);
            if (keep == 0)
                pair_assert_clean(p);
            pair_free(p);
        }
}

/*
 * Both begin anew at the same time. Nobody can tell by itself that the other's old verify1, which
 * was never consumed, is old; so the other takes its marker away as soon as it begins.
 */
static void old_answers_are_withdrawn_at_once(void **state)
{
    (void)state;
    struct pair *p = stage(&first);
    assert_int_equal(pair_step(p, 0, &plain), 1); // verify1
    assert_int_equal(pair_step(p, 1, &plain), 1); // verify1, verify2
    pair_stage(p, &second);
    const int b = pair_spawn_stopping(p, 1, &plain, "put b-private/*/internal/verify1/*");
    assert_int_equal(pair_step(p, 0, &plain), 1);
    assert_null(pair_find(p, 0, "private", "intermediate/internal/verify2/*"));
    pair_go_on(b);
    assert_int_equal(pair_wait(pair_spawn(p, 0, &plain, 0)), 0);
    assert_int_equal(pair_wait(b), 0);
    pair_assert_published(p, &second);
    pair_assert_clean(p);
    pair_free(p);
}

/* Between the look at the marker and the list of the folder the partner begins to write anew. */
static struct pair *begins_anew; // or NULL

int __real_store_stat(struct store *store, const char *key, struct store_object *out,
                      struct err *err);
int __wrap_store_stat(struct store *store, const char *key, struct store_object *out,
                      struct err *err);
int __wrap_store_stat(struct store *store, const char *key, struct store_object *out,
                      struct err *err)
{
    static const char marker[] = "intermediate/external/verify1/_SUCCESS";
    const int r = __real_store_stat(store, key, out, err);
    if (r == 0 && begins_anew && strstr(key, marker)) {
        pair_remove(begins_anew, 0, "shared", marker);
        begins_anew = NULL;
    }
    return r;
}

static void a_marker_that_goes_is_no_marker(void **state)
{
    (void)state;
    for (int new_data = 0; new_data < 2; new_data++) {
        struct pair *p = stage(&first);
        assert_true(pair_run_both(p, &kept));
        pair_stage(p, &second);
        if (new_data == 0) // no stale mail is known of
            pair_forget(p);
        if (new_data == 0)
            assert_int_equal(pair_step(p, 1, &kept), 1);
        begins_anew = p;
        assert_int_equal(pair_step(p, 0, &kept), 1);
        begins_anew = NULL;
        assert_false(pair_has(p, 0, "shared", "intermediate/external/verify1/_SUCCESS"));
        assert_null(pair_find(p, 0, "private", "intermediate/internal/verify2/*"));
        if (new_data == 0)
            pair_put(p, 0, "shared", "intermediate/external/verify1/_SUCCESS", "");
        assert_true(pair_alternate(p, &kept));
        pair_assert_published(p, &second);
        pair_free(p);
    }
}

/* A partner that is late still publishes the last run: its sum is not taken away from it. */
static void a_late_partner_publishes_the_last_run(void **state)
{
    (void)state;
    struct pair *p = stage(&first);
    for (int i = 0; i < 3; i++)
        (void)pair_step(p, i % 2, &plain); // A has sent its aggregate
    pair_run_until(p, 1, &plain, "put b-private/*/processed/publish/*", 1);
    assert_int_equal(pair_step(p, 0, &plain), 0);
    pair_put(p, 0, "ingest", "raw/shares/batch_id=first-0/part-00000-x.c000.json", "new\n");
    pair_mark(p, 0);
    assert_int_equal(pair_step(p, 0, &plain), 1);
    assert_int_equal(pair_step(p, 1, &plain), 0);
    char *text = pair_published_text(p, 1, 0);
    assert_non_null(text);
    free(text);
    pair_free(p);
}

/* The same bytes under other names and times are no new data, in an unfinished run neither. */
static void an_unfinished_run_knows_its_data_again(void **state)
{
    (void)state;
    for (int steps = 1; steps <= 4; steps++) {
        struct pair *p = stage(&first);
        struct copy copies[2];
        char *key;
        for (int role = 0; role < 2; role++)
            copy_raw(p, role, &copies[role]);
        for (int i = 0; i < steps; i++)
            (void)pair_step(p, i % 2, &kept);
        for (int role = 0; role < 2; role++) {
            while ((key = pair_find(p, role, "ingest", "*")) != NULL) {
                pair_remove(p, role, "ingest", key);
                free(key);
            }
            put_raw(p, role, &copies[role], true);
            free_copy(&copies[role]);
        }
        struct pair_how how = plain;
        how.log_file = pair_file(p, "log");
        assert_true(pair_alternate(p, &how));
        pair_assert_published(p, &first);
        pair_assert_clean(p);
        char *log = pair_read_file(pair_file(p, "log"));
        assert_null(strstr(log, "starting over"));
        free(log);
        pair_free(p);
    }
}

/* One server alone can repeat while its raw data and its mailbox are there (5.10). */
static void one_server_repeats_alone(void **state)
{
    (void)state;
    for (int role = 0; role < 2; role++) {
        struct pair *p = stage(&first);
        assert_true(pair_run_both(p, &kept));
        char *old = pair_published_text(p, role, 0);
        char *mail = pair_bytes(p, 1 - role, "shared", "");
        assert_int_equal(pair_step(p, role, &(struct pair_how){.keep_state = true, .again = true}),
                         0);
        char *new = pair_published_text(p, role, 0);
        char *mail_after = pair_bytes(p, 1 - role, "shared", "");
        assert_string_not_equal(new, old); // another id and time
        assert_string_equal(strstr(new, "\"payload\""), strstr(old, "\"payload\""));
        assert_string_equal(mail_after, mail);
        free(old);
        free(new);
        free(mail);
        free(mail_after);
        // Without its own record, too: nothing was lost but the work.
        pair_remove(p, role, "private", "state/run.json");
        pair_remove(p, role, "private", "processed/publish/_SUCCESS");
        assert_int_equal(pair_step(p, role, &kept), 0);
        pair_assert_published(p, &first);
        pair_free(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_data_staged_again),
        cmocka_unit_test(again_needs_raw_data),
        cmocka_unit_test(old_mail_counts_as_absent),
        cmocka_unit_test(two_data_sets_without_a_valid_record),
        cmocka_unit_test(new_data_after_half_a_clean_up),
        cmocka_unit_test(new_data_in_an_unfinished_run),
        cmocka_unit_test(old_answers_are_withdrawn_at_once),
        cmocka_unit_test(a_marker_that_goes_is_no_marker),
        cmocka_unit_test(a_late_partner_publishes_the_last_run),
        cmocka_unit_test(an_unfinished_run_knows_its_data_again),
        cmocka_unit_test(one_server_repeats_alone),
    };
    return cmocka_run_group_tests_name("process_next", tests, NULL, NULL);
}
