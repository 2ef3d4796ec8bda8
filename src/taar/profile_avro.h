/* profile_avro.h - rows of the table as Avro records, as BigQuery exports them. Source: taar-etl.md
 * 4. */
#pragma once

#include "codec/record.h"
#include "taar/profile.h"

extern const struct column profile_columns[];
/** Append the schema's JSON. */
MUST_CHECK int profile_schema(struct buf *out, struct err *err);
/** Append a row of profile_columns. scratch: for texts of add-ons. */
MUST_CHECK int profile_put_row(struct buf *out, const struct record_ops *ops, struct buf *scratch,
                               const struct cell *cells, struct err *err);
