/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/run_state.h"

#include "processor/state_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FORMAT = 1 };

static const char *const stage_names[RUN_STAGES] = {"verify1", "verify2", "aggregate"};
static const char *const phase_names[] = {"begun", "restarting", "published", "cleaned"};
static const char *const role_names[] = {"A", "B"};
static const char *const prg_names[] = {"hashed", "legacy"};
static const char *const points_names[] = {"first", "sequential"};

const char *run_stage_name(enum run_stage stage)
{
    return stage_names[stage];
}

/* Tagged, so that the digest of one secret is of no use for another purpose. */
static int secret_digest(struct hasher *h, struct hash *out, const char *tag, const uint8_t *secret,
                         size_t len, struct err *err)
{
    int r = hasher_add_text(h, tag, err);
    if (r == 0)
        r = hasher_add(h, span_of(secret, len), err);
    return r == 0 ? hasher_finish(h, out, err) : r;
}

static int compare_entries(const void *a, const void *b)
{
    const struct data_entry *const *x = a, *const *y = b;
    return strcmp((*x)->batch_id, (*y)->batch_id);
}

static int config_digest(struct hasher *h, struct hash *out, const struct data_config *config,
                         struct err *err)
{
    const struct data_entry **sorted = calloc(config->n + 1, sizeof(struct data_entry *));
    if (!sorted)
        return err_set(err, E_NOMEM, 0, "no memory for the data config");
    for (size_t i = 0; i < config->n; i++)
        sorted[i] = &config->entries[i];
    qsort(sorted, config->n, sizeof *sorted, compare_entries);
    int r = 0;
    for (size_t i = 0; i < config->n && r == 0; i++) {
        char n_data[32];
        (void)snprintf(n_data, sizeof n_data, "%zu", sorted[i]->n_data);
        r = hasher_add_text(h, sorted[i]->batch_id, err);
        if (r == 0)
            r = hasher_add_text(h, n_data, err);
    }
    free(sorted);
    return r == 0 ? hasher_finish(h, out, err) : r;
}

int run_state_init(struct run_state *state, enum prio_role role, enum prio_prg prg,
                   enum prio_points points, const uint8_t private_key[PRIO_KEY_BYTES],
                   const uint8_t secret[PRIO_SECRET_BYTES], const struct data_config *config,
                   struct err *err)
{
    *state = (struct run_state){.role = role, .prg = prg, .points = points, .batches = config};
    CLEANUP(hasher_freep) struct hasher *h = NULL;
    int r = hasher_new(&h, err);
    if (r == 0)
        r = secret_digest(h, &state->private_key, "weir run private key", private_key,
                          PRIO_KEY_BYTES, err);
    if (r == 0)
        r = secret_digest(h, &state->shared_secret, "weir run shared secret", secret,
                          PRIO_SECRET_BYTES, err);
    return r == 0 ? config_digest(h, &state->config, config, err) : r;
}

const char *run_state_difference(const struct run_state *a, const struct run_state *b)
{
    if (a->role != b->role)
        return "SERVER_ID";
    if (!hash_equal(&a->private_key, &b->private_key))
        return "PRIVATE_KEY_HEX";
    if (!hash_equal(&a->shared_secret, &b->shared_secret))
        return "SHARED_SECRET";
    if (a->prg != b->prg)
        return "PRIO_PRG";
    if (a->points != b->points)
        return "PRIO_POINTS";
    if (!hash_equal(&a->config, &b->config))
        return "DATA_CONFIG";
    return NULL;
}

bool run_state_answered(const struct run_state *state)
{
    for (int s = 0; s < RUN_STAGES; s++)
        if (state->answer[s].set)
            return true;
    return false;
}

static int set_hash(json_t *to, const char *name, const struct hash *hash)
{
    char hex[HASH_HEX_BYTES];
    hash_to_hex(hex, hash);
    return json_object_set_new(to, name, json_string(hex));
}

static int set_maybe(json_t *to, const char *name, const struct maybe_hash *hash)
{
    return hash->set ? set_hash(to, name, &hash->hash) : 0;
}

static int set_stage(json_t *stages, const struct run_state *s, int stage)
{
    json_t *entry = json_object();
    int bad = set_maybe(entry, "answer", &s->answer[stage]);
    bad |= set_maybe(entry, "partner", &s->consumed[stage]);
    bad |= set_maybe(entry, "stale", &s->stale[stage]);
    bad |= json_object_set_new(entry, "mirrored", json_boolean(s->mirrored[stage]));
    bad |= json_object_set_new(stages, stage_names[stage], entry);
    return bad;
}

