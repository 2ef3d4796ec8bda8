/*
 * recorded_line.h - one recorded message: {"exchange": TEXT, "routingKey": TEXT, "payload": VALUE}
 * or, for bytes that are no JSON, "payload_base64" with an optional "content_type". For the files
 * of broker/ only.
 *
 * Of a repeated member the last counts, and a payload before a payload_base64. An exchange, routing
 * key or content type that is no text counts as absent. Nesting: up to RECORD_MAX_DEPTH.
 */
#pragma once

#include "base/buf.h"
#include "codec/base64.h"
#include "codec/record.h"

struct recorded_line {
    struct span exchange, routing_key, content_type; // empty where absent
    bool has_exchange;
    struct span body;   // of a line that is no message: the line
    const char *reason; // why it is none (static), or NULL
};

struct recorded_parser {
    struct record_ops text;
    struct base64_ops base64;
    struct buf scratch;
};

/** max_line: bytes of the longest line. */
void recorded_parser_init(struct recorded_parser *p, size_t max_line);
void recorded_parser_deinit(struct recorded_parser *p);
/**
 * Read a line with NDJSON_SLACK readable bytes behind it. The spans of *out borrow from line and
 * from p, until the next call. @return 1, 0 for a blank line, or E_NOMEM.
 */
MUST_CHECK int recorded_line_read(struct recorded_line *out, struct recorded_parser *p,
                                  struct span line, struct err *err);
