/* http_internal.h - what the parts of http.h share: the pool, and one try of a request. */
#pragma once

#include "net/http.h"

#include <curl/curl.h>
#include <pthread.h>

/* A handle with the connections that it keeps alive; used by one thread at a time. */
struct lane {
    CURL *easy;
    CURLM *multi;
};

enum { HTTP_MAX_IDLE_LANES = 64 };

struct http {
    unsigned connect_timeout_s, read_timeout_s;
    struct retry_policy retry;
    char *ca_file; // NULL: the system's
    bool direct;
    pthread_mutex_t mutex; // of all below
    struct lane idle[HTTP_MAX_IDLE_LANES];
    size_t n_idle;
};

/** An idle lane, the last one used first: its connection is the likeliest to be alive still. */
MUST_CHECK int lane_take(struct lane *lane, struct http *http, struct err *err);
void lane_give(struct http *http, struct lane lane, bool may_serve_again);

/* One try. Zeroed but for the five below, it may be ended at any time. */
struct exchange {
    struct http *http;
    struct http_response *response;
    /* Takes the body of a 200 or 206 in place of response->body. @return len, or
     * CURL_WRITEFUNC_PAUSE; NULL for requests that are no streams. */
    size_t (*take)(void *arg, const void *bytes, size_t len);
    void *arg;
    bool grpc; // over HTTP/2, and trailers are kept behind the headers

    struct lane lane;
    struct curl_slist *headers;
    int token;      // what the signer called its token
    bool head_done; // status and headers are complete
    bool streams;   // the body is one for take; response is not touched any longer
    bool finished;  // result holds
    CURLcode result;
    int refusal; // why a callback ended it: 0 or E_*
    size_t max_body;
    uint64_t n_head;               // bytes of heads received
    uint64_t n_moved, moved_at_ms; // bytes in either direction, and when their number last changed
    char error[CURL_ERROR_SIZE];
};

/** Sign the request and set everything up; nothing is sent yet. @return 0 or E_* (nothing to end).
 */
MUST_CHECK int exchange_begin(struct exchange *x, const struct http_request *request,
                              struct err *err);
/** Do what can be done without waiting. */
void exchange_step(struct exchange *x);
/** Wait for the network or for curl_multi_wakeup. @return 0, or E_AGAIN: not a byte came or went
 * for the time that the client allows. */
MUST_CHECK int exchange_wait(struct exchange *x, uint64_t at_most_ms, struct err *err);
/** How a finished one ended: 0, E_AGAIN (another try may succeed), or E_*; with the cause in err.
 */
int exchange_verdict(const struct exchange *x, struct err *err);
/** Give the lane back, wipe the headers. Idempotent. */
void exchange_end(struct exchange *x);

/**
 * Try until there is an answer: then x is finished, or a stream whose head is there, and the caller
 * ends it. On failure it is ended.
 */
MUST_CHECK int http_try(struct exchange *x, const struct http_request *request, struct err *err);

/** Method and URL for messages, without the query. */
enum { HTTP_NAME_BYTES = 256 };
void http_request_name(char out[HTTP_NAME_BYTES], const struct http_request *request);
