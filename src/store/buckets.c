/* SPDX-License-Identifier: MPL-2.0 */
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_set(const char *text)
{
    return text && text[0] != '\0';
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static bool has_scheme(const char *text)
{
    return strstr(text, "://") != NULL;
}

static void free_text(char **text)
{
    free(*text);
}

static int no_memory(struct err *err)
{
    return err_set(err, E_NOMEM, 0, "no memory for a path");
}

static int copy_text(char **out, const char *text, struct err *err)
{
    *out = strdup(text);
    return *out ? 0 : no_memory(err);
}

/* path as it is when absolute, below the working directory otherwise. */
static int absolute_path(char **out, const char *path, struct err *err)
{
    char *text = NULL;
    if (path[0] == '/') {
        text = strdup(path);
    } else {
        CLEANUP(free_text) char *here = getcwd(NULL, 0);
        if (!here)
            return err_set(err, E_IO, 0, "the working directory is gone");
        if (asprintf(&text, "%s/%s", here, path) < 0)
            text = NULL; // asprintf leaves it undefined
    }
    *out = text;
    return text ? 0 : no_memory(err);
}

int bucket_home(char **out, const struct bucket_common *common, struct err *err)
{
    char *text;
    int n = -1;
    if (is_set(common->home))
        return absolute_path(out, common->home, err);
    // The XDG specification has relative paths ignored.
    if (is_set(common->xdg_data_home) && common->xdg_data_home[0] == '/')
        n = asprintf(&text, "%s/weir", common->xdg_data_home);
    else if (is_set(common->user_home) && common->user_home[0] == '/')
        n = asprintf(&text, "%s/.local/share/weir", common->user_home);
    else
        return err_set(err, E_ARG, 0, "where is home? Set WEIR_HOME or HOME");
    if (n < 0)
        return no_memory(err);
    *out = text;
    return 0;
}

/* The URL of a bare name: below the store root. */
static int url_below_root(char **out, const struct bucket_common *common, const char *name,
                          struct err *err)
{
    CLEANUP(free_text) char *root = NULL;
    CLEANUP(free_text) char *home = NULL;
    int r;
    if (is_set(common->store_root)) {
        r = has_scheme(common->store_root) ? copy_text(&root, common->store_root, err)
                                           : absolute_path(&root, common->store_root, err);
    } else {
        r = bucket_home(&home, common, err);
        if (r == 0 && asprintf(&root, "%s/buckets", home) < 0) {
            root = NULL; // asprintf leaves it undefined
            r = no_memory(err);
        }
    }
    if (r < 0)
        return r;
    // "s3://" alone has the name itself as its bucket.
    const char *slash = root[strlen(root) - 1] == '/' ? "" : "/";
    char *url;
    if (asprintf(&url, "%s%s%s", root, slash, name) < 0)
        return no_memory(err);
    *out = url;
    return 0;
}

/* A name that cannot lead out of the store root. */
static int check_bare_name(const char *name, struct err *err)
{
    for (const char *part = name;;) {
        const size_t len = strcspn(part, "/");
        if (len == 0 || (len == 1 && part[0] == '.') || (len == 2 && memcmp(part, "..", 2) == 0))
            return err_set(err, E_ARG, 0, "\"%s\" has an empty, \".\" or \"..\" part", name);
        if (part[len] == '\0' || part[len + 1] == '\0')
            return 0;
        part += len + 1;
    }
}

static int open_url(struct store **out, const struct bucket_common *common,
                    const struct bucket_side *side, const char *url, struct err *err)
{
    const char *endpoint = begins(url, "gs://") ? common->storage_emulator : side->endpoint;
    const struct store_config config = {
        .url = url,
        .endpoint = is_set(endpoint) ? endpoint : NULL,
        .region = is_set(side->region) ? side->region : NULL,
        .access_key = &side->access_key,
        .secret_key = &side->secret_key,
        .session_token = &side->session_token,
        .ca_file = is_set(side->ca_file) ? side->ca_file : NULL,
        .google_credentials =
            is_set(common->google_credentials) ? common->google_credentials : NULL,
        .google_key = common->google_key,
        .metadata_host = common->metadata_host,
    };
    return store_open(out, &config, err);
}

/* The name of a bucket behind the endpoint of its side: any scheme of v1 to v3 is dropped. */
static int open_at_endpoint(struct store **out, const struct bucket_common *common,
                            const struct bucket_side *side, const char *value, struct err *err)
{
    static const char *const schemes[] = {"s3://", "s3a://", "gs://"};
    const char *name = value;
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
        if (begins(value, schemes[i]))
            name = value + strlen(schemes[i]);
    if (has_scheme(name) || name[0] == '/')
        return err_set(err, E_ARG, 0,
                       "\"%s\" is no bucket name, but an endpoint is given: leave one of them out",
                       value);
    CLEANUP(free_text) char *url = NULL;
    if (asprintf(&url, "s3://%s", name) < 0) {
        url = NULL; // asprintf leaves it undefined
        return no_memory(err);
    }
    return open_url(out, common, side, url, err);
}

static int open_value(struct store **out, const struct bucket_common *common,
                      const struct bucket_side *side, const char *value, struct err *err)
{
    if (!is_set(value))
        return err_set(err, E_ARG, 0, "names no bucket");
    if (is_set(side->endpoint))
        return open_at_endpoint(out, common, side, value, err);
    if (has_scheme(value) || value[0] == '/')
        return open_url(out, common, side, value, err);
    CLEANUP(free_text) char *url = NULL;
    int r = check_bare_name(value, err);
    if (r == 0)
        r = url_below_root(&url, common, value, err);
    return r < 0 ? r : open_url(out, common, side, url, err);
}

int bucket_open(struct store **out, const struct bucket_common *common,
                const struct bucket_side *side, const char *variable, const char *value,
                struct err *err)
{
    const int r = open_value(out, common, side, value, err);
    return r < 0 ? err_wrap(err, r, "%s", variable) : 0;
}

/* Cut "/rest" from a path or URL: *rest is a copy of it, without a "/" at its end. */
static int split_at(char *slash, char **rest, struct err *err)
{
    *rest = strdup(slash + 1);
    if (!*rest)
        return no_memory(err);
    *slash = '\0';
    const size_t len = strlen(*rest);
    if (len > 0 && (*rest)[len - 1] == '/')
        (*rest)[len - 1] = '\0';
    return 0;
}

static void drop_final_slashes(char *path)
{
    for (size_t len = strlen(path); len > 1 && path[len - 1] == '/'; len--)
        path[len - 1] = '\0';
}

/* The slash behind which the last name begins, or the first one with a glob letter. */
static char *last_slash(char *path)
{
    char *glob = strpbrk(path, "*?[");
    char *at = glob ? glob : path + strlen(path);
    while (at > path && *at != '/')
        at--;
    return at;
}

/* Of what is there: one name for one directory, so that names tell what lies in what. */
static void resolve(char **path)
{
    char *real = realpath(*path, NULL);
    if (!real)
        return;
    free(*path);
    *path = real;
}

/* A directory is a store; anything else a key in the directory that holds it. */
static int open_path(struct store **out, char **key, const struct bucket_common *common,
                     const struct bucket_side *side, const char *location, struct err *err)
{
    CLEANUP(free_text) char *path = NULL;
    CLEANUP(free_text) char *name = NULL;
    struct stat st;
    int r = absolute_path(&path, location, err);
    if (r < 0)
        return r;
    drop_final_slashes(path);
    const bool is_directory = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
    r = is_directory ? copy_text(&name, "", err) : split_at(last_slash(path), &name, err);
    if (r < 0)
        return r;
    if (path[0])
        resolve(&path);
    r = open_url(out, common, side, path[0] ? path : "/", err);
    if (r == 0) {
        *key = name;
        name = NULL;
    }
    return r;
}

static int open_object(struct store **out, char **key, const struct bucket_common *common,
                       const struct bucket_side *side, const char *location, struct err *err)
{
    CLEANUP(free_text) char *url = NULL;
    CLEANUP(free_text) char *rest = NULL;
    int r = copy_text(&url, location, err);
    if (r < 0)
        return r;
    char *slash = strchr(strstr(url, "://") + 3, '/');
    r = slash ? split_at(slash, &rest, err) : copy_text(&rest, "", err);
    if (r < 0)
        return r;
    r = open_url(out, common, side, url, err);
    if (r == 0) {
        *key = rest;
        rest = NULL;
    }
    return r;
}

int location_open(struct store **out, char **key, const struct bucket_common *common,
                  const struct bucket_side *side, const char *location, struct err *err)
{
    if (!is_set(location))
        return err_set(err, E_ARG, 0, "a location is empty");
    if (begins(location, "file:///"))
        return open_path(out, key, common, side, location + strlen("file://"), err);
    if (has_scheme(location))
        return open_object(out, key, common, side, location, err);
    return open_path(out, key, common, side, location, err);
}
