/*
 * json.h - the grammar of RFC 8259, walked in place: nothing is built, nothing is allocated.
 * What is made for one kind of line stands above it: record.h, ping.h.
 *
 * Functions that walk return the place behind what they were asked to skip, or NULL where the text
 * breaks the grammar. Those that read "checked" text rely on a walk that succeeded.
 */
#pragma once

#include "codec/record.h"

struct json_text {
    const struct record_ops *ops;
    const uint8_t *end; // readable slack behind it: see record_ops
};

/* One "key": value of an object. */
struct json_member {
    struct span key;    // between its quotes, still escaped
    bool key_escaped;   // it has at least one escape
    struct span value;  // its text
    bool value_escaped; // a string in it has at least one escape
};

/** Behind the last byte, also of an empty span without a pointer. */
static inline const uint8_t *span_end(struct span s)
{
    return s.len > 0 ? s.ptr + s.len : s.ptr;
}

const uint8_t *json_skip_space(const uint8_t *p, const uint8_t *end);
/** p stands at a value's first byte. *escaped becomes true where a string in it has an escape.
 * max_depth: how deep the value may nest, up to 64. */
const uint8_t *json_skip_value(const struct json_text *t, const uint8_t *p, unsigned max_depth,
                               bool *escaped);

/* Visits the members of the object whose first byte, or white space before it, is at p. */
struct json_members {
    struct json_text text;
    const uint8_t *p; // behind the object, when json_next_member has returned 0
    bool begun;
    unsigned max_depth; // of the object itself: at least 1
};
/** @return 1 and *m, 0 behind the last member, or -1: no object stands there. */
int json_next_member(struct json_members *it, struct json_member *m);
/** The same, but it->p is left on the first byte of the value, of which *m says nothing: to be
 * moved behind it, by json_take_value or a walk of its own. So a tree is checked in one pass. */
int json_next_key(struct json_members *it, struct json_member *m);
/** Behind json_next_key. @return false: no value stands there. */
bool json_take_value(struct json_members *it, struct json_member *m);

/* Visits the elements of an array in the same way. */
struct json_elements {
    struct json_text text;
    const uint8_t *p;
    bool begun;
    unsigned max_depth;
};
/** @return 1 and *value, 0 behind the last element, or -1: no array stands there. */
int json_next_element(struct json_elements *it, struct span *value, bool *escaped);

/** Do the checked insides of two strings say the same? */
bool json_insides_equal(struct span a, struct span b);
/** Does the checked inside of a string say `name` (ASCII)? */
bool json_inside_equals(struct span inside, const char *name);
/** Unescape the checked inside of a string. out: inside.len bytes. @return the bytes written. */
size_t json_unescape(uint8_t *out, struct span inside);
/** Append checked text, a value or a key with its quotes, in Python's spelling. */
MUST_CHECK int json_respell(struct buf *out, struct span text, struct err *err);
/** Printable ASCII that Python writes as it is? '"' and '\\' are not. */
bool json_is_plain(struct span inside);
