/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/similarity/clients.h"

#include "taar/similarity/decimal.h"

#include <math.h>

static const size_t clients_bytes_max = SIZE_MAX / 4;

const struct column client_columns[CLIENT_COLUMNS + 1] = {
    [CLIENT_ID] = {.name = "client_id", .type = COLUMN_STRING},
    [CLIENT_CITY] = {.name = "city", .type = COLUMN_STRING},
    [CLIENT_HOURS] = {.name = "subsession_hours_sum", .type = COLUMN_STRING},
    [CLIENT_LOCALE] = {.name = "locale", .type = COLUMN_STRING},
    [CLIENT_OS] = {.name = "os", .type = COLUMN_STRING},
    [CLIENT_BOOKMARKS] = {.name = "bookmark_count", .type = COLUMN_DOUBLE},
    [CLIENT_TABS] = {.name = "tab_open_count", .type = COLUMN_INT64},
    [CLIENT_URIS] = {.name = "total_uri", .type = COLUMN_INT64},
    [CLIENT_TLDS] = {.name = "unique_tlds", .type = COLUMN_DOUBLE},
    [CLIENT_ADDONS] = {.name = "active_addons", .type = COLUMN_STRINGS},
};

void clients_init(struct clients *c)
{
    *c = (struct clients){.rows = BUF_INIT(clients_bytes_max),
                          .text = BUF_INIT(clients_bytes_max),
                          .addons = BUF_INIT(clients_bytes_max)};
    names_init(&c->names);
}

void clients_deinit(struct clients *c)
{
    buf_deinit(&c->rows);
    buf_deinit(&c->text);
    buf_deinit(&c->addons);
    names_deinit(&c->names);
}

size_t clients_count(const struct clients *c)
{
    return c->rows.len / sizeof(struct client);
}

const struct client *clients_get(const struct clients *c, size_t i)
{
    return (const struct client *)(const void *)c->rows.data + i;
}

const uint32_t *clients_addons(const struct clients *c, const struct client *client)
{
    return (const uint32_t *)(const void *)c->addons.data + client->first_addon;
}

static struct span id_of(const struct clients *c, const struct client *client)
{
    return span_of(c->text.data + client->text, client->id_len);
}

static struct span hours_of(const struct clients *c, const struct client *client)
{
    return span_of(c->text.data + client->text + client->id_len, client->hours_len);
}

static bool is_number(const struct cell *cell)
{
    return cell->is_null || isfinite(cell->real);
}

/* @return 1, 0: the hours are no number, or E_NOMEM. */
static int add_text(struct clients *c, struct client *client, const struct cell *row,
                    struct err *err)
{
    client->text = c->text.len;
    client->id_len = (uint32_t)row[CLIENT_ID].text.len;
    int r = buf_append(&c->text, row[CLIENT_ID].text.ptr, client->id_len, err);
    if (r < 0 || row[CLIENT_HOURS].is_null)
        return r < 0 ? r : 1;
    r = decimal_plain(&c->text, row[CLIENT_HOURS].text, err);
    client->hours_len = (uint16_t)(c->text.len - client->text - client->id_len);
    if (r == 0)
        c->text.len = client->text;
    return r;
}

/* Where null, the name of the empty text, which is what it is compared as. */
static int add_name(struct clients *c, uint32_t *name, const struct cell *cell, struct err *err)
{
    return names_intern(&c->names, cell->is_null ? span_str("") : cell->text, name, err);
}

static int add_names(struct clients *c, struct client *client, const struct cell *row,
                     struct err *err)
{
    int r = add_name(c, &client->city, &row[CLIENT_CITY], err);
    if (r == 0)
        r = add_name(c, &client->locale, &row[CLIENT_LOCALE], err);
    if (r == 0)
        r = add_name(c, &client->os, &row[CLIENT_OS], err);
    const struct cell *addons = &row[CLIENT_ADDONS];
    client->first_addon = c->addons.len / sizeof(uint32_t);
    client->n_addons = (uint16_t)addons->n_items;
    for (size_t i = 0; i < addons->n_items && r == 0; i++) {
        uint32_t name;
        r = names_intern(&c->names, addons->items[i], &name, err);
        if (r == 0)
            r = buf_append(&c->addons, &name, sizeof name, err);
    }
    return r;
}

