/* SPDX-License-Identifier: MPL-2.0 */
#include "base/log.h"
#include "store/dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_PATH = STORE_MAX_KEY + NAME_MAX + 2 };

/* Directories wait in a listing of their own, so that no depth of nesting holds descriptors open.
 */
struct walk {
    const struct directory *d;
    struct store_listing *out;
    struct store_listing waiting; // keys with "/" at their ends, or ""
    size_t next;
    const char *name_prefix; // of names in the first directory
    bool one_level;
    bool find_one; // stop at the first object, which goes to nobody
    bool found;
};

static void close_directory(DIR **dir)
{
    if (*dir)
        (void)closedir(*dir); // only read from
}

/* @return 0 with *dir, E_ABSENT or E_IO. */
static int open_directory(DIR **dir, const struct directory *d, const char *path, struct err *err)
{
    CLEANUP(dir_leave) struct dir_spot spot = DIR_SPOT_NONE;
    const int r = dir_find(&spot, d, path, err);
    if (r < 0)
        return r;
    int fd = openat(spot.fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_set(err, dir_is_absence(errno) ? E_ABSENT : E_IO, errno, "directory %s", path);
    *dir = fdopendir(fd);
    if (!*dir) {
        dir_close_fd(&fd);
        return err_set(err, E_NOMEM, 0, "no memory for a directory");
    }
    return 0;
}

static int run(struct walk *w, struct err *err);

/* Is there an object anywhere below path? @return 1, 0 or E_*. */
static int has_objects(const struct walk *parent, const char *path, struct err *err)
{
    const struct store_object none = {0};
    struct walk w = {.d = parent->d, .name_prefix = "", .find_one = true};
    int r = listing_add(&w.waiting, span_str(path), &none, err);
    if (r == 0)
        r = run(&w, err);
    store_listing_deinit(&w.waiting);
    return r < 0 ? r : w.found;
}

static int add_directory(struct walk *w, const char *path, struct err *err)
{
    const struct store_object none = {0};
    if (!w->one_level)
        return listing_add(&w->waiting, span_str(path), &none, err);
    const int r = has_objects(w, path, err);
    return r == 1 ? listing_add(w->out, span_str(path), &none, err) : r;
}

static int add_entry(struct walk *w, int dir_fd, const char *path, size_t path_len,
                     const char *name, struct err *err)
{
    char key[MAX_PATH];
    struct stat st;
    struct store_object object;
    const int n = snprintf(key, sizeof key, "%.*s%s", (int)path_len, path, name);
    if (n < 0 || n > STORE_MAX_KEY)
        return err_set(err, E_FORMAT, 0, "%s: longer than %d bytes", key, STORE_MAX_KEY);
    if (!key_is_utf8(span_str(name)))
        return err_set(err, E_FORMAT, 0, "a name in \"%.*s\" is not UTF-8; rename or remove it",
                       (int)path_len, path);
    if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return dir_is_absence(errno) ? 0 : err_set(err, E_IO, errno, "%s", key);
    if (S_ISDIR(st.st_mode)) {
        memcpy(key + n, "/", 2);
        return add_directory(w, key, err);
    }
    if (S_ISLNK(st.st_mode) && fstatat(dir_fd, name, &st, 0) != 0)
        return dir_is_absence(errno) ? 0 : err_set(err, E_IO, errno, "%s", key);
    if (S_ISDIR(st.st_mode))
        log_warning("%s/%s: a symbolic link to a directory is not followed", w->d->root, key);
    if (!S_ISREG(st.st_mode))
        return 0;
    w->found = true;
    if (w->find_one)
        return 0;
    dir_describe(&object, &st);
    return listing_add(w->out, span_of(key, (size_t)n), &object, err);
}

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static int read_directory(struct walk *w, const char *path, size_t path_len,
                          const char *name_prefix, struct err *err)
{
    CLEANUP(close_directory) DIR *dir = NULL;
    const size_t prefix_len = strlen(name_prefix);
    int r = open_directory(&dir, w->d, path, err);
    if (r < 0)
        return r == E_ABSENT ? 0 : r;
    for (const struct dirent *e; r == 0 && !(w->find_one && w->found);) {
        errno = 0;
        e = readdir(dir);
        if (!e)
            return errno != 0 ? err_set(err, E_IO, errno, "directory %s", path) : 0;
        if (!is_dots(e->d_name) && strncmp(e->d_name, name_prefix, prefix_len) == 0)
            r = add_entry(w, dirfd(dir), path, path_len, e->d_name, err);
    }
    return r;
}

static int run(struct walk *w, struct err *err)
{
    int r = 0;
    const char *name_prefix = w->name_prefix;
    while (r == 0 && w->next < w->waiting.n && !(w->find_one && w->found)) {
        const char *path = w->waiting.objects[w->next++].key;
        r = read_directory(w, path, strlen(path), name_prefix, err);
        name_prefix = "";
    }
    return r;
}

int dir_list(void *self, const char *prefix, bool one_level, struct store_listing *out,
             struct err *err)
{
    const struct store_object none = {0};
    const char *slash = strrchr(prefix, '/');
    const size_t len = slash ? (size_t)(slash + 1 - prefix) : 0;
    struct walk w = {.d = self, .out = out, .name_prefix = prefix + len, .one_level = one_level};
    int r = listing_add(&w.waiting, span_of(prefix, len), &none, err);
    if (r == 0)
        r = run(&w, err);
    store_listing_deinit(&w.waiting);
    return r;
}
