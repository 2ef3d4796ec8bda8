/* SPDX-License-Identifier: MPL-2.0 */
/* Signed manifests: --sign-key and --verify-key (issue 4, section 3; prio-processor.md 12). */
#include "pair_steps.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

static const struct pair_data usual = {.n = 9, .bad = 2, .seed = 1};
static const char manifest[] = "intermediate/external/%s/_MANIFEST.json";

/* Key files of both servers, and of a stranger. */
struct keys {
    char private[3][256], public[3][256];
};

static void write_hex(const char *path, const uint8_t *bytes)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    for (int i = 0; i < 32; i++)
        (void)fprintf(f, "%02x", bytes[i]);
    (void)fputc('\n', f);
    assert_int_equal(fclose(f), 0);
}

static void make_keys(struct pair *p, struct keys *k, bool pem)
{
    for (int i = 0; i < 3; i++) {
        uint8_t private[32], public[32];
        size_t len = 32;
        EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
        assert_int_equal(EVP_PKEY_get_raw_private_key(key, private, &len), 1);
        assert_int_equal(EVP_PKEY_get_raw_public_key(key, public, &len), 1);
        (void)snprintf(k->private[i], sizeof k->private[i], "%s/key-%d", p->root, i);
        (void)snprintf(k->public[i], sizeof k->public[i], "%s/key-%d.pub", p->root, i);
        if (pem) {
            FILE *f = fopen(k->private[i], "w");
            assert_int_equal(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL), 1);
            assert_int_equal(fclose(f), 0);
            f = fopen(k->public[i], "w");
            assert_int_equal(PEM_write_PUBKEY(f, key), 1);
            assert_int_equal(fclose(f), 0);
        } else {
            write_hex(k->private[i], private);
            write_hex(k->public[i], public);
        }
        EVP_PKEY_free(key);
    }
}

static struct pair *stage(struct keys *k, bool pem)
{
    struct pair *p = pair_new(false);
    pair_stage(p, &usual);
    make_keys(p, k, pem);
    return p;
}

static struct pair_how how_of(const struct keys *k, int role)
{
    return (struct pair_how){.keep_state = true,
                             .retry_limit = 1,
                             .sign_key = k->private[role],
                             .verify_key = k->public[1 - role]};
}

static int step(struct pair *p, const struct keys *k, int role)
{
    const struct pair_how how = how_of(k, role);
    return pair_step(p, role, &how);
}

static void both_sign_and_verify(void **state)
{
    (void)state;
    for (int pem = 0; pem < 2; pem++)
        for (int turns = 0; turns < 2; turns++) {
            struct keys k;
            struct pair *p = stage(&k, pem == 1);
            struct pair_how a = how_of(&k, 0), b = how_of(&k, 1);
            a.keep_state = b.keep_state = false;
            a.retry_limit = b.retry_limit = 0;
            if (turns == 0) {
                const int pid_a = pair_spawn(p, 0, &a, 0), pid_b = pair_spawn(p, 1, &b, 0);
                assert_int_equal(pair_wait(pid_a), 0);
                assert_int_equal(pair_wait(pid_b), 0);
            } else {
                for (int i = 0; i < 4; i++) {
                    (void)pair_step(p, 0, &a);
                    (void)pair_step(p, 1, &b);
                }
            }
            pair_assert_published(p, &usual);
            pair_assert_clean(p);
            pair_free(p);
        }
}

/* A server that does not verify reads past a manifest; one that does not sign sends none. */
static void a_partner_without_keys(void **state)
{
    (void)state;
    struct keys k;
    struct pair *p = stage(&k, false);
    const struct pair_how signs = {.sign_key = k.private[0]}, plain = {0};
    const int a = pair_spawn(p, 0, &signs, 0), b = pair_spawn(p, 1, &plain, 0);
    assert_int_equal(pair_wait(a), 0);
    assert_int_equal(pair_wait(b), 0);
    pair_assert_published(p, &usual);
    pair_assert_clean(p);
    pair_free(p);
}

