/* SPDX-License-Identifier: MPL-2.0 */
#include "net/google.h"

#include "net/google_internal.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    RENEW_S = 5 * 60, // before a token's end
    MAX_HEADER_BYTES = 16 << 10,
    DEADLINE_MS = 2 * 60 * 1000,
};

struct google_auth {
    struct google_credentials credentials; // constant, as are the next two
    char *scope;
    struct http *http;
    pthread_mutex_t mutex;     // of all below; also held from a sign to its done
    struct buf header;         // "Bearer ...", empty: none
    int serial;                // of that token
    uint64_t renew_ms, end_ms; // monotonic
};

static const struct retry_policy policy = {
    .max_retries = 4, .first_wait_ms = 200, .multiplier = 2, .max_wait_ms = 5000, .jitter = 0.5};

static int take_credentials(struct google_credentials *c, const struct google_options *options,
                            struct err *err)
{
    if (options->key && options->key->len > 0)
        return google_credentials_take(c, span_of(options->key->text, options->key->len), err);
    if (options->credentials_file && options->credentials_file[0])
        return google_credentials_read(c, options->credentials_file, err);
    return google_credentials_metadata(c, options->metadata_host, options->scope, err);
}

static int set_up(struct google_auth *auth, const struct google_options *options, struct err *err)
{
    const int r = take_credentials(&auth->credentials, options, err);
    if (r < 0)
        return r;
    auth->scope = strdup(options->scope);
    if (!auth->scope)
        return err_set(err, E_NOMEM, 0, "no memory for credentials");
    const struct http_options client = {
        .ca_file = options->ca_file,
        .read_timeout_s = 60,
        .retry = &policy,
        .deadline_ms = DEADLINE_MS,
        .direct = auth->credentials.source ==
                  GOOGLE_METADATA, // the metadata server is a part of this machine
    };
    return http_new(&auth->http, &client, err);
}

int google_auth_new(struct google_auth **out, const struct google_options *options, struct err *err)
{
    struct google_auth *auth = calloc(1, sizeof *auth);
    if (!auth)
        return err_set(err, E_NOMEM, 0, "no memory for credentials");
    auth->header = BUF_INIT_SECRET(MAX_HEADER_BYTES);
    (void)pthread_mutex_init(&auth->mutex, NULL); // never fails on Linux
    const int r = set_up(auth, options, err);
    if (r < 0) {
        google_auth_free(auth);
        return r;
    }
    *out = auth;
    return 0;
}

void google_auth_free(struct google_auth *auth)
{
    if (!auth)
        return;
    http_free(auth->http);
    google_credentials_deinit(&auth->credentials);
    free(auth->scope);
    buf_deinit(&auth->header);
    (void)pthread_mutex_destroy(&auth->mutex);
    free(auth);
}

const char *google_auth_project(const struct google_auth *auth)
{
    return auth->credentials.project;
}

static int renew(struct google_auth *auth, struct err *err)
{
    CLEANUP(buf_deinit) struct buf header = BUF_INIT_SECRET(MAX_HEADER_BYTES);
    uint64_t lifetime_s;
    const uint64_t asked_ms = retry_now_ms(); // the life began no earlier
    const int r =
        google_token_fetch(&header, &lifetime_s, auth->http, &auth->credentials, auth->scope, err);
    if (r < 0)
        return r;
    const struct buf old = auth->header;
    auth->header = header;
    header = old;
    auth->serial = auth->serial % INT_MAX + 1;
    // A metadata server may hand out a token that is near its end, and no other for a while.
    const uint64_t early_s = lifetime_s / 2 < RENEW_S ? lifetime_s / 2 : RENEW_S;
    auth->end_ms = asked_ms + lifetime_s * 1000;
    auth->renew_ms = auth->end_ms - early_s * 1000;
    return 0;
}

/* The other threads wait for a renewal instead of starting their own. */
static int sign(void *arg, struct http_header *headers, size_t *n_headers, struct err *err)
{
    struct google_auth *auth = arg;
    (void)pthread_mutex_lock(&auth->mutex);
    const uint64_t now = retry_now_ms();
    if (auth->header.len == 0 || now >= auth->renew_ms) {
        const int r = renew(auth, err);
        if (r < 0 && (auth->header.len == 0 || now >= auth->end_ms)) {
            (void)pthread_mutex_unlock(&auth->mutex);
            return r;
        }
    }
    headers[(*n_headers)++] =
        (struct http_header){"Authorization", (const char *)auth->header.data};
    return auth->serial; // still locked: the text is lent until done
}

static void done(void *arg)
{
    (void)pthread_mutex_unlock(&((struct google_auth *)arg)->mutex);
}

static bool refused(void *arg, int token)
{
    struct google_auth *auth = arg;
    (void)pthread_mutex_lock(&auth->mutex);
    if (auth->serial == token) // nobody renewed it meanwhile
        buf_clear(&auth->header);
    (void)pthread_mutex_unlock(&auth->mutex);
    return true;
}

struct http_signer google_auth_signer(struct google_auth *auth)
{
    return (struct http_signer){.sign = sign, .done = done, .refused = refused, .arg = auth};
}
