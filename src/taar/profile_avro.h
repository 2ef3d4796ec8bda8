/* profile_avro.h - rows of the table as Avro records, as BigQuery exports them. Source: taar-etl.md
 * 4. */
#pragma once

#include "codec/record.h"
#include "taar/profile.h"

extern const struct column profile_columns[];
/** Append the schema's JSON. */
MUST_CHECK int profile_schema(struct buf *out, struct err *err);
/** Append a row of profile_columns. scratch, texts: for the JSON of add-ons and for one text of it,
 * used again from row to row. */
MUST_CHECK int profile_put_row(struct buf *out, const struct record_ops *ops, struct buf *scratch,
                               struct buf *texts, const struct cell *cells, struct err *err);
