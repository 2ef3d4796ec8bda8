/* SPDX-License-Identifier: MPL-2.0 */
/* Objects on their way through a folder of the machine. */
#include "base/outfile.h"
#include "taar/telemetry_internal.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COPY_BYTES = 1 << 20 };

static int copy(struct store_reader *reader, struct outfile *file, struct err *err)
{
    const struct source from = store_reader_source(reader);
    uint8_t *bytes = malloc(COPY_BYTES);
    if (!bytes)
        return err_set(err, E_NOMEM, 0, "no memory for a file");
    ssize_t n;
    int r = 0;
    while (r == 0 && (n = from.read(from.arg, bytes, COPY_BYTES, err)) != 0)
        r = n < 0 ? (int)n : outfile_write(file, bytes, (size_t)n, err);
    free(bytes);
    return r;
}

/* Messages name the file: its folder keeps its name, which says the day. */
static int name_place(const struct telemetry *t, const char *key, char **dir, const char **name,
                      struct err *err)
{
    const char *slash = strrchr(key, '/');
    const char *folder = slash;
    while (folder && folder > key && folder[-1] != '/')
        folder--;
    *name = slash ? slash + 1 : key;
    if (asprintf(dir, "%s/spool/%.*s", t->dir, slash ? (int)(slash - folder) : 0,
                 slash ? folder : "") < 0) {
        *dir = NULL;
        return err_set(err, E_NOMEM, 0, "no memory for a path");
    }
    return 0;
}

static int fetch_into(struct telemetry *t, const struct source_file *object, const char *dir,
                      const char *name, char **path, struct err *err)
{
    CLEANUP(store_reader_closep) struct store_reader *reader = NULL;
    CLEANUP(outfile_abandon) struct outfile file = OUTFILE_INIT;
    int r = store_get(&reader, t->files.store, object->path, 0, STORE_TO_END, err);
    if (r == 0)
        r = make_directories(dir, err);
    if (r == 0)
        r = outfile_open(&file, dir, name, err);
    if (r == 0)
        r = copy(reader, &file, err);
    if (r == 0)
        r = outfile_commit(&file, err);
    if (r == 0 && asprintf(path, "%s/%s", dir, name) < 0)
        r = err_set(err, E_NOMEM, 0, "no memory for a path");
    return r;
}

int spool_fetch(struct telemetry *t, const struct source_file *object, char **path, struct err *err)
{
    char *dir;
    const char *name;
    *path = NULL;
    int r = name_place(t, object->path, &dir, &name, err);
    if (r == 0)
        r = fetch_into(t, object, dir, name, path, err);
    free(dir);
    return r;
}

void spool_drop(const char *path)
{
    (void)unlink(path);
}

void remove_tree(const char *dir)
{
    DIR *d = opendir(dir);
    for (struct dirent *e; d && (e = readdir(d));) {
        char *path;
        struct stat st;
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
            asprintf(&path, "%s/%s", dir, e->d_name) < 0)
            continue;
        if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode))
            remove_tree(path);
        else
            (void)unlink(path);
        free(path);
    }
    if (d)
        (void)closedir(d);
    (void)rmdir(dir);
}
