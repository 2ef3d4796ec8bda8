/* SPDX-License-Identifier: MPL-2.0 */
#include "store/dir.h"

#include "base/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PART_BYTES = 256 * 1024, MAX_TRIES = 1000 };

static int dir_open(void **self, const struct store_place *place, const struct store_config *config,
                    struct err *err)
{
    struct directory *d = calloc(1, sizeof *d);
    if (d)
        d->root = strdup(place->bucket);
    if (!d || !d->root) {
        free(d);
        return err_set(err, E_NOMEM, 0, "no memory for a store");
    }
    (void)config; // a directory has no endpoint and no credentials
    *self = d;
    return 0;
}

static void dir_close(void *self)
{
    struct directory *d = self;
    free(d->root);
    free(d);
}

static int dir_check(void *self, struct err *err)
{
    const struct directory *d = self;
    const int fd = open(d->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, errno == ENOENT ? E_ABSENT : E_IO, errno, "open");
    (void)close(fd); // only looked at
    return 0;
}

static int dir_stat(void *self, const char *key, struct store_object *out, struct err *err)
{
    CLEANUP(dir_leave) struct dir_spot spot = DIR_SPOT_NONE;
    struct stat st;
    const int r = dir_find(&spot, self, key, err);
    if (r < 0)
        return r;
    if (fstatat(spot.fd, spot.name, &st, 0) != 0)
        return err_set(err, dir_is_absence(errno) ? E_ABSENT : E_IO, errno, "look");
    if (!S_ISREG(st.st_mode))
        return E_ABSENT;
    dir_describe(out, &st);
    return 0;
}

struct dir_reader {
    struct store_reader base;
    int fd;
    uint64_t left;
};

static ssize_t reader_read(struct store_reader *reader, void *dst, size_t cap, struct err *err)
{
    struct dir_reader *r = (struct dir_reader *)reader;
    const size_t want = cap < r->left ? cap : (size_t)r->left;
    ssize_t n;
    if (want == 0)
        return 0;
    do {
        n = read(r->fd, dst, want);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return err_set(err, E_IO, errno, "read");
    if (n == 0)
        return err_set(err, E_IO, 0, "the file became shorter while it was read");
    r->left -= (uint64_t)n;
    return n;
}

static void reader_close(struct store_reader *reader)
{
    struct dir_reader *r = (struct dir_reader *)reader;
    dir_close_fd(&r->fd);
    free(r);
}

static const struct store_reader_ops reader_ops = {.read = reader_read, .close = reader_close};

static int dir_get(struct store_reader **out, void *self, const char *key, uint64_t offset,
                   uint64_t len, struct err *err)
{
    CLEANUP(dir_leave) struct dir_spot spot = DIR_SPOT_NONE;
    CLEANUP(dir_close_fd) int fd = -1;
    struct stat st;
    int r = dir_find(&spot, self, key, err);
    if (r == 0)
        r = dir_open_object(&fd, &st, &spot, err);
    if (r != 0)
        return r;
    const uint64_t size = (uint64_t)st.st_size;
    const uint64_t begin = offset < size ? offset : size;
    if (lseek(fd, (off_t)begin, SEEK_SET) < 0)
        return err_set(err, E_IO, errno, "seek");
    (void)posix_fadvise(fd, (off_t)begin, 0, POSIX_FADV_SEQUENTIAL); // a hint only
    struct dir_reader *reader = calloc(1, sizeof *reader);
    if (!reader)
        return err_set(err, E_NOMEM, 0, "no memory for a reader");
    reader->base.ops = &reader_ops;
    reader->fd = fd;
    reader->left = len < size - begin ? len : size - begin;
    dir_describe(&reader->base.object, &st);
    fd = -1;
    *out = &reader->base;
    return 0;
}

struct dir_upload {
    struct directory *d;
    const char *key;
    const struct store_put_options *options;
    struct outfile file;
};

static void upload_abort(void *upload)
{
    struct dir_upload *u = upload;
    const bool was_open = u->file.fd >= 0;
    outfile_abandon(&u->file);
    if (was_open && dir_prune(u->d, u->key, NULL) < 0)
        (void)errno; // an empty directory is no object
    free(u);
}

/* Directories may vanish between their making and the first file in them. */
static int open_file(struct dir_upload *u, struct err *err)
{
    CLEANUP(dir_leave) struct dir_spot spot = DIR_SPOT_NONE;
    struct err cause = {0};
    int r = dir_make(&spot, u->d, u->key, &cause);
    if (r == 0) {
        char folder[STORE_MAX_KEY + 1]; // for messages
        (void)snprintf(folder, sizeof folder, "%.*s", (int)(spot.name - u->key), u->key);
        r = outfile_open_at(&u->file, spot.fd, folder[0] ? folder : ".", spot.name, &cause);
        if (r == E_IO && cause.native == ENOENT)
            r = E_ABSENT;
    }
    if (r < 0 && err)
        *err = cause;
    return r;
}

static int upload_begin(void **upload, void *self, const char *key,
                        const struct store_put_options *options, struct err *err)
{
    struct dir_upload *u = calloc(1, sizeof *u);
    if (!u)
        return err_set(err, E_NOMEM, 0, "no memory for a writer");
    *u = (struct dir_upload){.d = self, .key = key, .options = options, .file = OUTFILE_INIT};
    int r = E_ABSENT;
    for (int i = 0; i < MAX_TRIES && r == E_ABSENT; i++)
        r = open_file(u, err);
    if (r < 0) {
        free(u);
        return r == E_ABSENT ? E_IO : r;
    }
    *upload = u;
    return 0;
}

static int upload_part(void *upload, struct span bytes, struct err *err)
{
    struct dir_upload *u = upload;
    return outfile_write(&u->file, bytes.ptr, bytes.len, err);
}

/* See dir_describe. */
static int stamp(const struct dir_upload *u, struct err *err)
{
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}};
    (void)clock_gettime(CLOCK_REALTIME, &times[1]);
    if (futimens(u->file.fd, times) != 0)
        return err_set(err, E_IO, errno, "set the time");
    return 0;
}

