/* SPDX-License-Identifier: MPL-2.0 */
/* A row of a billing export, and what we keep of it. Source: fxci-etl.md 5.1, 5.2, X11. */
#include "base/utc.h"
#include "fxci/billing_internal.h"

#include <math.h>
#include <stdio.h>

static const int64_t day_us = INT64_C(86400) * 1000000;
enum { TIME_BYTES = 64 };

static int get_text(struct cell *cell, const json_t *value, const char *name, struct err *err)
{
    *cell = (struct cell){.is_null = !value || json_is_null(value)};
    if (cell->is_null)
        return 0;
    if (!json_is_string(value))
        return err_set(err, E_FORMAT, 0, "%s is no text", name);
    cell->text = span_of(json_string_value(value), json_string_length(value));
    return 0;
}

/* Exports write decimals, and CSV everything, as text. */
static bool read_number(double *out, const json_t *value)
{
    if (json_is_number(value)) {
        *out = json_number_value(value);
        return true;
    }
    const char *text = json_string_value(value);
    if (!text || !*text || text[strspn(text, "0123456789+-.eE")])
        return false;
    char *end;
    *out = strtod(text, &end);
    return *end == '\0' && isfinite(*out);
}

static int get_number(struct cell *cell, const json_t *value, const char *name, struct err *err)
{
    *cell = (struct cell){.is_null = !value || json_is_null(value)};
    if (cell->is_null || read_number(&cell->real, value))
        return 0;
    return err_set(err, E_FORMAT, 0, "%s is no number", name);
}

/* A zone as "+00", or none, is how DuckDB writes a time of Parquet or CSV. */
static bool read_tabular_time(int64_t *us, struct span text)
{
    static const char zone[] = "+00";
    char time[TIME_BYTES];
    const size_t n_zone = sizeof zone - 1;
    if (text.len > n_zone && memcmp(text.ptr + text.len - n_zone, zone, n_zone) == 0)
        text.len -= n_zone;
    const int n = snprintf(time, sizeof time, "%.*s UTC", (int)text.len, (const char *)text.ptr);
    return n > 0 && (size_t)n < sizeof time && utc_parse_billing(us, span_of(time, (size_t)n));
}

static bool read_time(int64_t *us, struct span text, bool tabular)
{
    return utc_parse_rfc3339(us, text) || utc_parse_billing(us, text) ||
           (tabular && text.len < TIME_BYTES && read_tabular_time(us, text));
}

static int64_t day_of(int64_t us)
{
    return us / day_us - (us % day_us < 0);
}

static struct span text_of(const json_t *value)
{
    const char *text = json_string_value(value);
    return text ? span_of(text, json_string_length(value)) : (struct span){0};
}

static int get_start(struct cell cells[GCP_N], const json_t *row, bool tabular, struct err *err)
{
    int64_t us;
    if (!read_time(&us, text_of(json_object_get(row, "usage_start_time")), tabular))
        return err_set(err, E_FORMAT, 0,
                       "usage_start_time is no time like 2026-08-19T17:00:00Z or 2026-08-19 "
                       "17:00:00 UTC");
    cells[GCP_USAGE_START_TIME] = (struct cell){.integer = us};
    cells[GCP_USAGE_DATE] = (struct cell){.integer = day_of(us)};
    return 0;
}

/* "project": {"id"}, or in a flat file "project.id" or "project_id". */
static int get_nested(struct cell *cell, const json_t *row, const char *record, const char *field,
                      struct err *err)
{
    char name[64];
    const json_t *value = json_object_get(row, record);
    if (value && !json_is_null(value) && !json_is_object(value))
        return err_set(err, E_FORMAT, 0, "%s is no object", record);
    value = json_object_get(value, field);
    (void)snprintf(name, sizeof name, "%s_%s", record, field);
    if (!value)
        value = json_object_get(row, name);
    name[strlen(record)] = '.';
    if (!value)
        value = json_object_get(row, name);
    return get_text(cell, value, name, err);
}

static int sum_credits(struct cell *cell, const json_t *credits, struct err *err)
{
    size_t i;
    json_t *credit;
    *cell = (struct cell){.is_null = true};
    if (!credits || json_is_null(credits))
        return 0;
    if (!json_is_array(credits))
        return err_set(err, E_FORMAT, 0, "credits is no list");
    json_array_foreach(credits, i, credit)
    {
        struct cell amount;
        if (!json_is_object(credit))
            return err_set(err, E_FORMAT, 0, "credits[%zu] is no object", i);
        const int r =
            get_number(&amount, json_object_get(credit, "amount"), "the amount of a credit", err);
        if (r < 0)
            return r;
        if (!amount.is_null)
            *cell = (struct cell){.real = cell->real + amount.real};
    }
    return 0;
}

/* In CSV a list is the text of one. */
static int get_credits(struct cell *cell, const json_t *row, struct err *err)
{
    const json_t *credits = json_object_get(row, "credits");
    if (!json_is_string(credits))
        return sum_credits(cell, credits, err);
    json_t *list = json_loads(json_string_value(credits), 0, NULL);
    const int r =
        list ? sum_credits(cell, list, err) : err_set(err, E_FORMAT, 0, "credits is no list");
    json_decref(list);
    return r;
}

