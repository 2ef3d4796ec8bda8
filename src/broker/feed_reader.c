/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The thread of a feed. Nothing here calls and waits (no RPC of librabbitmq, which would set aside
 * whatever comes in between): methods are sent, and their answers are frames like all others.
 */
#include "broker/feed_internal.h"
#include "codec/ndjson.h"

#include <amqp_framing.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum {
    TICK_MS = 250, // heartbeats are sent and missed at such moments
    CLOSE_TICKS = 8,
    MAX_BODY_BYTES = 128 << 20, // RabbitMQ's own limit
};

static int send_method(struct feed *f, amqp_channel_t channel, amqp_method_number_t id,
                       void *method, const char *what, struct err *err)
{
    const int status = amqp_send_method(f->state, channel, id, method);
    return status == AMQP_STATUS_OK ? 0 : conn_status(status, what, err);
}

/* Change the prefetch, for which AMQP knows no better way than another consumer. It comes before
 * the old one goes, for a queue may vanish with its last. */
static int change_limit(struct feed *f, unsigned limit, struct err *err)
{
    amqp_basic_qos_t qos = {.prefetch_count = (uint16_t)limit};
    amqp_basic_consume_t consume = {.queue = amqp_cstring_bytes(f->queue)};
    amqp_basic_cancel_t cancel = {.consumer_tag = amqp_cstring_bytes(f->consumer_tag), .nowait = 1};
    static const char what[] = "change the prefetch";
    int r = send_method(f, CONN_CHANNEL, AMQP_BASIC_QOS_METHOD, &qos, what, err);
    if (r == 0)
        r = send_method(f, CONN_CHANNEL, AMQP_BASIC_CONSUME_METHOD, &consume, what, err);
    if (r == 0)
        r = send_method(f, CONN_CHANNEL, AMQP_BASIC_CANCEL_METHOD, &cancel, what, err);
    return r;
}

/* Everything that was kept is acknowledged, and some was dropped or little was allowed. */
static int refresh(struct feed *f, bool has_dropped, struct err *err)
{
    amqp_basic_nack_t nack = {.delivery_tag = f->last_dropped, .multiple = 1, .requeue = 1};
    const int r = change_limit(f, f->limit, err);
    if (r < 0 || !has_dropped)
        return r;
    return send_method(f, CONN_CHANNEL, AMQP_BASIC_NACK_METHOD, &nack, "give back what was dropped",
                       err);
}

/* Take note of an acknowledgement that was sent. @return is everything acknowledged? */
static bool note_ack(struct feed *f, uint64_t delivery_tag)
{
    while (f->acked < f->taken &&
           f->entries[(f->acked + 1) % f->prefetch].delivery_tag <= delivery_tag)
        f->acked++;
    window_release(&f->window, f->acked);
    return f->acked == f->received;
}

static int send_ack(struct feed *f, uint64_t delivery_tag, struct err *err)
{
    enum { GROWTH = 4 };
    amqp_basic_ack_t ack = {.delivery_tag = delivery_tag, .multiple = 1};
    int r = send_method(f, CONN_CHANNEL, AMQP_BASIC_ACK_METHOD, &ack, "acknowledge", err);
    if (r < 0)
        return r;
    (void)pthread_mutex_lock(&f->lock);
    const bool has_dropped = f->is_dropping;
    const bool is_due = note_ack(f, delivery_tag) && (has_dropped || f->limit < f->prefetch);
    if (is_due && !has_dropped)
        f->limit = f->limit < f->prefetch / GROWTH ? f->limit * GROWTH : f->prefetch;
    if (is_due)
        f->is_dropping = false;
    (void)pthread_mutex_unlock(&f->lock);
    if (is_due)
        r = refresh(f, has_dropped, err);
    if (r < 0)
        return r;
    (void)pthread_mutex_lock(&f->lock);
    f->request = FEED_ANSWERED;
    (void)pthread_cond_signal(&f->changed);
    (void)pthread_mutex_unlock(&f->lock);
    return 0;
}

