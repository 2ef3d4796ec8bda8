/* SPDX-License-Identifier: MPL-2.0 */
#include "pair_steps.h"

#include <jansson.h>

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

static json_t *load_report(const char *path)
{
    json_t *report = json_load_file(path, 0, NULL);
    assert_non_null(report);
    return report;
}

static json_int_t count_of(const json_t *report, const char *stage, size_t batch, const char *name)
{
    const json_t *entry =
        json_array_get(json_object_get(json_object_get(report, "counts"), stage), batch);
    const json_t *n = json_object_get(entry, name);
    return json_integer_value(n ? n : json_object_get(json_object_get(entry, "rejected"), name));
}

/* accepted + each reason = total, and what a stage accepts is what the next one is about. */
static void check_counts(const json_t *report, int role)
{
    static const char *const stages[] = {"verify1", "verify2", "aggregate"};
    for (size_t batch = 0; batch < 2; batch++)
        for (size_t s = 0; s < 3; s++) {
            const json_t *entry = json_array_get(
                json_object_get(json_object_get(report, "counts"), stages[s]), batch);
            const char *reason;
            json_t *n;
            json_int_t sum = count_of(report, stages[s], batch, "accepted");
            json_object_foreach(json_object_get(entry, "rejected"), reason, n) sum +=
                json_integer_value(n);
            assert_int_equal(sum, count_of(report, stages[s], batch, "total"));
            if (s > 0)
                assert_int_equal(count_of(report, stages[s], batch, "total"),
                                 count_of(report, stages[s - 1], batch, "accepted"));
        }
    // Five kinds of bad records, `bad` of each: see pair_test.c. A has all lines, B lacks one kind.
    const json_int_t n = (json_int_t)usual.n, bad = (json_int_t)usual.bad;
    for (size_t batch = 0; batch < 2; batch++) {
        assert_int_equal(count_of(report, "verify1", batch, "total"),
                         n + (role == 0 ? 5 : 4) * bad);
        assert_int_equal(count_of(report, "verify1", batch, "duplicate-id"), bad);
        assert_int_equal(count_of(report, "verify1", batch, "decrypt"), (role == 0 ? 2 : 1) * bad);
        assert_int_equal(count_of(report, "verify2", batch, "missing-external"), bad);
        assert_int_equal(count_of(report, "aggregate", batch, "total"), n + bad);
        assert_int_equal(count_of(report, "aggregate", batch, "invalid"), bad);
    }
}

static void check_report(const json_t *report, int role)
{
    assert_string_equal(json_string_value(json_object_get(report, "result")), "done");
    assert_string_equal(json_string_value(json_object_get(report, "server_id")),
                        role == 0 ? "A" : "B");
    assert_string_equal(json_string_value(json_object_get(report, "date")), "2026-08-20");
    assert_null(json_object_get(report, "error"));
    const json_t *times = json_object_get(report, "stages");
    static const char *const labels[] = {"verify1", "verify2", "aggregate", "publish"};
    assert_int_equal(json_array_size(times), 4);
    for (size_t i = 0; i < 4; i++) {
        const json_t *entry = json_array_get(times, i);
        assert_string_equal(json_string_value(json_object_get(entry, "stage")), labels[i]);
        assert_true(json_is_true(json_object_get(entry, "done")));
        assert_true(json_integer_value(json_object_get(entry, "bytes_read")) > 0);
    }
    const json_t *sent = json_object_get(report, "sent_bytes");
    for (size_t i = 0; i < 3; i++)
        assert_true(json_integer_value(json_object_get(sent, labels[i])) > 0);
    assert_int_equal(json_array_size(json_object_get(report, "batches")), 2);
}

static void the_report_adds_up(void **state)
{
    (void)state;
    struct pair *p = pair_new(false);
    char files[2][512];
    pair_stage(p, &usual);
    int pids[2];
    for (int role = 0; role < 2; role++) {
        (void)snprintf(files[role], sizeof files[0], "%s/reports/%d.json", p->root, role);
        const struct pair_how how = {.report_file = files[role]};
        pids[role] = pair_spawn(p, role, &how, 0);
    }
    for (int role = 0; role < 2; role++) {
        assert_int_equal(pair_wait(pids[role]), 0);
        json_t *report = load_report(files[role]);
        check_report(report, role);
        check_counts(report, role);
        json_decref(report);
    }
    pair_free(p);
}

