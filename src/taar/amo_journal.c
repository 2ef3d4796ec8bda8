/* SPDX-License-Identifier: MPL-2.0 */
#include "base/log.h"
#include "taar/amo_journal_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SOURCE = 16 << 10 };

static int no_memory(struct err *err)
{
    return err_set(err, E_NOMEM, 0, "no memory for the journal of the crawl");
}

bool amo_journal_is_segment(const struct amo_journal *j, const char *key, unsigned *object,
                            unsigned *version)
{
    const size_t len = strlen(j->base);
    char again[AMO_JOURNAL_NAME_BYTES];
    if (strncmp(key, j->base, len) != 0 ||
        sscanf(key + len, "addons-%6u-%6u", object, version) != 2)
        return false;
    (void)snprintf(again, sizeof again, "addons-%06u-%06u", *object, *version);
    return strcmp(key + len, again) == 0;
}

/* "<prefix>/.journal/", or with the date behind it. */
static int name_base(char **out, const struct amo_journal_place *place, bool with_date,
                     struct err *err)
{
    size_t len = strlen(place->prefix);
    while (len > 0 && place->prefix[len - 1] == '/')
        len--;
    char date[16] = "";
    for (size_t i = 0, n = 0; with_date && place->date[i] && n + 2 < sizeof date; i++)
        if (place->date[i] != '-')
            date[n++] = place->date[i];
    if (asprintf(out, "%.*s%s.journal/%s%s", (int)len, place->prefix, len > 0 ? "/" : "", date,
                 with_date ? "/" : "") >= 0)
        return 0;
    *out = NULL; // asprintf leaves it undefined
    return no_memory(err);
}

static int report_others(const struct amo_journal *j, const struct amo_journal_place *place,
                         struct err *err)
{
    char *all = NULL;
    CLEANUP(store_listing_deinit) struct store_listing dates = {0};
    int r = name_base(&all, place, false, err);
    if (r == 0)
        r = store_list_level(j->store, all, &dates, err);
    free(all);
    for (size_t i = 0; r == 0 && i < dates.n; i++)
        if (strcmp(dates.objects[i].key, j->base) != 0)
            log_event(LOG_LEVEL_WARNING,
                      "the crawl of another date was never finished; its journal is left alone",
                      LOG_S("journal", dates.objects[i].key));
    return r;
}

static int key_of(char **out, const struct amo_journal *j, const char *name, struct err *err)
{
    if (asprintf(out, "%s%s", j->base, name) >= 0)
        return 0;
    *out = NULL;
    return no_memory(err);
}

static int remove_listed(struct amo_journal *j, const struct store_listing *all, struct err *err)
{
    if (all->n == 0)
        return 0;
    const char **keys = calloc(all->n, sizeof *keys);
    if (!keys)
        return no_memory(err);
    for (size_t i = 0; i < all->n; i++)
        keys[i] = all->objects[i].key;
    const int r = store_delete(j->store, keys, all->n, err);
    free(keys);
    return r;
}

int amo_journal_remove(struct amo_journal *j, struct err *err)
{
    CLEANUP(store_listing_deinit) struct store_listing all = {0};
    const int r = store_list(j->store, j->base, &all, err);
    return r < 0 ? r : remove_listed(j, &all, err);
}

/* @return 1: the journal's answers came from this source, 0, or E_*. */
static int is_of_source(struct amo_journal *j, const char *key, const char *source, struct err *err)
{
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(MAX_SOURCE);
    const int r = store_get_all(j->store, key, &text, NULL, err);
    if (r < 0)
        return r == E_ABSENT ? 0 : r;
    return span_equal(buf_span(&text), span_str(source));
}

static int begin(struct amo_journal *j, const char *source, struct err *err)
{
    char *key = NULL;
    int r = key_of(&key, j, "source", err);
    if (r == 0)
        r = is_of_source(j, key, source, err);
    j->resumes = r == 1;
    if (r == 0 && j->were.n > 0) {
        log_event(LOG_LEVEL_WARNING, "the journal is one of another address: thrown away",
                  LOG_S("journal", j->base));
        r = remove_listed(j, &j->were, err);
        store_listing_deinit(&j->were);
        j->were = (struct store_listing){0};
    }
    if (r == 0)
        r = store_put(j->store, key, span_str(source), NULL, NULL, err);
    free(key);
    return r < 0 ? r : 0;
}

/* New lines go behind all that were there. */
static void find_next_object(struct amo_journal *j)
{
    unsigned object, version;
    for (size_t i = 0; i < j->were.n; i++)
        if (amo_journal_is_segment(j, j->were.objects[i].key, &object, &version) &&
            object >= j->object)
            j->object = object + 1;
}

int amo_journal_open(struct amo_journal **out, const struct amo_journal_place *place,
                     const struct record_ops *ops, struct err *err)
{
    struct amo_journal *j = calloc(1, sizeof *j);
    if (!j)
        return no_memory(err);
    j->store = place->store;
    j->ops = ops;
    j->lines = BUF_INIT(AMO_MAX_SEGMENT);
    (void)pthread_mutex_init(&j->lock, NULL); // neither fails on Linux
    (void)pthread_cond_init(&j->written, NULL);
    int r = name_base(&j->base, place, true, err);
    if (r == 0)
        r = report_others(j, place, err);
    if (r == 0)
        r = store_list(j->store, j->base, &j->were, err);
    if (r == 0)
        r = begin(j, place->source, err);
    if (r < 0) {
        amo_journal_close(j);
        return r;
    }
    find_next_object(j);
    *out = j;
    return 0;
}

void amo_journal_close(struct amo_journal *j)
{
    if (!j)
        return;
    store_listing_deinit(&j->were);
    buf_deinit(&j->lines);
    (void)pthread_cond_destroy(&j->written);
    (void)pthread_mutex_destroy(&j->lock);
    free(j->base);
    free(j);
}

bool amo_journal_resumes(const struct amo_journal *j)
{
    return j->resumes;
}

/* The first key from `wanted` on. */
static size_t lower_bound(const struct store_listing *all, const char *wanted)
{
    size_t low = 0, high = all->n;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (strcmp(all->objects[middle].key, wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int amo_journal_get(struct amo_journal *j, const char *name, int *status, struct buf *body,
                    struct err *err)
{
    char *key = NULL;
    int r = key_of(&key, j, name, err);
    if (r < 0)
        return r;
    const size_t i = lower_bound(&j->were, key), len = strlen(key);
    const char *found = i < j->were.n ? j->were.objects[i].key : "";
    const bool is_there = strncmp(found, key, len) == 0 && sscanf(found + len, ".%3d", status) == 1;
    free(key);
    if (!is_there)
        return 0;
    r = store_get_all(j->store, found, body, NULL, err);
    return r < 0 ? r : 1;
}

int amo_journal_put(struct amo_journal *j, const char *name, int status, struct span body,
                    struct err *err)
{
    char numbered[AMO_JOURNAL_NAME_BYTES], *key = NULL;
    (void)snprintf(numbered, sizeof numbered, "%s.%03d", name, status);
    int r = key_of(&key, j, numbered, err);
    if (r == 0)
        r = store_put(j->store, key, body, NULL, NULL, err);
    free(key);
    return r < 0 ? r : 0;
}
