/* SPDX-License-Identifier: MPL-2.0 */
#include "base/secret.h"
#include "net/google_internal.h"

#include <jansson.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FILE_BYTES = 64 << 10, MIN_RSA_BITS = 2048 };

static const char default_token_uri[] = "https://oauth2.googleapis.com/token";

static void wipe_free(char *text)
{
    if (text)
        secret_wipe(text, strlen(text));
    free(text);
}

void google_credentials_deinit(struct google_credentials *c)
{
    free(c->token_uri);
    free(c->email);
    free(c->key_id);
    EVP_PKEY_free(c->key);
    free(c->client_id);
    wipe_free(c->client_secret);
    wipe_free(c->refresh_token);
    free(c->project);
    *c = (struct google_credentials){0};
}

static int read_whole(struct buf *out, const char *path, struct err *err)
{
    struct file_source file;
    int r = file_source_open(&file, path, err);
    if (r < 0)
        return err_set(err, E_ARG, 0, "credentials: %s", err ? err->text : path);
    const struct source source = file_source(&file);
    ssize_t n = 0;
    while ((r = buf_reserve(out, 1, err)) == 0 &&
           (n = source.read(source.arg, out->data + out->len, out->cap - out->len, err)) > 0)
        out->len += (size_t)n;
    file_source_close(&file);
    return r < 0 ? r : (int)n;
}

/* jansson gives memory back as it is; what it read is wiped first. */
static void wipe_texts(json_t *object)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        if (json_is_string(value))
            secret_wipe((char *)(uintptr_t)json_string_value(value), json_string_length(value));
    }
}

static void drop_json(json_t **object)
{
    wipe_texts(*object);
    json_decref(*object);
}

/* A member that must be a text; a file may lack an optional one. */
static int take_text(char **out, const json_t *object, const char *name, bool optional,
                     struct err *err)
{
    const json_t *value = json_object_get(object, name);
    if (!value && optional)
        return 0;
    if (!json_is_string(value) || json_string_length(value) == 0)
        return err_set(err, E_FORMAT, 0, "\"%s\" is missing or no text", name);
    *out = strdup(json_string_value(value));
    return *out ? 0 : err_set(err, E_NOMEM, 0, "no memory for credentials");
}

static int take_key(struct google_credentials *c, const json_t *object, struct err *err)
{
    const json_t *pem = json_object_get(object, "private_key");
    if (!json_is_string(pem))
        return err_set(err, E_FORMAT, 0, "\"private_key\" is missing or no text");
    BIO *bio = BIO_new_mem_buf(json_string_value(pem), (int)json_string_length(pem));
    // With an empty passphrase given, libcrypto does not ask the terminal for one.
    c->key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)(uintptr_t) "") : NULL;
    BIO_free(bio);
    if (!c->key || EVP_PKEY_get_base_id(c->key) != EVP_PKEY_RSA ||
        EVP_PKEY_get_bits(c->key) < MIN_RSA_BITS)
        return err_set(err, E_FORMAT, 0, "\"private_key\" is no RSA key of %d bits or more in PEM",
                       MIN_RSA_BITS);
    return 0;
}

/* Assertions and refresh tokens are secrets: in the clear to this machine only. */
static int take_token_uri(struct google_credentials *c, const json_t *object, struct err *err)
{
    static const char *const good[] = {"https://", "http://127.0.0.1:", "http://localhost:"};
    const int r = take_text(&c->token_uri, object, "token_uri", true, err);
    if (r < 0)
        return r;
    if (!c->token_uri && !(c->token_uri = strdup(default_token_uri)))
        return err_set(err, E_NOMEM, 0, "no memory for credentials");
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        if (strncmp(c->token_uri, good[i], strlen(good[i])) == 0)
            return 0;
    }
    return err_set(err, E_FORMAT, 0, "\"token_uri\" must begin with https://");
}

static int take_service_account(struct google_credentials *c, const json_t *object, struct err *err)
{
    c->source = GOOGLE_SERVICE_ACCOUNT;
    int r = take_text(&c->email, object, "client_email", false, err);
    if (r == 0)
        r = take_text(&c->key_id, object, "private_key_id", true, err);
    if (r == 0)
        r = take_text(&c->project, object, "project_id", true, err);
    return r < 0 ? r : take_key(c, object, err);
}

static int take_user(struct google_credentials *c, const json_t *object, struct err *err)
{
    c->source = GOOGLE_USER;
    int r = take_text(&c->client_id, object, "client_id", false, err);
    if (r == 0)
        r = take_text(&c->client_secret, object, "client_secret", false, err);
    if (r == 0)
        r = take_text(&c->refresh_token, object, "refresh_token", false, err);
    return r < 0 ? r : take_text(&c->project, object, "quota_project_id", true, err);
}

static int take(struct google_credentials *c, struct span text, struct err *err)
{
    json_error_t where;
    CLEANUP(drop_json)
    json_t *object = json_loadb((const char *)text.ptr, text.len, JSON_REJECT_DUPLICATES, &where);
    if (!json_is_object(object)) // where.text may quote the file, and so a secret
        return err_set(err, E_FORMAT, 0, "it is no JSON object (line %d)", object ? 1 : where.line);
    const char *type = json_string_value(json_object_get(object, "type"));
    const int r = take_token_uri(c, object, err);
    if (r < 0)
        return r;
    if (type && strcmp(type, "service_account") == 0)
        return take_service_account(c, object, err);
    if (type && strcmp(type, "authorized_user") == 0)
        return take_user(c, object, err);
    return err_set(err, E_FORMAT, 0,
                   "its \"type\" is neither \"service_account\" nor \"authorized_user\"");
}

int google_credentials_read(struct google_credentials *c, const char *path, struct err *err)
{
    CLEANUP(buf_deinit) struct buf text = BUF_INIT_SECRET(MAX_FILE_BYTES);
    int r = read_whole(&text, path, err);
    if (r == 0)
        r = take(c, buf_span(&text), err);
    return r == E_FORMAT ? err_wrap(err, r, "credentials %s", path) : r;
}

int google_credentials_take(struct google_credentials *c, struct span text, struct err *err)
{
    const int r = take(c, text, err);
    return r == E_FORMAT ? err_wrap(err, r, "the credentials given as text") : r;
}

int google_credentials_metadata(struct google_credentials *c, const char *host, const char *scope,
                                struct err *err)
{
    CLEANUP(buf_deinit) struct buf url = BUF_INIT(4096);
    int r = buf_printf(&url, err,
                       "http://%s/computeMetadata/v1/instance/service-accounts/default/token"
                       "?scopes=",
                       host && host[0] ? host : "metadata.google.internal");
    if (r == 0)
        r = http_escape(&url, span_str(scope), false, err);
    if (r == 0)
        r = buf_append_byte(&url, 0, err);
    if (r < 0)
        return r;
    c->source = GOOGLE_METADATA;
    c->token_uri = strdup((const char *)url.data);
    return c->token_uri ? 0 : err_set(err, E_NOMEM, 0, "no memory for credentials");
}
