/* content_table.h - the warehouse table that insert fills and dump shows (prio-processor.md D19).
 */
#pragma once

#include "base/buf.h"
#include "warehouse/warehouse.h"

enum content_column {
    CONTENT_ID,
    CONTENT_TIMESTAMP,
    CONTENT_BATCH_ID,
    CONTENT_ORIGIN,
    CONTENT_HASH,
    CONTENT_INDEX,
    CONTENT_AGGREGATE,
    CONTENT_SUBMISSION_DATE,
    CONTENT_N_COLUMNS,
};

/* Where it is. NULL or "": telemetry and content_blocking_dev. */
struct content_place {
    struct warehouse *warehouse;
    const char *dataset, *table;
};

/** The schema; its name is put into name, which must live as long. @return 0, E_ARG or E_NOMEM. */
MUST_CHECK int content_schema(struct table_schema *schema, struct buf *name,
                              const struct content_place *place, struct err *err);
/** "2026-03-14" as days since 1970-01-01. @return 0 or E_ARG naming the text. */
MUST_CHECK int content_date(int64_t *days, const char *text, struct err *err);
