/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/run.h"

#include "base/log.h"
#include "base/pool.h"
#include "base/secret.h"
#include "codec/base64.h"
#include "processor/layout.h"
#include "stage/keys.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Digests of ids and ciphertexts stand in traces, which outlive the process; so their key is a
 * function of the private key, which nobody else has.
 */
static int derive_key(struct digest_key *key, const struct process_options *o, const char *batch_id,
                      struct err *err)
{
    static const char tag[] = "weir record digests";
    uint8_t mac[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(1 << 20);
    int r = buf_append(&text, tag, sizeof tag, err);
    if (r == 0)
        r = buf_append_str(&text, batch_id, err);
    if (r < 0)
        return r;
    if (!HMAC(EVP_sha256(), o->private_key, PRIO_KEY_BYTES, text.data, text.len, mac, &len) ||
        len < sizeof key->bytes)
        return err_set(err, E_CRYPTO, 0, "HMAC-SHA256 failed");
    memcpy(key->bytes, mac, sizeof key->bytes);
    secret_wipe(mac, sizeof mac);
    return 0;
}

static int init_batch(struct run_batch *b, const struct process_options *o,
                      const struct data_entry *entry, struct err *err)
{
    b->entry = entry;
    CLEANUP(buf_deinit) struct buf dir = BUF_INIT(STORE_MAX_KEY);
    int r = layout_append_partition(&dir, "batch_id", entry->batch_id, err);
    if (r == 0)
        r = buf_append_byte(&dir, '\0', err);
    if (r < 0)
        return err_wrap(err, r, "batch id \"%.60s\"", entry->batch_id);
    b->dir = strdup((const char *)dir.data);
    if (!b->dir)
        return err_set(err, E_NOMEM, 0, "no memory for a batch");
    r = batch_from_options(&b->batch, entry->batch_id, entry->n_data, o->prg, o->cpu_level, err);
    if (r < 0)
        return err_wrap(err, r, "batch id \"%.60s\"", entry->batch_id);
    CLEANUP(server_keys_wipe) struct server_keys keys = {0};
    memcpy(keys.private_key, o->private_key, sizeof keys.private_key);
    memcpy(keys.secret, o->shared_secret, sizeof keys.secret);
    if (prio_key_from_hex(keys.public_key, o->key_internal, strlen(o->key_internal)) != PRIO_OK ||
        prio_key_from_hex(keys.peer_key, o->key_external, strlen(o->key_external)) != PRIO_OK)
        return err_set(err, E_ARG, 0,
                       "PUBLIC_KEY_HEX_INTERNAL, PUBLIC_KEY_HEX_EXTERNAL: a key is "
                       "exactly 64 hex digits");
    r = server_from_keys(&b->server, b->batch, &keys, o->role, o->points, err);
    return r == 0 ? derive_key(&b->key, o, entry->batch_id, err) : r;
}

int run_init(struct run *run, const struct process_options *o, struct err *err)
{
    *run = (struct run){.o = o};
    pthread_mutex_init(&run->mutex, NULL);
    int r = layout_prefix(&run->own, o->bucket_prefix, o->key_external, o->app_name, o->date, err);
    if (r == 0)
        r = layout_prefix(&run->partner, o->bucket_prefix, o->key_internal, o->app_name, o->date,
                          err);
    if (r < 0)
        return r;
    run->batches = calloc(o->config->n + 1, sizeof *run->batches);
    if (!run->batches)
        return err_set(err, E_NOMEM, 0, "no memory for the batches");
    for (; run->n_batches < o->config->n && r == 0; run->n_batches++)
        r = init_batch(&run->batches[run->n_batches], o, &o->config->entries[run->n_batches], err);
    return r == 0 ? run_report_new(&run->report, run, err) : r;
}

void run_deinit(struct run *run)
{
    for (size_t i = 0; i < run->n_batches; i++) {
        struct run_batch *b = &run->batches[i];
        prio_sum_free(b->sum);
        prio_server_free(b->server);
        prio_batch_free(b->batch);
        secret_wipe(&b->key, sizeof b->key);
        free(b->dir);
    }
    free(run->batches);
    for (int s = 0; s < RUN_STAGES; s++) {
        object_list_deinit(&run->parts[s]);
        object_list_deinit(&run->mail[s]);
    }
    object_list_deinit(&run->raw);
    run_report_free(run->report);
    free(run->own);
    free(run->partner);
    pthread_mutex_destroy(&run->mutex);
}

int run_key(const struct run *run, struct key *key, struct err *err, const char *fmt, ...)
{
    char rest[STORE_MAX_KEY + 1];
    va_list args;
    va_start(args, fmt);
    const int len = vsnprintf(rest, sizeof rest, fmt, args);
    va_end(args);
    if (len < 0 || len > STORE_MAX_KEY)
        return err_set(err, E_ARG, 0, "a key of more than %d bytes", STORE_MAX_KEY);
    return key_make(key, err, "%s%s", run->own, rest);
}

void run_say(const struct run *run, const char *fmt, ...)
{
    char line[1024];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    run->o->say(run->o->say_arg, line);
}

int run_check_lock(struct run *run, struct err *err)
{
    return run->lock ? store_lock_check(run->lock, err) : 0;
}

int run_save(struct run *run, struct err *err)
{
    struct key key;
    int r = run_check_lock(run, err);
    if (r == 0)
        r = run_key(run, &key, err, "state/run.json");
    return r == 0 ? run_state_write(&run->state, run->o->private, key.text, err) : r;
}

int run_mark(struct run *run, struct store *store, const char *key, struct err *err)
{
    const int r = run_check_lock(run, err);
    return r == 0 ? store_put(store, key, (struct span){0}, NULL, NULL, err) : r;
}

int run_list(struct object_list *out, struct store *store, const char *key, struct err *err)
{
    CLEANUP(store_listing_deinit) struct store_listing listing = {0};
    object_list_deinit(out);
    const int r = store_list(store, key, &listing, err);
    return r == 0 ? object_list_take(out, &listing, strlen(key), err) : r;
}

int run_delete_below(struct store *store, const char *key, uint64_t *n, struct err *err)
{
    CLEANUP(store_listing_deinit) struct store_listing listing = {0};
    int r = store_list(store, key, &listing, err);
    if (r < 0 || listing.n == 0)
        return r;
    const char **keys = calloc(listing.n, sizeof *keys);
    if (!keys)
        return err_set(err, E_NOMEM, 0, "no memory for a list of objects");
    for (size_t i = 0; i < listing.n; i++)
        keys[i] = listing.objects[i].key;
    r = store_delete(store, keys, listing.n, err);
    free(keys);
    if (r == 0 && n)
        *n += listing.n;
    return r;
}

size_t run_batch_objects(const struct object_list *list, const char *dir, size_t *first)
{
    const size_t len = strlen(dir);
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++) {
        const char *key = list->objects[i].key;
        if (strncmp(key, dir, len) != 0 || key[len] != '/')
            continue;
        if (n++ == 0)
            *first = i; // sorted keys with one beginning stand side by side
    }
    return n;
}

