/* SPDX-License-Identifier: MPL-2.0 */
#include "cli/prio.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_BYTES = 256, READ_BYTES = 64 << 10 };

int infile_open(struct infile *in, const char *path, struct err *err)
{
    *in = INFILE_INIT;
    int r = file_source_open(&in->file, path, err);
    if (r < 0)
        return r;
    r = gunzip_new(&in->gunzip, file_source(&in->file), err);
    if (r < 0) {
        infile_close(in);
        return r;
    }
    in->size_bytes = in->file.size_bytes;
    return 0;
}

/* File errors name the file already; errors of the packing do not. */
static ssize_t infile_read(void *arg, void *dst, size_t cap, struct err *err)
{
    struct infile *in = arg;
    const struct source from = gunzip_source(in->gunzip);
    const ssize_t n = from.read(from.arg, dst, cap, err);
    return n == E_FORMAT ? err_wrap(err, E_FORMAT, "%s", in->file.name) : n;
}

struct source infile_source(struct infile *in)
{
    return (struct source){.read = infile_read, .arg = in};
}

void infile_close(struct infile *in)
{
    gunzip_free(in->gunzip);
    in->gunzip = NULL;
    file_source_close(&in->file);
}

int infile_read_all(struct infile *in, struct buf *out, struct err *err)
{
    for (;;) {
        const size_t room = out->max - out->len;
        const size_t step = room < READ_BYTES ? room : READ_BYTES;
        if (step == 0)
            return err_set(err, E_FORMAT, 0, "%s: longer than %zu bytes", in->file.name, out->max);
        const int r = buf_reserve(out, step, err);
        if (r < 0)
            return r;
        const ssize_t n = infile_read(in, out->data + out->len, step, err);
        if (n <= 0)
            return (int)n;
        out->len += (size_t)n;
    }
}

int files_one_stdin(const char *const *paths, struct err *err)
{
    int n = 0;
    for (; *paths; paths++)
        n += strcmp(*paths, "-") == 0;
    return n > 1 ? err_set(err, E_ARG, 0, "Only one input can be standard input ('-').") : 0;
}

/* Base name of an input, without a final ".gz". */
static int output_name(char out[NAME_BYTES], const char *input, struct err *err)
{
    const char *slash = strrchr(input, '/');
    const char *name = strcmp(input, "-") == 0 ? "data.ndjson" : slash ? slash + 1 : input;
    size_t len = strlen(name);
    if (len > 3 && strcmp(name + len - 3, ".gz") == 0)
        len -= 3;
    if (len >= NAME_BYTES)
        return err_set(err, E_ARG, 0, "the name of %s is too long", input);
    memcpy(out, name, len);
    out[len] = '\0';
    return 0;
}

/* Would the rename of out replace one of the inputs? */
static int check_not_input(const struct outfile *out, const struct infile *const *inputs,
                           struct err *err)
{
    struct stat to, from;
    if (out->is_stdout || stat(out->path, &to) != 0)
        return 0;
    for (; *inputs; inputs++)
        if (fstat((*inputs)->file.fd, &from) == 0 && from.st_dev == to.st_dev &&
            from.st_ino == to.st_ino)
            return err_set(err, E_ARG, 0, "The output would overwrite the input %s.", out->path);
    return 0;
}

static int keep_apart(struct outfile *out, const struct infile *const *inputs, struct err *err)
{
    const int r = check_not_input(out, inputs, err);
    if (r < 0)
        outfile_abandon(out);
    return r;
}

int files_open_output(struct outfile *out, const char *dir, const char *input,
                      const struct infile *const *inputs, struct err *err)
{
    char name[NAME_BYTES];
    int r = output_name(name, input, err);
    if (r == 0 && strcmp(dir, "-") != 0)
        r = make_directories(dir, err);
    if (r == 0)
        r = outfile_open(out, dir, name, err);
    if (r < 0)
        return r;
    return keep_apart(out, inputs, err);
}

/* A terminal, a pipe or /dev/null must not be replaced by a file. */
static int open_special(struct outfile *out, const char *path, struct err *err)
{
    const int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return err_set(err, E_IO, errno, "%s", path);
    *out = (struct outfile){.fd = fd, .dir_fd = -1, .is_stdout = true};
    return 0;
}

static int open_regular(struct outfile *out, const char *path, struct err *err)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return outfile_open(out, ".", path, err);
    char *dir = strndup(path, slash == path ? 1 : (size_t)(slash - path));
    if (!dir)
        return err_set(err, E_NOMEM, 0, "no memory for a path");
    const int r = outfile_open(out, dir, slash + 1, err);
    free(dir);
    return r;
}

int files_open_path(struct outfile *out, const char *path, const struct infile *const *inputs,
                    struct err *err)
{
    struct stat st;
    if (strcmp(path, "-") == 0 || path[0] == '\0')
        return err_set(err, E_ARG, 0, "--rejects needs the name of a file.");
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return err_set(err, E_ARG, 0, "--rejects names a directory, %s; it needs a file.", path);
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return open_special(out, path, err);
    const int r = open_regular(out, path, err);
    if (r < 0)
        return r;
    return keep_apart(out, inputs, err);
}

int files_check_apart(const struct outfile *a, const struct outfile *b, struct err *err)
{
    struct stat x, y;
    if (a->is_stdout || b->is_stdout)
        return 0;
    // What is written in place has no directory; then the files themselves tell.
    const bool renamed = a->dir_fd >= 0 && b->dir_fd >= 0;
    if (fstat(renamed ? a->dir_fd : a->fd, &x) != 0 || fstat(renamed ? b->dir_fd : b->fd, &y) != 0)
        return 0;
    if (x.st_dev != y.st_dev || x.st_ino != y.st_ino)
        return 0;
    if (renamed && strcmp(strrchr(a->path, '/'), strrchr(b->path, '/')) != 0)
        return 0;
    return err_set(err, E_ARG, 0, "Two outputs would be the same file, %s.", a->path);
}

static int sink_write(void *arg, const void *bytes, size_t len, struct err *err)
{
    return outfile_write(arg, bytes, len, err);
}

struct stage_sink files_sink(struct outfile *out)
{
    return (struct stage_sink){.write = sink_write, .arg = out};
}
