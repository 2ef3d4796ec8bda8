/* SPDX-License-Identifier: MPL-2.0 */
#include "base/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_WRITERS = 1000 }; // of one name at a time

int directory_sync(int dir_fd, const char *name, struct err *err)
{
    const int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return 0; // a directory that may be written but not read
    int r = 0;
    // File systems that cannot flush a directory say EINVAL; there is nothing better to do then.
    if (fsync(fd) != 0 && errno != EINVAL && errno != ENOTSUP)
        r = err_set(err, E_IO, errno, "flush the directory of %s", name);
    (void)close(fd); // nothing was written through it
    return r;
}

/* Let a new directory outlive a power cut. */
static int sync_parent(const char *dir, struct err *err)
{
    char *path = NULL;
    if (asprintf(&path, "%s/..", dir) < 0)
        return err_set(err, E_NOMEM, 0, "no memory for a path");
    const int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    free(path);
    if (fd < 0)
        return 0; // gone again, or not for us to look at
    const int r = directory_sync(fd, dir, err);
    (void)close(fd);
    return r;
}

/* Make one directory, or accept the one that is there. */
static int make_one(const char *dir, struct err *err)
{
    // Tried first and looked at afterwards, because others may be creating the same directory.
    const int cause = mkdir(dir, 0777) == 0 ? 0 : errno;
    struct stat st;
    if (cause == 0)
        return sync_parent(dir, err);
    if (stat(dir, &st) != 0)
        return err_set(err, E_IO, cause, "create directory %s", dir);
    if (!S_ISDIR(st.st_mode))
        return err_set(err, E_ARG, ENOTDIR, "%s is a file, not a directory", dir);
    return 0;
}

static bool is_plain_name(const char *name)
{
    return name[0] != '\0' && !strchr(name, '/') && strcmp(name, ".") != 0 &&
           strcmp(name, "..") != 0;
}

/* The name within the directory. */
static const char *name_of(const char *path)
{
    return strrchr(path, '/') + 1; // outfile_open_at joined directory and name with a slash
}

/* ".NAME.tmp", then ".NAME.2.tmp" and so on. */
static int set_tmp_path(struct outfile *f, unsigned turn, struct err *err)
{
    const char *name = name_of(f->path);
    char number[16] = "";
    if (turn > 1)
        (void)snprintf(number, sizeof number, ".%u", turn);
    free(f->tmp_path);
    if (asprintf(&f->tmp_path, "%.*s.%s%s.tmp", (int)(name - f->path), f->path, name, number) < 0)
        f->tmp_path = NULL; // asprintf leaves it undefined
    return f->tmp_path ? 0 : err_set(err, E_NOMEM, 0, "no memory for a path");
}

/*
 * Open and lock a temporary file. The lock tells a writer that lives from the leftover of a killed
 * one. It is tried without waiting; where locks are not supported, one writer a name it is.
 * @return 0; 1 when somebody else is writing it; 2 when it is to be tried again; or E_IO.
 */
static int open_tmp(struct outfile *f, struct err *err)
{
    const char *tmp_name = name_of(f->tmp_path);
    const int fd = openat(f->dir_fd, tmp_name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (fd < 0)
        return err_set(err, E_IO, errno, "create %s", f->tmp_path);
    struct stat st, named;
    int r = 0;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        r = 1;
    else if (fstat(fd, &st) != 0)
        r = err_set(err, E_IO, errno, "look at %s", f->tmp_path);
    else if (fstatat(f->dir_fd, tmp_name, &named, AT_SYMLINK_NOFOLLOW) != 0 ||
             st.st_ino != named.st_ino || st.st_dev != named.st_dev)
        r = 2; // its writer was done with it before the lock was ours
    else if (st.st_nlink > 1)
        // A run was killed between the two steps of commit_new: the bytes are the visible file's.
        r = unlinkat(f->dir_fd, tmp_name, 0) == 0 || errno == ENOENT
                ? 2
                : err_set(err, E_IO, errno, "remove %s", f->tmp_path);
    else if (ftruncate(fd, 0) != 0)
        r = err_set(err, E_IO, errno, "empty %s", f->tmp_path);
    if (r != 0)
        (void)close(fd);
    else
        f->fd = fd;
    return r;
}

static int create(struct outfile *f, const char *dir, const char *name, struct err *err)
{
    if (asprintf(&f->path, "%s/%s", dir, name) < 0)
        f->path = NULL; // asprintf leaves it undefined
    if (!f->path)
        return err_set(err, E_NOMEM, 0, "no memory for a path");
    int r = 1;
    for (unsigned turn = 1; r == 1 && turn <= MAX_WRITERS; turn++) {
        r = set_tmp_path(f, turn, err);
        if (r < 0)
            return r;
        do {
            r = open_tmp(f, err);
        } while (r == 2);
    }
    return r == 1 ? err_set(err, E_IO, 0, "%s: %d others are writing it", f->path, MAX_WRITERS) : r;
}

static void forget(struct outfile *f)
{
    if (f->dir_fd >= 0)
        (void)close(f->dir_fd);
    free(f->path);
    free(f->tmp_path);
    *f = OUTFILE_INIT;
}

int make_directories(const char *dir, struct err *err)
{
    if (dir[0] == '\0')
        return err_set(err, E_ARG, 0, "the name of a directory is empty");
    char *copy = strdup(dir);
    if (!copy)
        return err_set(err, E_NOMEM, 0, "no memory for a path");
    int r = 0;
    for (char *slash = strchr(copy + 1, '/'); slash && r == 0; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        r = make_one(copy, err);
        *slash = '/';
    }
    if (r == 0)
        r = make_one(copy, err);
    free(copy);
    return r;
}

int outfile_open(struct outfile *f, const char *dir, const char *name, struct err *err)
{
    if (strcmp(dir, "-") == 0) {
        *f = (struct outfile){.fd = STDOUT_FILENO, .dir_fd = -1, .is_stdout = true};
        return 0;
    }
    if (dir[0] == '\0')
        return err_set(err, E_ARG, 0, "the name of a directory is empty");
    const int dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir_fd < 0 && is_plain_name(name))
        return err_set(err, E_IO, errno, "create %s/%s", dir, name);
    const int r = outfile_open_at(f, dir_fd, dir, name, err);
    if (dir_fd >= 0)
        (void)close(dir_fd);
    return r;
}