/* Each wait is a process of its own here: the last one has counted nothing but what is left. */
static void a_restart_reports_what_was_answered_before(void **state)
{
    (void)state;
    struct pair *p = pair_new(false);
    char files[2][512];
    int status[2] = {1, 1};
    pair_stage(p, &usual);
    for (int i = 0; i < 6 && (status[0] != 0 || status[1] != 0); i++)
        for (int role = 0; role < 2; role++) {
            (void)snprintf(files[role], sizeof files[0], "%s/reports/%d.json", p->root, role);
            const struct pair_how how = {.report_file = files[role]};
            if (status[role] != 0)
                status[role] = pair_step(p, role, &how);
        }
    for (int role = 0; role < 2; role++) {
        assert_int_equal(status[role], 0);
        json_t *report = load_report(files[role]);
        check_counts(report, role);
        json_decref(report);
    }
    pair_assert_clean(p);
    pair_free(p);
}

/* The same counts without traces, stage by stage in processes of their own. */
static void both_paths_count_the_same(void **state)
{
    static const char *const stages[] = {"verify1", "verify2", "aggregate"};
    (void)state;
    json_t *counts[2][3] = {{NULL}};
    for (int path = 0; path < 2; path++) {
        // Encoded anew: the counts depend on the kinds only.
        struct pair *p = pair_new(false);
        pair_stage(p, &usual);
        for (int i = 0; i < 3; i++) {
            char file[512], *key;
            (void)snprintf(file, sizeof file, "%s/report", p->root);
            const struct pair_how how = {.keep_state = true, .report_file = file};
            if (i == 0)
                assert_int_equal(pair_step(p, 0, &how), 1);
            else
                (void)pair_step(p, 0, &how);
            json_t *report = load_report(file);
            assert_string_equal(json_string_value(json_object_get(report, "result")),
                                i < 2 ? "again" : "done");
            for (int s = 0; s < 3; s++) {
                json_t *entry = json_object_get(json_object_get(report, "counts"), stages[s]);
                if (json_array_size(entry) > 0 && !counts[path][s])
                    counts[path][s] = json_incref(entry);
            }
            json_decref(report);
            while (path == 1 && (key = pair_find(p, 0, "private", "state/verify1/*"))) {
                pair_remove(p, 0, "private", key);
                free(key);
            }
            (void)pair_step(p, 1, &plain);
        }
        pair_free(p);
    }
    for (int s = 0; s < 3; s++) {
        assert_non_null(counts[0][s]);
        assert_true(json_equal(counts[0][s], counts[1][s]));
        json_decref(counts[0][s]);
        json_decref(counts[1][s]);
    }
}

static size_t times(const char *text, const char *line)
{
    size_t n = 0;
    for (const char *at = strstr(text, line); at; at = strstr(at + 1, line))
        n++;
    return n;
}

static void what_is_said(void **state)
{
    (void)state;
    struct pair *p = pair_new(false);
    pair_stage(p, &usual);
    char file[512];
    (void)snprintf(file, sizeof file, "%s", pair_file(p, "said"));
    const struct pair_how how = {.said_file = file};
    const int a = pair_spawn(p, 0, &how, 0), b = pair_spawn(p, 1, &plain, 0);
    assert_int_equal(pair_wait(a) + pair_wait(b), 0);
    char *said = pair_read_file(file);
    static const char skipped[] = "data for absent-2 does not exist, skipping...\n";
    char wanted[1024];
    (void)snprintf(wanted, sizeof wanted,
                   "Running verify1\n%sRunning verify2\n%sRunning aggregate\n%sRunning publish\n%s",
                   skipped, skipped, skipped, skipped);
    assert_string_equal(said, wanted);
    assert_int_equal(times(said, skipped), 4);
    free(said);
    pair_free(p);
}

static void remove_batch(struct pair *p, int role, const char *batch)
{
    char pattern[128], *key;
    (void)snprintf(pattern, sizeof pattern, "raw/shares/%s/*", batch);
    while ((key = pair_find(p, role, "ingest", pattern)) != NULL) {
        pair_remove(p, role, "ingest", key);
        free(key);
    }
}

