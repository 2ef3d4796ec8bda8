/* SPDX-License-Identifier: MPL-2.0 */
/* One answer per stage, names and strangers (prio-processor.md D4, D5). */
#include "pair_steps.h"
#include "processor/layout.h"

static const struct pair_data usual = {.n = 9, .bad = 2, .seed = 1, .n_parts = 3};
static const struct pair_how plain = {0};
static const struct pair_how kept = {.keep_state = true};

static struct pair *stage(void)
{
    struct pair *p = pair_new(false);
    pair_stage(p, &usual);
    return p;
}

static void assert_finish(struct pair *p, const struct pair_how *how)
{
    if (!pair_alternate(p, how))
        fail_msg("the servers do not finish");
    pair_assert_published(p, &usual);
}

/* Another secret, key, ... in the middle of a run. */
struct change {
    const char *name; // as the error spells it
    struct process_options to;
    char hex[PRIO_KEY_HEX_BYTES];
};

static void apply(struct process_options *o, void *arg)
{
    const struct change *c = arg;
    if (strcmp(c->name, "SHARED_SECRET") == 0)
        memcpy(o->shared_secret, c->to.shared_secret, sizeof o->shared_secret);
    if (strcmp(c->name, "PRIVATE_KEY_HEX") == 0) {
        memcpy(o->private_key, c->to.private_key, sizeof o->private_key);
        o->key_internal = c->hex;
    }
    if (strcmp(c->name, "PRIO_PRG") == 0)
        o->prg = PRIO_PRG_LEGACY;
    if (strcmp(c->name, "PRIO_POINTS") == 0)
        o->points = PRIO_POINTS_SEQUENTIAL;
    if (strcmp(c->name, "DATA_CONFIG") == 0)
        o->config = c->to.config;
    if (strcmp(c->name, "SERVER_ID") == 0)
        o->role = o->role == PRIO_SERVER_A ? PRIO_SERVER_B : PRIO_SERVER_A;
}

static struct data_entry longer[] = {{"first-0", 6}, {"second:1", 20}, {"absent-2", 3}};
static const struct data_config longer_config = {longer, 3};

static struct change change_of(const char *name)
{
    struct change c = {.name = name, .to.config = &longer_config};
    uint8_t public[PRIO_KEY_BYTES];
    assert_int_equal(prio_shared_secret(c.to.shared_secret), PRIO_OK);
    assert_int_equal(prio_keygen(c.to.private_key, public), PRIO_OK);
    prio_key_to_hex(c.hex, public);
    return c;
}

static const char *const changes[] = {"SHARED_SECRET", "PRIVATE_KEY_HEX", "PRIO_PRG",
                                      "PRIO_POINTS",   "DATA_CONFIG",     "SERVER_ID"};

/* All that a partner of `role` can read. */
static char *visible(struct pair *p, int role)
{
    return pair_versions(p, 1 - role, "shared", "");
}

static void assert_refused(struct pair *p, const char *name)
{
    char text[ERR_TEXT_BYTES];
    struct change change = change_of(name);
    const struct pair_how how = {.retry_limit = 1, .tweak = apply, .tweak_arg = &change};
    char *before = visible(p, 0);
    assert_int_equal(pair_run(p, 0, &how, text), E_ARG);
    if (!strstr(text, name))
        fail_msg("\"%s\" does not name %s", text, name);
    char *after = visible(p, 0);
    assert_string_equal(after, before);
    free(before);
    free(after);
}

/* After each stage that was answered. */
static void another_parameter_stops_an_answered_run(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        struct pair *p = stage();
        assert_int_equal(pair_step(p, 0, &plain), 1); // verify1
        assert_refused(p, changes[i]);
        assert_int_equal(pair_step(p, 1, &plain), 1); // verify1, verify2
        assert_refused(p, changes[i]);
        assert_int_equal(pair_step(p, 0, &plain), 1); // verify2, aggregate
        assert_refused(p, changes[i]);
        assert_finish(p, &plain);
        pair_assert_clean(p);
        pair_free(p);
    }
}

/* As long as nothing was answered there is nothing to contradict. */
static void another_secret_before_any_answer(void **state)
{
    (void)state;
    struct pair *p = stage();
    // The record of verify1's answer is the third: restarting, begun, verify1.
    pair_run_until(p, 0, &plain, "put a-private/*/state/run.json", 3);
    assert_int_equal(prio_shared_secret(p->secret), PRIO_OK);
    assert_finish(p, &plain);
    pair_assert_clean(p);
    pair_free(p);
}

