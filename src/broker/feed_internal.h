/* feed_internal.h - what the caller's side (feed.c) and the thread (feed_reader.c) share. */
#pragma once

#include "broker/feed.h"
#include "broker/window.h"

#include <pthread.h>

enum { SHORT_STRING_BYTES = 255 };

/* A message that was received and is not acknowledged. */
struct feed_entry {
    struct broker_message m;
    uint64_t delivery_tag;
};

enum feed_request { FEED_NO_REQUEST, FEED_ACK, FEED_DECLARE, FEED_ANSWERED };

/* The message that is under way: method, header, body frames. The thread's own. */
struct feed_incoming {
    uint8_t texts[2 * SHORT_STRING_BYTES]; // exchange, routing key
    size_t exchange_len, routing_key_len;
    uint64_t delivery_tag;
    bool redelivered;
    bool is_open;   // a header or body frame is due
    bool is_kept;   // else its frames are passed over
    uint8_t *bytes; // where its body goes
    uint64_t body_len, n_received;
    size_t content_type_len;
};

struct feed {
    amqp_connection_state_t state; // the thread's, until it has ended
    const char *queue;
    unsigned timeout_s, prefetch;
    int wake; // eventfd: look at request and is_stopping
    pthread_t thread;

    pthread_mutex_t lock; // of all below
    pthread_cond_t changed;
    struct window window;
    struct feed_entry *entries; // of tags acked+1 .. received, at tag % prefetch
    uint64_t received, taken, acked;
    unsigned limit; // the consumer's prefetch: at most `prefetch`
    bool is_dropping;
    uint64_t last_dropped; // delivery tag, when is_dropping
    enum feed_request request;
    uint64_t ack_tag; // FEED_ACK: the delivery's
    uint64_t n_ready, n_consumers;
    bool is_stopping, has_ended;
    struct err failed; // why it has ended

    // The thread's own.
    struct feed_incoming in;
    char consumer_tag[SHORT_STRING_BYTES + 1];
};

/** The thread's function. */
void *feed_run(void *arg);
