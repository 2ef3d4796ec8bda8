/* publish_dirs.h - two folders with one aggregate each to one published line. */
#pragma once

#include "base/buf.h"
#include "processor/inputs.h"
#include "processor/stage_dirs.h"

/**
 * Append {"id":..,"timestamp":..,"payload":[..],"error":..,"total":..} and a newline; the counts
 * are the own server's.
 * @return 0, or E_FORMAT: a side has not exactly one aggregate, or they do not belong together.
 */
MUST_CHECK int publish_line(struct buf *line, const struct stage_dirs_options *options,
                            const struct inputs *own, const struct inputs *peer, struct err *err);
