/* SPDX-License-Identifier: MPL-2.0 */
/* Tables made from others: derive, and the bills that it needs. */
#include "base/log.h"
#include "base/utc.h"
#include "cli/fxci.h"
#include "fxci/derive.h"

#include <string.h>

static const int64_t day_us = INT64_C(86400) * 1000000;

/* In the order of what is made from what. */
enum { N_DERIVED = 3 };
static const enum fxci_table derived[N_DERIVED] = {FXCI_WORKER_COSTS, FXCI_WORKER_USAGE,
                                                   FXCI_RUN_COSTS};

/* Does the list name the table? Counts it in *n_found. */
static bool is_listed(const char *list, const char *name, size_t *n_found)
{
    const size_t len = strlen(name);
    bool found = false;
    for (const char *p = list; *p;) {
        const size_t n = strcspn(p, ",");
        if (n == len && memcmp(p, name, n) == 0) {
            found = true;
            ++*n_found;
        }
        p += n + (p[n] == ',');
    }
    return found;
}

static size_t count_listed(const char *list)
{
    size_t n = 1;
    for (; *list; list++)
        n += *list == ',';
    return n;
}

static int pick_tables(bool wanted[N_DERIVED], const struct fxci_setup *setup, struct err *err)
{
    const char *list = setup->args->table;
    size_t n_found = 0;
    for (size_t i = 0; i < N_DERIVED; i++) {
        const char *full = setup->tables.names[derived[i]];
        wanted[i] = !list || is_listed(list, strchr(full, '.') + 1, &n_found) ||
                    is_listed(list, full, &n_found);
    }
    if (!list || n_found == count_listed(list))
        return 0;
    return err_set(err, E_ARG, 0, "Invalid value for '--table': '%.100s' is none of %s, %s and %s.",
                   list, fxci_table_name(derived[0]), fxci_table_name(derived[1]),
                   fxci_table_name(derived[2]));
}

static int derive_day(const struct fxci_setup *setup, struct warehouse *w,
                      const bool wanted[N_DERIVED], int64_t day, struct err *err)
{
    char date[UTC_TEXT_BYTES];
    utc_format(date, day * day_us);
    date[strcspn(date, "T")] = '\0';
    for (size_t i = 0; i < N_DERIVED; i++) {
        uint64_t n_rows = 0;
        const enum fxci_table table = derived[i];
        if (!wanted[i])
            continue;
        const int r = derive_table(w, &setup->tables, &setup->config, table, day, &n_rows, err);
        if (r < 0)
            return err_wrap(err, r, "%s", date);
        log_event(LOG_LEVEL_INFO, "derived", LOG_S("table", setup->tables.names[table]),
                  LOG_S("date", date), LOG_U("rows", n_rows));
    }
    return 0;
}

/* Others that wait for the warehouse get their turn after each day. */
static int derive_days(struct fxci_setup *setup, const bool wanted[N_DERIVED],
                       const struct fxci_days *days, struct err *err)
{
    int r = 0;
    for (int64_t day = days->first; day <= days->last && r == 0; day++) {
        CLEANUP(warehouse_closep) struct warehouse *w = NULL;
        r = fxci_open_tables(setup, &w, err);
        if (r == 0)
            r = derive_day(setup, w, wanted, day, err);
    }
    return r;
}

int cmd_derive(void *args, struct err *err)
{
    CLEANUP(fxci_end) struct fxci_setup setup = {0};
    struct fxci_days days;
    bool wanted[N_DERIVED];
    int r = fxci_start(&setup, args, &(const struct config_use){.bigquery = true}, err);
    if (r == 0)
        r = fxci_read_days(&days, &setup, err);
    if (r == 0)
        r = pick_tables(wanted, &setup, err);
    if (r == 0)
        r = derive_days(&setup, wanted, &days, err);
    return fxci_exit(r);
}

int cmd_load_billing(void *args, struct err *err)
{
    const struct fxci_args *a = args;
    CLEANUP(fxci_end) struct fxci_setup setup = {0};
    CLEANUP(warehouse_closep) struct warehouse *w = NULL;
    const struct billing_files files = {
        .gcp = a->gcp, .azure = a->azure, .azure_table = a->azure_table};
    struct billing_counts counts = {0};
    if (!a->gcp && !a->azure)
        return err_set(err, E_ARG, 0, "Give '--gcp', '--azure' or both."), EXIT_USAGE;
    if (a->azure_table && !a->azure)
        return err_set(err, E_ARG, 0, "'--azure-table' needs '--azure'."), EXIT_USAGE;
    int r = fxci_start(&setup, a, &(const struct config_use){.bigquery = true}, err);
    if (r == 0)
        r = fxci_open_tables(&setup, &w, err);
    if (r == 0)
        r = billing_load(w, &setup.tables, &files, &counts, err);
    if (r == 0)
        log_event(LOG_LEVEL_INFO, "bills loaded", LOG_U("gcp", counts.n_gcp),
                  LOG_U("azure", counts.n_azure_load),
                  LOG_U("azure_lookup", counts.n_azure_lookup));
    return fxci_exit(r);
}
