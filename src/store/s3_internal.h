/*
 * s3_internal.h - what the parts of the S3 backend share: one call, signed and answered. For the
 * s3*.c files only.
 */
#pragma once

#include "net/http.h"
#include "store/backend.h"
#include "store/s3_sign.h"

#include <stdatomic.h>

enum {
    S3_PART_BYTES = 16 << 20,
    S3_MAX_CALL_HEADERS = 4,
    S3_CODE_BYTES = 64,
    S3_MESSAGE_BYTES = 256,
};

struct s3 {
    struct http *http;
    struct s3_signer *signer; // NULL: requests are not signed
    char *origin;             // "https://host:port"
    char *host;               // for the Host header
    char *root;               // encoded path of the bucket without "/" at its end: "/bucket", ""
    char *prefix;             // in front of every key
    char *region;
    atomic_bool known; // the server accepted the credentials once
};

/* One request, whatever the number of tries. */
struct s3_call {
    const char *method;
    const char *key; // behind the store's prefix; NULL: the bucket itself
    struct s3_param params[S3_MAX_PARAMS];
    size_t n_params;
    struct http_header headers[S3_MAX_CALL_HEADERS]; // besides those of signing
    size_t n_headers;
    struct span body;
    bool counted;     // n_tries must be exact
    unsigned n_tries; // set by sending
};
void s3_call_param(struct s3_call *call, const char *name, const char *value);
void s3_call_header(struct s3_call *call, const char *name, const char *value);

/** @return 0 with an answer of any status that is not retried, or E_*. */
MUST_CHECK int s3_send(struct s3 *s3, struct s3_call *call, struct http_response *response,
                       struct err *err);
/** The same for http_stream_open. */
MUST_CHECK int s3_send_stream(struct http_stream **out, struct s3 *s3, struct s3_call *call,
                              struct http_response *response, struct err *err);

/* What an <Error> says; empty texts where it says nothing. */
struct s3_error {
    char code[S3_CODE_BYTES], message[S3_MESSAGE_BYTES], region[S3_CODE_BYTES];
};
/** The error in an answer of any status; all empty when its body is none. */
void s3_error_read(struct s3_error *error, const struct http_response *response);
/** An answer that is none to be glad of: E_ABSENT for objects and
 * buckets that are not there, else E_IO, with code, message and advice
 * in err. */
int s3_refused(const struct s3 *s3, const struct http_response *response, struct err *err);

/** out's version, content, size (of Content-Length) and time, as far as the headers tell.
 * @return 0 or E_FORMAT. */
MUST_CHECK int s3_object_of_headers(struct store_object *out, const struct http_response *response,
                                    struct err *err);
/** An ETag as a version, without quotes, and the content's MD5 where it is one. @return 0 or
 * E_FORMAT. */
MUST_CHECK int s3_object_tag(struct store_object *out, struct span etag, struct err *err);
/** "Wed, 21 Oct 2015 07:28:00 GMT" (RFC 9110, 5.6.7); 0: it is none. */
int64_t s3_http_date_us(struct span text);
/** A decimal number and nothing else. @return false otherwise, also beyond uint64_t. */
bool s3_number(uint64_t *out, struct span text);

/* The parts of the backend that live in files of their own; see struct store_backend. */
int s3_list(void *self, const char *prefix, bool one_level, struct store_listing *out,
            struct err *err);
int s3_check(void *self, struct err *err);
int s3_stat(void *self, const char *key, struct store_object *out, struct err *err);
int s3_open_stream(struct http_stream **stream, void *self, const char *key, uint64_t offset,
                   uint64_t len, const char *version, struct store_object *object, struct err *err);
int s3_put(void *self, const char *key, struct span bytes, const struct store_put_options *options,
           struct store_object *object, struct err *err);
int s3_upload_begin(void **upload, void *self, const char *key,
                    const struct store_put_options *options, struct err *err);
int s3_upload_part(void *upload, struct span bytes, struct err *err);
int s3_upload_finish(void *upload, struct span rest, struct store_object *object, struct err *err);
void s3_upload_abort(void *upload);
int s3_delete_many(void *self, const char *const *keys, size_t n, struct err *err);
int s3_delete_version(void *self, const struct store_object *object, struct err *err);

/* Conditions of a write: what s3_put.c and s3_upload.c have in common. */
void s3_call_condition(struct s3_call *call, const struct store_put_options *options,
                       char quoted[STORE_VERSION_BYTES + 2]);
/** Does the answer say that the condition did not hold? */
bool s3_is_conflict(const struct store_put_options *options, const struct http_response *response);
/**
 * A write was sent more than once, and the last answer is a conflict: an earlier try may have
 * written the very object and lost its answer. @return 0 with *object when the object there has
 * this version, STORE_CONFLICT when not, or E_*.
 */
int s3_was_it_us(struct s3 *s3, const struct s3_call *call, const char *version,
                 struct store_object *object, struct err *err);
/** MD5 as 16 bytes. @return 0 or E_CRYPTO. */
MUST_CHECK int s3_md5(uint8_t out[16], struct span bytes, struct err *err);