static void take_numbers(struct client *client, const struct cell *row)
{
    for (unsigned i = 0; i < CLIENT_COLUMNS; i++)
        client->nulls = (uint16_t)(client->nulls | (unsigned)row[i].is_null << i);
    client->bookmarks = row[CLIENT_BOOKMARKS].is_null ? 0 : row[CLIENT_BOOKMARKS].real;
    client->tlds = row[CLIENT_TLDS].is_null ? 0 : row[CLIENT_TLDS].real;
    client->tabs = row[CLIENT_TABS].is_null ? 0 : row[CLIENT_TABS].integer;
    client->uris = row[CLIENT_URIS].is_null ? 0 : row[CLIENT_URIS].integer;
}

int clients_add(struct clients *c, const struct cell *row, struct err *err)
{
    struct client client;
    memset(&client, 0, sizeof client);
    if (row[CLIENT_ID].is_null || row[CLIENT_ID].text.len > UINT16_MAX)
        return err_set(err, E_FORMAT, 0, "a client without an id, or with one of over 64 KiB");
    if (row[CLIENT_ADDONS].is_null || row[CLIENT_ADDONS].n_items > CLIENT_ADDONS_MAX)
        return err_set(err, E_FORMAT, 0, "a client without a list of add-ons, or over %d of them",
                       CLIENT_ADDONS_MAX);
    int r = is_number(&row[CLIENT_BOOKMARKS]) && is_number(&row[CLIENT_TLDS]);
    if (r == 1)
        r = add_text(c, &client, row, err);
    if (r == 0)
        c->n_refused++;
    if (r <= 0)
        return r;
    take_numbers(&client, row);
    r = add_names(c, &client, row, err);
    return r < 0 ? r : buf_append(&c->rows, &client, sizeof client, err);
}

static void put_text(struct cell *cell, struct span text)
{
    if (!cell->is_null)
        cell->text = text;
}

void clients_row(const struct clients *c, const struct client *client, struct cell *row,
                 struct span *items)
{
    const uint32_t *addons = clients_addons(c, client);
    for (unsigned k = 0; k < CLIENT_COLUMNS; k++)
        row[k] = (struct cell){.is_null = client_is_null(client, (enum client_column)k)};
    put_text(&row[CLIENT_ID], id_of(c, client));
    put_text(&row[CLIENT_CITY], names_get(&c->names, client->city));
    put_text(&row[CLIENT_HOURS], hours_of(c, client));
    put_text(&row[CLIENT_LOCALE], names_get(&c->names, client->locale));
    put_text(&row[CLIENT_OS], names_get(&c->names, client->os));
    row[CLIENT_BOOKMARKS].real = client->bookmarks;
    row[CLIENT_TLDS].real = client->tlds;
    row[CLIENT_TABS].integer = client->tabs;
    row[CLIENT_URIS].integer = client->uris;
    for (size_t k = 0; k < client->n_addons; k++)
        items[k] = names_get(&c->names, addons[k]);
    row[CLIENT_ADDONS].items = items;
    row[CLIENT_ADDONS].n_items = client->n_addons;
}

double clients_hours(const struct clients *c, const struct client *client)
{
    char text[2 * DECIMAL_BYTES_MAX + sizeof "-0."];
    if (client_is_null(client, CLIENT_HOURS) || client->hours_len >= sizeof text)
        return 0;
    memcpy(text, hours_of(c, client).ptr, client->hours_len);
    text[client->hours_len] = '\0';
    return strtod(text, NULL);
}
