/* warehouse_test.h - what the tests of this folder share: a directory with a warehouse in it. */
#pragma once

#include "../base/base_test.h"
#include "base/compiler.h"
#include "warehouse/warehouse.h"

struct place {
    char dir[TEST_PATH_BYTES];
    char url[TEST_PATH_BYTES + 64];
};

static inline int make_place(void **state)
{
    static struct place p;
    make_temp_dir(p.dir);
    (void)snprintf(p.url, sizeof p.url, "duckdb://%s/new/w.duckdb", p.dir);
    *state = &p;
    return 0;
}

static inline int remove_place(void **state)
{
    const struct place *p = *state;
    char command[TEST_PATH_BYTES + 16];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", p->dir);
    return system(command); // NOLINT(cert-env33-c): a path of our own making
}

static inline struct warehouse *open_place(const struct place *p)
{
    struct warehouse *w = NULL;
    struct err err = {0};
    if (warehouse_open(&w, &(struct warehouse_config){.url = p->url}, &err) != 0)
        fail_msg("%s", err.text);
    return w;
}

static inline void assert_ok(int r, const struct err *err)
{
    if (r != 0)
        fail_msg("%d: %s", r, err->text);
}