static int send_declare(struct feed *f, struct err *err)
{
    amqp_queue_declare_t declare = {.queue = amqp_cstring_bytes(f->queue), .passive = 1};
    return send_method(f, CONN_CHANNEL, AMQP_QUEUE_DECLARE_METHOD, &declare, "ask for the queue",
                       err);
}

/* @return 0, or E_*. *is_stopping: there is nothing else to do. */
static int answer_request(struct feed *f, bool *is_stopping, struct err *err)
{
    uint64_t ignored;
    (void)!read(f->wake, &ignored, sizeof ignored);
    (void)pthread_mutex_lock(&f->lock);
    const enum feed_request request = f->request;
    const uint64_t tag = f->ack_tag;
    *is_stopping = f->is_stopping;
    if (request == FEED_DECLARE)
        f->request = FEED_NO_REQUEST; // sent once; its answer makes it FEED_ANSWERED
    (void)pthread_mutex_unlock(&f->lock);
    if (*is_stopping)
        return 0;
    if (request == FEED_ACK)
        return send_ack(f, tag, err);
    return request == FEED_DECLARE ? send_declare(f, err) : 0;
}

/* A message becomes one that feed_next can hand out. */
static void complete(struct feed *f)
{
    struct feed_incoming *in = &f->in;
    in->is_open = false;
    if (!in->is_kept)
        return;
    uint8_t *texts = in->bytes + in->body_len;
    (void)pthread_mutex_lock(&f->lock);
    const uint64_t tag = ++f->received;
    struct feed_entry *e = &f->entries[tag % f->prefetch];
    e->delivery_tag = in->delivery_tag;
    e->m = (struct broker_message){
        .body = span_of(in->bytes, in->body_len),
        .exchange = span_of(texts, in->exchange_len),
        .routing_key = span_of(texts + in->exchange_len, in->routing_key_len),
        .content_type =
            span_of(texts + in->exchange_len + in->routing_key_len, in->content_type_len),
        .redelivered = in->redelivered,
        .tag = tag};
    (void)pthread_cond_signal(&f->changed);
    (void)pthread_mutex_unlock(&f->lock);
}

static int copy_text(uint8_t *dst, size_t *len, amqp_bytes_t text)
{
    if (text.len > SHORT_STRING_BYTES)
        return -1; // no short string has more
    if (text.len > 0)
        memcpy(dst, text.bytes, text.len);
    *len = text.len;
    return 0;
}

static int begin_message(struct feed *f, const amqp_basic_deliver_t *d, struct err *err)
{
    struct feed_incoming *in = &f->in;
    *in = (struct feed_incoming){
        .delivery_tag = d->delivery_tag, .redelivered = d->redelivered, .is_open = true};
    if (copy_text(in->texts, &in->exchange_len, d->exchange) < 0 ||
        copy_text(in->texts + in->exchange_len, &in->routing_key_len, d->routing_key) < 0)
        return err_set(err, E_AGAIN, 0, "the broker sent a name that is too long");
    return 0;
}

/* Keep it or drop it? f->lock is held. What is too long for anyone fails when all before it is done
 * with. */
static int make_room(struct feed *f, size_t len, struct err *err)
{
    struct feed_incoming *in = &f->in;
    const uint64_t n_kept = f->received - f->acked;
    const bool fits = len <= FEED_MAX_BYTES && f->window.n_used <= FEED_MAX_BYTES - len;
    if (n_kept == 0 && !f->is_dropping && in->body_len > MAX_BODY_BYTES)
        return err_set(err, E_FORMAT, 0,
                       "a message of %" PRIu64 " bytes, more than %d, stands in the queue: take it "
                       "out by hand",
                       in->body_len, MAX_BODY_BYTES);
    in->is_kept =
        !f->is_dropping && !f->is_stopping && (n_kept == 0 || fits) && n_kept < f->prefetch;
    if (in->is_kept)
        return window_take(&f->window, f->received + 1, len, &in->bytes, err);
    if (!f->is_dropping && n_kept < f->limit)
        f->limit = (unsigned)n_kept;
    f->is_dropping = true;
    f->last_dropped = in->delivery_tag;
    (void)pthread_cond_signal(&f->changed);
    return 0;
}

