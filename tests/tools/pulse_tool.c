/* SPDX-License-Identifier: MPL-2.0 */
/*
 * pulse-tool COMMAND ARGUMENT... - the other side of a broker, for tests: what Taskcluster and the
 * broker's admins do.
 *
 *   exchange NAME...           declare durable topic exchanges
 *   queue NAME [durable] [max] declare a queue, auto-delete where it is not durable; max: with an
 *                              argument (x-max-length) that others would not give
 *   bind QUEUE EXCHANGE [KEY]  KEY "#" by default
 *   publish [FILE] [TIMES]     recorded messages (see broker.h) to their exchanges; "-" by default
 *   raw EXCHANGE KEY TYPE [N]  standard input as the body of N messages; TYPE "" for none
 *   count QUEUE...             lines "QUEUE READY CONSUMERS"
 *   purge QUEUE...             delete QUEUE...
 *
 * The environment has PULSE_HOST ("localhost"), PULSE_PORT, PULSE_USER, PULSE_PASSWORD, PULSE_VHOST
 * and PULSE_CA_FILE (then TLS). What is published is persistent, and confirmed before the tool
 * ends. Exit 0, 1 (the error on standard error), 2 (usage), 4 (no such queue or exchange).
 */
#include "broker/conn.h"
#include "broker/recorded_files.h"
#include "broker/recorded_line.h"

#include <amqp_framing.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_ABSENT = 4, MAX_UNCONFIRMED = 20000, MAX_BODY = 256 << 20 };

struct tool {
    amqp_connection_state_t state;
    uint64_t n_sent, n_confirmed; // the first n_confirmed, without a gap
    bool confirmed[MAX_UNCONFIRMED +
                   1]; // of those behind them, by number; several queues have no order
    struct err err;
    int argc;
    char **argv; // of the command
};

static amqp_bytes_t bytes_of(struct span s)
{
    return (amqp_bytes_t){.len = s.len, .bytes = (void *)s.ptr};
}

static int check(struct tool *t, const char *what)
{
    return conn_check(amqp_get_rpc_reply(t->state), what, NULL, &t->err);
}

static int declare_exchanges(struct tool *t)
{
    int r = 0;
    for (int i = 0; r == 0 && i < t->argc; i++) {
        (void)amqp_exchange_declare(t->state, CONN_CHANNEL, amqp_cstring_bytes(t->argv[i]),
                                    amqp_cstring_bytes("topic"), 0, 1, 0, 0, amqp_empty_table);
        r = check(t, t->argv[i]);
    }
    return r;
}

static int declare_queue(struct tool *t)
{
    bool durable = false, max = false;
    for (int i = 1; i < t->argc; i++) {
        durable = durable || strcmp(t->argv[i], "durable") == 0;
        max = max || strcmp(t->argv[i], "max") == 0;
    }
    amqp_table_entry_t entry = {.key = amqp_cstring_bytes("x-max-length"),
                                .value = {.kind = AMQP_FIELD_KIND_I32, .value.i32 = 1000000}};
    const amqp_table_t arguments = {.num_entries = max, .entries = &entry};
    (void)amqp_queue_declare(t->state, CONN_CHANNEL, amqp_cstring_bytes(t->argv[0]), 0, durable, 0,
                             !durable, arguments);
    return check(t, t->argv[0]);
}

static int bind_queue(struct tool *t)
{
    (void)amqp_queue_bind(t->state, CONN_CHANNEL, amqp_cstring_bytes(t->argv[0]),
                          amqp_cstring_bytes(t->argv[1]),
                          amqp_cstring_bytes(t->argc > 2 ? t->argv[2] : "#"), amqp_empty_table);
    return check(t, t->argv[0]);
}

