/* google_internal.h - what the parts of google.h share. */
#pragma once

#include "net/google.h"

#include <openssl/evp.h>

enum google_source { GOOGLE_SERVICE_ACCOUNT, GOOGLE_USER, GOOGLE_METADATA };

/* Where tokens come from. Owned texts, NULL where the source has no such thing. */
struct google_credentials {
    enum google_source source;
    char *token_uri;      // metadata: with the scope
    char *email, *key_id; // service account
    EVP_PKEY *key;
    char *client_id;                     // user
    char *client_secret, *refresh_token; // wiped
    char *project;
};

/** @return 0, E_ARG (it cannot be read) or E_FORMAT, naming the file and what is wrong in it. */
MUST_CHECK int google_credentials_read(struct google_credentials *c, const char *path,
                                       struct err *err);
/** The same of a file's text. */
MUST_CHECK int google_credentials_take(struct google_credentials *c, struct span text,
                                       struct err *err);
MUST_CHECK int google_credentials_metadata(struct google_credentials *c, const char *host,
                                           const char *scope, struct err *err);
void google_credentials_deinit(struct google_credentials *c); // zeroed is fine

/** Append the signed assertion of a service account (RFC 7523), issued at now_s and good for an
 * hour. */
MUST_CHECK int google_assertion(struct buf *out, const struct google_credentials *c,
                                const char *scope, int64_t now_s, struct err *err);

/**
 * Ask for a token.
 * header: a secret buf that is set to "Bearer TOKEN". @return 0, or E_IO, E_FORMAT naming who
 * refused and why.
 */
MUST_CHECK int google_token_fetch(struct buf *header, uint64_t *lifetime_s, struct http *http,
                                  const struct google_credentials *c, const char *scope,
                                  struct err *err);
