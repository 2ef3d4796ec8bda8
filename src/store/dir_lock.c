/* SPDX-License-Identifier: MPL-2.0 */
#include "base/retry.h"
#include "store/dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STEP_MS = 50, NOTE_BYTES = 32 };

struct dir_lock {
    struct store_lock base;
    struct directory *d;
    int fd;
};

/* Is the open file the one under the name? */
static bool is_in_place(int fd, const struct dir_spot *spot)
{
    struct stat st, named;
    return fstat(fd, &st) == 0 && fstatat(spot->fd, spot->name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           st.st_ino == named.st_ino && st.st_dev == named.st_dev;
}

/* The file names its holder, for people and for the next line. */
static int busy(int fd, struct err *err)
{
    char note[NOTE_BYTES] = "";
    const ssize_t n = pread(fd, note, sizeof note - 1, 0);
    const long pid = n > 0 ? strtol(note, NULL, 10) : 0;
    if (pid > 0)
        return err_set(err, E_AGAIN, 0, "process %ld holds it", pid);
    return err_set(err, E_AGAIN, 0, "another process holds it");
}

static int write_note(int fd, struct err *err)
{
    char note[NOTE_BYTES];
    const int n = snprintf(note, sizeof note, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, note, (size_t)n, 0) != n)
        return err_set(err, E_IO, errno, "write to it");
    return 0;
}

/* @return 0 with *fd locked, 1 to try again at once, 2 while somebody holds it (err), or E_*. */
static int try_lock(int *fd, const struct directory *d, const char *key, struct err *err)
{
    CLEANUP(dir_leave) struct dir_spot spot = DIR_SPOT_NONE;
    int r = dir_make(&spot, d, key, err);
    if (r < 0)
        return r == E_ABSENT ? 1 : r;
    *fd = openat(spot.fd, spot.name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0666);
    if (*fd < 0)
        return errno == ENOENT ? 1 : err_set(err, E_IO, errno, "open");
    if (flock(*fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            (void)busy(*fd, err);
        r = errno == EWOULDBLOCK ? 2 : errno == EINTR ? 1 : err_set(err, E_IO, errno, "flock");
    } else if (!is_in_place(*fd, &spot)) {
        r = 1;
    } else {
        r = write_note(*fd, err);
    }
    if (r != 0)
        dir_close_fd(fd);
    return r;
}

static int check(struct store_lock *lock, struct err *err)
{
    const struct dir_lock *l = (const struct dir_lock *)lock;
    CLEANUP(dir_leave) struct dir_spot spot = DIR_SPOT_NONE;
    const int r = dir_find(&spot, l->d, lock->key, err);
    if (r < 0 && r != E_ABSENT)
        return r;
    if (r == E_ABSENT || !is_in_place(l->fd, &spot))
        return err_set(err, E_AGAIN, 0, "the lock's file was removed or replaced");
    return 0;
}

static void unlock(struct store_lock *lock)
{
    struct dir_lock *l = (struct dir_lock *)lock;
    if (ftruncate(l->fd, 0) != 0)
        (void)errno; // the note is for people; what counts goes with the descriptor
    dir_close_fd(&l->fd);
    free(l);
}

static const struct store_lock_ops lock_ops = {.check = check, .unlock = unlock};

int dir_lock(struct store_lock **out, struct store *store, const char *key, struct err *err)
{
    struct dir_lock *l = calloc(1, sizeof *l);
    if (!l)
        return err_set(err, E_NOMEM, 0, "no memory for a lock");
    *l = (struct dir_lock){.base.ops = &lock_ops, .d = store->self, .fd = -1};
    const uint64_t end = retry_now_ms() + store->lock_times.wait_ms;
    int r;
    while ((r = try_lock(&l->fd, l->d, key, err)) > 0 && retry_now_ms() < end)
        if (r == 2)
            retry_sleep_ms(STEP_MS);
    if (r == 1)
        r = err_set(err, E_IO, 0, "its directory is removed again and again");
    if (r != 0) {
        free(l);
        return r == 2 ? E_AGAIN : r;
    }
    *out = &l->base;
    return 0;
}
