/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/content_table.h"

#include "base/utc.h"
#include "processor/layout.h"

#include <stdio.h>

/* All may be null, as in the tables that exist: their columns were once detected from rows. */
static const struct column columns[CONTENT_N_COLUMNS + 1] = {
    [CONTENT_ID] = {.name = "id", .type = COLUMN_STRING},
    [CONTENT_TIMESTAMP] = {.name = "timestamp", .type = COLUMN_DATETIME},
    [CONTENT_BATCH_ID] = {.name = "batch_id", .type = COLUMN_STRING},
    [CONTENT_ORIGIN] = {.name = "origin", .type = COLUMN_STRING},
    [CONTENT_HASH] = {.name = "hash", .type = COLUMN_STRING},
    [CONTENT_INDEX] = {.name = "index", .type = COLUMN_INT64},
    [CONTENT_AGGREGATE] = {.name = "aggregate", .type = COLUMN_INT64},
    [CONTENT_SUBMISSION_DATE] = {.name = "submission_date", .type = COLUMN_DATE},
};

static const char *or_else(const char *text, const char *fallback)
{
    return text && *text ? text : fallback;
}

int content_schema(struct table_schema *schema, struct buf *name, const struct content_place *place,
                   struct err *err)
{
    buf_clear(name);
    int r = buf_printf(name, err, "%s.%s", or_else(place->dataset, "telemetry"),
                       or_else(place->table, "content_blocking_dev"));
    if (r == 0)
        r = buf_append_byte(name, '\0', err);
    if (r < 0)
        return r;
    *schema = (struct table_schema){
        .name = (const char *)name->data,
        .columns = columns,
        .partition_column = columns[CONTENT_SUBMISSION_DATE].name,
    };
    return 0;
}

int content_date(int64_t *days, const char *text, struct err *err)
{
    int64_t us;
    char midnight[32];
    if (!layout_is_date(text))
        return err_set(err, E_ARG, 0, "\"%s\" is not a date like 2026-03-14", text);
    (void)snprintf(midnight, sizeof midnight, "%sT00:00:00Z", text);
    const int r = utc_parse(&us, midnight, err);
    if (r == 0)
        *days = us / (INT64_C(86400) * 1000000);
    return r;
}
