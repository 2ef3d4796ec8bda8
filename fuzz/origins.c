/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/origins.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was taken goes out as ORIGIN lines and comes back the same. */
static void check_round(const struct origins *origins)
{
    struct buf text = BUF_INIT(ORIGINS_MAX_BYTES), json = BUF_INIT(ORIGINS_MAX_BYTES);
    struct origins again;
    for (size_t i = 0; i + 1 < origins->n; i++)
        if (buf_printf(&text, NULL, "ORIGIN(\"%s\", \"%s\")\n", origins->entries[i].name,
                       origins->entries[i].hash) != 0)
            abort();
    if (origins_parse_list(&again, buf_span(&text), "again", NULL) != 0 || again.n != origins->n)
        abort();
    for (size_t i = 0; i < origins->n; i++)
        if (strcmp(again.entries[i].name, origins->entries[i].name) != 0 ||
            strcmp(again.entries[i].hash, origins->entries[i].hash) != 0 ||
            again.entries[i].index != i)
            abort();
    if (origins_format(&json, origins, NULL) != 0)
        abort();
    origins_deinit(&again);
    buf_deinit(&json);
    buf_deinit(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct origins origins;
    if (origins_parse_list(&origins, span_of(data, size), "fuzz", NULL) != 0)
        return 0;
    check_round(&origins);
    origins_deinit(&origins);
    return 0;
}