static int commit(struct dir_upload *u, struct store_object *object, struct err *err)
{
    CLEANUP(dir_leave) struct dir_spot spot = DIR_SPOT_NONE;
    CLEANUP(dir_close_fd) int held = -1;
    struct stat st;
    const char *version = u->options->if_version;
    int r = stamp(u, err);
    if (r == 0 && version) {
        r = dir_find(&spot, u->d, u->key, err);
        if (r == 0)
            r = dir_hold_version(&held, &spot, version, err);
        if (r == E_ABSENT)
            r = STORE_CONFLICT;
    }
    if (r != 0)
        return r;
    r = outfile_commit_as(&u->file, u->options->if_absent ? OUTFILE_NEW : OUTFILE_REPLACE, &st,
                          err);
    if (r == OUTFILE_EXISTS)
        return STORE_CONFLICT;
    if (r == 0)
        dir_describe(object, &st);
    return r;
}

static int upload_finish(void *upload, struct span rest, struct store_object *object,
                         struct err *err)
{
    int r = upload_part(upload, rest, err);
    if (r == 0)
        r = commit(upload, object, err);
    upload_abort(upload); // after a commit there is nothing left but memory
    return r;
}

static int dir_put(void *self, const char *key, struct span bytes,
                   const struct store_put_options *options, struct store_object *object,
                   struct err *err)
{
    void *upload = NULL;
    const int r = upload_begin(&upload, self, key, options, err);
    return upload ? upload_finish(upload, bytes, object, err) : r;
}

const struct store_backend store_directory = {
    .part_bytes = PART_BYTES,
    .open = dir_open,
    .close = dir_close,
    .check = dir_check,
    .list = dir_list,
    .stat = dir_stat,
    .get = dir_get,
    .put = dir_put,
    .upload_begin = upload_begin,
    .upload_part = upload_part,
    .upload_finish = upload_finish,
    .upload_abort = upload_abort,
    .delete_many = dir_delete_many,
    .delete_version = dir_delete_version,
    .lock = dir_lock,
};
