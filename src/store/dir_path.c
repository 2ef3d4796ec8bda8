/* SPDX-License-Identifier: MPL-2.0 */
#include "base/outfile.h"
#include "base/retry.h"
#include "store/dir.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    OPEN_DIRECTORY = O_PATH | O_DIRECTORY | O_CLOEXEC,
    HOLD_WAIT_MS = 5000,
    HOLD_STEP_MS = 5,
};

bool dir_is_absence(int cause)
{
    return cause == ENOENT || cause == ENOTDIR || cause == ENAMETOOLONG || cause == ELOOP;
}

void dir_close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd); // only read from, or flushed
    *fd = -1;
}

void dir_leave(struct dir_spot *spot)
{
    dir_close_fd(&spot->fd);
}

/* Open directory name in parent, after making it where that is wanted. */
static int enter(int *fd, int parent, const char *name, bool make, struct err *err)
{
    int r = 0;
    if (make && mkdirat(parent, name, 0777) == 0)
        r = directory_sync(parent, name, err);
    else if (make && errno != EEXIST)
        r = err_set(err, errno == ENOENT ? E_ABSENT : E_IO, errno, "create directory %s", name);
    if (r < 0)
        return r;
    *fd = openat(parent, name, OPEN_DIRECTORY | O_NOFOLLOW);
    if (*fd >= 0)
        return 0;
    if (make && errno == ENOTDIR)
        return err_set(err, E_IO, ENOTDIR, "%s is a file or a symbolic link", name);
    return err_set(err, dir_is_absence(errno) ? E_ABSENT : E_IO, errno, "directory %s", name);
}

static int open_root(int *fd, const struct directory *d, bool make, struct err *err)
{
    *fd = open(d->root, OPEN_DIRECTORY);
    if (*fd < 0 && errno == ENOENT && make) {
        const int r = make_directories(d->root, err);
        if (r < 0)
            return r == E_IO && err && err->native == ENOENT ? E_ABSENT : r;
        *fd = open(d->root, OPEN_DIRECTORY);
    }
    if (*fd >= 0)
        return 0;
    return err_set(err, errno == ENOENT ? E_ABSENT : E_IO, errno, "directory %s", d->root);
}

static int walk(struct dir_spot *spot, const struct directory *d, const char *key, bool make,
                struct err *err)
{
    char name[STORE_MAX_KEY + 1];
    int fd = -1;
    int r = open_root(&fd, d, make, err);
    const char *part = key;
    for (const char *slash; r == 0 && (slash = strchr(part, '/')); part = slash + 1) {
        int below = -1;
        memcpy(name, part, (size_t)(slash - part)); // key_check has seen the key's length
        name[slash - part] = '\0';
        r = enter(&below, fd, name, make, err);
        dir_close_fd(&fd);
        fd = below;
    }
    if (r == 0)
        *spot = (struct dir_spot){.fd = fd, .name = part};
    return r;
}

int dir_find(struct dir_spot *spot, const struct directory *d, const char *key, struct err *err)
{
    return walk(spot, d, key, false, err);
}

int dir_make(struct dir_spot *spot, const struct directory *d, const char *key, struct err *err)
{
    struct err cause = {0};
    const int r = walk(spot, d, key, true, &cause); // the code alone would not tell why
    if (r < 0 && err)
        *err = cause;
    return r;
}

int dir_prune(const struct directory *d, const char *key, struct err *err)
{
    char path[STORE_MAX_KEY + 1];
    (void)snprintf(path, sizeof path, "%s", key);
    for (char *slash; (slash = strrchr(path, '/'));) {
        CLEANUP(dir_leave) struct dir_spot spot = DIR_SPOT_NONE;
        *slash = '\0';
        const int r = dir_find(&spot, d, path, err);
        if (r == E_ABSENT)
            continue;
        if (r < 0)
            return r;
        if (unlinkat(spot.fd, spot.name, AT_REMOVEDIR) == 0 || errno == ENOENT)
            continue;
        *slash = '/'; // it stays: flush its own entries
        break;
    }
    CLEANUP(dir_leave) struct dir_spot last = DIR_SPOT_NONE;
    const int r = dir_find(&last, d, path, err);
    if (r < 0)
        return r == E_ABSENT ? 0 : r;
    return directory_sync(last.fd, key, err);
}

int dir_open_object(int *fd, struct stat *st, const struct dir_spot *spot, struct err *err)
{
    // Without O_NONBLOCK a pipe that somebody put there would wait for its writer.
    *fd = openat(spot->fd, spot->name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (*fd < 0)
        return err_set(err, dir_is_absence(errno) ? E_ABSENT : E_IO, errno, "open");
    int r = 0;
    if (fstat(*fd, st) != 0)
        r = err_set(err, E_IO, errno, "look at it");
    else if (!S_ISREG(st->st_mode))
        r = err_set(err, E_ABSENT, 0, "not a file");
    if (r < 0)
        dir_close_fd(fd);
    return r;
}

/*
 * mtime is set to the nanosecond by whoever puts an object here, because the kernel's own stamps
 * move in steps of milliseconds and inodes are used again. ctime and size tell of writers that set
 * mtime back.
 */
void dir_describe(struct store_object *out, const struct stat *st)
{
    *out = (struct store_object){
        .size = (uint64_t)st->st_size,
        .modified_us = (int64_t)st->st_mtim.tv_sec * 1000000 + st->st_mtim.tv_nsec / 1000,
    };
    (void)snprintf(out->version, sizeof out->version, "%jd%09ld.%jd%09ld.%ju.%jd",
                   (intmax_t)st->st_mtim.tv_sec, st->st_mtim.tv_nsec, (intmax_t)st->st_ctim.tv_sec,
                   st->st_ctim.tv_nsec, (uintmax_t)st->st_ino, (intmax_t)st->st_size);
}

/* A put holds it for the time of a flush, store_lock as long as it likes. */
static int wait_for_lock(int fd, struct err *err)
{
    const uint64_t end = retry_now_ms() + HOLD_WAIT_MS;
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return 0; // where locks are not supported, a look at the version is all there is
        if (retry_now_ms() >= end)
            return err_set(err, E_AGAIN, 0, "another process holds it");
        retry_sleep_ms(HOLD_STEP_MS);
    }
    return 0;
}

int dir_hold_version(int *fd, const struct dir_spot *spot, const char *version, struct err *err)
{
    struct stat st, named;
    struct store_object object;
    int r = dir_open_object(fd, &st, spot, err);
    if (r < 0)
        return r;
    r = wait_for_lock(*fd, err);
    if (r < 0) {
        dir_close_fd(fd);
        return r;
    }
    if (fstat(*fd, &st) != 0 || fstatat(spot->fd, spot->name, &named, 0) != 0) {
        r = dir_is_absence(errno) ? E_ABSENT : err_set(err, E_IO, errno, "look at it");
    } else {
        dir_describe(&object, &st);
        const bool same = st.st_ino == named.st_ino && st.st_dev == named.st_dev;
        r = same && strcmp(object.version, version) == 0 ? 0 : STORE_CONFLICT;
    }
    if (r != 0)
        dir_close_fd(fd);
    return r;
}