static void note_confirmation(struct tool *t, const amqp_basic_ack_t *ack)
{
    if (ack->multiple && ack->delivery_tag == 0)
        t->n_confirmed = t->n_sent;
    for (; ack->multiple && t->n_confirmed < ack->delivery_tag; t->n_confirmed++)
        t->confirmed[(t->n_confirmed + 1) % ARRAY_LEN(t->confirmed)] = false;
    if (!ack->multiple)
        t->confirmed[ack->delivery_tag % ARRAY_LEN(t->confirmed)] = true;
    while (t->confirmed[(t->n_confirmed + 1) % ARRAY_LEN(t->confirmed)])
        t->confirmed[++t->n_confirmed % ARRAY_LEN(t->confirmed)] = false;
}

/* Read confirmations until at most `most` messages lack theirs. */
static int confirm(struct tool *t, uint64_t most)
{
    const struct timeval limit = {.tv_sec = 30};
    while (t->n_sent - t->n_confirmed > most) {
        amqp_frame_t frame;
        amqp_maybe_release_buffers(t->state);
        const int status = amqp_simple_wait_frame_noblock(t->state, &frame, &limit);
        if (status != AMQP_STATUS_OK)
            return conn_status(status, "confirm", &t->err);
        if (frame.frame_type != AMQP_FRAME_METHOD)
            continue;
        if (frame.payload.method.id != AMQP_BASIC_ACK_METHOD)
            return err_set(&t->err, E_IO, 0, "the broker refused a message (%s)",
                           amqp_method_name(frame.payload.method.id));
        note_confirmation(t, frame.payload.method.decoded);
    }
    return 0;
}

static int publish(struct tool *t, struct span exchange, struct span key, struct span type,
                   struct span body)
{
    const amqp_basic_properties_t properties = {
        ._flags = AMQP_BASIC_DELIVERY_MODE_FLAG | (type.len > 0 ? AMQP_BASIC_CONTENT_TYPE_FLAG : 0),
        .content_type = bytes_of(type),
        .delivery_mode = 2};
    const int status = amqp_basic_publish(t->state, CONN_CHANNEL, bytes_of(exchange), bytes_of(key),
                                          0, 0, &properties, bytes_of(body));
    if (status != AMQP_STATUS_OK)
        return conn_status(status, "publish", &t->err);
    t->n_sent++;
    return t->n_sent % (MAX_UNCONFIRMED / 2) == 0 ? confirm(t, MAX_UNCONFIRMED / 2) : 0;
}

static int begin_confirming(struct tool *t)
{
    (void)amqp_confirm_select(t->state, CONN_CHANNEL);
    return check(t, "ask for confirmations");
}

static int publish_line(struct tool *t, struct recorded_parser *parser, struct span text)
{
    struct recorded_line line;
    const int r = recorded_line_read(&line, parser, text, &t->err);
    if (r != 1)
        return r;
    if (line.reason || !line.has_exchange)
        return err_set(&t->err, E_FORMAT, 0, "no message: %s",
                       line.reason ? line.reason : "no exchange");
    const struct span type =
        line.content_type.len > 0 ? line.content_type : span_str("application/json");
    return publish(t, line.exchange, line.routing_key, type, line.body);
}

static int publish_file(struct tool *t, struct recorded_parser *parser, const char *path)
{
    struct recorded_files files = {0};
    struct span text;
    int r = recorded_files_list(&files, path, &t->err);
    while (r == 0 && (r = recorded_files_line(&files, &text, &t->err)) == 1) {
        r = publish_line(t, parser, text);
        if (r < 0)
            r = recorded_files_wrap(&files, r, &t->err);
    }
    recorded_files_close(&files);
    return r;
}

static int publish_files(struct tool *t)
{
    const long times = t->argc > 1 ? strtol(t->argv[1], NULL, 10) : 1;
    struct recorded_parser parser;
    recorded_parser_init(&parser, RECORDED_MAX_LINE);
    int r = begin_confirming(t);
    for (long i = 0; r == 0 && i < times; i++)
        r = publish_file(t, &parser, t->argc > 0 ? t->argv[0] : "-");
    recorded_parser_deinit(&parser);
    return r < 0 ? r : confirm(t, 0);
}

