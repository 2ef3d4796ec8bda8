/* SPDX-License-Identifier: MPL-2.0 */
/* The end of a run (prio-processor.md D7, 5.9). */
#include "base/retry.h"
#include "pair_steps.h"

#include <jansson.h>
#include <signal.h>

static const struct pair_data first = {.n = 9, .bad = 2, .seed = 1};
static const struct pair_data second = {.n = 12, .bad = 1, .seed = 3, .n_parts = 3};
static const struct pair_how plain = {0};
static const struct pair_how kept = {.keep_state = true};

static struct pair *stage(const struct pair_data *data)
{
    struct pair *p = pair_new(false);
    pair_stage(p, data);
    return p;
}

static const char publish[] = "processed/publish/";

/* The order of an end: results, their marker, raw marker, raw data, mail data, mail marker. */
static unsigned rank_of(const char *change)
{
    if (strstr(change, "put a-private") && strstr(change, "processed/publish/_SUCCESS"))
        return 1;
    if (strstr(change, "delete a-ingest"))
        return strstr(change, "raw/shares/_SUCCESS") ? 2 : 3;
    if (strstr(change, "delete a-shared"))
        return 4;
    if (strstr(change, "delete a-private") && strstr(change, "/internal/"))
        return 5;
    if (strstr(change, "delete a-private") && strstr(change, "/state/mail-"))
        return 6;
    return 0;
}

static void results_first_then_the_marker_of_raw(void **state)
{
    (void)state;
    struct pair *p = stage(&first);
    struct pair_how how = plain;
    how.fate.watch = pair_note_change;
    how.fate.watch_arg = (void *)pair_file(p, "changes");
    const int a = pair_spawn(p, 0, &how, 0), b = pair_spawn(p, 1, &plain, 0);
    assert_int_equal(pair_wait(a) + pair_wait(b), 0);
    char *log = pair_read_file(pair_file(p, "changes"));
    // A server never deletes what its partner has to read, and its own clean-up is the end.
    assert_null(strstr(log, "delete b-private"));
    assert_null(strstr(log, "delete b-ingest"));
    char *end = strstr(log, "delete a-ingest");
    assert_null(strstr(end, "b-shared"));
    char *rest = log, *line;
    unsigned last = 0;
    bool seen[7] = {false};
    while ((line = strsep(&rest, "\n")) != NULL) {
        const unsigned rank = rank_of(line);
        if (rank == 0)
            continue;
        if (rank < last)
            fail_msg("%s comes too late", line);
        last = rank;
        seen[rank] = true;
    }
    for (unsigned i = 1; i < 7; i++)
        assert_true(seen[i]);
    free(log);
    pair_free(p);
}

/* Mail: data first; the stage's marker is the last of it to go. */
static void mail_goes_before_its_marker(void **state)
{
    (void)state;
    struct pair *p = stage(&first);
    struct pair_how how = plain;
    how.fate.watch = pair_note_change;
    how.fate.watch_arg = (void *)pair_file(p, "changes");
    const int a = pair_spawn(p, 0, &how, 0), b = pair_spawn(p, 1, &plain, 0);
    assert_int_equal(pair_wait(a) + pair_wait(b), 0);
    char *log = pair_read_file(pair_file(p, "changes")), *rest = log, *line;
    bool marker_gone[3] = {false};
    static const char *const stages[] = {"verify1", "verify2", "aggregate"};
    while ((line = strsep(&rest, "\n")) != NULL)
        for (int s = 0; s < 3; s++) {
            char folder[64];
            (void)snprintf(folder, sizeof folder, "external/%s/", stages[s]);
            const char *at = strstr(line, folder);
            if (!at || strncmp(line, "delete a-shared", 15) != 0)
                continue;
            assert_false(marker_gone[s]);
            marker_gone[s] = strcmp(at + strlen(folder), "_SUCCESS") == 0;
        }
    assert_true(marker_gone[0] && marker_gone[1] && marker_gone[2]);
    free(log);
    pair_free(p);
}

/* What ingestion and the partner put there while the clean-up goes on. */
static void arrive(void *arg, const char *change)
{
    struct pair *p = arg;
    static bool done;
    if (done || strncmp(change, "delete a-ingest", 15) != 0)
        return;
    done = true;
    pair_put(p, 0, "ingest", "raw/shares/batch_id=first-0/part-00000-x.c000.json", "new\n");
    pair_put(p, 0, "ingest", "raw/shares/batch_id=first-0/part-00007-x.c000.json", "new\n");
    pair_put(p, 0, "shared", "intermediate/external/verify1/batch_id=first-0/part-new", "new\n");
}

