/*
 * record.h - one line of telemetry, {"id": ..., "payload": ...}: found, checked and rewritten
 * without building a tree.
 *
 * The whole line is checked to be one JSON object (RFC 8259, UTF-8, nesting up to RECORD_MAX_DEPTH,
 * no lone surrogates). Of a repeated "id" or "payload" the last value counts, as in the original.
 */
#pragma once

#include "base/buf.h"
#include "base/span.h"

enum { RECORD_MAX_DEPTH = 64, RECORD_MAX_ID_BYTES = 1024 };

/* Other types, absence, and more than RECORD_MAX_ID_BYTES: NONE. */
enum record_id { RECORD_ID_NONE, RECORD_ID_STRING, RECORD_ID_NUMBER };

/** Kernels for scanning text; see record_ops_init. */
struct record_ops {
    /**
     * First byte of [p, end) that is '"', '\\', below 0x20 or above 0x7f, or end.
     * Shape: up to 64 bytes behind end may be read.
     */
    const uint8_t *(*string_end)(const uint8_t *p, const uint8_t *end);
};

/** cpu: cpu_feature bits (base/cpu.h), 0 = plain C. */
void record_ops_init(struct record_ops *ops, unsigned cpu);

struct record {
    const struct record_ops *ops; // borrowed
    struct span line;
    enum record_id id_kind;
    struct span id;      // string: its bytes, unescaped; number: its text
    struct span id_raw;  // the value's text in the line (any type); empty when absent
    bool has_payload;    // a string
    struct span payload; // its bytes, unescaped
    bool payload_is_array;
    struct span payload_raw; // like id_raw
    bool plain; // members, order and spelling are what record_rewrite writes, but for the payload
};

/**
 * Read one line (no newline; NDJSON_SLACK readable bytes behind it). Spans in *r borrow from line
 * or from scratch, which is cleared first and holds what had to be unescaped; both must outlive r.
 * scratch's ceiling must be at least line.len.
 * @return 1, 0: not one JSON object (bad-json), or E_NOMEM.
 */
MUST_CHECK int record_parse(struct record *r, const struct record_ops *ops, struct span line,
                            struct buf *scratch, struct err *err);

/**
 * Append r's line to out with the payload replaced by the ASCII text `payload` (base64: nothing in
 * it needs escaping), as Python's json.dumps would write it: ", " and ": " between tokens,
 * non-ASCII escaped, members in their order (a repeated id or payload at its first place with its
 * last value, a missing payload at the end), numbers as their text; then a newline.
 * @return 0 or E_NOMEM; then out ends in the middle of the line.
 */
MUST_CHECK int record_rewrite(struct buf *out, const struct record *r, struct span payload,
                              struct err *err);

/**
 * Append {"id":..,"payload":"..."} without spaces and without the record's other members, as the
 * original's Spark jobs wrote it (prio-processor.md section 6); a newline follows. r has an id.
 * @return 0 or E_NOMEM; then out ends in the middle of the line.
 */
MUST_CHECK int record_write_compact(struct buf *out, const struct record *r, struct span payload,
                                    struct err *err);

/** Append text (UTF-8; a byte that is not becomes U+FFFD) as a JSON string with quotes, ASCII only,
 * escaped as Python does. */
MUST_CHECK int json_write_string(struct buf *out, struct span text, struct err *err);
/** Append text, which must be JSON, without blanks and ASCII only, its strings escaped as Python
 * does, its numbers as they are. */
MUST_CHECK int json_write_compact(struct buf *out, struct span text, struct err *err);

/**
 * Read the text of a JSON array of n unsigned integers below `limit`, written as plain digits.
 * @return 1, or 0: *bad_index is then the index of the first entry that is none of these, or n when
 * the count is wrong, or SIZE_MAX when the text is no array.
 */
int uint_array_parse(uint64_t *out, size_t n, uint64_t limit, struct span text, size_t *bad_index);

/**
 * The same for entries 0 and 1, one byte each: the hot path of encoding.
 * Time: depends on the text's length and layout, not on which entries are set.
 */
int bit_array_parse(uint8_t *out, size_t n, struct span text, size_t *bad_index);
