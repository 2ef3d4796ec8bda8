/* SPDX-License-Identifier: MPL-2.0 */
#include "codec/record.h"
#include "taar/similarity/decimal.h"
#include "taar/similarity/similarity.h"

#include <inttypes.h>

enum { GEO_CITY = CLIENT_COLUMNS, SECONDS, JSON_COLUMNS };

/* Hours are a number there; COLUMN_JSON keeps it as it is written. */
static void json_columns(struct column out[JSON_COLUMNS + 1], bool service_keys)
{
    memcpy(out, client_columns, sizeof client_columns);
    out[CLIENT_HOURS].type = COLUMN_JSON;
    if (!service_keys)
        return;
    out[GEO_CITY] = (struct column){.name = "geo_city", .type = COLUMN_STRING};
    out[SECONDS] = (struct column){.name = "subsession_length", .type = COLUMN_INT64};
    out[JSON_COLUMNS] = (struct column){.name = NULL};
}

int similarity_client_json(struct buf *out, const struct clients *clients, size_t i, bool with_id,
                           bool service_keys, struct err *err)
{
    struct span items[CLIENT_ADDONS_MAX];
    struct cell row[JSON_COLUMNS];
    struct column columns[JSON_COLUMNS + 1];
    clients_row(clients, clients_get(clients, i), row, items);
    json_columns(columns, service_keys);
    row[GEO_CITY] = row[CLIENT_CITY];
    row[SECONDS] = (struct cell){.is_null = row[CLIENT_HOURS].is_null};
    if (!row[SECONDS].is_null)
        row[SECONDS].is_null = !decimal_seconds(&row[SECONDS].integer, row[CLIENT_HOURS].text);
    const unsigned skip = with_id ? 0 : CLIENT_CITY;
    return warehouse_row_json(out, columns + skip, row + skip, err);
}

int similarity_assignments_json(struct buf *out, const struct clients *clients,
                                const uint32_t *cluster_of, struct err *err)
{
    struct span items[CLIENT_ADDONS_MAX];
    struct cell row[CLIENT_COLUMNS];
    int r = buf_append_byte(out, '{', err);
    for (size_t i = 0; i < clients_count(clients) && r == 0; i++) {
        clients_row(clients, clients_get(clients, i), row, items);
        r = i > 0 ? buf_append_str(out, ", ", err) : 0;
        if (r == 0)
            r = json_write_string(out, row[CLIENT_ID].text, err);
        if (r == 0)
            r = buf_printf(out, err, ": %" PRIu32, cluster_of[i]);
    }
    return r < 0 ? r : buf_append_byte(out, '}', err);
}
