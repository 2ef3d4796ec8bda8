/* SPDX-License-Identifier: MPL-2.0 */
/*
 * recorded.c - a run of the original's file commands, recorded in August 2020: legacy streams,
 * sequential points. Every file is reproduced byte for byte. The recording lies beside the checkout
 * and not in it; where it is missing the tests are skipped, but never where CI says that it is due.
 */
#include "servers.h"

#include <unistd.h>

#define RECORDED SHARED_DIR "/vectors/prio-cli-recorded"

static const char *program;

static bool recording_missing(void)
{
    if (access(RECORDED "/config.json", R_OK) == 0)
        return false;
    const char *ci = getenv("CI");
    if (ci != NULL && *ci != '\0')
        fail_msg("CI is set and %s is missing", RECORDED);
    return true;
}

static char *recorded(int server, const char *name)
{
    char path[PATH_BYTES];
    assert_in_range(
        snprintf(path, sizeof path, "%s/server_%c/%s", RECORDED, server == A ? 'a' : 'b', name), 1,
        PATH_BYTES - 1);
    char *text = file_read(path);
    if (text == NULL)
        fail_msg("%s is missing", path);
    return text;
}

static json_t *load(const char *name)
{
    json_t *json = json_load_file(name, 0, NULL);
    if (json == NULL)
        fail_msg("%s cannot be read", name);
    return json;
}

static void servers_of_recording(struct servers *s)
{
    JSON *config = load(RECORDED "/config.json");
    JSON *a = load(RECORDED "/server_a_keys.json");
    JSON *b = load(RECORDED "/server_b_keys.json");
    JSON *seed = load(RECORDED "/shared_seed.json");
    JSON *keys =
        json_pack("{s{sOsO}s{sOsO}}", "A", "private", json_object_get(a, "private_key"), "public",
                  json_object_get(a, "public_key"), "B", "private",
                  json_object_get(b, "private_key"), "public", json_object_get(b, "public_key"));
    assert_non_null(keys);
    servers_init(s, program, keys, json_string_value(json_object_get(seed, "shared_seed")), config);
    s->prg = "legacy";
}

static void put_shares(const struct servers *s)
{
    for (int x = 0; x < SERVERS; x++) {
        char path[PATH_BYTES];
        TEXT *shares = recorded(x, "raw/data.ndjson");
        servers_path(s, path, x, "raw");
        file_write(path, shares);
    }
}

static void assert_step_reproduced(const struct servers *s, const char *step)
{
    for (int x = 0; x < SERVERS; x++) {
        char path[PATH_BYTES], name[64];
        servers_path(s, path, x, step);
        (void)snprintf(name, sizeof name, "intermediate/internal/%s/data.ndjson", step);
        TEXT *want = recorded(x, name);
        assert_file_equal(path, want);
    }
}

static void every_file_is_reproduced_byte_for_byte(void **state)
{
    (void)state;
    static const char *const steps[] = {"verify1", "verify2", "aggregate"};
    static const size_t none[SERVERS] = {0, 0}, five[SERVERS] = {5, 5};
    if (recording_missing())
        skip();
    struct servers s;
    servers_of_recording(&s);
    s.points = "sequential";
    put_shares(&s);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        servers_counted_step(&s, steps[i], none, five);
        assert_step_reproduced(&s, steps[i]);
    }
    TEXT *processed = recorded(A, "processed/data.ndjson");
    JSON *want = json_loads(processed, 0, NULL);
    servers_publish(&s, json_object_get(want, "payload"));
    servers_deinit(&s);
}

/* The peer's files as recorded, instead of our own of the same run. */
static void each_server_works_with_the_original_as_its_peer(void **state)
{
    (void)state;
    static const char *const before[] = {"verify1", "verify2", "aggregate"};
    static const char *const steps[] = {"verify2", "aggregate", "publish"};
    if (recording_missing())
        skip();
    for (int x = 0; x < SERVERS; x++) {
        struct servers s;
        servers_of_recording(&s);
        s.points = "sequential";
        put_shares(&s);
        servers_step(&s, x, "verify1", NULL);
        for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
            char directory[32], name[64], path[PATH_BYTES];
            (void)snprintf(directory, sizeof directory, "%c/%s", x == A ? 'b' : 'a', before[i]);
            (void)snprintf(name, sizeof name, "intermediate/external/%s/data.ndjson", before[i]);
            TEXT *peer = recorded(x, name);
            make_directory(s.dir, directory);
            servers_path(&s, path, !x, before[i]);
            file_write(path, peer);
            servers_step(&s, x, steps[i], NULL);
        }
        char path[PATH_BYTES];
        servers_path(&s, path, x, "publish");
        TEXT *published = file_read(path);
        assert_non_null(strstr(published, "\"payload\": [5, 4, 3, 2, 1]"));
        servers_deinit(&s);
    }
}

static void the_hashed_rule_rejects_every_record(void **state)
{
    (void)state;
    static const size_t none[SERVERS] = {0, 0}, five[SERVERS] = {5, 5};
    if (recording_missing())
        skip();
    struct servers s;
    servers_of_recording(&s);
    s.points = "sequential";
    s.prg = "hashed";
    put_shares(&s);
    servers_counted_step(&s, "verify1", none, five);
    servers_counted_step(&s, "verify2", none, five);
    servers_counted_step(&s, "aggregate", five, five);
    JSON *zeros = json_pack("[iiiii]", 0, 0, 0, 0, 0);
    servers_publish(&s, zeros);
    servers_deinit(&s);
}

static void its_input_encoded_by_us_gives_the_same_totals(void **state)
{
    (void)state;
    static const char *const points[] = {"first", "sequential"}, *const prgs[] = {"hashed",
                                                                                  "legacy"};
    static const size_t none[SERVERS] = {0, 0}, five[SERVERS] = {5, 5};
    if (recording_missing())
        skip();
    for (size_t i = 0; i < 4; i++) {
        struct servers s;
        servers_of_recording(&s);
        s.points = points[i % 2];
        s.prg = prgs[i / 2];
        servers_encode(&s, RECORDED "/client/data.ndjson");
        servers_counted_step(&s, "verify1", none, five);
        servers_counted_step(&s, "verify2", none, five);
        servers_counted_step(&s, "aggregate", none, five);
        JSON *want = json_pack("[iiiii]", 5, 4, 3, 2, 1);
        servers_publish(&s, want);
        servers_deinit(&s);
    }
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    program = argv[1];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_file_is_reproduced_byte_for_byte),
        cmocka_unit_test(each_server_works_with_the_original_as_its_peer),
        cmocka_unit_test(the_hashed_rule_rejects_every_record),
        cmocka_unit_test(its_input_encoded_by_us_gives_the_same_totals),
    };
    return cmocka_run_group_tests_name("cli/recorded", tests, NULL, NULL);
}
