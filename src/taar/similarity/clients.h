/*
 * clients.h - the clients that reach clustering, in memory: about 150 bytes each. Source:
 * taar-etl.md section 5 steps 1, 2 and 5, section 9.
 */
#pragma once

#include "taar/similarity/names.h"
#include "warehouse/warehouse.h"

/* How rows come, and what stands in donors.json behind the first. */
enum client_column {
    CLIENT_ID,
    CLIENT_CITY,
    CLIENT_HOURS, // NUMERIC, as text: exact
    CLIENT_LOCALE,
    CLIENT_OS,
    CLIENT_BOOKMARKS,
    CLIENT_TABS,
    CLIENT_URIS,
    CLIENT_TLDS,
    CLIENT_ADDONS,
    CLIENT_COLUMNS,
};
extern const struct column client_columns[CLIENT_COLUMNS + 1];

enum { CLIENT_ADDONS_MAX = 1000 };

struct client {
    uint64_t text;        // where its id starts; the hours follow
    uint64_t first_addon; // in clients.addons
    double bookmarks, tlds;
    int64_t tabs, uris;
    uint32_t id_len;
    uint32_t city, locale, os; // names
    uint16_t hours_len, n_addons;
    uint16_t nulls; // a bit an enum client_column
};

struct clients {
    struct buf rows;   // struct client
    struct buf text;   // ids and hours
    struct buf addons; // uint32_t: names
    struct names names;
    uint64_t n_refused; // their numbers are none
};

void clients_init(struct clients *c);
void clients_deinit(struct clients *c);
size_t clients_count(const struct clients *c);
const struct client *clients_get(const struct clients *c, size_t i);
/** Names of client's add-ons, in its order; n_addons of them. */
const uint32_t *clients_addons(const struct clients *c, const struct client *client);
/** Take a row of client_columns: copied. One with a number that is NaN or infinite is left out and
 * counted. @return 0, E_FORMAT (no client id, too many add-ons) or E_NOMEM. */
MUST_CHECK int clients_add(struct clients *c, const struct cell *row, struct err *err);
/** Order by id and then by all else, so that results do not depend on how rows arrive. */
void clients_sort(struct clients *c);

/** The client as a row again: borrowed until the next clients_add. items: CLIENT_ADDONS_MAX. */
void clients_row(const struct clients *c, const struct client *client, struct cell *row,
                 struct span *items);
/** Its hours as a number; 0 where null. */
double clients_hours(const struct clients *c, const struct client *client);
static inline bool client_is_null(const struct client *client, enum client_column column)
{
    return (client->nulls >> column & 1) != 0;
}