bool run_is_part(const struct noted_object *object, const char *dir)
{
    const char *name = object->key + strlen(dir) + 1;
    return !strchr(name, '/') && layout_is_data(object->key);
}

/* Batches that run side by side. */
struct batch_pool {
    struct run *run;
    const bool *wanted;
    run_batch_fn *fn;
    void *arg;
    _Atomic size_t next;
    atomic_bool failed;
};

static int run_batches(unsigned index, void *arg, struct err *err)
{
    struct batch_pool *pool = arg;
    (void)index;
    while (!pool->failed) {
        const size_t i = pool->next++;
        if (i >= pool->run->n_batches)
            break;
        if (!pool->wanted[i])
            continue;
        struct run_batch *batch = &pool->run->batches[i];
        const int r = pool->fn(pool->run, batch, pool->arg, err);
        if (r < 0) {
            pool->failed = true;
            return err_wrap(err, r, "batch %s", batch->entry->batch_id);
        }
    }
    return 0;
}

/*
 * How many batches at once: enough that one ends while others keep all cores busy and that the
 * latency of a store is hidden, few enough that a worker of each stays within 4 MiB a core in all
 * (D15). A worker holds about four lines of a share.
 */
static unsigned batches_at_once(const struct run *run, const bool *wanted)
{
    enum { MOST = 4, PER_CORE = 4 << 20, WORKER = 256 << 10 };
    size_t longest = 0, n = 0;
    for (size_t i = 0; i < run->n_batches; i++) {
        const struct run_batch *b = &run->batches[i];
        const size_t line = base64_encoded_len(prio_batch_share_max(b->batch, run->o->role));
        longest = line > longest ? line : longest;
        n += wanted[i];
    }
    size_t most = PER_CORE / (4 * longest + WORKER);
    most = most < 1 ? 1 : most > MOST ? MOST : most;
    most = n < most ? n : most;
    return most < 1 ? 1 : (unsigned)most;
}

int run_each_batch(struct run *run, const bool *wanted, run_batch_fn *fn, void *arg,
                   struct err *err)
{
    struct batch_pool pool = {.run = run, .wanted = wanted, .fn = fn, .arg = arg};
    return pool_run(batches_at_once(run, wanted), run_batches, &pool, err);
}
