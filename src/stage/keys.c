/* SPDX-License-Identifier: MPL-2.0 */
#include "stage/keys.h"

#include "base/secret.h"
#include "codec/base64.h"
#include "stage/stage.h"

#include <string.h>

void server_keys_wipe(struct server_keys *keys)
{
    secret_wipe(keys, sizeof *keys);
}

static int read_key(uint8_t key[PRIO_KEY_BYTES], const char *hex, size_t len, const char *option,
                    struct err *err)
{
    if (prio_key_from_hex(key, hex, len) != PRIO_OK)
        return err_set(err, E_FORMAT, 0, "%s: a key is exactly 64 hex digits", option);
    return 0;
}

static int read_public_keys(uint8_t internal[PRIO_KEY_BYTES], uint8_t external[PRIO_KEY_BYTES],
                            const struct key_texts *texts, struct err *err)
{
    const char *const in = texts->public_internal, *const ex = texts->public_external;
    const int r = read_key(internal, in, strlen(in), "--public-key-hex-internal", err);
    return r < 0 ? r : read_key(external, ex, strlen(ex), "--public-key-hex-external", err);
}

int private_key_read(uint8_t key[PRIO_KEY_BYTES], const struct opt_secret *text, struct err *err)
{
    return read_key(key, text->text, text->len, "--private-key-hex", err);
}

static int read_secret(uint8_t secret[PRIO_SECRET_BYTES], const struct opt_secret *text,
                       struct err *err)
{
    enum { TEXT_BYTES = 24 };
    uint8_t bytes[TEXT_BYTES / 4 * 3 + BASE64_SLACK];
    struct base64_ops base64;
    base64_ops_init(&base64, 0);
    const ptrdiff_t n =
        text->len == TEXT_BYTES ? base64.decode(bytes, (const uint8_t *)text->text, text->len) : -1;
    if (n == PRIO_SECRET_BYTES)
        memcpy(secret, bytes, PRIO_SECRET_BYTES);
    secret_wipe(bytes, sizeof bytes);
    if (n != PRIO_SECRET_BYTES)
        return err_set(err, E_FORMAT, 0,
                       "--shared-secret: it is base64 of 16 bytes, 24 characters");
    return 0;
}

int server_keys_read(struct server_keys *keys, const struct key_texts *texts, struct err *err)
{
    uint8_t derived[PRIO_KEY_BYTES];
    int r = private_key_read(keys->private_key, texts->private_key, err);
    if (r == 0)
        r = read_secret(keys->secret, texts->shared_secret, err);
    if (r == 0)
        r = read_public_keys(keys->public_key, keys->peer_key, texts, err);
    if (r < 0)
        return r;
    r = prio_public_key(derived, keys->private_key);
    if (r != PRIO_OK)
        return stage_prio_err(err, r, "--private-key-hex");
    if (!secret_equal(derived, keys->public_key, sizeof derived))
        return err_set(err, E_FORMAT, 0,
                       "--public-key-hex-internal: not the public half of --private-key-hex; for a "
                       "server, internal is its own key and external its peer's");
    return 0;
}

int batch_from_options(struct prio_batch **out, const char *batch_id, size_t n_data,
                       enum prio_prg prg, const char *cpu, struct err *err)
{
    const size_t len = strlen(batch_id);
    if (len > PRIO_MAX_BATCH_ID)
        return err_set(err, E_ARG, 0, "--batch-id: longer than %d bytes", PRIO_MAX_BATCH_ID);
    const struct prio_batch_options options = {
        .batch_id = batch_id,
        .batch_id_len = len,
        .n_data = n_data,
        .prg = prg,
        .cpu = cpu && cpu[0] != '\0' ? cpu : NULL,
    };
    const int r = prio_batch_new(out, &options);
    return r == PRIO_OK ? 0 : stage_prio_err(err, r, "--batch-id, --n-data");
}

int client_from_texts(struct prio_client **out, const struct prio_batch *batch,
                      const struct key_texts *texts, struct err *err)
{
    uint8_t key_a[PRIO_KEY_BYTES], key_b[PRIO_KEY_BYTES];
    int r = read_public_keys(key_a, key_b, texts, err);
    if (r < 0)
        return r;
    r = prio_client_new(out, batch, key_a, key_b);
    if (r == PRIO_E_KEY)
        return err_set(
            err, E_FORMAT, 0,
            "--public-key-hex-internal, --public-key-hex-external: nothing can be sealed "
            "to a key of low order");
    return r == PRIO_OK ? 0 : stage_prio_err(err, r, "encoder");
}

int server_from_keys(struct prio_server **out, const struct prio_batch *batch,
                     const struct server_keys *keys, enum prio_role role, enum prio_points points,
                     struct err *err)
{
    const struct prio_server_options options = {
        .role = role,
        .points = points,
        .private_key = keys->private_key,
        .public_key = keys->public_key,
        .peer_public_key = keys->peer_key,
        .shared_secret = keys->secret,
    };
    const int r = prio_server_new(out, batch, &options);
    if (r == PRIO_E_KEY)
        return err_set(err, E_FORMAT, 0,
                       "--public-key-hex-internal, --public-key-hex-external: unusable key");
    return r == PRIO_OK ? 0 : stage_prio_err(err, r, "server");
}
