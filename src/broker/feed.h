/*
 * feed.h - the deliveries of a queue, read ahead. For the files of broker/ only.
 *
 * A thread owns the connection: it keeps heartbeats going, puts what comes into a window, and sends
 * what the caller asks for. What waits is bounded by the prefetch and by FEED_MAX_BYTES: a message
 * beyond the bytes is dropped, though read, and given back to the queue (nack) as soon as
 * everything before it was acknowledged; then, too, the prefetch is lowered to what did fit.
 * Reading stops never, for a broker drops those who do not read.
 */
#pragma once

#include "broker/conn.h"

#include <amqp.h>

enum { FEED_MAX_BYTES = 128 << 20 };

struct feed;

/**
 * Consume queue (borrowed) on a connection, which *out owns from then on; the connection is closed
 * also on failure. timeout_s: of each request. @return 0 or E_*.
 */
MUST_CHECK int feed_start(struct feed **out, amqp_connection_state_t state, const char *queue,
                          unsigned prefetch, unsigned timeout_s, struct err *err);
/** As broker_next, broker_ack (a tag that was handed out, above the last one) and
 * broker_queue_ready. */
MUST_CHECK int feed_next(struct feed *f, struct broker_message *m, uint64_t wait_ms,
                         struct err *err);
MUST_CHECK int feed_ack(struct feed *f, uint64_t tag, struct err *err);
MUST_CHECK int feed_ready(struct feed *f, uint64_t *n_ready, uint64_t *n_consumers,
                          struct err *err);
/** Cancel and disconnect; after a few seconds also from a broker that does not answer. */
void feed_stop(struct feed *f);