static void what_arrives_meanwhile_survives(void **state)
{
    (void)state;
    struct pair *p = stage(&first);
    struct pair_how how = plain;
    how.fate.watch = arrive;
    how.fate.watch_arg = p;
    const int a = pair_spawn(p, 0, &how, 0), b = pair_spawn(p, 1, &plain, 0);
    assert_int_equal(pair_wait(a) + pair_wait(b), 0);
    char *tree = pair_tree(p, 0, "ingest");
    assert_string_equal(tree, "raw/shares/batch_id=first-0/part-00000-x.c000.json\n"
                              "raw/shares/batch_id=first-0/part-00007-x.c000.json\n");
    free(tree);
    tree = pair_tree(p, 0, "shared");
    assert_string_equal(tree, "intermediate/external/verify1/_SUCCESS\n"
                              "intermediate/external/verify1/batch_id=first-0/part-new\n");
    free(tree);
    pair_free(p);
}

static void assert_unchanged_results(struct pair *p, const char *const before[2])
{
    for (int role = 0; role < 2; role++) {
        char *after = pair_versions(p, role, "private", publish);
        assert_string_equal(after, before[role]);
        free(after);
    }
}

static void a_finished_run_is_not_repeated(void **state)
{
    (void)state;
    for (int keep = 0; keep < 2; keep++) {
        const struct pair_how how = {.keep_state = keep == 1};
        struct pair *p = stage(&first);
        assert_true(pair_run_both(p, &how));
        char *const before[2] = {pair_versions(p, 0, "private", publish),
                                 pair_versions(p, 1, "private", publish)};
        char *mail = pair_versions(p, 1, "shared", "");
        const uint64_t began = retry_now_ms();
        for (int role = 0; role < 2; role++)
            assert_int_equal(pair_run(p, role, &how, NULL), 0);
        assert_true(retry_now_ms() - began < 1000);
        assert_unchanged_results(p, (const char *const *)before);
        char *mail_after = pair_versions(p, 1, "shared", "");
        assert_string_equal(mail_after, mail);
        // The same data once more, with new times: they are cleaned, nothing else.
        char *ingest = pair_tree(p, 0, "ingest");
        assert_true((ingest[0] == '\0') == (keep == 0));
        free(ingest);
        free(mail);
        free(mail_after);
        for (int role = 0; role < 2; role++)
            free(before[role]);
        pair_free(p);
    }
}

/* What was recorded of a run cannot be guessed. */
static void a_damaged_record_stops(void **state)
{
    static const char *const texts[] = {"", "{", "{}", "{\"format\": 99}", "[1]"};
    (void)state;
    struct pair *p = stage(&first);
    assert_int_equal(pair_step(p, 0, &plain), 1);
    char *record = pair_get(p, 0, "private", "state/run.json");
    char *sent = pair_versions(p, 1, "shared", "");
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        char text[ERR_TEXT_BYTES];
        pair_put(p, 0, "private", "state/run.json", texts[i]);
        assert_int_equal(pair_run(p, 0, &(struct pair_how){.retry_limit = 1}, text), E_FORMAT);
        assert_non_null(strstr(text, "state/run.json"));
    }
    char *sent_after = pair_versions(p, 1, "shared", "");
    assert_string_equal(sent_after, sent);
    pair_put(p, 0, "private", "state/run.json", record);
    assert_true(pair_alternate(p, &plain));
    pair_assert_published(p, &first);
    free(record);
    free(sent);
    free(sent_after);
    pair_free(p);
}

