/* SPDX-License-Identifier: MPL-2.0 */
#include "broker/backend.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int check_binding(const struct broker_binding *binding, bool is_recorded, struct err *err)
{
    if (!binding->name || !binding->exchange)
        return err_set(err, E_ARG, 0, "a binding lacks its name or its exchange");
    if (is_recorded)
        return 0;
    const char *const texts[] = {binding->exchange, binding->routing_key, binding->queue};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (!texts[i] || texts[i][0] == '\0' || strlen(texts[i]) > UINT8_MAX)
            return err_set(err, E_ARG, 0,
                           "binding %s: exchange, routing key and queue have 1 to 255 bytes each",
                           binding->name);
    return 0;
}

static int check_bindings(const struct broker_binding *bindings, size_t n, bool is_recorded,
                          struct err *err)
{
    size_t n_rest = 0;
    int r = n > 0 ? 0 : err_set(err, E_ARG, 0, "no queue is to be read");
    for (size_t i = 0; r == 0 && i < n; i++) {
        r = check_binding(&bindings[i], is_recorded, err);
        n_rest += r == 0 && bindings[i].exchange[0] == '\0';
    }
    if (r == 0 && n_rest > 1)
        r = err_set(err, E_ARG, 0, "two bindings are for the unknown exchanges");
    return r;
}

/* The user is in the name, the password is not. */
static char *name_of(const struct broker_config *c)
{
    char *name = NULL;
    int n;
    if (c->source)
        n = asprintf(&name, "%s", strcmp(c->source, "-") == 0 ? "standard input" : c->source);
    else
        n = asprintf(&name, "%s://%s@%s:%u/%s", c->tls ? "amqps" : "amqp", c->user, c->host,
                     c->port, c->vhost && strcmp(c->vhost, "/") != 0 ? c->vhost : "");
    return n < 0 ? NULL : name;
}

int broker_open(struct broker **out, const struct broker_config *config,
                const struct broker_binding *bindings, size_t n_bindings, struct err *err)
{
    *out = NULL;
    const bool is_recorded = config->source != NULL;
    int r = check_bindings(bindings, n_bindings, is_recorded, err);
    if (r < 0)
        return r;
    struct broker *b = NULL;
    r = is_recorded ? recorded_open(&b, config, bindings, n_bindings, err)
                    : amqp_open(&b, config, bindings, n_bindings, err);
    if (!b)
        return r;
    b->open_binding = NO_BINDING;
    b->name = r == 0 ? name_of(config) : NULL;
    if (r == 0 && !b->name)
        r = err_set(err, E_NOMEM, 0, "no memory for the name of a broker");
    if (r < 0) {
        broker_close(b);
        return r;
    }
    *out = b;
    return 0;
}

void broker_close(struct broker *b)
{
    if (!b)
        return;
    broker_queue_close(b);
    free(b->name);
    b->ops->free(b);
}

const char *broker_name(const struct broker *b)
{
    return b->name;
}

bool broker_is_recorded(const struct broker *b)
{
    return b->is_recorded;
}

static int check_index(const struct broker *b, size_t binding, struct err *err)
{
    if (binding < b->n_bindings)
        return 0;
    return err_set(err, E_ARG, 0, "%s: there is no binding %zu", b->name, binding);
}

/* Say where: the broker, and the queue that it was about. */
static int wrap(const struct broker *b, size_t binding, int code, struct err *err)
{
    if (b->is_recorded)
        return code; // the file is named already
    return err_wrap(err, code, "%s: %s", b->name, b->bindings[binding].queue);
}

int broker_queue_open(struct broker *b, size_t binding, uint64_t *n_ready, struct err *err)
{
    int r = check_index(b, binding, err);
    if (r < 0)
        return r;
    broker_queue_close(b);
    b->last_tag = b->acked_tag = 0;
    r = b->ops->queue_open(b, binding, n_ready, err);
    if (r < 0)
        return wrap(b, binding, r, err);
    b->open_binding = binding;
    return 0;
}

static int check_open(const struct broker *b, struct err *err)
{
    if (b->open_binding != NO_BINDING)
        return 0;
    return err_set(err, E_ARG, 0, "%s: no queue is open", b->name);
}

int broker_next(struct broker *b, struct broker_message *m, uint64_t wait_ms, struct err *err)
{
    int r = check_open(b, err);
    if (r < 0)
        return r;
    r = b->ops->next(b, m, wait_ms, err);
    if (r < 0)
        return wrap(b, b->open_binding, r, err);
    if (r == 1)
        b->last_tag = m->tag;
    return r;
}

int broker_ack(struct broker *b, uint64_t tag, struct err *err)
{
    int r = check_open(b, err);
    if (r < 0)
        return r;
    if (tag > b->last_tag)
        return err_set(err, E_ARG, 0, "%s: message %" PRIu64 " was not handed out", b->name, tag);
    if (tag <= b->acked_tag)
        return 0;
    r = b->ops->ack(b, tag, err);
    if (r < 0)
        return wrap(b, b->open_binding, r, err);
    b->acked_tag = tag;
    return 0;
}

int broker_queue_ready(struct broker *b, size_t binding, uint64_t *n_ready, uint64_t *n_consumers,
                       struct err *err)
{
    int r = check_index(b, binding, err);
    if (r < 0)
        return r;
    uint64_t ignored;
    r = b->ops->queue_ready(b, binding, n_ready, n_consumers ? n_consumers : &ignored, err);
    return r < 0 ? wrap(b, binding, r, err) : 0;
}

void broker_queue_close(struct broker *b)
{
    if (b->open_binding == NO_BINDING)
        return;
    b->ops->queue_close(b);
    b->open_binding = NO_BINDING;
}
