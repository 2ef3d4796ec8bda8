/* SPDX-License-Identifier: MPL-2.0 */
/* Which files a source names: folders of unwanted days are never looked into. */
#include "taar/telemetry_internal.h"

#include <fnmatch.h>
#include <stdio.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_DAYS = 4000 };
static const char glob_chars[] = "*?[";

struct walk {
    struct source_files *out;
    const struct telemetry_config *config;
    struct store *store;
    const char *root; // in front of keys: of a directory, its path; of a bucket, ""
    char *pattern;    // of keys; NULL: any
    bool deep;        // the pattern has **
};

void source_files_deinit(struct source_files *f)
{
    for (size_t i = 0; i < f->n; i++)
        free(f->files[i].path);
    free(f->files);
    store_close(f->store);
    *f = (struct source_files){0};
}

static bool is_url(const char *source)
{
    return strstr(source, "://") != NULL;
}

bool telemetry_is_table(const char *source)
{
    return !is_url(source) && !strchr(source, '/') && !strpbrk(source, glob_chars) &&
           !has_dateformat(source) && access(source, F_OK) != 0;
}

static const char *last_name(struct span key)
{
    const char *at = (const char *)key.ptr + key.len;
    while (at > (const char *)key.ptr && at[-1] != '/')
        at--;
    return at;
}

static bool is_wanted(const struct walk *w, int64_t day)
{
    return day == NO_DAY || (day >= w->config->first && day <= w->config->last);
}

static int keep(struct walk *w, const struct store_object *object, int64_t day, struct err *err)
{
    struct source_files *f = w->out;
    if (f->n == f->room) {
        const size_t room = f->room > 0 ? 2 * f->room : 64;
        struct source_file *files = realloc(f->files, room * sizeof *files);
        if (!files)
            return err_set(err, E_NOMEM, 0, "no memory for names of files");
        f->files = files;
        f->room = room;
    }
    char *path = NULL;
    if (asprintf(&path, "%s%s", w->root, object->key) < 0)
        return err_set(err, E_NOMEM, 0, "no memory for names of files");
    f->files[f->n++] = (struct source_file){.path = path, .day = day, .size = object->size};
    return 0;
}

static bool matches(const struct walk *w, const char *key)
{
    // Below a folder that matches, everything does.
    return !w->pattern ||
           fnmatch(w->pattern, key, FNM_LEADING_DIR | (w->deep ? 0 : FNM_PATHNAME)) == 0;
}

static int walk_below(struct walk *w, const char *prefix, int64_t day, struct err *err);

/* A name one level below; day: of the folder. */
static int visit(struct walk *w, const struct store_object *object, int64_t day, struct err *err)
{
    size_t len = strlen(object->key);
    const bool is_folder = len > 0 && object->key[len - 1] == '/';
    len -= is_folder ? 1 : 0;
    const char *name = last_name(span_of(object->key, len));
    int64_t own_day;
    if (!is_folder && strcmp(name, "_SUCCESS") == 0 && matches(w, object->key))
        *(day == NO_DAY ? &w->out->n_success : &w->out->n_day_success) += 1;
    if (*name == '_' || *name == '.' || *name == '\0' || *name == '/')
        return 0;
    int r = day_of_path(&own_day, is_folder ? name : "", err);
    if (r < 0)
        return err_wrap(err, r, "%s%s", w->root, object->key);
    if (own_day != NO_DAY)
        day = own_day;
    if (!is_wanted(w, day))
        return 0;
    if (is_folder)
        return walk_below(w, object->key, day, err);
    return matches(w, object->key) ? keep(w, object, day, err) : 0;
}

static int walk_below(struct walk *w, const char *prefix, int64_t day, struct err *err)
{
    CLEANUP(store_listing_deinit) struct store_listing listing = {0};
    int r = store_list_level(w->store, prefix, &listing, err);
    for (size_t i = 0; i < listing.n && r == 0; i++)
        r = visit(w, &listing.objects[i], day, err);
    return r;
}

/* A key without globs: an object, or what lies below it. */
static int find_plain(struct walk *w, const char *key, int64_t day, struct err *err)
{
    struct store_object object;
    int r = *key ? store_stat(w->store, key, &object, err) : E_ABSENT;
    if (r == 0) {
        w->out->single = true;
        object.key = (char *)key;
        return keep(w, &object, day, err);
    }
    if (r != E_ABSENT)
        return r;
    char *prefix = NULL;
    if (asprintf(&prefix, "%s%s", key, *key ? "/" : "") < 0)
        return err_set(err, E_NOMEM, 0, "no memory for names of files");
    r = walk_below(w, prefix, day, err);
    free(prefix);
    return r;
}

/* "a/ ** /b" (without blanks) is "a/b", too: one slash less for fnmatch. */
static char *pattern_of(const char *key)
{
    char *pattern = strdup(key);
    for (char *at = pattern ? strstr(pattern, "**/") : NULL; at; at = strstr(at + 1, "**/"))
        memmove(at + 1, at + 3, strlen(at + 3) + 1);
    return pattern;
}

static int find_glob(struct walk *w, const char *key, int64_t day, struct err *err)
{
    const struct span fixed = span_of(key, strcspn(key, glob_chars));
    char *prefix = span_to_text(span_of(key, (size_t)(last_name(fixed) - key)));
    w->deep = strstr(key, "**") != NULL;
    w->pattern = pattern_of(key);
    const int r = prefix && w->pattern ? walk_below(w, prefix, day, err)
                                       : err_set(err, E_NOMEM, 0, "no memory for names of files");
    free(w->pattern);
    w->pattern = NULL;
    free(prefix);
    return r;
}