/* A partner that withdraws one verify2 line must not get a second aggregate. */
static void a_withdrawn_line_changes_nothing(void **state)
{
    (void)state;
    struct pair *p = stage();
    char *key;
    assert_int_equal(pair_step(p, 0, &kept), 1);
    assert_int_equal(pair_step(p, 1, &kept), 1);
    pair_run_until(p, 0, &kept, "put b-shared/*/aggregate/*", 1);
    char *answer = pair_bytes(p, 0, "private", "intermediate/internal/aggregate/");
    free(pair_shorten(p, 0, "shared", "intermediate/external/verify2/batch_id=first-0/part-*",
                      &key));
    free(key);
    assert_finish(p, &kept);
    char *again = pair_bytes(p, 0, "private", "intermediate/internal/aggregate/");
    assert_string_equal(again, answer);
    // And that is what has left.
    char *sent =
        pair_bytes(p, 1, "shared", "intermediate/external/aggregate/batch_id=first-0/part");
    assert_non_null(strstr(answer, strchr(sent, '{')));
    free(sent);
    free(answer);
    free(again);
    pair_free(p);
}

static void a_changed_answer_is_not_sent(void **state)
{
    static const char *const stages[] = {"verify1", "verify2", "aggregate"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(stages); i++) {
        char pattern[128], text[ERR_TEXT_BYTES];
        struct pair *p = stage();
        char *key;
        const struct pair_how how = {.retry_limit = 1};
        assert_int_equal(pair_step(p, 0, &plain), 1);
        if (i > 0) {
            assert_int_equal(pair_step(p, 1, &plain), 1);
            assert_int_equal(pair_step(p, 0, &plain), 1);
        }
        (void)snprintf(pattern, sizeof pattern, "intermediate/internal/%s/batch_id=first-0/part*",
                       stages[i]);
        char *whole = pair_shorten(p, 0, "private", pattern, &key);
        char *before = visible(p, 0);
        assert_int_equal(pair_run(p, 0, &how, text), E_FORMAT);
        if (!strstr(text, stages[i]))
            fail_msg("\"%s\" does not name %s", text, stages[i]);
        char *after = visible(p, 0);
        assert_string_equal(after, before);
        pair_put(p, 0, "private", key, whole); // restored, it goes on
        assert_finish(p, &plain);
        free(key);
        free(whole);
        free(before);
        free(after);
        pair_free(p);
    }
}

/*
 * A part that is done is not done again, unless one before it has changed: which of two records
 * with an id counts is decided by the earlier part.
 */
static void parts_are_reused_only_behind_the_same_parts(void **state)
{
    static const char first[] = "raw/shares/batch_id=first-0/part-00000-x.c000.json";
    static const char second[] = "raw/shares/batch_id=first-0/part-00001-x.c000.json";
    (void)state;
    struct pair *p = stage();
    pair_run_until(p, 0, &kept, "put a-private/*/state/verify1/batch_id=first-0/part-00002.json",
                   1);
    // The first part gets the last one's record too, at both servers.
    for (int role = 0; role < 2; role++) {
        char *a = pair_get(p, role, "ingest", first), *b = pair_get(p, role, "ingest", second);
        const size_t room = strlen(a) + strlen(b) + 1;
        char *both = malloc(room);
        assert_non_null(both);
        (void)snprintf(both, room, "%s%s", b, a);
        pair_put(p, role, "ingest", first, both);
        free(a);
        free(b);
        free(both);
    }
    assert_true(pair_alternate(p, &kept));
    // Each id once in what A has answered.
    char *sent = pair_bytes(p, 1, "shared", "intermediate/external/verify1/batch_id=first-0/part");
    for (const char *line = strstr(sent, "{\"id\":"); line; line = strstr(line + 1, "{\"id\":")) {
        char id[64];
        (void)snprintf(id, sizeof id, "%.*s", (int)strcspn(line, ","), line);
        (void)strncat(id, ",", sizeof id - strlen(id) - 1);
        if (strstr(line + 1, id))
            fail_msg("%s is answered twice", id);
    }
    free(sent);
    pair_free(p);
}

static const char *const strange[] = {
    "verify1/batch_id=first-0/part-00009-old-c000.json",
    "verify1/batch_id=first-0/.part-00000-old-c000.json.tmp",
    "verify1/batch_id=gone/part-00000-old-c000.json",
    "verify1/batch_id=gone/_SUCCESS",
    "verify2/batch_id=first-0/part-00009-old-c000.json",
    "verify2/batch_id=gone/part-00000-old-c000.json",
    "aggregate/batch_id=first-0/part-00001-old-c000.json",
    "aggregate/batch_id=gone/part-00000-old-c000.json",
    "aggregate/.hidden",
};

