/* SPDX-License-Identifier: MPL-2.0 */
#include "warehouse/duckdb_api.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

struct duckdb_api duckdb_api;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct err failure;

/* dlsym hands out data pointers; C has functions and data apart, POSIX does not. */
static void find(void *library, const char *name, void *to)
{
    void *symbol = dlsym(library, name);
    if (!symbol)
        (void)err_set(&failure, E_IO, 0, "libduckdb.so has no %s: it is another version", name);
    memcpy(to, &symbol, sizeof symbol);
}

static void load(void)
{
    void *library = dlopen("libduckdb.so", RTLD_LAZY | RTLD_LOCAL);
    if (!library) {
        (void)err_set(&failure, E_IO, 0, "DuckDB: %s", dlerror());
        return;
    }
#define F(NAME) find(library, "duckdb_" #NAME, &duckdb_api.NAME);
    DUCKDB_FUNCTIONS(F)
#undef F
}

int duckdb_library_load(struct err *err)
{
    (void)pthread_once(&once, load);
    return failure.text[0] ? err_set(err, E_IO, 0, "%s", failure.text) : 0;
}
