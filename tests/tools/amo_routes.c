/* SPDX-License-Identifier: MPL-2.0 */
#include "amo_routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TARGET = 2048, MAX_PARAMETERS = 32, MS_OF_S = 1000 };

/* Decode %XX in place. @return false for a bad one, and for a NUL byte. */
static bool decode(char *text)
{
    char *to = text;
    for (const char *from = text; *from; from++) {
        unsigned byte = (unsigned char)*from;
        if (*from == '%') {
            if (sscanf(from + 1, "%2x", &byte) != 1 || byte == 0)
                return false;
            from += 2;
        }
        *to++ = (char)byte;
    }
    *to = '\0';
    return true;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The path and the sorted parameters, decoded, a line each. */
static bool normalize(char out[MAX_TARGET], const char *target)
{
    char text[MAX_TARGET], *parameters[MAX_PARAMETERS], *rest = NULL;
    size_t n = 0;
    if ((size_t)snprintf(text, sizeof text, "%s", target) >= sizeof text)
        return false;
    char *query = strchr(text, '?');
    if (query)
        *query++ = '\0';
    for (char *p = query ? strtok_r(query, "&", &rest) : NULL; p; p = strtok_r(NULL, "&", &rest)) {
        if (n == MAX_PARAMETERS || !decode(p))
            return false;
        parameters[n++] = p;
    }
    if (!decode(text))
        return false;
    qsort(parameters, n, sizeof *parameters, compare);
    size_t len = (size_t)snprintf(out, MAX_TARGET, "%s", text);
    for (size_t i = 0; i < n && len < MAX_TARGET; i++)
        len += (size_t)snprintf(out + len, MAX_TARGET - len, "\n%s", parameters[i]);
    return len < MAX_TARGET;
}

/* file[list]'s entries by their normal targets; of member only, where it is not NULL. */
static int index_targets(json_t **out, const char *file, const char *list, const char *member,
                         struct err *err)
{
    json_error_t why;
    json_t *all = json_load_file(file, 0, &why);
    json_t *index = json_object(), *entry;
    size_t i;
    if (!all)
        return err_set(err, E_FORMAT, 0, "%s:%d: %s", file, why.line, why.text);
    int r = 0;
    json_array_foreach(json_object_get(all, list), i, entry)
    {
        const char *target = json_string_value(json_object_get(entry, "target"));
        char key[MAX_TARGET];
        if (!target || !normalize(key, target))
            r = err_set(err, E_FORMAT, 0, "%s: entry %zu of \"%s\" has no good target", file, i,
                        list);
        else
            (void)json_object_set(index, key, member ? json_object_get(entry, member) : entry);
    }
    json_decref(all);
    *out = index;
    return r;
}

int amo_routes_load(struct amo_routes *out, const char *server, const char *faults, struct err *err)
{
    const char *slash = strrchr(server, '/');
    *out = (struct amo_routes){.folder =
                                   slash ? strndup(server, (size_t)(slash - server)) : strdup(".")};
    int r = index_targets(&out->routes, server, "routes", NULL, err);
    if (r == 0 && faults)
        r = index_targets(&out->faults, faults, "faults", "first", err);
    return r;
}

void amo_routes_deinit(struct amo_routes *r)
{
    free(r->folder);
    json_decref(r->routes);
    json_decref(r->faults);
}

static int read_body(const struct amo_routes *r, const json_t *route, struct amo_answer *out,
                     struct err *err)
{
    char path[MAX_TARGET];
    const char *file = json_string_value(json_object_get(route, "file"));
    (void)snprintf(path, sizeof path, "%s/%s", r->folder, file ? file : "");
    FILE *f = fopen(path, "rb");
    if (!f)
        return err_set(err, E_ABSENT, 0, "%s: cannot be read", path);
    (void)fseek(f, 0, SEEK_END);
    out->len = (size_t)ftell(f);
    rewind(f);
    out->body = malloc(out->len + 1);
    const bool whole = out->body && fread(out->body, 1, out->len, f) == out->len;
    (void)fclose(f);
    return whole ? 0 : err_set(err, E_IO, 0, "%s: cannot be read", path);
}

static void add_headers(struct amo_answer *out, const json_t *headers)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)headers, name, value)
    {
        char *more = NULL;
        if (asprintf(&more, "%s%s: %s\r\n", out->headers ? out->headers : "", name,
                     json_string_value(value)) < 0)
            abort();
        free(out->headers);
        out->headers = more;
    }
}

static bool take_fault(struct amo_routes *r, const char *key, struct amo_answer *out)
{
    json_t *waiting = json_object_get(r->faults, key);
    const json_t *fault = json_array_get(waiting, 0), *cut, *status;
    if (!fault)
        return false;
    status = json_object_get(fault, "status");
    cut = json_object_get(fault, "truncate_body_at");
    out->reset = json_is_true(json_object_get(fault, "reset"));
    out->delay_ms = (unsigned)(json_number_value(json_object_get(fault, "slow")) * MS_OF_S);
    if (cut)
        out->sent = (size_t)json_integer_value(cut);
    if (status) {
        out->status = (int)json_integer_value(status);
        add_headers(out, json_object_get(fault, "headers"));
        out->body = json_dumps(json_object_get(fault, "body"), JSON_ENCODE_ANY);
        out->len = out->body ? strlen(out->body) : 0;
    }
    (void)json_array_remove(waiting, 0);
    return true;
}

int amo_routes_next(struct amo_routes *r, const char *target, struct amo_answer *out, bool *listed,
                    struct err *err)
{
    static const char absent[] = "{\"detail\": \"Not found.\"}";
    char key[MAX_TARGET] = "";
    *out = (struct amo_answer){.sent = SIZE_MAX};
    const json_t *route = normalize(key, target) ? json_object_get(r->routes, key) : NULL;
    *listed = route != NULL;
    if ((take_fault(r, key, out) && out->status != 0) || out->reset)
        return 0;
    if (route) {
        out->status = (int)json_integer_value(json_object_get(route, "status"));
        return read_body(r, route, out, err);
    }
    *out = (struct amo_answer){
        .status = 404, .body = strdup(absent), .len = sizeof absent - 1, .sent = SIZE_MAX};
    return 0;
}

void amo_answer_deinit(struct amo_answer *a)
{
    free(a->headers);
    free(a->body);
}