static int take_header(struct feed *f, const amqp_frame_t *frame, struct err *err)
{
    struct feed_incoming *in = &f->in;
    const amqp_basic_properties_t *p = frame->payload.properties.decoded;
    amqp_bytes_t type = amqp_empty_bytes;
    in->body_len = frame->payload.properties.body_size;
    if (p->_flags & AMQP_BASIC_CONTENT_TYPE_FLAG && p->content_type.len <= SHORT_STRING_BYTES)
        type = p->content_type;
    in->content_type_len = type.len;
    const size_t n_names = in->exchange_len + in->routing_key_len;
    (void)pthread_mutex_lock(&f->lock);
    const int r = make_room(f, (size_t)in->body_len + n_names + type.len, err);
    (void)pthread_mutex_unlock(&f->lock);
    if (r < 0)
        return r;
    if (in->is_kept) {
        memcpy(in->bytes + in->body_len, in->texts, n_names);
        if (type.len > 0)
            memcpy(in->bytes + in->body_len + n_names, type.bytes, type.len);
    }
    if (in->body_len == 0)
        complete(f);
    return 0;
}

static int take_body(struct feed *f, amqp_bytes_t part, struct err *err)
{
    struct feed_incoming *in = &f->in;
    if (part.len > in->body_len - in->n_received)
        return err_set(err, E_AGAIN, 0, "the broker sent more of a message than it has");
    if (in->is_kept && part.len > 0)
        memcpy(in->bytes + in->n_received, part.bytes, part.len);
    in->n_received += part.len;
    if (in->n_received == in->body_len)
        complete(f);
    return 0;
}

static void take_declare_ok(struct feed *f, const amqp_queue_declare_ok_t *ok)
{
    (void)pthread_mutex_lock(&f->lock);
    f->n_ready = ok->message_count;
    f->n_consumers = ok->consumer_count;
    f->request = FEED_ANSWERED;
    (void)pthread_cond_signal(&f->changed);
    (void)pthread_mutex_unlock(&f->lock);
}

/* The broker ends the channel or the connection. What it says of a running consumer may well pass:
 * the queue was deleted and will be declared again, a time-out is over. */
static int take_close(struct feed *f, uint16_t code, amqp_bytes_t text, bool is_channel,
                      struct err *err)
{
    amqp_channel_close_ok_t ok = {0};
    (void)amqp_send_method(f->state, is_channel ? CONN_CHANNEL : 0,
                           is_channel ? AMQP_CHANNEL_CLOSE_OK_METHOD
                                      : AMQP_CONNECTION_CLOSE_OK_METHOD,
                           &ok); // a courtesy
    const int r = conn_refusal(
        code, text, is_channel ? "the channel was closed" : "the connection was closed", NULL, err);
    return code == AMQP_ACCESS_REFUSED ? r : (int)(err->code = E_AGAIN);
}

static int take_method(struct feed *f, const amqp_method_t *method, struct err *err)
{
    switch (method->id) {
    case AMQP_BASIC_DELIVER_METHOD:
        return begin_message(f, method->decoded, err);
    case AMQP_QUEUE_DECLARE_OK_METHOD:
        take_declare_ok(f, method->decoded);
        return 0;
    case AMQP_BASIC_CONSUME_OK_METHOD: {
        const amqp_basic_consume_ok_t *ok = method->decoded;
        (void)snprintf(f->consumer_tag, sizeof f->consumer_tag, "%.*s", (int)ok->consumer_tag.len,
                       (const char *)ok->consumer_tag.bytes);
        return 0;
    }
    case AMQP_BASIC_CANCEL_METHOD:
        return err_set(err, E_AGAIN, 0,
                       "the broker ended the reading: the queue was deleted or "
                       "has moved");
    case AMQP_CHANNEL_CLOSE_METHOD: {
        const amqp_channel_close_t *m = method->decoded;
        return take_close(f, m->reply_code, m->reply_text, true, err);
    }
    case AMQP_CONNECTION_CLOSE_METHOD: {
        const amqp_connection_close_t *m = method->decoded;
        return take_close(f, m->reply_code, m->reply_text, false, err);
    }
    default:
        return 0; // qos-ok, and whatever else a broker likes to tell
    }
}

