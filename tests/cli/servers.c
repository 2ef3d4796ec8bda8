/* SPDX-License-Identifier: MPL-2.0 */
#include "servers.h"

#include <regex.h>

void servers_init(struct servers *s, const char *program, const json_t *keys, const char *secret,
                  const json_t *config)
{
    *s = (struct servers){.program = program, .points = "first", .prg = "hashed", .workers = "2"};
    scratch_make(s->dir);
    (void)snprintf(s->n_data, sizeof s->n_data, "%lld",
                   (long long)json_integer_value(json_object_get(config, "n_data")));
    (void)snprintf(s->batch_id, sizeof s->batch_id, "%s",
                   json_string_value(json_object_get(config, "batch_id")));
    (void)snprintf(s->secret, sizeof s->secret, "SHARED_SECRET=%s", secret);
    for (int x = 0; x < SERVERS; x++) {
        const json_t *half = json_object_get(keys, x == A ? "A" : "B");
        (void)snprintf(s->public_key[x], sizeof s->public_key[x], "%s",
                       json_string_value(json_object_get(half, "public")));
        (void)snprintf(s->private_key[x], sizeof s->private_key[x], "PRIVATE_KEY_HEX=%s",
                       json_string_value(json_object_get(half, "private")));
        make_directory(s->dir, x == A ? "a" : "b");
        make_directory(s->dir, x == A ? "a/raw" : "b/raw");
    }
}

void servers_deinit(struct servers *s)
{
    scratch_remove(s->dir);
}

void servers_path(const struct servers *s, char out[PATH_BYTES], int server, const char *step)
{
    assert_in_range(
        snprintf(out, PATH_BYTES, "%s/%c/%s/data.ndjson", s->dir, server == A ? 'a' : 'b', step), 1,
        PATH_BYTES - 1);
}

struct args {
    struct run run;
    size_t n;
};

static void push(struct args *a, const char *name, const char *value)
{
    assert_true(a->n + 2 < MAX_ARGS);
    a->run.argv[a->n++] = name;
    a->run.argv[a->n++] = value;
}

void servers_step(const struct servers *s, int server, const char *step, char **out)
{
    const bool publish = strcmp(step, "publish") == 0, verify1 = strcmp(step, "verify1") == 0;
    const char *before = publish                          ? "aggregate"
                         : strcmp(step, "aggregate") == 0 ? "verify2"
                                                          : "verify1";
    char raw[PATH_BYTES], own[PATH_BYTES], peer[PATH_BYTES], output[PATH_BYTES];
    struct args a = {.run = {.program = s->program,
                             .dir = s->dir,
                             .secrets = {s->private_key[server], s->secret},
                             .argv = {step}},
                     .n = 1};
    servers_path(s, raw, server, "raw");
    servers_path(s, own, server, before);
    servers_path(s, peer, !server, before);
    (void)snprintf(output, sizeof output, "%s/%c/%s", s->dir, server == A ? 'a' : 'b', step);

    push(&a, "--batch-id", s->batch_id);
    push(&a, "--n-data", s->n_data);
    push(&a, "--server-id", server == A ? "A" : "B");
    push(&a, "--public-key-hex-internal", s->public_key[server]);
    push(&a, "--public-key-hex-external", s->public_key[!server]);
    push(&a, "--output", output);
    if (!publish) {
        push(&a, "--input", raw);
        push(&a, "--points", s->points);
        push(&a, "--prg", s->prg);
        push(&a, "--workers", s->workers);
    }
    if (!verify1) {
        push(&a, "--input-internal", own);
        push(&a, "--input-external", peer);
    }
    TEXT *err = NULL;
    const int status = run_program(&a.run, out, &err);
    if (status != 0)
        fail_msg("%s of server %c: exit status %d\n%s", step, 'A' + server, status, err);
}

void servers_counted_step(const struct servers *s, const char *step, const size_t errors[SERVERS],
                          const size_t totals[SERVERS])
{
    for (int x = 0; x < SERVERS; x++) {
        TEXT *out = NULL;
        char want[96];
        servers_step(s, x, step, &out);
        (void)snprintf(want, sizeof want, "Running %s\n%zu errors out of %zu total\n", step,
                       errors[x], totals[x]);
        if (strcmp(out, want) != 0)
            fail_msg("%s of server %c says %s", step, 'A' + x, out);
    }
}

void servers_encode(const struct servers *s, const char *input)
{
    char out_a[PATH_BYTES], out_b[PATH_BYTES];
    path_join(out_a, s->dir, "a/raw");
    path_join(out_b, s->dir, "b/raw");
    struct args a = {.run = {.program = s->program, .dir = s->dir, .argv = {"encode-shares"}},
                     .n = 1};
    push(&a, "--batch-id", s->batch_id);
    push(&a, "--n-data", s->n_data);
    push(&a, "--public-key-hex-internal", s->public_key[A]);
    push(&a, "--public-key-hex-external", s->public_key[B]);
    push(&a, "--input", input);
    push(&a, "--output-A", out_a);
    push(&a, "--output-B", out_b);
    push(&a, "--prg", s->prg);
    push(&a, "--workers", s->workers);
    TEXT *err = NULL;
    const int status = run_program(&a.run, NULL, &err);
    if (status != 0)
        fail_msg("encode-shares: exit status %d\n%s", status, err);
}

static void assert_matches(const char *text, const char *pattern)
{
    regex_t regex;
    assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
    const int r = regexec(&regex, text, 0, NULL, 0);
    regfree(&regex);
    if (r != 0)
        fail_msg("%s\ndoes not match\n%s", text, pattern);
}

void servers_publish(const struct servers *s, const json_t *want)
{
    for (int x = 0; x < SERVERS; x++) {
        char path[PATH_BYTES];
        TEXT *out = NULL;
        servers_step(s, x, "publish", &out);
        assert_string_equal(out, "Running publish\n");
        servers_path(s, path, x, "publish");
        TEXT *text = file_read(path);
        assert_non_null(text);
        // One object and no newline behind it.
        assert_matches(text, "^\\{\"id\": \"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-"
                             "[0-9a-f]{12}\", \"timestamp\": \"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:"
                             "[0-9]{2}:[0-9]{2}\\.[0-9]{6}\", \"payload\": \\[[0-9, ]*\\]\\}$");
        assert_null(strchr(text, '\n'));
        JSON *published = json_loads(text, 0, NULL);
        if (!json_equal(json_object_get(published, "payload"), want))
            fail_msg("server %c publishes %s", 'A' + x, text);
    }
}
