/* SPDX-License-Identifier: MPL-2.0 */
#include "base/tempfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* For file systems without O_TMPFILE: a name that is removed at once. */
static int open_named(const char *dir)
{
    char *path = NULL;
    if (asprintf(&path, "%s/weir-XXXXXX", dir) < 0) {
        errno = ENOMEM;
        return -1;
    }
    const int fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        (void)unlink(path); // nothing but its space depends on it
    free(path);
    return fd;
}

int tempfile_open(struct tempfile *t, const char *dir, struct err *err)
{
    *t = (struct tempfile){.dir = dir};
    t->fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (t->fd < 0)
        t->fd = open_named(dir);
    if (t->fd < 0)
        return err_set(err, E_IO, errno,
                       "create a temporary file in %s (--tmp or TMPDIR name another folder)", dir);
    return 0;
}

void tempfile_close(struct tempfile *t)
{
    if (t->fd >= 0)
        (void)close(t->fd); // nobody reads it any more
    t->fd = -1;
}

int tempfile_append(struct tempfile *t, const void *bytes, size_t len, struct err *err)
{
    const char *rest = bytes;
    while (len > 0) {
        const ssize_t n = pwrite(t->fd, rest, len, (off_t)t->end);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(err, E_IO, errno,
                           "write a temporary file in %s (--tmp or TMPDIR name another folder)",
                           t->dir);
        rest += n;
        len -= (size_t)n;
        t->end += (uint64_t)n;
    }
    return 0;
}

int tempfile_read(const struct tempfile *t, uint64_t offset, void *dst, size_t len, struct err *err)
{
    char *rest = dst;
    while (len > 0) {
        const ssize_t n = pread(t->fd, rest, len, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return err_set(err, E_IO, n < 0 ? errno : 0, "read a temporary file in %s%s", t->dir,
                           n < 0 ? "" : ": it is too short");
        rest += n;
        len -= (size_t)n;
        offset += (uint64_t)n;
    }
    return 0;
}
