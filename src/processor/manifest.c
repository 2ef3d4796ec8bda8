/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/manifest.h"

#include "codec/base64.h"
#include "codec/hex.h"
#include "processor/state_json.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIGNATURE_BYTES = 64, KEY_BYTES = 32, KEY_FILE_MAX = 4096, MANIFEST_MAX = 16 << 20 };

static void pkey_freep(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

static void md_ctx_freep(EVP_MD_CTX **ctx)
{
    EVP_MD_CTX_free(*ctx);
}

static int read_key_file(struct buf *text, const char *path, struct err *err)
{
    struct file_source file;
    int r = file_source_open(&file, path, err);
    if (r < 0)
        return r;
    const struct source source = file_source(&file);
    r = buf_reserve(text, KEY_FILE_MAX, err);
    ssize_t n = r;
    while (r == 0 && text->len < KEY_FILE_MAX &&
           (n = source.read(source.arg, text->data + text->len, KEY_FILE_MAX - text->len, err)) > 0)
        text->len += (size_t)n;
    file_source_close(&file);
    return n < 0 ? (int)n : 0;
}

/* A bare key is 64 hex digits, with or without a newline. */
static EVP_PKEY *key_from_hex(const struct buf *text, bool private)
{
    uint8_t bytes[KEY_BYTES];
    size_t len = text->len;
    while (len > 0 && (text->data[len - 1] == '\n' || text->data[len - 1] == '\r'))
        len--;
    if (len != 2 * KEY_BYTES || !hex_decode(bytes, KEY_BYTES, (const char *)text->data, len))
        return NULL;
    EVP_PKEY *key = private ? EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, bytes, KEY_BYTES)
                            : EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, bytes, KEY_BYTES);
    OPENSSL_cleanse(bytes, sizeof bytes);
    return key;
}

static EVP_PKEY *key_from_pem(const struct buf *text, bool private)
{
    BIO *bio = BIO_new_mem_buf(text->data, (int)text->len);
    if (!bio)
        return NULL;
    // A key with a passphrase cannot be used by a program that nobody watches: "" fails at once.
    EVP_PKEY *key = private ? PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)"")
                            : PEM_read_bio_PUBKEY(bio, NULL, NULL, (void *)"");
    BIO_free(bio);
    return key;
}

static int load_key(EVP_PKEY **out, const char *path, bool private, struct err *err)
{
    const char *option = private ? "--sign-key" : "--verify-key";
    CLEANUP(buf_deinit) struct buf text = BUF_INIT_SECRET(KEY_FILE_MAX);
    const int r = read_key_file(&text, path, err);
    if (r < 0)
        return err_wrap(err, r, "%s", option);
    EVP_PKEY *key = key_from_hex(&text, private);
    if (!key)
        key = key_from_pem(&text, private);
    if (key && EVP_PKEY_base_id(key) == EVP_PKEY_ED25519) {
        *out = key;
        return 0;
    }
    EVP_PKEY_free(key);
    return err_set(err, E_FORMAT, 0, "%s: %s: no Ed25519 %s key (PEM, or 64 hex digits)", option,
                   path, private ? "private" : "public");
}

int manifest_check_keys(const char *sign_key, const char *verify_key, struct err *err)
{
    CLEANUP(pkey_freep) EVP_PKEY *sign = NULL;
    CLEANUP(pkey_freep) EVP_PKEY *verify = NULL;
    const int r = sign_key ? load_key(&sign, sign_key, true, err) : 0;
    return r == 0 && verify_key ? load_key(&verify, verify_key, false, err) : r;
}

static const char *role_name(enum prio_role role)
{
    return role == PRIO_SERVER_A ? "A" : "B";
}

/* What both servers must have in common, and what describes this answer. */
static json_t *describe(const struct run *run, enum run_stage stage, enum prio_role role,
                        const struct hash *digest)
{
    const struct process_options *o = run->o;
    char hex[HASH_HEX_BYTES];
    hash_to_hex(hex, digest);
    return json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "format", 1, "stage",
                     run_stage_name(stage), "date", o->date, "app_name", o->app_name, "server_id",
                     role_name(role), "prg", o->prg == PRIO_PRG_HASHED ? "hashed" : "legacy",
                     "points", o->points == PRIO_POINTS_FIRST ? "first" : "sequential", "digest",
                     hex);
}

static int add_batches(json_t *manifest, const struct run *run, enum run_stage stage)
{
    json_t *batches = json_array();
    int bad = json_object_set_new(manifest, "batches", batches);
    for (size_t b = 0; b < run->n_batches; b++) {
        const struct run_batch *batch = &run->batches[b];
        const struct stage_counts *counts = &batch->stages[stage].counts;
        size_t first;
        if (run_batch_objects(&run->parts[stage], batch->dir, &first) == 0)
            continue;
        json_t *entry = json_pack("{s:s, s:I}", "batch_id", batch->entry->batch_id, "n_data",
                                  (json_int_t)batch->entry->n_data);
        if (batch->stages[stage].done) { // else an earlier version's run is sent again
            bad |= json_object_set_new(entry, "total", json_integer((json_int_t)counts->total));
            bad |= json_object_set_new(entry, "accepted",
                                       json_integer((json_int_t)(counts->total - counts->error)));
        }
        bad |= json_array_append_new(batches, entry);
    }
    return bad;
}