/* A must stop at this, say so, and neither send nor publish anything. */
static void assert_stops(struct pair *p, const struct keys *k, const char *saying)
{
    char text[ERR_TEXT_BYTES];
    const struct pair_how how = how_of(k, 0);
    char *sent = pair_versions(p, 1, "shared", "");
    char *published = pair_versions(p, 0, "private", "processed/");
    assert_true(pair_run(p, 0, &how, text) < 0);
    if (!strstr(text, saying))
        fail_msg("\"%s\" does not say \"%s\"", text, saying);
    char *sent_after = pair_versions(p, 1, "shared", "");
    char *published_after = pair_versions(p, 0, "private", "processed/");
    assert_string_equal(sent_after, sent);
    assert_string_equal(published_after, published);
    free(sent);
    free(published);
    free(sent_after);
    free(published_after);
}

static const char *const stages[] = {"verify1", "verify2", "aggregate"};

/* Until B's answer of a stage lies in A's mailbox, and A has not read it. */
static struct pair *until(struct keys *k, int stage_no)
{
    struct pair *p = stage(k, false);
    assert_int_equal(step(p, k, 0), 1);
    const struct pair_how how = how_of(k, 1);
    if (stage_no == 0) {
        struct pair_how b = how;
        b.retry_limit = 0;
        pair_run_until(p, 1, &b, "put a-shared/*/verify2/batch*", 1);
    } else {
        assert_int_equal(step(p, k, 1), 1); // verify1, verify2
    }
    if (stage_no == 1) {
        struct pair_how a = how_of(k, 0);
        pair_run_until(p, 0, &a, "put a-private/*/internal/aggregate/*", 1);
    }
    if (stage_no == 2) {
        assert_int_equal(step(p, k, 0), 1);
        assert_int_equal(step(p, k, 1), 0);
    }
    return p;
}

static void a_missing_manifest(void **state)
{
    (void)state;
    for (int s = 0; s < 3; s++) {
        struct keys k;
        char key[128];
        struct pair *p = until(&k, s);
        (void)snprintf(key, sizeof key, manifest, stages[s]);
        char *text = pair_get(p, 0, "shared", key);
        assert_non_null(text);
        pair_remove(p, 0, "shared", key);
        assert_stops(p, &k, "there is no signed manifest");
        pair_put(p, 0, "shared", key, "{}");
        assert_stops(p, &k, "is no manifest");
        pair_put(p, 0, "shared", key, "nonsense");
        assert_stops(p, &k, "_MANIFEST.json");
        pair_put(p, 0, "shared", key, text);
        (void)step(p, &k, 0);
        free(text);
        pair_free(p);
    }
}

static void changed_data(void **state)
{
    (void)state;
    for (int s = 0; s < 3; s++)
        for (int kind = 0; kind < 3; kind++) {
            struct keys k;
            char pattern[128];
            struct pair *p = until(&k, s);
            (void)snprintf(pattern, sizeof pattern,
                           "intermediate/external/%s/batch_id=first-0/part*", stages[s]);
            char *key = pair_find(p, 0, "shared", pattern);
            char *text = pair_get(p, 0, "shared", key);
            char *payload = strstr(text, "payload\":\"") + 12;
            if (kind == 0) // a bit
                *payload = *payload == 'A' ? 'B' : 'A';
            if (kind < 2)
                pair_put(p, 0, "shared", key, kind == 0 ? text : "");
            else { // an object more
                (void)snprintf(pattern, sizeof pattern,
                               "intermediate/external/%s/batch_id=first-0/part-zzz", stages[s]);
                pair_put(p, 0, "shared", pattern, text);
            }
            assert_stops(p, &k, "not those that the partner signed");
            free(key);
            free(text);
            pair_free(p);
        }
}

