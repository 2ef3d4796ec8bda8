/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Recorded messages: one pass over the files. Lines of the queue that is open are handed out as
 * they come, lines of the others wait in `waiting`, in file order. A queue first gives what waits
 * for it, then reads on in the files, where what is left comes later than all that waits.
 */
#include "broker/backend.h"
#include "broker/recorded_files.h"
#include "broker/recorded_line.h"
#include "broker/waiting.h"
#include "broker/window.h"

#include <stdlib.h>

/* Beyond it the caller has to acknowledge before it gets more. */
enum { MAX_WINDOW_BYTES = 128 << 20 };

struct recorded {
    struct broker base;
    struct recorded_files files;
    struct recorded_parser parser;
    struct window window;
    struct waiting *waiting; // one a binding
    size_t rest_binding;     // the one for every other exchange, or NO_BINDING
    struct err files_failed; // an error of the files stays: nothing behind it is read
};

static struct recorded *of(struct broker *b)
{
    return (struct recorded *)b;
}

static size_t binding_of(const struct recorded *rec, const struct recorded_line *line)
{
    const struct broker *b = &rec->base;
    for (size_t i = 0; line->has_exchange && i < b->n_bindings; i++)
        if (i != rec->rest_binding && span_equal(line->exchange, span_str(b->bindings[i].exchange)))
            return i;
    return rec->rest_binding;
}

/* Make room for a message and let m's texts point into it. @return where they begin, or NULL. */
static uint8_t *lay_out(struct recorded *rec, struct broker_message *m,
                        const struct waiting_head *head, struct err *err)
{
    uint8_t *at;
    const uint64_t tag = rec->base.last_tag + 1;
    if (window_take(&rec->window, tag, waiting_head_len(head), &at, err) < 0)
        return NULL;
    *m = (struct broker_message){.body = span_of(at, (size_t)head->body),
                                 .is_line = head->reason != NULL,
                                 .reason = head->reason,
                                 .tag = tag};
    m->exchange = span_of(at + head->body, head->exchange);
    m->routing_key = span_of(m->exchange.ptr + head->exchange, head->routing_key);
    m->content_type = span_of(m->routing_key.ptr + head->routing_key, head->content_type);
    return at;
}

static int give_line(struct recorded *rec, struct broker_message *m,
                     const struct recorded_line *line, struct err *err)
{
    const struct waiting_head head = waiting_head_of(line);
    uint8_t *at = lay_out(rec, m, &head, err);
    if (!at)
        return E_NOMEM;
    const struct span parts[] = {line->body, line->exchange, line->routing_key, line->content_type};
    for (size_t i = 0; i < ARRAY_LEN(parts); at += parts[i++].len)
        if (parts[i].len > 0)
            memcpy(at, parts[i].ptr, parts[i].len);
    return 1;
}

/* @return 1 and *m: a message of the open queue, 0: it is none or waits for its queue, or E_*. */
static int sort_line(struct recorded *rec, struct broker_message *m, struct span text,
                     struct err *err)
{
    struct recorded_line line;
    int r = recorded_line_read(&line, &rec->parser, text, err);
    if (r != 1)
        return r;
    const size_t binding = binding_of(rec, &line);
    if (binding == NO_BINDING)
        return err_set(err, E_FORMAT, 0, "its exchange belongs to no queue that is read here");
    if (binding == rec->base.open_binding)
        return give_line(rec, m, &line, err);
    return waiting_add(&rec->waiting[binding], &line, err);
}

static int next_of_files(struct recorded *rec, struct broker_message *m, struct err *err)
{
    for (;;) {
        struct span text;
        int r = recorded_files_line(&rec->files, &text, err);
        if (r != 1)
            return r;
        r = sort_line(rec, m, text, err);
        if (r < 0)
            return recorded_files_wrap(&rec->files, r, err);
        if (r == 1)
            return 1;
    }
}

static int next_waiting(struct recorded *rec, struct broker_message *m, struct err *err)
{
    struct waiting *w = &rec->waiting[rec->base.open_binding];
    struct waiting_head head;
    int r = waiting_next(w, &head, err);
    if (r != 1)
        return r;
    uint8_t *at = lay_out(rec, m, &head, err);
    if (!at)
        return E_NOMEM;
    r = waiting_read(w, at, waiting_head_len(&head), err);
    return r < 0 ? r : 1;
}

static int recorded_next(struct broker *b, struct broker_message *m, uint64_t wait_ms,
                         struct err *err)
{
    (void)wait_ms; // nothing comes later
    struct recorded *rec = of(b);
    if (rec->window.n_used >= MAX_WINDOW_BYTES)
        return BROKER_IDLE;
    int r = next_waiting(rec, m, err);
    if (r != 0)
        return r;
    if (rec->files_failed.code == 0) {
        r = next_of_files(rec, m, &rec->files_failed);
        if (r >= 0)
            return r;
    }
    return err_set(err, rec->files_failed.code, rec->files_failed.native, "%s",
                   rec->files_failed.text);
}

static int recorded_queue_open(struct broker *b, size_t binding, uint64_t *n_ready, struct err *err)
{
    (void)b;
    (void)binding;
    (void)err;
    *n_ready = 0;
    return 0;
}

static int recorded_ack(struct broker *b, uint64_t tag, struct err *err)
{
    (void)err; // memory cannot fail
    window_release(&of(b)->window, tag);
    return 0;
}

static int recorded_queue_ready(struct broker *b, size_t binding, uint64_t *n_ready,
                                uint64_t *n_consumers, struct err *err)
{
    (void)b;
    (void)binding;
    (void)err;
    *n_ready = *n_consumers = 0;
    return 0;
}

static void recorded_queue_close(struct broker *b)
{
    window_release_all(&of(b)->window);
}

static void recorded_free(struct broker *b)
{
    struct recorded *rec = of(b);
    for (size_t i = 0; rec->waiting && i < b->n_bindings; i++)
        waiting_deinit(&rec->waiting[i]);
    free(rec->waiting);
    window_deinit(&rec->window);
    recorded_parser_deinit(&rec->parser);
    recorded_files_close(&rec->files);
    free(rec);
}

static const struct broker_ops recorded_ops = {.queue_open = recorded_queue_open,
                                               .next = recorded_next,
                                               .ack = recorded_ack,
                                               .queue_ready = recorded_queue_ready,
                                               .queue_close = recorded_queue_close,
                                               .free = recorded_free};

int recorded_open(struct broker **out, const struct broker_config *config,
                  const struct broker_binding *bindings, size_t n_bindings, struct err *err)
{
    struct recorded *rec = calloc(1, sizeof *rec);
    struct waiting *waiting = calloc(n_bindings, sizeof *waiting);
    if (!rec || !waiting) {
        free(rec);
        free(waiting);
        return err_set(err, E_NOMEM, 0, "no memory for recorded messages");
    }
    rec->base.ops = &recorded_ops;
    rec->base.is_recorded = true;
    rec->base.bindings = bindings;
    rec->base.n_bindings = n_bindings;
    rec->waiting = waiting;
    rec->rest_binding = NO_BINDING;
    for (size_t i = 0; i < n_bindings; i++) {
        waiting[i].dir = config->temp_dir ? config->temp_dir : "/tmp";
        if (bindings[i].exchange[0] == '\0')
            rec->rest_binding = i;
    }
    recorded_parser_init(&rec->parser, RECORDED_MAX_LINE);
    *out = &rec->base;
    return recorded_files_list(&rec->files, config->source, err);
}