/* The owner warns, nobody fails, and nothing of it is published. */
static void a_batch_on_one_side_only(void **state)
{
    (void)state;
    for (int owner = 0; owner < 2; owner++) {
        struct pair *p = pair_new(false);
        pair_stage(p, &usual);
        remove_batch(p, 1 - owner, "batch_id=first-0");
        char log[2][512];
        int pids[2];
        for (int role = 0; role < 2; role++) {
            (void)snprintf(log[role], sizeof log[0], "%s/log-%d", p->root, role);
            const struct pair_how how = {.log_file = log[role]};
            pids[role] = pair_spawn(p, role, &how, 0);
        }
        for (int role = 0; role < 2; role++) {
            assert_int_equal(pair_wait(pids[role]), 0);
            char *text = pair_read_file(log[role]);
            assert_non_null(strstr(text, role == owner
                                             ? "the partner has nothing for a batch that this "
                                               "server has batch=first-0"
                                             : "this server has nothing for a batch that the "
                                               "partner has batch=first-0"));
            free(text);
            assert_null(pair_published_text(p, role, 0));
            text = pair_published_text(p, role, 1);
            assert_non_null(text);
            free(text);
        }
        pair_assert_clean(p);
        pair_free(p);
    }
}

/* An empty part is data; "_" and "." names and folders are not. */
static void what_counts_as_data(void **state)
{
    static struct data_entry entries[] = {{"empty", 3}, {"hidden", 3}, {"nested", 3}};
    (void)state;
    struct pair *p = pair_new(false);
    pair_configure(p, entries, 3);
    for (int role = 0; role < 2; role++) {
        pair_put(p, role, "ingest", "raw/shares/batch_id=empty/anything", "");
        pair_put(p, role, "ingest", "raw/shares/batch_id=hidden/_part", "x\n");
        pair_put(p, role, "ingest", "raw/shares/batch_id=hidden/.part-0.json.crc", "x\n");
        pair_put(p, role, "ingest", "raw/shares/batch_id=nested/_temporary/0/part-0", "x\n");
        pair_mark(p, role);
    }
    char file[512];
    (void)snprintf(file, sizeof file, "%s", pair_file(p, "said"));
    const struct pair_how how = {.said_file = file};
    const int a = pair_spawn(p, 0, &how, 0), b = pair_spawn(p, 1, &plain, 0);
    assert_int_equal(pair_wait(a) + pair_wait(b), 0);
    char *said = pair_read_file(file);
    assert_int_equal(times(said, "data for empty does not exist"), 0);
    assert_int_equal(times(said, "data for hidden does not exist, skipping...\n"), 4);
    assert_int_equal(times(said, "data for nested does not exist, skipping...\n"), 4);
    free(said);
    for (int role = 0; role < 2; role++) {
        char *bytes = pair_bytes(p, role, "private", "processed/publish/batch_id");
        assert_non_null(strstr(bytes, "\"payload\":[0,0,0],\"error\":0,\"total\":0}"));
        assert_int_equal(times(bytes, "part-"), 1);
        free(bytes);
    }
    pair_assert_clean(p);
    pair_free(p);
}

/* Another date, application and key beside them stay as they are. */
static void nothing_else_is_touched(void **state)
{
    static const char *const others[] = {"raw/shares/_SUCCESS", "intermediate/internal/verify1/x",
                                         "intermediate/external/verify1/_SUCCESS", "state/run.json",
                                         "processed/publish/_SUCCESS"};
    static const char *const buckets[] = {"ingest", "private", "shared"};
    (void)state;
    struct pair *p = pair_new(false);
    const char *const date = p->date;
    char *before[6], *after[6];
    pair_stage(p, &usual);
    p->date = "2026-08-2";
    for (int i = 0; i < 6; i++)
        for (size_t k = 0; k < ARRAY_LEN(others); k++)
            pair_put(p, i % 2, buckets[i / 2], others[k], "other\n");
    for (int i = 0; i < 6; i++)
        before[i] = pair_versions(p, i % 2, buckets[i / 2], "");
    p->date = date;
    assert_true(pair_run_both(p, &plain));
    pair_assert_clean(p);
    p->date = "2026-08-2";
    for (int i = 0; i < 6; i++) {
        after[i] = pair_versions(p, i % 2, buckets[i / 2], "");
        assert_string_equal(after[i], before[i]);
        free(before[i]);
        free(after[i]);
    }
    p->date = date;
    pair_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_servers_publish_the_true_sums),
        cmocka_unit_test(the_report_adds_up),
        cmocka_unit_test(both_paths_count_the_same),
        cmocka_unit_test(what_is_said),
        cmocka_unit_test(a_batch_on_one_side_only),
        cmocka_unit_test(what_counts_as_data),
        cmocka_unit_test(nothing_else_is_touched),
        cmocka_unit_test(a_restart_reports_what_was_answered_before),
    };
    return cmocka_run_group_tests_name("process", tests, NULL, NULL);
}