static void somebody_elses_signature(void **state)
{
    (void)state;
    for (int s = 0; s < 3; s++) {
        struct keys k;
        struct pair *p = until(&k, s);
        memcpy(k.public[1], k.public[2], sizeof k.public[1]);
        assert_stops(p, &k, "not signed with the partner's key");
        pair_free(p);
    }
    // A manifest of another stage does not do.
    struct keys k;
    struct pair *p = until(&k, 1);
    char *first = pair_get(p, 0, "shared", "intermediate/external/verify1/_MANIFEST.json");
    pair_put(p, 0, "shared", "intermediate/external/verify2/_MANIFEST.json", first);
    (void)step(p, &k, 0);
    assert_stops(p, &k, "stage");
    free(first);
    pair_free(p);
}

static struct data_entry other[] = {{"first-0", 5}, {"second:1", 21}, {"absent-2", 3}};
static struct data_entry fewer[] = {{"first-0", 5}};
static const struct data_config other_n = {other, 3}, one_batch = {fewer, 1};

static void use_legacy(struct process_options *o, void *arg)
{
    (void)arg;
    o->prg = PRIO_PRG_LEGACY;
}

static void use_sequential(struct process_options *o, void *arg)
{
    (void)arg;
    o->points = PRIO_POINTS_SEQUENTIAL;
}

static void use_config(struct process_options *o, void *arg)
{
    o->config = arg;
}

static void what_differs_is_named(void **state)
{
    static const struct {
        void (*tweak)(struct process_options *o, void *arg);
        const void *arg;
        const char *saying[2];
    } cases[] = {
        {use_legacy, NULL, {"prg", "legacy"}},
        {use_sequential, NULL, {"points", "sequential"}},
        {use_config, &other_n, {"n_data of batch second:1 is 21", "here it is 20"}},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct keys k;
        struct pair *p = stage(&k, false);
        struct pair_how b = how_of(&k, 1);
        b.tweak = cases[i].tweak;
        b.tweak_arg = (void *)cases[i].arg;
        assert_int_equal(pair_step(p, 1, &b), 1);
        assert_int_equal(step(p, &k, 0), 1);
        assert_stops(p, &k, cases[i].saying[0]);
        assert_stops(p, &k, cases[i].saying[1]);
        pair_free(p);
    }
}

/* A batch that only one of them is configured for is no forgery. */
static void a_batch_more_is_no_forgery(void **state)
{
    (void)state;
    struct keys k;
    struct pair *p = stage(&k, false);
    struct pair_how a = how_of(&k, 0), b = how_of(&k, 1);
    b.tweak = use_config;
    b.tweak_arg = (void *)&one_batch;
    int status[2] = {1, 1};
    for (int i = 0; i < 5; i++) {
        status[0] = status[0] ? pair_step(p, 0, &a) : 0;
        status[1] = status[1] ? pair_step(p, 1, &b) : 0;
    }
    assert_int_equal(status[0], 0);
    assert_int_equal(status[1], 0);
    char *text = pair_published_text(p, 0, 0);
    assert_non_null(text);
    free(text);
    pair_free(p);
}

static void unusable_keys_are_refused_first(void **state)
{
    (void)state;
    struct keys k;
    char text[ERR_TEXT_BYTES];
    struct pair *p = stage(&k, false);
    const struct pair_how cases[] = {{.sign_key = k.public[0], .verify_key = "/nonexistent/key"},
                                     {.verify_key = pair_file(p, "empty")},
                                     {.sign_key = pair_file(p, "nowhere")}};
    FILE *f = fopen(pair_file(p, "empty"), "w");
    assert_int_equal(fclose(f), 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_true(pair_run(p, 0, &cases[i], text) < 0);
        assert_true(strstr(text, "--verify-key") || strstr(text, "--sign-key"));
        char *tree = pair_tree(p, 0, "private");
        assert_string_equal(tree, "");
        free(tree);
    }
    pair_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_sign_and_verify),
        cmocka_unit_test(a_partner_without_keys),
        cmocka_unit_test(a_missing_manifest),
        cmocka_unit_test(changed_data),
        cmocka_unit_test(somebody_elses_signature),
        cmocka_unit_test(what_differs_is_named),
        cmocka_unit_test(a_batch_more_is_no_forgery),
        cmocka_unit_test(unusable_keys_are_refused_first),
    };
    return cmocka_run_group_tests_name("process_manifest", tests, NULL, NULL);
}