static int set_batches(json_t *root, const struct data_config *config)
{
    json_t *batches = json_array();
    int bad = json_object_set_new(root, "batches", batches);
    for (size_t i = 0; config && i < config->n; i++)
        bad |= json_array_append_new(batches, json_pack("{s:s, s:I}", "batch_id",
                                                        config->entries[i].batch_id, "n_data",
                                                        (json_int_t)config->entries[i].n_data));
    return bad;
}

int run_state_write(const struct run_state *s, struct store *store, const char *key,
                    struct err *err)
{
    STATE_JSON *root = json_pack("{s:i, s:s, s:s, s:s, s:s, s:{}}", "format", FORMAT, "phase",
                                 phase_names[s->phase], "server_id", role_names[s->role], "prg",
                                 prg_names[s->prg], "points", points_names[s->points], "stages");
    json_t *stages = json_object_get(root, "stages");
    int bad = set_hash(root, "private_key", &s->private_key);
    bad |= set_hash(root, "shared_secret", &s->shared_secret);
    bad |= set_hash(root, "config", &s->config);
    bad |= set_batches(root, s->batches);
    bad |= set_maybe(root, "raw", &s->raw);
    for (int stage = 0; stage < RUN_STAGES; stage++)
        bad |= set_stage(stages, s, stage);
    return bad ? err_set(err, E_NOMEM, 0, "no memory for %s", key)
               : state_json_write(root, store, key, err);
}

/* @return the index of the text below `name` in names, or -1. */
static int get_choice(const json_t *from, const char *name, const char *const *names, int n)
{
    const char *text = json_string_value(json_object_get(from, name));
    for (int i = 0; text && i < n; i++)
        if (strcmp(text, names[i]) == 0)
            return i;
    return -1;
}

static bool get_hash(const json_t *from, const char *name, struct hash *out)
{
    const char *text = json_string_value(json_object_get(from, name));
    return text && hash_from_hex(out, text);
}

static bool get_maybe(const json_t *from, const char *name, struct maybe_hash *out)
{
    out->set = json_object_get(from, name) != NULL;
    return !out->set || get_hash(from, name, &out->hash);
}

static bool get_stages(const json_t *root, struct run_state *s)
{
    const json_t *stages = json_object_get(root, "stages");
    bool good = true;
    for (int i = 0; i < RUN_STAGES; i++) {
        const json_t *entry = json_object_get(stages, stage_names[i]);
        good = good && json_is_object(entry) && get_maybe(entry, "answer", &s->answer[i]) &&
               get_maybe(entry, "partner", &s->consumed[i]) &&
               get_maybe(entry, "stale", &s->stale[i]);
        s->mirrored[i] = json_is_true(json_object_get(entry, "mirrored"));
    }
    return good;
}

static bool read_root(const json_t *root, struct run_state *s)
{
    const int phase = get_choice(root, "phase", phase_names, ARRAY_LEN(phase_names));
    const int role = get_choice(root, "server_id", role_names, ARRAY_LEN(role_names));
    const int prg = get_choice(root, "prg", prg_names, ARRAY_LEN(prg_names));
    const int points = get_choice(root, "points", points_names, ARRAY_LEN(points_names));
    if (phase < 0 || role < 0 || prg < 0 || points < 0 ||
        json_integer_value(json_object_get(root, "format")) != FORMAT)
        return false;
    *s = (struct run_state){.phase = (enum run_phase)phase,
                            .role = (enum prio_role)role,
                            .prg = (enum prio_prg)prg,
                            .points = (enum prio_points)points};
    return get_hash(root, "private_key", &s->private_key) &&
           get_hash(root, "shared_secret", &s->shared_secret) &&
           get_hash(root, "config", &s->config) && get_maybe(root, "raw", &s->raw) &&
           get_stages(root, s);
}

int run_state_read(struct run_state *state, struct store *store, const char *key, struct err *err)
{
    STATE_JSON *root = NULL;
    const int r = state_json_read(&root, store, key, err);
    if (r < 0)
        return r;
    struct run_state read;
    if (!read_root(root, &read))
        return err_set(
            err, E_FORMAT, 0,
            "%s: %s: not a record of a run that this version knows; remove it only if no "
            "answer of that run has left",
            store_name(store), key);
    *state = read;
    return 0;
}
