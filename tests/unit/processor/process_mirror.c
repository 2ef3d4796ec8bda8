/* SPDX-License-Identifier: MPL-2.0 */
/* What a partner gets to see, and in which order (prio-processor.md 4.4, D3). */
#include "codec/base64.h"
#include "pair_steps.h"

#include <fnmatch.h>
#include <jansson.h>
#include <unistd.h>

static const struct pair_data usual = {.n = 9, .bad = 2, .seed = 1, .n_parts = 3};
static const struct pair_how plain = {0};

static const char *const stages[] = {"verify1", "verify2", "aggregate"};

/* The changes of one stage's folder, in order. */
struct order {
    bool marker_removed, marker_written, data_done[2];
    int n_data, n_batch_markers, n_deleted;
};

static const char *batches[] = {"batch_id=first-0/", "batch_id=second%3A1/"};

static void take_change(struct order *o, const char *change, const char *name)
{
    const bool put = strncmp(change, "put", 3) == 0;
    assert_false(o->marker_written); // nothing after it
    if (strcmp(name, "_SUCCESS") == 0) {
        if (put) {
            assert_true(o->marker_removed);
            o->marker_written = true;
        } else {
            assert_int_equal(o->n_data, 0); // before any data
            o->marker_removed = true;
        }
        return;
    }
    assert_true(o->marker_removed);
    if (!put) {
        o->n_deleted++;
        return;
    }
    assert_int_equal(o->n_deleted, 0); // strangers go when the data are there
    for (int b = 0; b < 2; b++) {
        const size_t len = strlen(batches[b]);
        if (strncmp(name, batches[b], len) != 0)
            continue;
        if (strcmp(name + len, "_SUCCESS") == 0) {
            o->data_done[b] = true;
            o->n_batch_markers++;
        } else {
            assert_false(o->data_done[b]); // data before their batch's marker
            o->n_data++;
        }
    }
}

/* An old stage lies at the destination, marker and all. */
static void put_old(struct pair *p, int role)
{
    static const char *const old[] = {"_SUCCESS", "batch_id=first-0/part-old.json",
                                      "batch_id=gone/part-old.json", "batch_id=gone/_SUCCESS",
                                      ".part-00000.json.tmp"};
    for (size_t s = 0; s < 3; s++)
        for (size_t i = 0; i < ARRAY_LEN(old); i++) {
            char key[256];
            // B would read an old answer; only what is not of a complete stage may lie there.
            if (s > 0 && i == 0)
                continue;
            (void)snprintf(key, sizeof key, "intermediate/external/%s/%s", stages[s], old[i]);
            pair_put(p, 1 - role, "shared", key, "old\n");
        }
}

static void marker_off_data_strangers_marker_on(void **state)
{
    (void)state;
    struct pair *p = pair_new(false);
    pair_stage(p, &usual);
    put_old(p, 0);
    struct pair_how how = {.keep_state = true};
    char log_path[512];
    (void)snprintf(log_path, sizeof log_path, "%s", pair_file(p, "changes"));
    how.fate.watch = pair_note_change;
    how.fate.watch_arg = log_path;
    const struct pair_how kept = {.keep_state = true};
    assert_int_equal(pair_step(p, 0, &how), 1);
    const int a = pair_spawn(p, 0, &how, 0), b = pair_spawn(p, 1, &kept, 0);
    assert_int_equal(pair_wait(a), 0);
    assert_int_equal(pair_wait(b), 0);
    struct order orders[3] = {{false}};
    char *log = pair_read_file(log_path), *rest = log, *line;
    // A store does not delete what is not there; the marker of these two never was.
    orders[1].marker_removed = orders[2].marker_removed = true;
    while ((line = strsep(&rest, "\n")) != NULL)
        for (int s = 0; s < 3; s++) {
            char folder[64];
            (void)snprintf(folder, sizeof folder, "intermediate/external/%s/", stages[s]);
            const char *at = strstr(line, folder);
            if (at && strstr(line, " b-shared/") && strncmp(line, "rmdir", 5) != 0 &&
                !(strcmp(at + strlen(folder), "_SUCCESS") == 0 && line[0] == 'd' && s > 0))
                take_change(&orders[s], line, at + strlen(folder));
        }
    for (int s = 0; s < 3; s++) {
        assert_true(orders[s].marker_written);
        assert_int_equal(orders[s].n_batch_markers, 2);
        assert_int_equal(orders[s].n_data, s < 2 ? 6 : 2);
        assert_int_equal(orders[s].n_deleted, 4);
    }
    free(log);
    pair_free(p);
}

static bool is_known_name(const char *key)
{
    static const char *const patterns[] = {
        "intermediate/external/verify[12]/_SUCCESS",
        "intermediate/external/aggregate/_SUCCESS",
        "intermediate/external/*/batch_id=*/_SUCCESS",
        "intermediate/external/verify[12]/batch_id=*/part-[0-9]*-c000.json",
        "intermediate/external/aggregate/batch_id=*/part-00000-*-c000.json",
        "intermediate/external/*/.*.tmp",
        "intermediate/external/*/_MANIFEST.json",
    };
    for (size_t i = 0; i < ARRAY_LEN(patterns); i++)
        if (fnmatch(patterns[i], key, 0) == 0)
            return true;
    return false;
}