static int sign(const char *path, const char *text, char *out, struct err *err)
{
    CLEANUP(pkey_freep) EVP_PKEY *key = NULL;
    CLEANUP(md_ctx_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t signature[SIGNATURE_BYTES];
    size_t len = sizeof signature;
    const int r = load_key(&key, path, true, err);
    if (r < 0)
        return r;
    if (!ctx || EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) != 1 ||
        EVP_DigestSign(ctx, signature, &len, (const uint8_t *)text, strlen(text)) != 1 ||
        len != sizeof signature)
        return err_set(err, E_CRYPTO, 0, "Ed25519 failed");
    struct base64_ops base64;
    base64_ops_init(&base64, 0);
    out[base64.encode((uint8_t *)out, signature, sizeof signature)] = '\0';
    return 0;
}

int manifest_send(struct run *run, enum run_stage stage, const char *folder, struct err *err)
{
    char signature[(SIGNATURE_BYTES + 2) / 3 * 4 + BASE64_SLACK];
    struct key key;
    if (!run->o->sign_key)
        return 0;
    STATE_JSON *manifest = describe(run, stage, run->o->role, &run->state.answer[stage].hash);
    if (!manifest || add_batches(manifest, run, stage) != 0)
        return err_set(err, E_NOMEM, 0, "no memory for a manifest");
    char *text = json_dumps(manifest, JSON_COMPACT | JSON_SORT_KEYS);
    if (!text)
        return err_set(err, E_NOMEM, 0, "no memory for a manifest");
    int r = sign(run->o->sign_key, text, signature, err);
    STATE_JSON *whole =
        r == 0 ? json_pack("{s:s, s:s}", "manifest", text, "signature", signature) : NULL;
    free(text);
    if (r == 0)
        r = key_make(&key, err, "%s%s", folder, MANIFEST_NAME);
    return r == 0 ? state_json_write(whole, run->o->external_shared, key.text, err) : r;
}

static int verify(const char *path, const char *text, const char *signature, struct err *err)
{
    CLEANUP(pkey_freep) EVP_PKEY *key = NULL;
    CLEANUP(md_ctx_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    const size_t len = strlen(signature);
    uint8_t bytes[SIGNATURE_BYTES + BASE64_SLACK + 3];
    struct base64_ops base64;
    const int r = load_key(&key, path, false, err);
    if (r < 0)
        return r;
    base64_ops_init(&base64, 0);
    if (len != base64_encoded_len(SIGNATURE_BYTES) ||
        base64.decode(bytes, (const uint8_t *)signature, len) != SIGNATURE_BYTES || !ctx ||
        EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) != 1 ||
        EVP_DigestVerify(ctx, bytes, SIGNATURE_BYTES, (const uint8_t *)text, strlen(text)) != 1)
        return err_set(err, E_FORMAT, 0, "the manifest is not signed with the partner's key");
    return 0;
}

/* The first member of `wanted` that manifest has otherwise. */
static int compare(const json_t *manifest, const json_t *wanted, struct err *err)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)wanted, name, value)
    {
        json_t *theirs = json_object_get(manifest, name);
        if (json_equal(theirs, value))
            continue;
        const char *ours = json_string_value(value), *text = json_string_value(theirs);
        if (strcmp(name, "digest") == 0)
            return err_set(err, E_FORMAT, 0, "the data are not those that the partner signed");
        return err_set(err, E_FORMAT, 0, "the partner's %s is \"%s\", here it should be \"%s\"",
                       name, text ? text : "missing", ours ? ours : "another");
    }
    return 0;
}

static int compare_batches(const struct run *run, const json_t *batches, struct err *err)
{
    for (size_t i = 0; i < json_array_size(batches); i++) {
        const json_t *entry = json_array_get(batches, i);
        const char *id = json_string_value(json_object_get(entry, "batch_id"));
        const json_int_t n = json_integer_value(json_object_get(entry, "n_data"));
        for (size_t b = 0; id && b < run->n_batches; b++) {
            const struct data_entry *own = run->batches[b].entry;
            if (strcmp(own->batch_id, id) == 0 && (json_int_t)own->n_data != n)
                return err_set(err, E_FORMAT, 0,
                               "the partner's n_data of batch %s is %lld, here it is %zu", id,
                               (long long)n, own->n_data);
        }
    }
    return 0;
}

static int check(struct run *run, enum run_stage stage, const struct hash *digest, struct err *err)
{
    struct key key;
    STATE_JSON *file = NULL;
    int r = run_key(run, &key, err, "intermediate/external/%s/%s", run_stage_name(stage),
                    MANIFEST_NAME);
    if (r == 0)
        r = state_json_read(&file, run->o->shared, key.text, err);
    if (r == E_ABSENT)
        return err_set(err, E_FORMAT, 0, "there is no signed manifest");
    if (r < 0)
        return r;
    const char *text = json_string_value(json_object_get(file, "manifest"));
    const char *signature = json_string_value(json_object_get(file, "signature"));
    if (!text || !signature)
        return err_set(err, E_FORMAT, 0, "%s is no manifest", MANIFEST_NAME);
    r = verify(run->o->verify_key, text, signature, err);
    if (r < 0)
        return r;
    STATE_JSON *manifest = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    const enum prio_role peer = run->o->role == PRIO_SERVER_A ? PRIO_SERVER_B : PRIO_SERVER_A;
    STATE_JSON *wanted = describe(run, stage, peer, digest);
    r = compare(manifest, wanted, err);
    return r == 0 ? compare_batches(run, json_object_get(manifest, "batches"), err) : r;
}

int manifest_check(struct run *run, enum run_stage stage, const struct hash *digest,
                   struct err *err)
{
    if (!run->o->verify_key)
        return 0;
    const int r = check(run, stage, digest, err);
    return r < 0 ? err_wrap(err, r, "the partner's %s", run_stage_name(stage)) : 0;
}
