/* SPDX-License-Identifier: MPL-2.0 */
#include "store/gcs_internal.h"

#include <stdlib.h>
#include <string.h>

struct walk {
    struct gcs *gcs;
    const char *prefix;
    bool one_level;
    struct store_listing *out;
    char *token; // of the next page, NULL: none
};

/* A full name in the bucket. */
static int add(struct walk *w, const json_t *name, const struct store_object *object,
               struct err *err)
{
    const size_t skip = strlen(w->gcs->prefix);
    const char *text = json_string_value(name);
    if (!text || strncmp(text, w->gcs->prefix, skip) != 0)
        return err_set(err, E_FORMAT, 0, "the service lists what was not asked for");
    // The "dir/" object of a prefix has no key below the store's, and is not below a level's own.
    if (text[skip] == '\0' || (w->one_level && strcmp(text + skip, w->prefix) == 0))
        return 0;
    return listing_add(w->out, span_str(text + skip), object, err);
}

static int read_items(struct walk *w, const json_t *page, struct err *err)
{
    const json_t *items = json_object_get(page, "items");
    const json_t *prefixes = json_object_get(page, "prefixes");
    int r = 0;
    for (size_t i = 0; i < json_array_size(items) && r == 0; i++) {
        const json_t *item = json_array_get(items, i);
        struct store_object object;
        r = gcs_object_read(&object, item, err);
        if (r == 0)
            r = add(w, json_object_get(item, "name"), &object, err);
    }
    const struct store_object nothing = {0};
    for (size_t i = 0; i < json_array_size(prefixes) && r == 0; i++)
        r = add(w, json_array_get(prefixes, i), &nothing, err);
    return r;
}

static int next_page(struct walk *w, const json_t *page, struct err *err)
{
    const char *text = json_string_value(json_object_get(page, "nextPageToken"));
    char *old = w->token;
    w->token = NULL;
    int r = 0;
    if (text && old && strcmp(text, old) == 0)
        r = err_set(err, E_FORMAT, 0, "the service lists the same page again and again");
    else if (text && text[0] && !(w->token = strdup(text)))
        r = err_set(err, E_NOMEM, 0, "no memory for a listing");
    free(old);
    return r;
}

static int list_page(struct walk *w, struct err *err)
{
    struct gcs_call call;
    gcs_call_begin(&call, w->gcs, "GET", GCS_OBJECTS, NULL);
    gcs_call_query_name(&call, "prefix", w->prefix);
    gcs_call_query(&call, "fields", "nextPageToken,prefixes,items(" GCS_FIELDS ")");
    if (w->one_level)
        gcs_call_query(&call, "delimiter", "/");
    if (w->token)
        gcs_call_query(&call, "pageToken", w->token);
    int r = gcs_call_send(&call, err);
    CLEANUP(gcs_json_drop) json_t *page = r == 0 ? gcs_json(&call.answer, err) : NULL;
    gcs_call_end(&call);
    if (r == 0 && !page)
        r = E_FORMAT;
    if (r == 0)
        r = read_items(w, page, err);
    return r == 0 ? next_page(w, page, err) : r;
}

int gcs_list(void *self, const char *prefix, bool one_level, struct store_listing *out,
             struct err *err)
{
    struct walk w = {.gcs = self, .prefix = prefix, .one_level = one_level, .out = out};
    int r;
    do
        r = list_page(&w, err);
    while (r == 0 && w.token);
    free(w.token);
    return r;
}