static void strangers_are_not_sent_and_not_left(void **state)
{
    (void)state;
    struct pair *p = stage();
    char key[256], log[512];
    struct pair_how how = kept;
    (void)snprintf(log, sizeof log, "%s", pair_file(p, "changes"));
    how.fate.watch = pair_note_change;
    how.fate.watch_arg = log;
    assert_int_equal(pair_step(p, 0, &kept), 1);
    for (size_t i = 0; i < ARRAY_LEN(strange); i++) {
        (void)snprintf(key, sizeof key, "intermediate/internal/%s", strange[i]);
        // verify1 is answered: what appears in it later makes it another answer.
        if (strncmp(strange[i], "verify1", 7) != 0)
            pair_put(p, 0, "private", key, "{}\n");
        (void)snprintf(key, sizeof key, "intermediate/external/%s", strange[i]);
        pair_put(p, 1, "shared", key, "{}\n");
    }
    // Begin anew, with strangers of verify1 too.
    pair_remove(p, 0, "private", "state/run.json");
    for (size_t i = 0; i < 4; i++) {
        (void)snprintf(key, sizeof key, "intermediate/internal/%s", strange[i]);
        pair_put(p, 0, "private", key, "{}\n");
    }
    assert_finish(p, &how);
    char *changed = pair_read_file(log);
    for (size_t i = 0; i < ARRAY_LEN(strange); i++) {
        (void)snprintf(key, sizeof key, "intermediate/internal/%s", strange[i]);
        assert_false(pair_has(p, 0, "private", key));
        (void)snprintf(key, sizeof key, "intermediate/external/%s", strange[i]);
        if (pair_has(p, 1, "shared", key))
            fail_msg("%s is left with the partner", key);
    }
    assert_null(strstr(changed, "put b-shared/data/v1/old"));
    free(changed);
    pair_free(p);
}

static const char mail_folder[] = "intermediate/external/verify1/";
static const char mail_marker[] = "intermediate/external/verify1/_SUCCESS";

/* Sent and recorded: with its marker, or gone altogether, it is not touched again. */
static void what_was_sent_is_left_alone(void **state)
{
    (void)state;
    struct pair *p = stage();
    assert_int_equal(pair_step(p, 0, &plain), 1);
    char *before = pair_versions(p, 1, "shared", mail_folder);
    assert_int_equal(pair_step(p, 0, &plain), 1);
    char *after = pair_versions(p, 1, "shared", mail_folder);
    assert_string_equal(after, before);

    // Data without a marker: only the marker is written.
    char *whole = pair_bytes(p, 1, "shared", mail_folder);
    pair_remove(p, 1, "shared", mail_marker);
    char *unmarked = pair_versions(p, 1, "shared", mail_folder);
    assert_int_equal(pair_step(p, 0, &plain), 1);
    assert_true(pair_has(p, 1, "shared", mail_marker));
    pair_remove(p, 1, "shared", mail_marker);
    free(after);
    after = pair_versions(p, 1, "shared", mail_folder);
    assert_string_equal(after, unmarked);

    // Nothing at all: the partner is done with it.
    char *key;
    char names[32][256];
    size_t n = 0;
    while ((key = pair_find(p, 1, "shared", "intermediate/external/verify1/*")) != NULL) {
        (void)snprintf(names[n++], sizeof names[0], "%s", key);
        pair_remove(p, 1, "shared", key);
        free(key);
    }
    assert_int_equal(pair_step(p, 0, &plain), 1);
    assert_null(pair_find(p, 1, "shared", "intermediate/external/verify1/*"));
    free(before);
    free(after);
    free(whole);
    free(unmarked);
    pair_free(p);
}

static void ends_yesterday(struct process_options *o, void *arg)
{
    o->date_given = false;
    o->now_us = *(const int64_t *)arg;
}

static void yesterdays_unfinished_run_is_named(void **state)
{
    (void)state;
    for (int finished = 0; finished < 2; finished++) {
        struct pair *p = stage();
        // Half a day into the day after p->date.
        int64_t now_us = ((int64_t)20685 * 24 + 36) * 3600 * 1000000;
        char today[11];
        layout_today(today, now_us);
        assert_string_equal(today, "2026-08-21");
        if (finished == 1)
            assert_finish(p, &plain);
        else
            assert_int_equal(pair_step(p, 0, &plain), 1);
        p->date = "2026-08-21";
        struct pair_how how = {.tweak = ends_yesterday, .tweak_arg = &now_us};
        how.log_file = pair_file(p, "log");
        assert_int_equal(pair_step(p, 0, &how), 1);
        char *log = pair_read_file(how.log_file);
        const char *line = strstr(log, "the run of yesterday is not finished");
        assert_true((line == NULL) == (finished == 1));
        if (line)
            assert_non_null(strstr(line, "date=2026-08-20"));
        free(log);
        pair_free(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_parameter_stops_an_answered_run),
        cmocka_unit_test(another_secret_before_any_answer),
        cmocka_unit_test(a_withdrawn_line_changes_nothing),
        cmocka_unit_test(a_changed_answer_is_not_sent),
        cmocka_unit_test(parts_are_reused_only_behind_the_same_parts),
        cmocka_unit_test(strangers_are_not_sent_and_not_left),
        cmocka_unit_test(what_was_sent_is_left_alone),
        cmocka_unit_test(yesterdays_unfinished_run_is_named),
    };
    return cmocka_run_group_tests_name("process_restart", tests, NULL, NULL);
}
