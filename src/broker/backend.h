/*
 * backend.h - what a backend (recorded.c, amqp.c) gives to broker.c. For the files of broker/ only.
 *
 * broker.c checks arguments and keeps account of the open queue; a backend is asked for an open one
 * only, but for queue_ready.
 */
#pragma once

#include "broker/broker.h"

struct broker_ops {
    int (*queue_open)(struct broker *b, size_t binding, uint64_t *n_ready, struct err *err);
    int (*next)(struct broker *b, struct broker_message *m, uint64_t wait_ms, struct err *err);
    int (*ack)(struct broker *b, uint64_t tag, struct err *err);
    int (*queue_ready)(struct broker *b, size_t binding, uint64_t *n_ready, uint64_t *n_consumers,
                       struct err *err);
    void (*queue_close)(struct broker *b);
    void (*free)(struct broker *b); // also of a half-built one
};

/* What every backend's own struct begins with. */
struct broker {
    const struct broker_ops *ops;
    const struct broker_binding *bindings; // borrowed
    size_t n_bindings;
    char *name;
    bool is_recorded;
    size_t open_binding; // NO_BINDING: none
    uint64_t last_tag;   // handed out by broker_next
    uint64_t acked_tag;
};

#define NO_BINDING SIZE_MAX

/* Both fill ops, bindings and is_recorded, and broker.c the rest. *out is to be freed by ops->free
 * also where they fail; NULL: nothing was made. */
MUST_CHECK int recorded_open(struct broker **out, const struct broker_config *config,
                             const struct broker_binding *bindings, size_t n_bindings,
                             struct err *err);
MUST_CHECK int amqp_open(struct broker **out, const struct broker_config *config,
                         const struct broker_binding *bindings, size_t n_bindings, struct err *err);
