/* amo_json.h - AMO's answers, read in place. Source: taar-etl.md 3.1, 3.2. */
#pragma once

#include "base/buf.h"
#include "codec/json.h"

#include <stdbool.h>

enum { AMO_MAX_DEPTH = 64, AMO_MAX_PAGES = 100000 };

/** Is text one JSON value, nested no deeper than AMO_MAX_DEPTH? NDJSON_SLACK readable bytes stand
 * behind it. All other functions here read text that is. */
bool amo_is_json(const struct record_ops *ops, struct span text);

/** The value of an object's member, of a repeated one the last. @return false: there is none, or
 * this is no object. */
bool amo_member(const struct record_ops *ops, struct span object, const char *name,
                struct span *value);
/** Of an array. @return false: there is none, or this is no array. */
bool amo_first(const struct record_ops *ops, struct span array, struct span *element);
bool amo_last(const struct record_ops *ops, struct span array, struct span *element);
/** A number without sign, fraction and exponent, below 10^15. */
bool amo_integer(struct span value, uint64_t *n);
/** Append the bytes of a string. @return 1, 0: it is none, or E_NOMEM. */
MUST_CHECK int amo_text(struct buf *out, struct span value, struct err *err);

/* What a page of the search says about all of them. */
struct amo_listing {
    uint64_t page_count;
    uint64_t count, page_size; // 0: not said
};
/** @return 0, or E_FORMAT: no page_count, or one above AMO_MAX_PAGES. */
MUST_CHECK int amo_listing_read(const struct record_ops *ops, struct span answer,
                                struct amo_listing *out, struct err *err);

/**
 * Append a record without blanks, without its last brace and without a first_create_date of its
 * own: so that ours can follow. @return 0 or E_NOMEM.
 */
MUST_CHECK int amo_record_write(struct buf *out, const struct record_ops *ops, struct span record,
                                struct err *err);

/**
 * When an add-on came, by the last page of its versions: append the text of `created` of the first
 * file of the last version. *missing: NULL, or what there is none of, for the counts
 * ("versions_no_files"). @return 0 or E_NOMEM.
 */
MUST_CHECK int amo_first_created(struct buf *out, const struct record_ops *ops, struct span answer,
                                 const char **missing, struct err *err);
