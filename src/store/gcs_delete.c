/* SPDX-License-Identifier: MPL-2.0 */
#include "base/pool.h"
#include "store/gcs_internal.h"

#include <stdatomic.h>
#include <string.h>

enum { MAX_DELETERS = 16 };

/* version NULL: whatever version is there. */
static int delete_object(struct gcs *gcs, const char *key, const char *version, struct err *err)
{
    struct gcs_call call;
    gcs_call_begin(&call, gcs, "DELETE", GCS_OBJECTS, key);
    if (version)
        gcs_call_query(&call, "ifGenerationMatch", version);
    const int r = gcs_call_send(&call, err);
    gcs_call_end(&call);
    return r == E_ABSENT ? 0 : r;
}

struct deletion {
    struct gcs *gcs;
    const char *const *keys;
    size_t n;
    atomic_size_t next;
};

/* A pool_fn. The first failure ends this worker; the others are about to meet it, too. */
static int delete_some(unsigned index, void *arg, struct err *err)
{
    struct deletion *d = arg;
    (void)index;
    for (size_t i; (i = atomic_fetch_add(&d->next, 1)) < d->n;) {
        const int r = delete_object(d->gcs, d->keys[i], NULL, err);
        if (r < 0)
            return r;
    }
    return 0;
}

int gcs_delete_many(void *self, const char *const *keys, size_t n, struct err *err)
{
    struct deletion d = {.gcs = self, .keys = keys, .n = n};
    return pool_run(n < MAX_DELETERS ? (unsigned)n : MAX_DELETERS, delete_some, &d, err);
}

/* The service checks the version as it deletes; emulators delete whatever is there, so look first.
 */
int gcs_delete_version(void *self, const struct store_object *object, struct err *err)
{
    struct store_object now;
    const int r = gcs_stat(self, object->key, &now, err);
    if (r == 0 && strcmp(now.version, object->version) != 0)
        return STORE_CONFLICT;
    return r == 0 ? delete_object(self, object->key, object->version, err) : r;
}