/* The day may stand in what the source fixes already. */
static int find_key(struct walk *w, const char *key, int64_t day, struct err *err)
{
    int64_t own_day;
    char *fixed = span_to_text(span_of(key, strcspn(key, glob_chars)));
    if (!fixed)
        return err_set(err, E_NOMEM, 0, "no memory for names of files");
    const bool is_glob = key[strlen(fixed)] != '\0';
    if (is_glob) // its last name is only begun
        fixed[last_name(span_str(fixed)) - fixed] = '\0';
    int r = day_of_path(&own_day, fixed, err);
    free(fixed);
    if (r == 0 && own_day != NO_DAY)
        day = own_day;
    if (r < 0 || !is_wanted(w, day))
        return r;
    return is_glob ? find_glob(w, key, day, err) : find_plain(w, key, day, err);
}

static int open_bucket(struct walk *w, const char *url, const char **key, struct err *err)
{
    const char *bucket = strstr(url, "://") + 3;
    const size_t len = strcspn(bucket, "/");
    if (len == 0)
        return err_set(err, E_ARG, 0, "%s names no bucket", url);
    *key = bucket + len + (bucket[len] == '/' ? 1 : 0);
    if (w->out->store) { // of an earlier day
        w->store = w->out->store;
        return 0;
    }
    char *place = span_to_text(span_of(url, (size_t)(bucket - url) + len));
    struct store_config access = w->config->access ? *w->config->access : (struct store_config){0};
    access.url = place;
    const int r = place ? store_open(&w->out->store, &access, err)
                        : err_set(err, E_NOMEM, 0, "no memory for a place");
    free(place);
    w->store = w->out->store;
    return r;
}

static char *absolute(const char *path)
{
    char *cwd = *path == '/' ? NULL : getcwd(NULL, 0), *out = NULL;
    if (*path != '/' && !cwd)
        return NULL;
    if (asprintf(&out, "%s%s%s", cwd ? cwd : "", cwd ? "/" : "", path) < 0)
        out = NULL;
    free(cwd);
    return out;
}

/* A directory is a store, the one above a file or a glob too. */
static int find_local(struct walk *w, const char *source, int64_t day, struct err *err)
{
    CLEANUP(store_closep) struct store *store = NULL;
    CLEANUP(buf_deinit) struct buf root = BUF_INIT(1 << 16);
    char *path = absolute(source);
    struct stat st;
    if (!path)
        return err_set(err, E_NOMEM, 0, "no memory for a path");
    const bool is_directory = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
    const struct span fixed =
        span_of(path, is_directory ? strlen(path) : strcspn(path, glob_chars));
    const size_t root_len = is_directory ? fixed.len : (size_t)(last_name(fixed) - path);
    int r = buf_append(&root, path, root_len, err);
    if (r == 0 && (root_len == 0 || path[root_len - 1] != '/'))
        r = buf_append_byte(&root, '/', err);
    if (r == 0)
        r = buf_append_byte(&root, '\0', err);
    const struct store_config config = {.url = (const char *)root.data};
    if (r == 0)
        r = store_open(&store, &config, err);
    int64_t root_day = NO_DAY;
    if (r == 0)
        r = day_of_path(&root_day, config.url, err);
    w->root = config.url;
    w->store = store;
    if (r == 0 && is_wanted(w, root_day))
        r = find_key(w, path + root_len, root_day != NO_DAY ? root_day : day, err);
    free(path);
    return r;
}

static int find(struct source_files *out, const struct telemetry_config *config, const char *source,
                int64_t day, struct err *err)
{
    static const char file_scheme[] = "file://";
    struct walk w = {.out = out, .config = config, .root = ""};
    char *text = strdup(source);
    const char *key = "";
    if (!text)
        return err_set(err, E_NOMEM, 0, "no memory for a place");
    for (size_t n = strlen(text); n > 1 && text[n - 1] == '/'; n--)
        text[n - 1] = '\0';
    int r;
    if (strncmp(text, file_scheme, strlen(file_scheme)) == 0 || !is_url(text)) {
        r = find_local(&w, is_url(text) ? text + strlen(file_scheme) : text, day, err);
    } else {
        r = open_bucket(&w, text, &key, err);
        if (r == 0)
            r = find_key(&w, key, day, err);
    }
    free(text);
    return r;
}

static int find_dated(struct source_files *out, const struct telemetry_config *config,
                      struct err *err)
{
    if (config->first == TELEMETRY_ANY_FIRST || config->last - config->first >= MAX_DAYS)
        return err_set(err, E_ARG, 0, "%s: {dateformat} needs a date, or up to %d of them",
                       config->source, (int)MAX_DAYS);
    int r = 0;
    for (int64_t day = config->first; day <= config->last && r == 0; day++) {
        CLEANUP(buf_deinit) struct buf source = BUF_INIT(1 << 16);
        r = append_dated(&source, config->source, day, err);
        if (r == 0)
            r = buf_append_byte(&source, '\0', err);
        if (r == 0)
            r = find(out, config, (const char *)source.data, day, err);
    }
    return r;
}

static int by_path(const void *a, const void *b)
{
    const struct source_file *x = a, *y = b;
    return strcmp(x->path, y->path);
}

int source_files_find(struct source_files *out, const struct telemetry_config *config,
                      struct err *err)
{
    const int r = has_dateformat(config->source) ? find_dated(out, config, err)
                                                 : find(out, config, config->source, NO_DAY, err);
    if (r == 0 && out->n > 0)
        qsort(out->files, out->n, sizeof *out->files, by_path);
    return r;
}
