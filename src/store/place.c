/* SPDX-License-Identifier: MPL-2.0 */
#include "store/backend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* S3 allows 3 to 63 characters, GCS up to 222 and underscores. */
enum { MIN_BUCKET = 3, MAX_BUCKET = 222 };

/* What follows the scheme, or NULL. */
static const char *behind(const char *url, const char *scheme)
{
    const size_t len = strlen(scheme);
    return strncmp(url, scheme, len) == 0 ? url + len : NULL;
}

/* Length of the UTF-8 character at p, 0 where there is none. */
static size_t character(const uint8_t *p, size_t left)
{
    if (p[0] < 0x80)
        return p[0] != 0;
    const size_t len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || len > left)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    const bool overlong = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
    const bool surrogate = p[0] == 0xed && p[1] > 0x9f;
    const bool too_high = p[0] == 0xf4 && p[1] > 0x8f;
    return overlong || surrogate || too_high ? 0 : len;
}

bool key_is_utf8(struct span text)
{
    for (size_t i = 0; i < text.len;) {
        const size_t n = character(text.ptr + i, text.len - i);
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

static bool has_control(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return true;
    return false;
}

/* Has text an empty, "." or ".." part? One "/" at its end may stand. */
static bool has_odd_part(const char *text)
{
    for (const char *part = text;;) {
        const size_t len = strcspn(part, "/");
        if (len == 0 || (len == 1 && part[0] == '.') || (len == 2 && memcmp(part, "..", 2) == 0))
            return true;
        if (part[len] == '\0' || part[len + 1] == '\0')
            return false;
        part += len + 1;
    }
}

int key_check(const struct store *store, const char *key, bool writing, struct err *err)
{
    const bool local = store->place.kind == STORE_DIRECTORY;
    const size_t len = strlen(key);
    if (len == 0)
        return err_set(err, E_ARG, 0, "%s: a key is empty", store->name);
    if (len + strlen(store->place.prefix) > STORE_MAX_KEY)
        return err_set(err, E_ARG, 0, "%s: a key is longer than %d bytes: %.60s...", store->name,
                       STORE_MAX_KEY, key);
    // What others put into a bucket can be listed and must be deletable, whatever it is called.
    if ((writing || local) && has_odd_part(key))
        return err_set(err, E_ARG, 0, "%s: the key \"%s\" has an empty, \".\" or \"..\" part",
                       store->name, key);
    if (writing && (has_control(key) || !key_is_utf8(span_str(key))))
        return err_set(err, E_ARG, 0, "%s: the key \"%s\" is not plain UTF-8", store->name, key);
    if (writing && local && key[len - 1] == '/')
        return err_set(err, E_ARG, 0, "%s: the key \"%s\" names a directory", store->name, key);
    return 0;
}

int prefix_check(const struct store *store, const char *prefix, struct err *err)
{
    const char *slash = strrchr(prefix, '/');
    char folder[STORE_MAX_KEY + 1];
    if (strlen(prefix) + strlen(store->place.prefix) > STORE_MAX_KEY)
        return err_set(err, E_ARG, 0, "%s: a prefix is longer than %d bytes: %.60s...", store->name,
                       STORE_MAX_KEY, prefix);
    if (store->place.kind != STORE_DIRECTORY || !slash)
        return 0;
    (void)snprintf(folder, sizeof folder, "%.*s", (int)(slash + 1 - prefix), prefix);
    if (has_odd_part(folder))
        return err_set(err, E_ARG, 0, "%s: the prefix \"%s\" has an empty, \".\" or \"..\" part",
                       store->name, prefix);
    return 0;
}

static bool is_bucket(const char *name, size_t len)
{
    if (len < MIN_BUCKET || len > MAX_BUCKET)
        return false;
    for (size_t i = 0; i < len; i++) {
        const char c = name[i];
        const bool alphanumeric =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!alphanumeric && (i == 0 || !strchr("._-", c)))
            return false;
    }
    return true;
}

/* "bucket[/prefix]" */
static int parse_bucket(struct store_place *place, const char *url, const char *text,
                        struct err *err)
{
    const size_t len = strcspn(text, "/");
    if (!is_bucket(text, len))
        return err_set(err, E_ARG, 0, "%s: \"%.*s\" cannot be the name of a bucket", url, (int)len,
                       text);
    const char *prefix = text[len] == '/' ? text + len + 1 : "";
    const size_t prefix_len = strlen(prefix);
    if (prefix_len > 0 &&
        (has_odd_part(prefix) || has_control(prefix) || !key_is_utf8(span_str(prefix))))
        return err_set(err, E_ARG, 0,
                       "%s: the prefix has an empty, \".\" or \"..\" part, or is "
                       "not plain UTF-8",
                       url);
    if (prefix_len >= STORE_MAX_KEY)
        return err_set(err, E_ARG, 0, "%.60s...: the prefix is too long", url);
    place->bucket = strndup(text, len);
    const bool add_slash = prefix_len > 0 && prefix[prefix_len - 1] != '/';
    if (asprintf(&place->prefix, "%s%s", prefix, add_slash ? "/" : "") < 0)
        place->prefix = NULL; // asprintf leaves it undefined
    if (!place->bucket || !place->prefix)
        return err_set(err, E_NOMEM, 0, "no memory for a store");
    return 0;
}

/* The path without "//", "/./" and a "/" at its end; ".." stays, for it may follow a symlink. */
static void tidy_path(char *path)
{
    char *to = path;
    for (const char *part = path; *part;) {
        const size_t slashes = strspn(part, "/");
        const size_t len = strcspn(part + slashes, "/");
        const bool keep = len > 0 && !(len == 1 && part[slashes] == '.');
        if (keep) {
            *to++ = '/';
            memmove(to, part + slashes, len);
            to += len;
        }
        part += slashes + len;
    }
    if (to == path)
        *to++ = '/';
    *to = '\0';
}

static int parse_directory(struct store_place *place, const char *url, const char *path,
                           struct err *err)
{
    if (path[0] != '/')
        return err_set(err, E_ARG, 0, "%s: a directory needs its whole path, file:///path", url);
    place->bucket = strdup(path);
    place->prefix = strdup("");
    if (!place->bucket || !place->prefix)
        return err_set(err, E_NOMEM, 0, "no memory for a store");
    tidy_path(place->bucket);
    return 0;
}

int place_parse(struct store_place *place, const struct store_config *config, struct err *err)
{
    const char *url = config->url ? config->url : "";
    const char *rest = behind(url, "s3://");
    *place = (struct store_place){.kind = STORE_S3};
    if (!rest)
        rest = behind(url, "s3a://");
    if (rest)
        return parse_bucket(place, url, rest, err);
    if ((rest = behind(url, "gs://"))) {
        place->kind = STORE_GCS;
        return parse_bucket(place, url, rest, err);
    }
    if (strstr(url, "://") == NULL && url[0] != '/' && config->endpoint && config->endpoint[0])
        return parse_bucket(place, url, url, err);
    place->kind = STORE_DIRECTORY;
    if ((rest = behind(url, "file://")) || url[0] == '/')
        return parse_directory(place, url, rest ? rest : url, err);
    return err_set(err, E_ARG, 0,
                   "\"%s\" is no store: write s3://bucket, gs://bucket, or the whole "
                   "path of a directory",
                   url);
}

void place_deinit(struct store_place *place)
{
    free(place->bucket);
    free(place->prefix);
    *place = (struct store_place){0};
}
