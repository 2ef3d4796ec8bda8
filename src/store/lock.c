/* SPDX-License-Identifier: MPL-2.0 */
#include "store/backend.h"
#include "store/lock_object.h"

#include <stdlib.h>
#include <string.h>

static int wrap(const struct store *store, const char *key, int r, struct err *err)
{
    return r < 0 ? err_wrap(err, r, "lock %s/%s", store->name, key) : r;
}

int store_lock(struct store_lock **out, struct store *store, const char *key, struct err *err)
{
    struct store_lock *lock = NULL;
    int r = key_check(store, key, true, err);
    if (r < 0)
        return r;
    r = store->backend->lock ? store->backend->lock(&lock, store, key, err)
                             : lock_object(&lock, store, key, err);
    if (r < 0)
        return wrap(store, key, r, err);
    lock->store = store;
    lock->key = strdup(key);
    if (!lock->key) {
        store_unlock(lock);
        return err_set(err, E_NOMEM, 0, "no memory for a lock");
    }
    *out = lock;
    return 0;
}

int store_lock_check(struct store_lock *lock, struct err *err)
{
    return wrap(lock->store, lock->key, lock->ops->check(lock, err), err);
}

void store_unlock(struct store_lock *lock)
{
    if (!lock)
        return;
    char *key = lock->key;
    lock->ops->unlock(lock);
    free(key);
}
