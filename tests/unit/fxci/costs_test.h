/* costs_test.h - a warehouse with our tables in a directory of its own, and SQL to fill and to ask
 * it. */
#pragma once

#include "../base/base_test.h"
#include "base/compiler.h"
#include "fxci/derive.h"

struct costs_place {
    char dir[TEST_PATH_BYTES];
    struct warehouse *w;
    struct fxci_tables tables;
    struct fxci_config config;
};

int make_costs_place(void **state);
int remove_costs_place(void **state);
#define WITH_COSTS(test) cmocka_unit_test_setup_teardown(test, make_costs_place, remove_costs_place)

void assert_done(int r, const struct err *err);
/** Run statements of DuckDB. {vectors} is the path of the vectors. */
void run_sql(struct costs_place *p, const char *sql);
/** The one number that a query gives; NULL is -1. */
double ask(struct costs_place *p, const char *sql);
/** How many rows of a are not among those of b, or the other way round: columns (NULL ends) alike,
 * the floating ones within 1e-9 of each other. */
double count_differences(struct costs_place *p, const char *a, const char *b,
                         const char *const *columns, const char *const *floats);
/** Write a file into the directory. @return its path, until the next call but seven. */
const char *write_text(struct costs_place *p, const char *name, const char *text);
void load_bills(struct costs_place *p, const char *gcp, const char *azure);
/** Compute a table for a day, "2026-08-19". @return the rows. */
uint64_t derive(struct costs_place *p, enum fxci_table table, const char *date);
