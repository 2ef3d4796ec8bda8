/* counts_json.h - what a stage counted, as it stands in the files below own/state/. */
#pragma once

#include "stage/counts.h"

#include <jansson.h>
#include <stdbool.h>

/** {"total", "error", and each reason that has a count}; NULL: no memory. */
json_t *counts_to_json(const struct stage_counts *counts);
/** counts is zeroed before. @return false: that is no object. */
bool counts_from_json(const json_t *from, struct stage_counts *counts);
