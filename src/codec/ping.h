/*
 * ping.h - a Prio ping, and the message around it: its document id and its shares, found in place
 * without building a tree. Source: prio-processor.md, section 7.1.
 *
 * The whole text is checked to be one JSON object (RFC 8259, UTF-8, nesting up to
 * RECORD_MAX_DEPTH). Of a repeated key the last value counts. Every text needs NDJSON_SLACK
 * readable bytes behind it.
 */
#pragma once

#include "base/buf.h"
#include "codec/record.h"

enum { PING_TEXT_BYTES = 2048 }; // of an id or encoding that has escapes; longer ones are not read

/* A line of the input: {"attributeMap": {..}, "payload": "<base64>"}, or an exported row. */
struct ping_message {
    bool has_payload;    // a string
    struct span payload; // its bytes, unescaped
    bool has_time;       // "submission_timestamp" is a string
    struct span time;    // its inside, still escaped
};

/**
 * Spans borrow from line or from scratch, which is cleared first; its ceiling is at least line.len.
 * @return 1, 0: not one JSON object, or E_NOMEM.
 */
MUST_CHECK int ping_read_message(struct ping_message *m, const struct record_ops *ops,
                                 struct span line, struct buf *scratch, struct err *err);

/* A ping. It may not be moved or copied: spans may point into it. */
struct ping {
    const struct record_ops *ops;
    bool has_data;       // payload.prioData is a list
    struct span data;    // its text
    const uint8_t *next; // where ping_next goes on; NULL: at its end
    enum record_id id_kind;
    struct span id; // string: its bytes, unescaped; number: its text
    uint8_t id_text[PING_TEXT_BYTES], encoding_text[PING_TEXT_BYTES];
};

/** Read a ping; it borrows text. @return true, or false: not one JSON object. */
bool ping_read(struct ping *p, const struct record_ops *ops, struct span text);

/* One element of prioData. */
struct ping_share {
    bool usable;          // an object with a string `encoding`, and `prio` with strings `a` and `b`
    struct span encoding; // unescaped
    struct span a, b;     // the insides of their strings, as they stand: may go into a JSON string
};

/** @return true and *share, or false behind the last. Spans are valid until the next call. */
bool ping_next(struct ping *p, struct ping_share *share);