int billing_gcp_row(struct cell cells[GCP_N], json_t *row, bool tabular, bool *has_cost,
                    struct err *err)
{
    const json_t *cost = json_object_get(row, "cost");
    *has_cost |= cost != NULL;
    int r = get_start(cells, row, tabular, err);
    if (r == 0)
        r = get_nested(&cells[GCP_PROJECT_ID], row, "project", "id", err);
    if (r == 0)
        r = get_nested(&cells[GCP_RESOURCE_NAME], row, "resource", "name", err);
    if (r == 0)
        r = get_nested(&cells[GCP_GLOBAL_NAME], row, "resource", "global_name", err);
    if (r == 0)
        r = get_number(&cells[GCP_COST], cost, "cost", err);
    return r < 0 ? r : get_credits(&cells[GCP_CREDITS], row, err);
}

static const struct azure_table {
    const char *name, *export;
    bool is_lookup;
} azure_tables[] = {
    {"fxci_daily_actual_load", "fxci", false},
    {"fxci_daily_actual_lookup", "fxci", true},
    {"taskcluster_daily_actual_load", "taskcluster", false},
    {"taskcluster_daily_actual_lookup", "taskcluster", true},
};

static const struct azure_table *find_azure_table(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(azure_tables); i++)
        if (name && strcmp(azure_tables[i].name, name) == 0)
            return &azure_tables[i];
    return NULL;
}

int billing_check_azure_table(const char *table, struct err *err)
{
    return find_azure_table(table)
               ? 0
               : err_set(err, E_ARG, 0,
                         "there is no Azure table \"%.100s\": it is one of %s, %s, %s, %s", table,
                         azure_tables[0].name, azure_tables[1].name, azure_tables[2].name,
                         azure_tables[3].name);
}

static int get_date(struct cell *cell, const json_t *row, bool tabular, struct err *err)
{
    const struct span text = text_of(json_object_get(row, "date"));
    int64_t us;
    *cell = (struct cell){0};
    if (utc_parse_date(&cell->integer, text))
        return 0;
    if (!read_time(&us, text, tabular))
        return err_set(err, E_FORMAT, 0, "date is no day like 2026-08-19");
    cell->integer = day_of(us);
    return 0;
}

static int get_load_row(struct cell cells[AZURE_N], const json_t *row, bool tabular, bool *has_cost,
                        struct err *err)
{
    static const struct {
        const char *name;
        int cell;
        bool number;
    } members[] = {
        {"subscriptionName", AZURE_SUBSCRIPTION_NAME, false},
        {"ResourceId", AZURE_RESOURCE_ID, false},
        {"resourceLocation", AZURE_RESOURCE_LOCATION, false},
        {"costInBillingCurrency", AZURE_COST, true},
        {"quantity", AZURE_QUANTITY, true},
        {"chargeType", AZURE_CHARGE_TYPE, false},
        {"meterCategory", AZURE_METER_CATEGORY, false},
        {"unitOfMeasure", AZURE_UNIT_OF_MEASURE, false},
    };
    *has_cost |= json_object_get(row, "costInBillingCurrency") != NULL;
    int r = get_date(&cells[AZURE_USAGE_DATE], row, tabular, err);
    for (size_t i = 0; i < ARRAY_LEN(members) && r == 0; i++) {
        const json_t *value = json_object_get(row, members[i].name);
        r = members[i].number ? get_number(&cells[members[i].cell], value, members[i].name, err)
                              : get_text(&cells[members[i].cell], value, members[i].name, err);
    }
    return r;
}

int billing_azure_row(struct cell cells[AZURE_N], json_t *row, const char *table, bool tabular,
                      bool *has_cost, struct err *err)
{
    for (size_t i = 0; i < AZURE_N; i++)
        cells[i] = (struct cell){.is_null = true};
    const json_t *name = json_object_get(row, "table");
    const struct azure_table *t = find_azure_table(table ? table : json_string_value(name));
    if (!t)
        return json_is_string(name)
                   ? err_set(err, E_FORMAT, 0, "there is no Azure table \"%.100s\"",
                             json_string_value(name))
                   : err_set(err, E_FORMAT, 0,
                             "there is no member table; --azure-table says which one it is");
    if (!table && !tabular)
        row = json_object_get(row, "row");
    if (!json_is_object(row))
        return err_set(err, E_FORMAT, 0, "row is no object");
    const json_t *id = json_object_get(row, "sourceDataId");
    cells[AZURE_EXPORT] = (struct cell){.text = span_str(t->export)};
    cells[AZURE_IS_LOOKUP] = (struct cell){.integer = t->is_lookup};
    if (!id)
        return err_set(err, E_FORMAT, 0, "sourceDataId is missing");
    const int r = get_text(&cells[AZURE_SOURCE_DATA_ID], id, "sourceDataId", err);
    return r < 0 || t->is_lookup ? r : get_load_row(cells, row, tabular, has_cost, err);
}
