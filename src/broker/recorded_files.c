/* SPDX-License-Identifier: MPL-2.0 */
#include "broker/recorded_files.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { CHUNK_BYTES = 1 << 20, MAX_FILES = 1 << 20 };

static int add_path(struct recorded_files *f, char *path, struct err *err)
{
    if (f->n_paths == MAX_FILES) {
        free(path);
        return err_set(err, E_ARG, 0, "more than %d files", MAX_FILES);
    }
    const bool is_full = (f->n_paths & (f->n_paths - 1)) == 0; // at 0 and at powers of two
    char **grown = f->paths;
    if (path && is_full)
        grown = realloc(f->paths, (f->n_paths > 0 ? 2 * f->n_paths : 1) * sizeof *f->paths);
    if (!path || !grown) {
        free(path);
        return err_set(err, E_NOMEM, 0, "no memory for the names of files");
    }
    f->paths = grown;
    f->paths[f->n_paths++] = path;
    return 0;
}

static int add_entry(struct recorded_files *f, const char *dir, const char *name, struct err *err)
{
    struct stat st;
    char *path = NULL;
    if (asprintf(&path, "%s/%s", dir, name) < 0)
        return err_set(err, E_NOMEM, 0, "no memory for the names of files");
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        free(path);
        return 0;
    }
    return add_path(f, path, err); // what cannot be read is told when its turn comes
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list_directory(struct recorded_files *f, const char *path, struct err *err)
{
    DIR *dir = opendir(path);
    if (!dir)
        return err_set(err, E_IO, errno, "%s", path);
    int r = 0;
    const struct dirent *entry;
    while (r == 0 && (errno = 0, entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.')
            r = add_entry(f, path, entry->d_name, err);
    if (r == 0 && errno != 0)
        r = err_set(err, E_IO, errno, "%s", path);
    (void)closedir(dir); // only read from
    if (r == 0 && f->n_paths > 1)
        qsort(f->paths, f->n_paths, sizeof *f->paths, by_name);
    return r;
}

int recorded_files_list(struct recorded_files *f, const char *source, struct err *err)
{
    struct stat st;
    if (strcmp(source, "-") == 0)
        return add_path(f, span_to_text(span_str(source)), err);
    if (stat(source, &st) != 0 && errno == ENOENT)
        return err_set(err, E_ABSENT, ENOENT, "%s: no such file or directory", source);
    if (stat(source, &st) != 0)
        return err_set(err, E_IO, errno, "%s", source);
    return S_ISDIR(st.st_mode) ? list_directory(f, source, err)
                               : add_path(f, span_to_text(span_str(source)), err);
}

static void close_file(struct recorded_files *f)
{
    if (!f->is_open)
        return;
    ndjson_chunk_deinit(&f->chunk);
    ndjson_reader_deinit(&f->reader);
    gunzip_free(f->gunzip);
    f->gunzip = NULL;
    file_source_close(&f->file);
    f->is_open = false;
}

static int open_file(struct recorded_files *f, struct err *err)
{
    int r = file_source_open(&f->file, f->paths[f->next_path], err);
    if (r == E_ABSENT)
        return err_set(err, E_IO, ENOENT, "%s", f->paths[f->next_path]); // it was there
    if (r < 0)
        return r;
    r = gunzip_new(&f->gunzip, file_source(&f->file), err);
    if (r < 0) {
        file_source_close(&f->file);
        return r;
    }
    f->next_path++;
    ndjson_reader_init(&f->reader, gunzip_source(f->gunzip), RECORDED_MAX_LINE);
    ndjson_chunk_init(&f->chunk, RECORDED_MAX_LINE);
    f->is_open = true;
    return 0;
}

int recorded_files_line(struct recorded_files *f, struct span *line, struct err *err)
{
    for (;;) {
        if (f->is_open && ndjson_line(&f->chunk, line))
            return 1;
        if (!f->is_open && f->next_path == f->n_paths)
            return 0;
        int r = f->is_open ? 1 : open_file(f, err);
        if (r < 0)
            return r;
        r = ndjson_fill(&f->reader, &f->chunk, CHUNK_BYTES, err);
        if (r < 0)
            return err_wrap(err, r, "%s", f->file.name);
        if (r == 0)
            close_file(f);
        else if (f->chunk.too_long)
            return err_set(err, E_FORMAT, 0, "%s: line %" PRIu64 " is longer than %d bytes",
                           f->file.name, f->chunk.first_line, RECORDED_MAX_LINE);
    }
}

int recorded_files_wrap(const struct recorded_files *f, int code, struct err *err)
{
    return err_wrap(err, code, "%s: line %" PRIu64, f->file.name, f->chunk.line);
}

void recorded_files_close(struct recorded_files *f)
{
    close_file(f);
    for (size_t i = 0; i < f->n_paths; i++)
        free(f->paths[i]);
    free(f->paths);
    *f = (struct recorded_files){0};
}
