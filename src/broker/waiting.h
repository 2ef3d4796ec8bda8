/*
 * waiting.h - recorded messages that wait for their queue: a little in memory, the rest in a
 * nameless temporary file that is made when it is needed. For the files of broker/ only.
 */
#pragma once

#include "base/buf.h"
#include "base/tempfile.h"
#include "broker/recorded_line.h"

/* Zero-initialise it, then set dir. */
struct waiting {
    const char *dir;      // of the temporary file; borrowed
    struct buf tail;      // what was added last
    size_t tail_pos;      // read up to here
    struct tempfile file; // open when has_file
    bool has_file;
    uint64_t file_pos; // read up to here
    struct buf ahead;  // bytes of the file from file_pos - (ahead.len - ahead_pos) on
    size_t ahead_pos;
};

/* A message; the bytes of its texts follow in this order. */
struct waiting_head {
    uint64_t body; // lengths
    uint32_t exchange, routing_key, content_type;
    const char *reason; // static text: of use in this process only, like the file
};

static inline struct waiting_head waiting_head_of(const struct recorded_line *line)
{
    return (struct waiting_head){.body = line->body.len,
                                 .exchange = (uint32_t)line->exchange.len,
                                 .routing_key = (uint32_t)line->routing_key.len,
                                 .content_type = (uint32_t)line->content_type.len,
                                 .reason = line->reason};
}

/** Bytes behind the head. */
static inline size_t waiting_head_len(const struct waiting_head *head)
{
    return (size_t)head->body + head->exchange + head->routing_key + head->content_type;
}

MUST_CHECK int waiting_add(struct waiting *w, const struct recorded_line *line, struct err *err);
/** The oldest message; its bytes have to be read next. @return 1, 0: none, or E_*. */
MUST_CHECK int waiting_next(struct waiting *w, struct waiting_head *head, struct err *err);
/** @return 0 or E_*. */
MUST_CHECK int waiting_read(struct waiting *w, void *dst, size_t len, struct err *err);
void waiting_deinit(struct waiting *w);