static int take_frame(struct feed *f, const amqp_frame_t *frame, struct err *err)
{
    switch (frame->frame_type) {
    case AMQP_FRAME_METHOD:
        return take_method(f, &frame->payload.method, err);
    case AMQP_FRAME_HEADER:
        return f->in.is_open ? take_header(f, frame, err) : 0;
    case AMQP_FRAME_BODY:
        return f->in.is_open ? take_body(f, frame->payload.body_fragment, err) : 0;
    default:
        return 0;
    }
}

/* Take what is there, without waiting. @return 0 or E_*. */
static int take_frames(struct feed *f, bool *has_closed, struct err *err)
{
    enum { AT_A_TIME = 64 }; // then a request has its turn
    for (int i = 0; i < AT_A_TIME; i++) {
        amqp_frame_t frame;
        const struct timeval now = {0};
        const int status = amqp_simple_wait_frame_noblock(f->state, &frame, &now);
        if (status == AMQP_STATUS_TIMEOUT)
            return 0;
        if (status != AMQP_STATUS_OK)
            return conn_status(status, "read from the broker", err);
        *has_closed = frame.frame_type == AMQP_FRAME_METHOD &&
                      frame.payload.method.id == AMQP_CONNECTION_CLOSE_OK_METHOD;
        const int r = take_frame(f, &frame, err);
        amqp_maybe_release_buffers(f->state);
        if (r < 0 || *has_closed)
            return r;
    }
    return 1;
}

/* Sleep until there is something to do, or a heartbeat may be due. */
static void await(struct feed *f)
{
    struct pollfd fds[] = {{.fd = amqp_get_sockfd(f->state), .events = POLLIN},
                           {.fd = f->wake, .events = POLLIN}};
    (void)poll(fds, ARRAY_LEN(fds), TICK_MS);
}

static void say_goodbye(struct feed *f)
{
    struct err ignored = {0};
    amqp_basic_cancel_t cancel = {.consumer_tag = amqp_cstring_bytes(f->consumer_tag), .nowait = 1};
    amqp_connection_close_t close = {.reply_code = AMQP_REPLY_SUCCESS,
                                     .reply_text = amqp_cstring_bytes("done")};
    bool has_closed = false;
    int r = send_method(f, CONN_CHANNEL, AMQP_BASIC_CANCEL_METHOD, &cancel, "cancel", &ignored);
    if (r == 0)
        r = send_method(f, 0, AMQP_CONNECTION_CLOSE_METHOD, &close, "close", &ignored);
    for (int i = 0; r >= 0 && !has_closed && i < CLOSE_TICKS;) {
        r = take_frames(f, &has_closed, &ignored);
        if (r == 0 && !has_closed) {
            struct pollfd fd = {.fd = amqp_get_sockfd(f->state), .events = POLLIN};
            i += poll(&fd, 1, TICK_MS) == 0;
        }
    }
}

void *feed_run(void *arg)
{
    struct feed *f = arg;
    struct err err = {0};
    bool is_stopping = false, has_closed = false;
    int r = 0;
    while (r >= 0 && !is_stopping) {
        r = take_frames(f, &has_closed, &err);
        if (r == 0)
            await(f);
        if (r >= 0)
            r = answer_request(f, &is_stopping, &err);
    }
    if (is_stopping)
        say_goodbye(f);
    (void)pthread_mutex_lock(&f->lock);
    f->has_ended = true;
    f->failed = err;
    (void)pthread_cond_broadcast(&f->changed);
    (void)pthread_mutex_unlock(&f->lock);
    return NULL;
}
