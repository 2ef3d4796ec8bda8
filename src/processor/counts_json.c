/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/counts_json.h"

json_t *counts_to_json(const struct stage_counts *counts)
{
    json_t *json = json_pack("{s:I, s:I}", "total", (json_int_t)counts->total, "error",
                             (json_int_t)counts->error);
    for (int i = 0; i < REASON_COUNT; i++)
        if (counts->by_reason[i] > 0)
            (void)json_object_set_new(json, stage_reason_name((enum stage_reason)i),
                                      json_integer((json_int_t)counts->by_reason[i]));
    return json;
}

bool counts_from_json(const json_t *from, struct stage_counts *counts)
{
    if (!json_is_object(from))
        return false;
    counts->total = (uint64_t)json_integer_value(json_object_get(from, "total"));
    counts->error = (uint64_t)json_integer_value(json_object_get(from, "error"));
    for (int i = 0; i < REASON_COUNT; i++)
        counts->by_reason[i] = (uint64_t)json_integer_value(
            json_object_get(from, stage_reason_name((enum stage_reason)i)));
    return true;
}
