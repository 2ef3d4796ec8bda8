/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/place.h"

#include <stdlib.h>
#include <string.h>

const char *place_key(struct buf *out, const struct place *place, const char *rest, struct err *err)
{
    buf_clear(out);
    int r = buf_append_str(out, place->dir, err);
    if (r == 0 && place->dir[0] != '\0')
        r = buf_append_byte(out, '/', err);
    if (r == 0)
        r = buf_append_str(out, rest, err);
    if (r == 0)
        r = buf_append_byte(out, '\0', err);
    return r < 0 ? NULL : (const char *)out->data;
}

static int delete_all(const struct place *place, const struct store_listing *listing,
                      struct err *err)
{
    const char *keys[PLACE_DELETE_AT_ONCE];
    size_t n = 0;
    int r = 0;
    for (size_t i = 0; i < listing->n && r == 0; i++) {
        keys[n++] = listing->objects[i].key;
        if (n == PLACE_DELETE_AT_ONCE || i + 1 == listing->n) {
            r = store_delete(place->store, keys, n, err);
            n = 0;
        }
    }
    return r;
}

int place_clear(const struct place *place, const char *rest, struct err *err)
{
    CLEANUP(buf_deinit) struct buf key = PLACE_KEY_INIT;
    CLEANUP(store_listing_deinit) struct store_listing listing = {0};
    const char *prefix = place_key(&key, place, rest, err);
    if (!prefix)
        return E_NOMEM;
    const int r = store_list(place->store, prefix, &listing, err);
    if (r == E_ABSENT)
        return 0;
    return r < 0 ? r : delete_all(place, &listing, err);
}

int place_mark(const struct place *place, const char *rest, struct err *err)
{
    CLEANUP(buf_deinit) struct buf key = PLACE_KEY_INIT;
    const char *marker = place_key(&key, place, rest, err);
    if (!marker)
        return E_NOMEM;
    return store_put(place->store, marker, (struct span){0}, NULL, NULL, err);
}

int place_unmark(const struct place *place, const char *rest, struct err *err)
{
    CLEANUP(buf_deinit) struct buf key = PLACE_KEY_INIT;
    const char *marker = place_key(&key, place, rest, err);
    return marker ? store_delete_one(place->store, marker, err) : E_NOMEM;
}

int place_overwrite(const struct place *place, struct err *err)
{
    if (place->dir[0] == '\0' && !store_is_local(place->store))
        return err_set(err, E_ARG, 0,
                       "%s is a whole bucket, which would be emptied: name a folder in it",
                       store_name(place->store));
    if (place->dir[0] == '\0' && strcmp(store_name(place->store), "/") == 0)
        return err_set(err, E_ARG, 0, "/ would be emptied: name a folder in it");
    const int r = place_unmark(place, "_SUCCESS", err);
    return r < 0 ? r : place_clear(place, "", err);
}
