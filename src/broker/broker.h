/*
 * broker.h - messages from queues: the one door to an AMQP 0-9-1 broker and to recorded messages.
 *
 * A queue is opened, read, acknowledged and closed; what was read and not acknowledged comes again,
 * to this program or to another. Recorded messages stand in files and always come again.
 *
 * Thread: a broker and its queue belong to one thread. AMQP queues are read ahead by a thread of
 * their own, which also keeps heartbeats going while the caller writes rows.
 */
#pragma once

#include "base/err.h"
#include "base/opts.h"
#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct broker;

struct broker_config {
    /* A file, or a directory whose files are taken by name: one message a line, {"exchange",
     * "routingKey", "payload" or "payload_base64"}; gzip by content. "-" is standard input. NULL:
     * AMQP. */
    const char *source;
    const char *temp_dir; // recorded: for messages that wait for their queue; NULL: /tmp

    const char *host;
    unsigned port;
    const char *user;
    const struct opt_secret *password;
    const char *vhost;          // NULL: "/"
    bool tls;                   // chain and host name are verified
    const char *ca_file;        // PEM; NULL: the system's
    unsigned prefetch;          // messages on their way at a time; 0: 1000
    unsigned heartbeat_s;       // 0: 60
    unsigned connect_timeout_s; // of connecting, the handshake, and each call; 0: 10
};

/* exchange "" (recorded only): every exchange that no other binding of the list names. */
struct broker_binding {
    const char *name;     // "task-completed", for messages
    const char *exchange; // a topic exchange that exists
    const char *routing_key;
    const char *queue;
    bool durable; // false: the queue vanishes with its last consumer
};

/**
 * bindings: all that will be opened; borrowed until broker_close. Contacts nobody.
 * @return 0, E_ARG (a setting), E_ABSENT (no such source), E_*.
 */
MUST_CHECK int broker_open(struct broker **out, const struct broker_config *config,
                           const struct broker_binding *bindings, size_t n_bindings,
                           struct err *err);
void broker_close(struct broker *b);
DEFINE_FREEP(struct broker, broker_close)
/** "amqps://user@host:port/vhost" without a password, or the file. */
const char *broker_name(const struct broker *b);
/** Do messages come from files? Then nothing is lost when a run ends without acknowledging. */
bool broker_is_recorded(const struct broker *b);

struct broker_message {
    struct span exchange, routing_key, content_type; // content_type may be empty
    struct span body;                                // NDJSON_SLACK readable bytes behind it
    bool is_line;       // recorded: body is a whole line that is no message; reason says why
    const char *reason; // static text
    bool redelivered;
    uint64_t tag; // grows by one with each message of a queue
};

/**
 * Connect, declare, bind and consume (fxci-etl.md 3.1). *n_ready: messages waiting, 0 of recorded
 * ones. One queue at a time.
 * @return 0; E_ABSENT (the exchange is missing), E_ARG (refused: login, permission, other
 * arguments, an untrusted certificate; will not pass by itself), E_AGAIN (connection; try again),
 * E_*.
 */
MUST_CHECK int broker_queue_open(struct broker *b, size_t binding, uint64_t *n_ready,
                                 struct err *err);
enum { BROKER_IDLE = 2 };
/**
 * The next message, waiting up to wait_ms for it. Its spans stay until broker_ack of its tag, the
 * next broker_queue_open or broker_queue_close.
 * @return 1; 0: no more (recorded); BROKER_IDLE: none came, or nothing can come because `prefetch`
 * messages or 128 MiB wait for acknowledgement (recorded: only the latter), which is said at once;
 * E_AGAIN: the connection is lost, and with it what was not acknowledged; E_*: also later calls
 * fail.
 */
MUST_CHECK int broker_next(struct broker *b, struct broker_message *m, uint64_t wait_ms,
                           struct err *err);
/** Everything up to tag is done with. Returns when the broker was told (TCP; no receipt exists).
 * @return 0, E_AGAIN as above. */
MUST_CHECK int broker_ack(struct broker *b, uint64_t tag, struct err *err);
/** Passive declare; of the open queue, what was read ahead and not taken counts, too. n_consumers
 * may be NULL. Also without an open queue, on a connection of its own: for reports. @return 0,
 * E_ABSENT (no such queue), E_AGAIN, E_*. */
MUST_CHECK int broker_queue_ready(struct broker *b, size_t binding, uint64_t *n_ready,
                                  uint64_t *n_consumers, struct err *err);
/** Cancel and disconnect in an orderly way, what was not acknowledged goes back. Idempotent. */
void broker_queue_close(struct broker *b);