/* Bytes of a record's payload, or -1. */
static ptrdiff_t payload_bytes(const json_t *record)
{
    const char *text = json_string_value(json_object_get(record, "payload"));
    struct base64_ops base64;
    uint8_t bytes[4096];
    base64_ops_init(&base64, 0);
    if (!text || strlen(text) > 2048)
        return -1;
    return base64.decode(bytes, (const uint8_t *)text, strlen(text));
}

/* One line that the partner gets: exactly what the stage's message has, and nothing beside it. */
static bool is_message(const char *key, const char *line)
{
    json_t *record = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
    const ptrdiff_t n = payload_bytes(record);
    bool good;
    if (strstr(key, "/aggregate/")) {
        const size_t n_data = strstr(key, "first-0") ? 5 : 20;
        good = json_object_size(record) == 3 && json_is_integer(json_object_get(record, "error")) &&
               json_is_integer(json_object_get(record, "total")) && n > (ptrdiff_t)n_data &&
               n <= (ptrdiff_t)(16 + 12 * n_data);
    } else {
        const json_t *id = json_object_get(record, "id");
        good = json_object_size(record) == 2 && (json_is_integer(id) || json_is_string(id)) &&
               n > 0 && n <= (strstr(key, "/verify1/") ? 24 : 12);
    }
    json_decref(record);
    return good;
}

static void look_at(struct pair *p, int role, const char *key)
{
    char *text = pair_get(p, role, "shared", key), *rest = text, *line;
    if (!text)
        return; // it went while it was looked at
    const bool empty = strstr(key, "_SUCCESS") != NULL;
    if (!is_known_name(key) || (empty && text[0] != '\0')) {
        (void)fprintf(stderr, "# the partner can read %s\n", key);
        _exit(96);
    }
    while (!strstr(key, ".tmp") && (line = strsep(&rest, "\n")) != NULL)
        if (line[0] && !is_message(key, line)) {
            (void)fprintf(stderr, "# the partner can read %s: %s\n", key, line);
            _exit(95);
        }
    free(text);
}

/* Before each change of this server: all that lies in the partner's mailbox. */
static void look(void *arg, const char *change)
{
    struct pair *p = arg;
    if (!strstr(change, "-shared/"))
        return;
    for (int role = 0; role < 2; role++) {
        char *tree = pair_tree(p, role, "shared"), *rest = tree, *line;
        while ((line = strsep(&rest, "\n")) != NULL)
            if (line[0])
                look_at(p, role, line);
        free(tree);
    }
}

static void the_partner_sees_messages_only(void **state)
{
    (void)state;
    struct pair *p = pair_new(false);
    pair_stage(p, &usual);
    struct pair_how how = plain;
    how.fate.watch = look;
    how.fate.watch_arg = p;
    const int a = pair_spawn(p, 0, &how, 0), b = pair_spawn(p, 1, &how, 0);
    assert_int_equal(pair_wait(a), 0);
    assert_int_equal(pair_wait(b), 0);
    pair_assert_published(p, &usual);
    pair_assert_clean(p);
    pair_free(p);
}

/* Where everything lies in one bucket, what a server keeps for itself is below its own prefix and
 * below no tree that is mirrored. */
static void note_writes(void *arg, const char *change)
{
    if (strncmp(change, "put", 3) == 0)
        pair_note_change(arg, change);
}

static void one_bucket_keeps_the_trees_apart(void **state)
{
    (void)state;
    struct pair *p = pair_new(true);
    pair_stage(p, &usual);
    struct pair_how how = plain;
    char log_path[512];
    (void)snprintf(log_path, sizeof log_path, "%s", pair_file(p, "changes"));
    how.fate.watch = note_writes;
    how.fate.watch_arg = log_path;
    const int a = pair_spawn(p, 0, &how, 0), b = pair_spawn(p, 1, &plain, 0);
    assert_int_equal(pair_wait(a), 0);
    assert_int_equal(pair_wait(b), 0);
    pair_assert_published(p, &usual);
    pair_assert_clean(p);
    char own[256], partner[256];
    (void)snprintf(own, sizeof own, "put one/data/v1/%s/app/%s/", p->hex[1], p->date);
    (void)snprintf(partner, sizeof partner, "put one/data/v1/%s/app/%s/intermediate/external/",
                   p->hex[0], p->date);
    char *log = pair_read_file(log_path), *rest = log, *line;
    while ((line = strsep(&rest, "\n")) != NULL) {
        if (!line[0])
            continue;
        const bool is_own = strncmp(line, own, strlen(own)) == 0;
        if (!is_own && strncmp(line, partner, strlen(partner)) != 0)
            fail_msg("A has written elsewhere: %s", line);
        if (is_own && strncmp(line + strlen(own), "intermediate/external", 21) == 0)
            fail_msg("A has written into its own mailbox: %s", line);
        if (strstr(line, ".trace") && !strstr(line, "/state/verify1/"))
            fail_msg("a trace outside of state: %s", line);
    }
    free(log);
    pair_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marker_off_data_strangers_marker_on),
        cmocka_unit_test(the_partner_sees_messages_only),
        cmocka_unit_test(one_bucket_keeps_the_trees_apart),
    };
    return cmocka_run_group_tests_name("process_mirror", tests, NULL, NULL);
}