static int publish_raw(struct tool *t)
{
    const long times = t->argc > 3 ? strtol(t->argv[3], NULL, 10) : 1;
    struct file_source in;
    struct buf body = BUF_INIT(MAX_BODY);
    int r = file_source_open(&in, "-", &t->err);
    if (r == 0)
        r = source_read_all(file_source(&in), &body, &t->err);
    if (r == 0)
        r = begin_confirming(t);
    for (long i = 0; r == 0 && i < times; i++)
        r = publish(t, span_str(t->argv[0]), span_str(t->argv[1]), span_str(t->argv[2]),
                    buf_span(&body));
    buf_deinit(&body);
    return r < 0 ? r : confirm(t, 0);
}

static int count(struct tool *t)
{
    int r = 0;
    for (int i = 0; r == 0 && i < t->argc; i++) {
        const amqp_queue_declare_ok_t *ok = amqp_queue_declare(
            t->state, CONN_CHANNEL, amqp_cstring_bytes(t->argv[i]), 1, 0, 0, 0, amqp_empty_table);
        r = check(t, t->argv[i]);
        if (r == 0)
            printf("%s %" PRIu32 " %" PRIu32 "\n", t->argv[i], ok->message_count,
                   ok->consumer_count);
    }
    return r;
}

static int purge(struct tool *t)
{
    int r = 0;
    for (int i = 0; r == 0 && i < t->argc; i++) {
        (void)amqp_queue_purge(t->state, CONN_CHANNEL, amqp_cstring_bytes(t->argv[i]));
        r = check(t, t->argv[i]);
    }
    return r;
}

static int delete_queues(struct tool *t)
{
    int r = 0;
    for (int i = 0; r == 0 && i < t->argc; i++) {
        (void)amqp_queue_delete(t->state, CONN_CHANNEL, amqp_cstring_bytes(t->argv[i]), 0, 0);
        r = check(t, t->argv[i]);
    }
    return r;
}

static const struct command {
    const char *name;
    int min_args;
    int (*run)(struct tool *t);
} commands[] = {
    {"exchange", 1, declare_exchanges},
    {"queue", 1, declare_queue},
    {"bind", 2, bind_queue},
    {"publish", 0, publish_files},
    {"raw", 3, publish_raw},
    {"count", 1, count},
    {"purge", 1, purge},
    {"delete", 1, delete_queues},
};

static int connect_and_run(struct tool *t, const struct command *command)
{
    const char *host = getenv("PULSE_HOST"), *port = getenv("PULSE_PORT");
    const char *password = getenv("PULSE_PASSWORD");
    struct opt_secret secret = {0};
    secret.len = (size_t)snprintf(secret.text, sizeof secret.text, "%s", password ? password : "");
    const struct broker_config config = {.host = host ? host : "localhost",
                                         .port = port ? (unsigned)strtoul(port, NULL, 10) : 0,
                                         .user = getenv("PULSE_USER"),
                                         .password = &secret,
                                         .vhost = getenv("PULSE_VHOST"),
                                         .tls = getenv("PULSE_CA_FILE") != NULL,
                                         .ca_file = getenv("PULSE_CA_FILE")};
    struct conn_place place;
    int r = conn_place_init(&place, &config, &t->err);
    if (r == 0)
        r = conn_open(&t->state, &place, &t->err);
    conn_place_deinit(&place);
    if (r < 0)
        return r;
    r = command->run(t);
    conn_close(t->state);
    return r;
}

int main(int argc, char **argv)
{
    struct tool t = {.argc = argc - 2, .argv = argv + 2};
    for (size_t i = 0; argc > 1 && i < ARRAY_LEN(commands); i++) {
        if (strcmp(argv[1], commands[i].name) != 0 || t.argc < commands[i].min_args)
            continue;
        const int r = connect_and_run(&t, &commands[i]);
        if (r < 0)
            (void)fprintf(stderr, "pulse-tool: %s\n", t.err.text);
        return r == 0 ? 0 : r == E_ABSENT ? EXIT_ABSENT : 1;
    }
    (void)fprintf(stderr, "usage: pulse-tool exchange|queue|bind|publish|raw|count|purge|delete "
                          "ARGUMENT...\n");
    return 2;
}
