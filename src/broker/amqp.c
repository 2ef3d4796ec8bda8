/* SPDX-License-Identifier: MPL-2.0 */
/* Queues of an AMQP 0-9-1 broker (fxci-etl.md 3.1): one connection a queue. */
#include "broker/backend.h"
#include "broker/feed.h"

#include <amqp_framing.h>
#include <stdlib.h>

enum { DEFAULT_PREFETCH = 1000 };

struct rabbit {
    struct broker base;
    struct conn_place place;
    unsigned prefetch;
    struct feed *feed; // of the open queue
};

static struct rabbit *of(struct broker *b)
{
    return (struct rabbit *)b;
}

static int check_exchange(amqp_connection_state_t state, const struct broker_binding *binding,
                          struct err *err)
{
    const amqp_boolean_t passive = 1, unused = 0;
    (void)amqp_exchange_declare(state, CONN_CHANNEL, amqp_cstring_bytes(binding->exchange),
                                amqp_cstring_bytes("topic"), passive, unused, unused, unused,
                                amqp_empty_table);
    return conn_check(amqp_get_rpc_reply(state), "look for the exchange",
                      "check its name and the virtual host", err);
}

/* Without arguments: an existing queue with others would be refused (406), and production's exist.
 */
static int declare_queue(amqp_connection_state_t state, const struct broker_binding *binding,
                         uint64_t *n_ready, struct err *err)
{
    const amqp_boolean_t passive = 0, exclusive = 0;
    const amqp_queue_declare_ok_t *ok =
        amqp_queue_declare(state, CONN_CHANNEL, amqp_cstring_bytes(binding->queue), passive,
                           binding->durable, exclusive, !binding->durable, amqp_empty_table);
    const int r = conn_check(amqp_get_rpc_reply(state), "declare the queue",
                             "the queue must begin with queue/USER/; one that exists keeps its "
                             "durability and arguments: set `durable` to match, or delete it",
                             err);
    if (r == 0)
        *n_ready = ok->message_count;
    return r;
}

static int bind_queue(amqp_connection_state_t state, const struct broker_binding *binding,
                      struct err *err)
{
    (void)amqp_queue_bind(state, CONN_CHANNEL, amqp_cstring_bytes(binding->queue),
                          amqp_cstring_bytes(binding->exchange),
                          amqp_cstring_bytes(binding->routing_key), amqp_empty_table);
    return conn_check(amqp_get_rpc_reply(state), "bind the queue",
                      "the user needs the right to write the queue and to read the exchange", err);
}

static int amqp_queue_open(struct broker *b, size_t binding, uint64_t *n_ready, struct err *err)
{
    struct rabbit *rabbit = of(b);
    const struct broker_binding *of_queue = &b->bindings[binding];
    amqp_connection_state_t state;
    int r = conn_open(&state, &rabbit->place, err);
    if (r < 0)
        return r;
    r = check_exchange(state, of_queue, err);
    if (r == 0)
        r = declare_queue(state, of_queue, n_ready, err);
    if (r == 0)
        r = bind_queue(state, of_queue, err);
    if (r < 0) {
        conn_close(state);
        return r;
    }
    return feed_start(&rabbit->feed, state, of_queue->queue, rabbit->prefetch,
                      rabbit->place.timeout_s, err);
}

static int amqp_next(struct broker *b, struct broker_message *m, uint64_t wait_ms, struct err *err)
{
    return feed_next(of(b)->feed, m, wait_ms, err);
}

static int amqp_ack(struct broker *b, uint64_t tag, struct err *err)
{
    return feed_ack(of(b)->feed, tag, err);
}

static int ask_aside(struct rabbit *rabbit, const char *queue, uint64_t *n_ready,
                     uint64_t *n_consumers, struct err *err)
{
    amqp_connection_state_t state;
    int r = conn_open(&state, &rabbit->place, err);
    if (r < 0)
        return r;
    const amqp_boolean_t passive = 1, unused = 0;
    const amqp_queue_declare_ok_t *ok =
        amqp_queue_declare(state, CONN_CHANNEL, amqp_cstring_bytes(queue), passive, unused, unused,
                           unused, amqp_empty_table);
    r = conn_check(amqp_get_rpc_reply(state), "look for the queue", NULL, err);
    if (r == 0) {
        *n_ready = ok->message_count;
        *n_consumers = ok->consumer_count;
    }
    conn_close(state);
    return r;
}

static int amqp_queue_ready(struct broker *b, size_t binding, uint64_t *n_ready,
                            uint64_t *n_consumers, struct err *err)
{
    struct rabbit *rabbit = of(b);
    if (binding == b->open_binding)
        return feed_ready(rabbit->feed, n_ready, n_consumers, err);
    return ask_aside(rabbit, b->bindings[binding].queue, n_ready, n_consumers, err);
}

static void amqp_queue_close(struct broker *b)
{
    feed_stop(of(b)->feed);
    of(b)->feed = NULL;
}

static void amqp_free(struct broker *b)
{
    conn_place_deinit(&of(b)->place);
    free(b);
}

static const struct broker_ops amqp_ops = {.queue_open = amqp_queue_open,
                                           .next = amqp_next,
                                           .ack = amqp_ack,
                                           .queue_ready = amqp_queue_ready,
                                           .queue_close = amqp_queue_close,
                                           .free = amqp_free};

int amqp_open(struct broker **out, const struct broker_config *config,
              const struct broker_binding *bindings, size_t n_bindings, struct err *err)
{
    if (config->prefetch > UINT16_MAX)
        return err_set(err, E_ARG, 0, "prefetch: at most %d messages", UINT16_MAX);
    struct rabbit *rabbit = calloc(1, sizeof *rabbit);
    if (!rabbit)
        return err_set(err, E_NOMEM, 0, "no memory for a broker");
    rabbit->base.ops = &amqp_ops;
    rabbit->base.bindings = bindings;
    rabbit->base.n_bindings = n_bindings;
    rabbit->prefetch = config->prefetch > 0 ? config->prefetch : DEFAULT_PREFETCH;
    *out = &rabbit->base;
    return conn_place_init(&rabbit->place, config, err);
}
