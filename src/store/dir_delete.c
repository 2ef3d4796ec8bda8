/* SPDX-License-Identifier: MPL-2.0 */
#include "store/dir.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Of a key: the directory with its "/", or nothing. */
static struct span folder_of(const char *key)
{
    const char *slash = strrchr(key, '/');
    return span_of(key, slash ? (size_t)(slash + 1 - key) : 0);
}

static int remove_file(const struct dir_spot *spot, const char *name, struct err *err)
{
    if (unlinkat(spot->fd, name, 0) == 0 || dir_is_absence(errno) || errno == EISDIR)
        return 0;
    return err_set(err, E_IO, errno, "remove %s", name);
}

/* Keys of one directory, which is found once and flushed once. @return how many, or E_*. */
static ssize_t delete_some(const struct directory *d, const char *const *keys, size_t n,
                           struct err *err)
{
    CLEANUP(dir_leave) struct dir_spot spot = DIR_SPOT_NONE;
    const struct span folder = folder_of(keys[0]);
    int r = dir_find(&spot, d, keys[0], err);
    const bool is_there = r == 0;
    if (r == E_ABSENT)
        r = 0;
    size_t i = 0;
    for (; i < n && r == 0 && span_equal(folder_of(keys[i]), folder); i++)
        if (is_there && keys[i][folder.len] != '\0') // "dir/" is no object here
            r = remove_file(&spot, keys[i] + folder.len, err);
    if (r == 0 && is_there)
        r = dir_prune(d, keys[0], err);
    return r < 0 ? r : (ssize_t)i;
}

int dir_delete_many(void *self, const char *const *keys, size_t n, struct err *err)
{
    for (size_t i = 0; i < n;) {
        const ssize_t done = delete_some(self, keys + i, n - i, err);
        if (done < 0)
            return (int)done;
        i += (size_t)done;
    }
    return 0;
}

int dir_delete_version(void *self, const struct store_object *object, struct err *err)
{
    CLEANUP(dir_leave) struct dir_spot spot = DIR_SPOT_NONE;
    CLEANUP(dir_close_fd) int held = -1;
    int r = dir_find(&spot, self, object->key, err);
    if (r == 0)
        r = dir_hold_version(&held, &spot, object->version, err);
    if (r != 0)
        return r;
    r = remove_file(&spot, spot.name, err);
    return r < 0 ? r : dir_prune(self, object->key, err);
}
