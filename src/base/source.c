/* SPDX-License-Identifier: MPL-2.0 */
#include "base/source.h"

#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void set_name(struct file_source *f, const char *path)
{
    const size_t len = strlen(path);
    if (len < sizeof f->name)
        memcpy(f->name, path, len + 1);
    else
        (void)snprintf(f->name, sizeof f->name, "...%s", path + len - (sizeof f->name - 4));
}

/* Learn the size; refuse a directory, which open(2) is willing to open. */
static int inspect(struct file_source *f, struct err *err)
{
    struct stat st;
    if (fstat(f->fd, &st) != 0)
        return err_set(err, E_IO, errno, "%s", f->name);
    if (S_ISDIR(st.st_mode))
        return err_set(err, E_IO, EISDIR, "%s", f->name);
    if (S_ISREG(st.st_mode) && st.st_size > 0)
        f->size_bytes = (uint64_t)st.st_size;
    return 0;
}

static ssize_t file_read(void *arg, void *dst, size_t cap, struct err *err)
{
    const struct file_source *f = arg;
    ssize_t n;
    do {
        n = read(f->fd, dst, cap);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? err_set(err, E_IO, errno, "%s", f->name) : n;
}

static ssize_t memory_read(void *arg, void *dst, size_t cap, struct err *err)
{
    struct memory_source *m = arg;
    size_t n = m->rest.len < cap ? m->rest.len : cap;
    if (m->step > 0 && n > m->step)
        n = m->step;
    if (n > 0) {
        memcpy(dst, m->rest.ptr, n);
        m->rest = span_of(m->rest.ptr + n, m->rest.len - n);
    }
    (void)err; // memory cannot fail
    return (ssize_t)n;
}

int file_source_open(struct file_source *f, const char *path, struct err *err)
{
    const bool is_stdin = strcmp(path, "-") == 0;
    struct file_source file = {.fd = STDIN_FILENO, .owned = !is_stdin};
    set_name(&file, is_stdin ? "standard input" : path);
    if (!is_stdin) {
        file.fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (file.fd < 0 && errno == ENOENT)
            return err_set(err, E_ABSENT, ENOENT, "%s: no such file", file.name);
        if (file.fd < 0)
            return err_set(err, E_IO, errno, "%s", file.name);
    }
    const int r = inspect(&file, err);
    if (r < 0) {
        file_source_close(&file);
        return r;
    }
    *f = file;
    return 0;
}

struct source file_source(struct file_source *f)
{
    return (struct source){.read = file_read, .arg = f};
}

void file_source_close(struct file_source *f)
{
    if (f->owned && f->fd >= 0)
        (void)close(f->fd); // only read from: nothing can be lost
    f->fd = -1;
    f->owned = false;
}

struct source memory_source(struct memory_source *m)
{
    return (struct source){.read = memory_read, .arg = m};
}

int source_read_all(struct source from, struct buf *out, struct err *err)
{
    enum { STEP = 64 << 10 };
    ssize_t n = 1;
    while (n > 0) {
        const size_t room = out->max - out->len, step = room < STEP ? room : STEP;
        if (step == 0)
            return err_set(err, E_FORMAT, 0, "longer than %zu bytes", out->max);
        const int r = buf_reserve(out, step, err);
        if (r < 0)
            return r;
        n = from.read(from.arg, out->data + out->len, step, err);
        out->len += n > 0 ? (size_t)n : 0;
    }
    return (int)n;
}
