/*
 * s3_sign.h - AWS Signature Version 4 for S3, by our own hands: libcurl's signs keys with "=" and
 * several queries wrongly. For the files of store/ only.
 *
 * Source: "Authenticating Requests (AWS Signature Version 4)", Amazon S3 API reference.
 */
#pragma once

#include "net/http.h"

enum {
    S3_HASH_BYTES = 65, // 64 hex digits and a NUL
    S3_TIME_BYTES = 17, // "20130524T000000Z"
    S3_MAX_SIGNED_HEADERS = HTTP_MAX_HEADERS,
};

/* Credentials and the day's key, which is derived once a day; thread-safe. */
struct s3_signer;

/* Texts are copied. */
struct s3_signer_options {
    const char *region, *service;
    const char *access_key, *secret_key;
    const char *session_token; // NULL: none
};
/** @return 0, E_ARG (an access key, region or token that no header can hold) or E_NOMEM. */
MUST_CHECK int s3_signer_new(struct s3_signer **out, const struct s3_signer_options *options,
                             struct err *err);
void s3_signer_free(struct s3_signer *signer); // wipes; NULL is fine
/** To be sent, and signed, as x-amz-security-token; NULL: none. */
const char *s3_signer_token(const struct s3_signer *signer);

struct s3_signed {
    const char *method;
    const char *path;  // percent-encoded once, each segment by RFC 3986; begins with "/"
    const char *query; // of s3_query
    const struct http_header *headers; // all that is to be signed, among them Host and X-Amz-Date
    size_t n_headers;                  // at most S3_MAX_SIGNED_HEADERS, no name twice
    const char *payload_hash;          // lower-case hex of SHA-256, or "UNSIGNED-PAYLOAD"
    const char *time;                  // as in X-Amz-Date
};
/** Append the value of the Authorization header and a NUL. @return 0, E_NOMEM, E_CRYPTO. */
MUST_CHECK int s3_sign(struct s3_signer *signer, const struct s3_signed *request, struct buf *out,
                       struct err *err);

struct s3_param {
    const char *name, *value;
};
enum { S3_MAX_PARAMS = 8 };
/**
 * Append the canonical query and a NUL: encoded, sorted by encoded name, then value. It is the
 * query to send, too. n: at most S3_MAX_PARAMS. @return 0 or E_NOMEM.
 */
MUST_CHECK int s3_query(struct buf *out, const struct s3_param *params, size_t n, struct err *err);

/** Lower-case hex of SHA-256. @return 0 or E_CRYPTO. */
MUST_CHECK int s3_hash(char out[S3_HASH_BYTES], struct span bytes, struct err *err);
/** The time as signatures have it, UTC. */
void s3_time(char out[S3_TIME_BYTES], int64_t us);
