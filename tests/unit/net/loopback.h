/* loopback.h - a server of this process that plays a list of answers, one a request. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

struct answer {
    const char *text;  // head and body as sent; NULL: nothing
    size_t filler;     // then so many bytes of loopback_filler
    unsigned delay_ms; // before it
    enum {
        THEN_KEEP, // wait for the next request on the same connection
        THEN_CLOSE,
        THEN_RESET, // TCP RST
        THEN_HANG,  // say nothing more until the client goes
    } then;
};

enum { LOOPBACK_MAX_REQUESTS = 16, LOOPBACK_REQUEST_BYTES = 8192, LOOPBACK_URL_BYTES = 64 };

struct loopback {
    char url[LOOPBACK_URL_BYTES]; // "http://127.0.0.1:PORT"
    atomic_uint n_requests, n_connections;
    char requests[LOOPBACK_MAX_REQUESTS][LOOPBACK_REQUEST_BYTES]; // what came, cut at its end
    /* of the server */
    const struct answer *answers;
    size_t n_answers;
    int listener;
    atomic_int connection;
    atomic_bool stopping;
    pthread_t thread;
};

/** answers must outlive it. After the last one, connections are refused. */
void loopback_start(struct loopback *l, const struct answer *answers, size_t n);
void loopback_stop(struct loopback *l);
/** The byte at an offset of the filler; its period is no power of two. */
unsigned char loopback_filler(size_t offset);
