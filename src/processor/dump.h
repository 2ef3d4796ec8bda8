/* dump.h - the rows of insert's table as text. */
#pragma once

#include "processor/content_table.h"
#include "stage/stage.h"

struct dump_options {
    struct content_place place;
    const char *date; // YYYY-MM-DD; NULL or "": all
    enum rows_format format;
};

/** Rows sorted by submission_date, batch_id, origin, index. @return 0, E_ABSENT (no table), E_ARG
 * or E_*. */
MUST_CHECK int dump_rows(const struct dump_options *options, const struct stage_sink *out,
                         struct err *err);
