/* SPDX-License-Identifier: MPL-2.0 */
/*
 * broker_steps STEP... - broker.h, step by step, for broker_rabbitmq.sh. PULSE_* as for pulse-tool,
 * and PULSE_PREFETCH, PULSE_HEARTBEAT, PULSE_TIMEOUT, PULSE_EXCHANGE, PULSE_QUEUE,
 * PULSE_TRANSIENT=1.
 *
 *   open           "ready N"
 *   take N         N messages, each within ten seconds: "took N redelivered M"
 *   show           the last message: "EXCHANGE KEY TYPE BODY" (or "BODY" as its length beyond 99)
 *   idle MS        nothing comes in MS: "idle at once" or "idle later"
 *   ack            what was taken
 *   drain N        take everything, acknowledged after each N; ends after three idle seconds
 *   ready          "ready N consumers N"
 *   sleep MS, say TEXT, await FILE, close
 *
 * Exit 0, or 1 with the error's name and text on standard error.
 */
#include "base/retry.h"
#include "broker/broker.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WAIT_MS = 10000, IDLE_MS = 3000, SHOWN = 99 };

struct steps {
    struct broker *broker;
    struct broker_message last;
    struct err err;
};

static const char *setting(const char *name, const char *or_else)
{
    const char *value = getenv(name);
    return value ? value : or_else;
}

static unsigned number(const char *name)
{
    return (unsigned)strtoul(setting(name, "0"), NULL, 10);
}

static int take(struct steps *s, uint64_t n)
{
    uint64_t n_redelivered = 0;
    for (uint64_t i = 0; i < n; i++) {
        const int r = broker_next(s->broker, &s->last, WAIT_MS, &s->err);
        if (r == BROKER_IDLE)
            return err_set(&s->err, E_IO, 0, "idle after %" PRIu64 " messages", i);
        if (r < 0)
            return r;
        n_redelivered += s->last.redelivered;
    }
    printf("took %" PRIu64 " redelivered %" PRIu64 "\n", n, n_redelivered);
    return 0;
}

static int drain(struct steps *s, uint64_t batch)
{
    const uint64_t begun = retry_now_ms();
    uint64_t n = 0, n_bytes = 0, last_ms = begun, acked = 0;
    for (;;) {
        int r = broker_next(s->broker, &s->last, n > acked ? 100 : IDLE_MS, &s->err);
        if (r == 1) {
            n++;
            n_bytes += s->last.body.len;
            last_ms = retry_now_ms();
        } else if (r < 0) {
            return r;
        } else if (n == acked) {
            break;
        }
        if (n - acked >= batch || r == BROKER_IDLE) {
            r = broker_ack(s->broker, s->last.tag, &s->err);
            if (r < 0)
                return r;
            acked = n;
        }
    }
    const double seconds = (double)(last_ms - begun + 1) / 1000;
    printf("drained %" PRIu64 "\n", n);
    (void)fprintf(stderr, "%" PRIu64 " bytes, %.0f messages/s\n", n_bytes, (double)n / seconds);
    return 0;
}

static void show(const struct broker_message *m)
{
    printf("%.*s %.*s %.*s ", (int)m->exchange.len, m->exchange.ptr, (int)m->routing_key.len,
           m->routing_key.ptr, (int)m->content_type.len, m->content_type.ptr);
    if (m->body.len > SHOWN)
        printf("%zu bytes", m->body.len);
    else
        (void)fwrite(m->body.ptr, 1, m->body.len, stdout);
    printf("\n");
}

static int idle(struct steps *s, uint64_t ms)
{
    const uint64_t begun = retry_now_ms();
    const int r = broker_next(s->broker, &s->last, ms, &s->err);
    if (r < 0)
        return r;
    if (r != BROKER_IDLE)
        return err_set(&s->err, E_IO, 0, "a message came");
    printf("idle %s\n", retry_now_ms() - begun < ms / 2 ? "at once" : "later");
    return 0;
}

static int ready(struct steps *s)
{
    uint64_t n_ready, n_consumers;
    const int r = broker_queue_ready(s->broker, 0, &n_ready, &n_consumers, &s->err);
    if (r == 0)
        printf("ready %" PRIu64 " consumers %" PRIu64 "\n", n_ready, n_consumers);
    return r;
}

static int open_queue(struct steps *s)
{
    uint64_t n_ready;
    const int r = broker_queue_open(s->broker, 0, &n_ready, &s->err);
    if (r == 0)
        printf("ready %" PRIu64 "\n", n_ready);
    return r;
}

/* *arg is the next argument, which a step with one takes. */
static int step(struct steps *s, const char *name, char ***arg)
{
    if (strcmp(name, "open") == 0)
        return open_queue(s);
    if (strcmp(name, "ack") == 0)
        return broker_ack(s->broker, s->last.tag, &s->err);
    if (strcmp(name, "ready") == 0)
        return ready(s);
    if (strcmp(name, "show") == 0 || strcmp(name, "close") == 0) {
        if (name[0] == 's')
            show(&s->last);
        else
            broker_queue_close(s->broker);
        return 0;
    }
    const char *value = **arg ? *(*arg)++ : "";
    const uint64_t n = strtoull(value, NULL, 10);
    if (strcmp(name, "take") == 0)
        return take(s, n);
    if (strcmp(name, "drain") == 0)
        return drain(s, n);
    if (strcmp(name, "idle") == 0)
        return idle(s, n);
    if (strcmp(name, "sleep") == 0)
        retry_sleep_ms(n);
    else if (strcmp(name, "say") == 0)
        printf("%s\n", value);
    else if (strcmp(name, "await") == 0)
        while (access(value, F_OK) != 0)
            retry_sleep_ms(20);
    else
        return err_set(&s->err, E_ARG, 0, "no step %s", name);
    return 0;
}

int main(int argc, char **argv)
{
    (void)argc;
    struct steps s = {0};
    struct opt_secret password = {0};
    password.len =
        (size_t)snprintf(password.text, sizeof password.text, "%s", setting("PULSE_PASSWORD", ""));
    const struct broker_config config = {.host = setting("PULSE_HOST", "localhost"),
                                         .port = number("PULSE_PORT"),
                                         .user = getenv("PULSE_USER"),
                                         .password = &password,
                                         .vhost = getenv("PULSE_VHOST"),
                                         .tls = getenv("PULSE_CA_FILE") != NULL,
                                         .ca_file = getenv("PULSE_CA_FILE"),
                                         .prefetch = number("PULSE_PREFETCH"),
                                         .heartbeat_s = number("PULSE_HEARTBEAT"),
                                         .connect_timeout_s = number("PULSE_TIMEOUT")};
    const struct broker_binding binding = {
        .name = "tested",
        .exchange = setting("PULSE_EXCHANGE", "exchange/taskcluster-queue/v1/task-completed"),
        .routing_key = "#",
        .queue = setting("PULSE_QUEUE", "queue/fxci-etl/task-completed"),
        .durable = !getenv("PULSE_TRANSIENT")};
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    int r = broker_open(&s.broker, &config, &binding, 1, &s.err);
    for (char **arg = argv + 1; r == 0 && *arg;) {
        const char *name = *arg++;
        r = step(&s, name, &arg);
    }
    if (r < 0)
        (void)fprintf(stderr, "%s: %s\n", err_name(r), s.err.text);
    broker_close(s.broker);
    return r < 0;
}
