/*
 * google.h - OAuth 2.0 access tokens for Google's APIs.
 *
 * Sources, in this order: the text of a credentials file, else the credentials file given (a
 * service account key: a JWT signed RS256 is exchanged at token_uri; an authorised user: its
 * refresh token is), else the metadata server (GCE_METADATA_HOST given by the program, default
 * metadata.google.internal). Tokens are cached until five minutes before their end and wiped
 * afterwards; one that is refused (401) is replaced once. Thread-safe.
 */
#pragma once

#include "base/opts.h"
#include "net/http.h"

struct google_auth;

struct google_options {
    const struct opt_secret *key; // what such a file holds; NULL or len 0: none. Not kept
    const char *credentials_file; // NULL or "": metadata server
    const char *scope;            // "https://www.googleapis.com/auth/devstorage.read_write"
    const char *metadata_host;    // NULL: metadata.google.internal
    const char *ca_file;
};

/** Reads and checks key or file; contacts nobody. @return 0, E_ARG, E_FORMAT naming what is wrong
 * in it (never its secrets). */
MUST_CHECK int google_auth_new(struct google_auth **out, const struct google_options *options,
                               struct err *err);
void google_auth_free(struct google_auth *auth);
DEFINE_FREEP(struct google_auth, google_auth_free)

/** Adds "Authorization: Bearer ..." to requests; put it into http_request.signer. */
struct http_signer google_auth_signer(struct google_auth *auth);
/** The project of the credentials file (project_id, quota_project_id), or NULL. */
const char *google_auth_project(const struct google_auth *auth);
