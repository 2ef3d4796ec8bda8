/*
 * http.h - HTTP requests over libcurl: the only caller of it.
 *
 * A client keeps connections alive for all threads that use it. One call makes one request with
 * bounded retries (base/retry.h): connection failures, time-outs, 408, 429, 500, 502, 503 and 504
 * are tried again while the body can be sent again, Retry-After is honoured, and a total deadline
 * ends it. Redirects are not followed. Header values that carry secrets are wiped after use; bodies
 * and headers never reach a log.
 */
#pragma once

#include "base/buf.h"
#include "base/retry.h"
#include "base/source.h"

#include <stdbool.h>

struct http; // thread-safe

struct http_options {
    unsigned connect_timeout_s;       // 0: 5
    unsigned read_timeout_s;          // without a byte; 0: 200
    const char *ca_file;              // PEM; NULL: the system's
    const struct retry_policy *retry; // NULL: 5 retries, 0.2 s doubling up to 10 s, half jittered
    uint64_t deadline_ms;             // of one call with all its tries; 0: 15 minutes
    bool direct; // never through the environment's proxies: for servers of this machine or network
};

/** Contacts nobody; options are copied. @return 0 or E_NOMEM. */
MUST_CHECK int http_new(struct http **out, const struct http_options *options, struct err *err);
void http_free(struct http *http);
DEFINE_FREEP(struct http, http_free)

enum { HTTP_MAX_HEADERS = 24 };

struct http_header {
    const char *name, *value; // borrowed during the call
};

/* Signs every try afresh, because signatures and tokens age. Several threads may call at a time. */
struct http_signer {
    /**
     * Append headers, to at most HTTP_MAX_HEADERS; NULL: not signed. The texts are the signer's and
     * must stay until done. @return a number of its own that names the token used (>= 0), or E_*.
     */
    int (*sign)(void *arg, struct http_header *headers, size_t *n_headers, struct err *err);
    /** The texts of a successful sign were copied, by the same thread. May be NULL. */
    void (*done)(void *arg);
    /** The server said 401 to what sign called by that number; may be NULL. @return true where a
     * fresh token may help: the request is sent once more. */
    bool (*refused)(void *arg, int token);
    void *arg;
};

struct http_request {
    const char *method; // "GET", "PUT", ...
    const char *url;    // encoded; may carry no credentials. Errors name it without its query
    struct http_header headers[HTTP_MAX_HEADERS];
    size_t n_headers;
    struct span body;          // sent with its length, also when empty, by POST, PUT and PATCH
    struct http_signer signer; // zeroed: none
    size_t max_response;       // bytes of a response body; longer ones are E_FORMAT. 0: 8 MiB
    bool no_retry;             // one try, on a new connection; nothing is sent twice
    /* Each try on a new connection: what a reused one lost, libcurl sends again by itself, and the
     * signer would not learn of it. */
    bool counted;
    /** Statuses that are an answer for the caller even though they would be retried; 0 ends. */
    int final_statuses[4];
};

struct http_response {
    int status;
    struct buf body;    // also of error statuses; the caller may mark it secret before the call
    struct buf headers; // raw "Name: value\r\n" lines of the last response
};
void http_response_init(struct http_response *r);
void http_response_deinit(struct http_response *r);
/** The value of a header (first one, case-insensitive name), or an empty span. */
struct span http_response_header(const struct http_response *r, const char *name);
/** What Retry-After asks for, in seconds or by a date; 0: nothing. For callers that retry by
 * themselves; http_send does so. */
uint64_t http_response_retry_after_ms(const struct http_response *r);

/** @return 0 with any status that is not retried, or E_IO (retries exhausted, err and response have
 * the last answer; or a failure that stays, such as an untrusted certificate), E_FORMAT, E_NOMEM,
 * E_ARG (the URL, a header). */
MUST_CHECK int http_send(struct http *http, const struct http_request *request,
                         struct http_response *response, struct err *err);

/*
 * A response body as a stream, fetched by a thread into a ring of 1 MiB, so that the network works
 * while the reader computes. The caller resumes (Range, If-Match) by opening another.
 */
struct http_stream;
/**
 * Returns when the response's head is there (after retries); the deadline ends there, too. Statuses
 * other than 200 and 206 end the stream at once, with the body in response->body; it is there to be
 * closed all the same. Of the request, the body must outlive the stream. @return as http_send.
 */
MUST_CHECK int http_stream_open(struct http_stream **out, struct http *http,
                                const struct http_request *request, struct http_response *response,
                                struct err *err);
/** As source.read: bytes, 0 at the end, E_IO when the connection broke or the body was shorter than
 * announced. */
ssize_t http_stream_read(struct http_stream *stream, void *dst, size_t cap, struct err *err);
/** Also before its end, which breaks the connection and does not wait for the server. NULL is fine.
 * Before http_free. */
void http_stream_close(struct http_stream *stream);
DEFINE_FREEP(struct http_stream, http_stream_close)

/** Append text percent-encoded (RFC 3986 unreserved stay); keep_slash: "/" stays too. */
MUST_CHECK int http_escape(struct buf *out, struct span text, bool keep_slash, struct err *err);