int outfile_open_at(struct outfile *f, int dir_fd, const char *dir, const char *name,
                    struct err *err)
{
    if (!is_plain_name(name))
        return err_set(err, E_ARG, 0, "\"%s\" cannot be the name of a file", name);
    struct outfile file = OUTFILE_INIT;
    file.dir_fd = fcntl(dir_fd, F_DUPFD_CLOEXEC, 0);
    const int r = file.dir_fd < 0 ? err_set(err, E_IO, errno, "create %s/%s", dir, name)
                                  : create(&file, dir, name, err);
    if (r < 0) {
        forget(&file);
        return r;
    }
    *f = file;
    return 0;
}

int outfile_write(struct outfile *f, const void *bytes, size_t len, struct err *err)
{
    const char *rest = bytes;
    while (len > 0) {
        const ssize_t n = write(f->fd, rest, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(err, E_IO, errno, "write %s",
                           f->is_stdout ? "standard output" : f->path);
        rest += n;
        len -= (size_t)n;
    }
    return 0;
}

/* The temporary file gets the name unless another file has it. @return 0, OUTFILE_EXISTS or E_IO.
 */
static int rename_new(struct outfile *f, struct err *err)
{
    const char *from = name_of(f->tmp_path), *to = name_of(f->path);
    if (renameat2(f->dir_fd, from, f->dir_fd, to, RENAME_NOREPLACE) == 0)
        return 0;
    int cause = errno;
    // Not every file system has that flag.
    if ((cause == EINVAL || cause == ENOSYS) && linkat(f->dir_fd, from, f->dir_fd, to, 0) == 0)
        return unlinkat(f->dir_fd, from, 0) == 0 || errno == ENOENT
                   ? 0
                   : err_set(err, E_IO, errno, "remove %s", f->tmp_path);
    if (cause == EINVAL || cause == ENOSYS)
        cause = errno;
    return cause == EEXIST ? OUTFILE_EXISTS : err_set(err, E_IO, cause, "rename to %s", f->path);
}

static int rename_over(struct outfile *f, struct err *err)
{
    if (renameat(f->dir_fd, name_of(f->tmp_path), f->dir_fd, name_of(f->path)) != 0)
        return err_set(err, E_IO, errno, "rename to %s", f->path);
    return 0;
}

/* The descriptor stays open across the rename: its lock keeps others off the temporary name. */
static int commit_file(struct outfile *f, enum outfile_mode mode, struct stat *st, struct err *err)
{
    if (fsync(f->fd) != 0 && errno != EINVAL)
        return err_set(err, E_IO, errno, "flush %s", f->path);
    const int r = mode == OUTFILE_NEW ? rename_new(f, err) : rename_over(f, err);
    if (r != 0)
        return r;
    f->renamed = true;
    if (st && fstat(f->fd, st) != 0)
        return err_set(err, E_IO, errno, "look at %s", f->path);
    return directory_sync(f->dir_fd, f->path, err);
}

int outfile_commit_as(struct outfile *f, enum outfile_mode mode, struct stat *st, struct err *err)
{
    const int r = f->is_stdout ? 0 : commit_file(f, mode, st, err);
    outfile_abandon(f);
    return r;
}

int outfile_commit(struct outfile *f, struct err *err)
{
    return outfile_commit_as(f, OUTFILE_REPLACE, NULL, err);
}

void outfile_abandon(struct outfile *f)
{
    if (f->fd >= 0 && !f->is_stdout) {
        // Best effort: the next run overwrites a leftover. While it is locked, it is ours.
        if (!f->renamed)
            (void)unlinkat(f->dir_fd, name_of(f->tmp_path), 0);
        (void)close(f->fd); // flushed, or unwanted
    }
    forget(f);
}
