/*
 * member.h - the members of a JSON object that somebody asks for by name.
 *
 * Of a repeated name the last value counts, as in Python. Shape: at most MEMBER_MAX names.
 */
#pragma once

#include "codec/json.h"

/* A member's value; text.ptr is NULL where there is none. */
struct member {
    struct span text;
    bool escaped; // a string in it has an escape
};

static inline bool member_is(const struct member *m, char first)
{
    return m->text.ptr && *m->text.ptr == (uint8_t)first;
}

/** Not there, or JSON null. */
static inline bool member_is_absent(const struct member *m)
{
    return !m->text.ptr || *m->text.ptr == 'n';
}

static inline bool member_is_text(const struct member *m)
{
    return member_is(m, '"');
}

/** Which of n names is it? @return its index, or -1. */
int member_find(const struct span *names, size_t n, const struct json_member *m);

/** Walk an object to its end. members: one a name, cleared first. @return false: the grammar is
 * broken. */
bool members_read(struct json_members *it, const struct span *names, size_t n,
                  struct member *members);
/** The same for checked text that stands alone. */
bool members_of_text(const struct record_ops *ops, struct span text, unsigned max_depth,
                     const struct span *names, size_t n, struct member *members);

/**
 * The bytes of a string: in place, or unescaped behind what scratch holds. room: the length of all
 * text whose strings are read into this scratch since it was cleared, so that it never moves.
 */
MUST_CHECK int member_text(struct span *bytes, const struct member *m, struct buf *scratch,
                           size_t room, struct err *err);
/** A number without fraction and exponent that fits. */
bool member_integer(int64_t *value, const struct member *m);

/* Texts of lists, one behind the other. */
struct member_items {
    struct span *items;
    size_t n, room;
};
void member_items_free(struct member_items *list);
/** Append the elements of an array of texts. *n: how many. @return 1, 0: it is something else (some
 * may be appended), or E_NOMEM. */
MUST_CHECK int member_texts(struct member_items *list, size_t *n, const struct record_ops *ops,
                            const struct member *array, struct buf *scratch, size_t room,
                            struct err *err);
