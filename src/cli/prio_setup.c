/* SPDX-License-Identifier: MPL-2.0 */
#include "base/cpu.h"
#include "base/log.h"
#include "base/pool.h"
#include "base/secret.h"
#include "cli/prio.h"
#include "codec/base64.h"

#include <signal.h>

int setup_exit(int code)
{
    return code == E_ARG ? EXIT_USAGE : EXIT_FAILED;
}

int setup_start(struct setup *s, const struct prio_args *a, struct err *err)
{
    log_init("prio", (enum log_format)a->log_format,
             a->verbose ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING);
    // A reader that leaves and a file that may not grow show as failed writes, with a message.
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
    unsigned mask = 0;
    const int r = cpu_parse_level(&mask, a->cpu, err);
    if (r < 0)
        return err_wrap(err, r, "--cpu");
    s->cpu = cpu_detect() & mask;
    s->n_workers = a->workers > 0 ? (unsigned)a->workers : pool_default_workers();
    return 0;
}

int setup_batch(struct prio_batch **out, const struct prio_args *a, struct err *err)
{
    const size_t len = strlen(a->batch_id);
    if (len > PRIO_MAX_BATCH_ID)
        return err_set(err, E_ARG, 0, "--batch-id: longer than %d bytes", PRIO_MAX_BATCH_ID);
    const struct prio_batch_options options = {
        .batch_id = a->batch_id,
        .batch_id_len = len,
        .n_data = a->n_data,
        .prg = (enum prio_prg)a->prg,
        .cpu = a->cpu && a->cpu[0] != '\0' ? a->cpu : NULL,
    };
    const int r = prio_batch_new(out, &options);
    return r == PRIO_OK ? 0 : stage_prio_err(err, r, "--batch-id, --n-data");
}

int setup_check_prec(const struct prio_args *a, struct err *err)
{
    if (a->prec > 0 && a->n_data % a->prec != 0)
        return err_set(err, E_ARG, 0, "--n-data counts bits: %llu is not a multiple of --prec %llu",
                       (unsigned long long)a->n_data, (unsigned long long)a->prec);
    return 0;
}

static int read_key(uint8_t key[PRIO_KEY_BYTES], const char *hex, size_t len, const char *option,
                    struct err *err)
{
    if (prio_key_from_hex(key, hex, len) != PRIO_OK)
        return err_set(err, E_FORMAT, 0, "%s: a key is exactly 64 hex digits", option);
    return 0;
}

static int read_public_keys(uint8_t internal[PRIO_KEY_BYTES], uint8_t external[PRIO_KEY_BYTES],
                            const struct prio_args *a, struct err *err)
{
    const int r = read_key(internal, a->key_internal, strlen(a->key_internal),
                           "--public-key-hex-internal", err);
    if (r < 0)
        return r;
    return read_key(external, a->key_external, strlen(a->key_external), "--public-key-hex-external",
                    err);
}

int setup_private_key(uint8_t key[PRIO_KEY_BYTES], const struct prio_args *a, struct err *err)
{
    return read_key(key, a->private_key.text, a->private_key.len, "--private-key-hex", err);
}

static int read_secret(uint8_t secret[PRIO_SECRET_BYTES], const struct prio_args *a,
                       struct err *err)
{
    enum { TEXT_BYTES = 24 };
    uint8_t bytes[TEXT_BYTES / 4 * 3 + BASE64_SLACK];
    struct base64_ops base64;
    base64_ops_init(&base64, 0);
    const ptrdiff_t n =
        a->shared_secret.len == TEXT_BYTES
            ? base64.decode(bytes, (const uint8_t *)a->shared_secret.text, a->shared_secret.len)
            : -1;
    if (n == PRIO_SECRET_BYTES)
        memcpy(secret, bytes, PRIO_SECRET_BYTES);
    secret_wipe(bytes, sizeof bytes);
    if (n != PRIO_SECRET_BYTES)
        return err_set(err, E_FORMAT, 0,
                       "--shared-secret: it is base64 of 16 bytes, 24 characters");
    return 0;
}

int setup_client(struct prio_client **out, const struct prio_batch *batch,
                 const struct prio_args *a, struct err *err)
{
    uint8_t key_a[PRIO_KEY_BYTES], key_b[PRIO_KEY_BYTES];
    int r = read_public_keys(key_a, key_b, a, err);
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

/* All that identifies a server. */
struct credentials {
    uint8_t private_key[PRIO_KEY_BYTES];
    uint8_t secret[PRIO_SECRET_BYTES];
    uint8_t public_key[PRIO_KEY_BYTES], peer_key[PRIO_KEY_BYTES];
};

static void credentials_wipe(struct credentials *c)
{
    secret_wipe(c, sizeof *c);
}

static int read_credentials(struct credentials *c, const struct prio_args *a, struct err *err)
{
    uint8_t derived[PRIO_KEY_BYTES];
    int r = setup_private_key(c->private_key, a, err);
    if (r == 0)
        r = read_secret(c->secret, a, err);
    if (r == 0)
        r = read_public_keys(c->public_key, c->peer_key, a, err);
    if (r < 0)
        return r;
    r = prio_public_key(derived, c->private_key);
    if (r != PRIO_OK)
        return stage_prio_err(err, r, "--private-key-hex");
    if (!secret_equal(derived, c->public_key, sizeof derived))
        return err_set(err, E_FORMAT, 0,
                       "--public-key-hex-internal: not the public half of --private-key-hex; for a "
                       "server, internal is its own key and external its peer's");
    return 0;
}

int setup_check_keys(const struct prio_args *a, struct err *err)
{
    CLEANUP(credentials_wipe) struct credentials c = {0};
    return read_credentials(&c, a, err);
}

int setup_server(struct prio_server **out, const struct prio_batch *batch,
                 const struct prio_args *a, struct err *err)
{
    CLEANUP(credentials_wipe) struct credentials c = {0};
    int r = read_credentials(&c, a, err);
    if (r < 0)
        return r;
    const struct prio_server_options options = {
        .role = (enum prio_role)a->server_id,
        .points = (enum prio_points)a->points,
        .private_key = c.private_key,
        .public_key = c.public_key,
        .peer_public_key = c.peer_key,
        .shared_secret = c.secret,
    };
    r = prio_server_new(out, batch, &options);
    if (r == PRIO_E_KEY)
        return err_set(err, E_FORMAT, 0,
                       "--public-key-hex-internal, --public-key-hex-external: unusable key");
    return r == PRIO_OK ? 0 : stage_prio_err(err, r, "server");
}
