/* SPDX-License-Identifier: MPL-2.0 */
#include "base/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Make one directory, or accept the one that is there. */
static int make_one(const char *dir, struct err *err)
{
    // Tried first and looked at afterwards, because others may be creating the same directory.
    const int cause = mkdir(dir, 0777) == 0 ? 0 : errno;
    struct stat st;
    if (cause != 0 && stat(dir, &st) != 0)
        return err_set(err, E_IO, cause, "create directory %s", dir);
    if (cause != 0 && !S_ISDIR(st.st_mode))
        return err_set(err, E_ARG, ENOTDIR, "%s is a file, not a directory", dir);
    return 0;
}

static bool is_plain_name(const char *name)
{
    return name[0] != '\0' && !strchr(name, '/') && strcmp(name, ".") != 0 &&
           strcmp(name, "..") != 0;
}

/*
 * Make the rename itself survive a power cut. File systems that cannot flush a directory say
 * EINVAL, and there is nothing better to do then.
 */
static int sync_directory(struct outfile *f, struct err *err)
{
    char *name = strrchr(f->path, '/') + 1; // outfile_open joined directory and name with a slash
    const char first = *name;
    *name = '\0';
    const int fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *name = first;
    if (fd < 0)
        return 0; // a directory that may be written but not read
    int r = 0;
    if (fsync(fd) != 0 && errno != EINVAL && errno != ENOTSUP)
        r = err_set(err, E_IO, errno, "flush the directory of %s", f->path);
    (void)close(fd); // nothing was written through it
    return r;
}

static int create(struct outfile *f, const char *dir, const char *name, struct err *err)
{
    if (asprintf(&f->path, "%s/%s", dir, name) < 0)
        f->path = NULL; // asprintf leaves it undefined
    if (asprintf(&f->tmp_path, "%s/.%s.tmp", dir, name) < 0)
        f->tmp_path = NULL;
    if (!f->path || !f->tmp_path)
        return err_set(err, E_NOMEM, 0, "no memory for a path");
    f->fd = open(f->tmp_path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
    return f->fd < 0 ? err_set(err, E_IO, errno, "create %s", f->tmp_path) : 0;
}

static void forget(struct outfile *f)
{
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
        *f = (struct outfile){.fd = STDOUT_FILENO, .is_stdout = true};
        return 0;
    }
    if (dir[0] == '\0')
        return err_set(err, E_ARG, 0, "the name of a directory is empty");
    if (!is_plain_name(name))
        return err_set(err, E_ARG, 0, "\"%s\" cannot be the name of a file", name);
    struct outfile file = OUTFILE_INIT;
    const int r = create(&file, dir, name, err);
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

int outfile_commit(struct outfile *f, struct err *err)
{
    if (f->is_stdout) {
        forget(f);
        return 0;
    }
    int r = 0;
    if (fsync(f->fd) != 0 && errno != EINVAL)
        r = err_set(err, E_IO, errno, "flush %s", f->path);
    if (close(f->fd) != 0 && r == 0)
        r = err_set(err, E_IO, errno, "close %s", f->path);
    f->fd = -1;
    if (r == 0 && rename(f->tmp_path, f->path) != 0)
        r = err_set(err, E_IO, errno, "rename to %s", f->path);
    if (r < 0) {
        (void)unlink(f->tmp_path); // best effort: the next run overwrites a leftover
        forget(f);
        return r;
    }
    r = sync_directory(f, err);
    forget(f);
    return r;
}

void outfile_abandon(struct outfile *f)
{
    if (f->fd >= 0 && !f->is_stdout) {
        (void)close(f->fd); // its bytes are unwanted
        (void)unlink(f->tmp_path);
    }
    forget(f);
}
