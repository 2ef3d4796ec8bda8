/*
 * database.h - an add-on database in memory: guid -> the record that AMO has of it, whose text is
 * kept as it came. Source: taar-etl.md section 2, 3.2, 3.3.
 */
#pragma once

#include "codec/json.h"
#include "taar/guids.h"
#include "taar/objects.h"

struct database {
    struct buf text;
    struct guids guids;   // the keys, unescaped, in their order
    struct span *records; // by place; a key's last value. Any JSON value, checked
};
void database_deinit(struct database *d); // zeroed is fine
/** @return 0, E_ABSENT, E_FORMAT (no JSON object), or E_* naming the object. */
MUST_CHECK int database_read(struct database *d, const struct objects *o, const char *base,
                             struct err *err);

/* Of checked text: an empty span is a value that is absent. */

/** The last value of a member, named in ASCII; absent where object is none. */
struct span database_member(struct span object, const char *name);
/** The first element of an array; absent where there is none. */
struct span database_first(struct span array);
static inline bool database_is(struct span value, const char *word)
{
    return span_equal(value, span_str(word));
}