/* The partner's sum, in every wrong shape. */
static void an_unusable_aggregate_is_not_published(void **state)
{
    static const char *const texts[] = {"", "nonsense\n", "{}\n",
                                        "{\"payload\":\"AZOr\",\"error\":0,\"total\":11}\n",
                                        "{\"payload\":5,\"error\":0,\"total\":9}\n"};
    (void)state;
    struct pair *p = stage(&first);
    for (int i = 0; i < 3; i++)
        (void)pair_step(p, i % 2, &kept);
    assert_int_equal(pair_step(p, 1, &kept), 0);
    char *key = pair_find(p, 0, "shared", "intermediate/external/aggregate/batch_id=first-0/part*");
    char *good = pair_get(p, 0, "shared", key);
    char text[ERR_TEXT_BYTES];
    const struct pair_how how = {.keep_state = true, .retry_limit = 1};
    for (size_t i = 0; i <= ARRAY_LEN(texts); i++) {
        char *twice = malloc(2 * strlen(good) + 1); // the last case: there are two
        assert_non_null(twice);
        (void)snprintf(twice, 2 * strlen(good) + 1, "%s%s", good, good);
        pair_put(p, 0, "shared", key, i < ARRAY_LEN(texts) ? texts[i] : twice);
        assert_int_equal(pair_run(p, 0, &how, text), E_FORMAT);
        assert_non_null(strstr(text, "first-0"));
        assert_false(pair_has(p, 0, "private", "processed/publish/_SUCCESS"));
        char *published = pair_find(p, 0, "private", "processed/publish/batch_id=first-0/part*");
        assert_null(published);
        free(twice);
    }
    pair_put(p, 0, "shared", key, good);
    assert_int_equal(pair_step(p, 0, &kept), 0);
    pair_assert_published(p, &first);
    free(key);
    free(good);
    pair_free(p);
}

static void refused_sums(struct pair *p, const char *batch, bool refused)
{
    char pattern[128];
    (void)snprintf(pattern, sizeof pattern, "intermediate/external/aggregate/%s/part*", batch);
    char *key = pair_find(p, 1, "shared", pattern);
    assert_true((key == NULL) == refused);
    free(key);
    (void)snprintf(pattern, sizeof pattern, "processed/publish/%s/*", batch);
    key = pair_find(p, 0, "private", pattern);
    assert_true((key == NULL) == refused);
    free(key);
}

/* Nothing of a small batch's sum leaves; the other batches go on. */
static void a_small_batch_is_kept_back(void **state)
{
    static struct data_entry entries[] = {{"first-0", 5}, {"second:1", 20}};
    (void)state;
    for (int turns = 0; turns < 2; turns++) {
        struct pair *p = stage(&second);
        pair_configure(p, entries, 2);
        // first-0 loses all but two good records at A, so that only two are valid.
        static const char *const parts[] = {"part-00000", "part-00001", "part-00002"};
        for (size_t i = 0; i < 3; i++) {
            char key[128];
            (void)snprintf(key, sizeof key, "raw/shares/batch_id=first-0/%s-x.c000.json", parts[i]);
            char *text = pair_get(p, 0, "ingest", key);
            char *end = i == 0 ? strchr(strchr(text, '\n') + 1, '\n') + 1 : text;
            *end = '\0';
            pair_put(p, 0, "ingest", key, text);
            free(text);
        }
        const struct pair_how how = {.keep_state = true, .min_batch = 5};
        assert_true(turns == 0 ? pair_run_both(p, &how) : pair_alternate(p, &how));
        refused_sums(p, "batch_id=first-0", true);
        refused_sums(p, "batch_id=second%3A1", false);
        pair_free(p);
    }
}

/* With a limit that rises between the aggregates and publish. */
static void a_limit_that_comes_late(void **state)
{
    (void)state;
    struct pair *p = stage(&first);
    assert_int_equal(pair_step(p, 0, &kept), 1);
    assert_int_equal(pair_step(p, 1, &kept), 1);
    assert_int_equal(pair_step(p, 0, &kept), 1);
    assert_int_equal(pair_step(p, 1, &kept), 0);
    assert_int_equal(pair_step(p, 0, &(struct pair_how){.keep_state = true, .min_batch = 100}), 0);
    assert_null(pair_find(p, 0, "private", "processed/publish/batch_id*"));
    pair_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_first_then_the_marker_of_raw),
        cmocka_unit_test(mail_goes_before_its_marker),
        cmocka_unit_test(what_arrives_meanwhile_survives),
        cmocka_unit_test(a_finished_run_is_not_repeated),
        cmocka_unit_test(a_damaged_record_stops),
        cmocka_unit_test(an_unusable_aggregate_is_not_published),
        cmocka_unit_test(a_small_batch_is_kept_back),
        cmocka_unit_test(a_limit_that_comes_late),
    };
    return cmocka_run_group_tests_name("process_finish", tests, NULL, NULL);
}
