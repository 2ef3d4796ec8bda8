/* layout.h - where things lie in a bucket. Source: prio-processor.md, section 4.2. */
#pragma once

#include "base/buf.h"
#include "store/store.h"

#include <stdbool.h>

/** Append "batch_id=<escaped>": a Hive partition directory, without slashes around it. "" and an
 * absent value are __HIVE_DEFAULT_PARTITION__. */
MUST_CHECK int layout_append_partition(struct buf *out, const char *key, const char *value,
                                       struct err *err);
/**
 * The value of a partition directory's name "key=value", unescaped, appended to out, with a NUL
 * behind out->len. The null partition is "". One "/" at the end of name may stand. As in Hive,
 * characters that need no escape may have one, and those that need one may lack it, but for "/".
 * @return 1; 0: the name is no partition of that key, or not validly escaped; or E_NOMEM.
 */
MUST_CHECK int layout_read_partition(struct buf *out, const char *key, struct span name,
                                     struct err *err);

/**
 * BUCKET_PREFIX "/" key "/" APP_NAME "/" SUBMISSION_DATE "/". Key text is used as given.
 * @return 0, or E_ARG where a part is empty, has a control character, or is "." or ".."; APP_NAME
 * and date have no slash, prefix may.
 */
MUST_CHECK int layout_prefix(char **out, const char *bucket_prefix, const char *public_key_hex,
                             const char *app_name, const char *date, struct err *err);

/** "2026-03-14", a real day of the calendar? */
bool layout_is_date(const char *text);
/** Today in UTC at now_us (base/utc.h). */
void layout_today(char out[11], int64_t now_us);

/** Does a reader take this key's last name (not "_..." or "....", not a directory object)? */
bool layout_is_data(const char *key);

enum layout_name {
    LAYOUT_STAGE,     // part-NNNNN-<uuid>-c000.json: what stages write
    LAYOUT_PARTITION, // part-NNNNN-<uuid>.c000.json: what goes through partition directories
};
enum { LAYOUT_NAME_BYTES = 64, LAYOUT_UUID_BYTES = 37 };
void layout_part_name(char out[LAYOUT_NAME_BYTES], unsigned number, const char *uuid,
                      enum layout_name form);
/**
 * A UUID (version 8, RFC 9562) that is a function of the texts (NULL ends the list), so that a
 * restart writes the same names (D5). @return 0 or E_CRYPTO.
 */
MUST_CHECK int layout_derived_uuid(char out[LAYOUT_UUID_BYTES], const char *const *texts,
                                   struct err *err);
