/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/inputs.h"

#include "codec/gzip.h"
#include "processor/layout.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AHEAD = 4 }; // objects that are open, so that the latency of a store hides

static int take(struct inputs *inputs, const char *prefix, bool (*wanted)(const char *rest),
                struct err *err)
{
    const struct store_listing *l = &inputs->listing;
    inputs->keys = calloc(l->n + 1, sizeof *inputs->keys);
    if (!inputs->keys)
        return err_set(err, E_NOMEM, 0, "no memory for %zu objects", l->n);
    for (size_t i = 0; i < l->n; i++) {
        const char *key = l->objects[i].key;
        if (!layout_is_data(key) || (wanted && !wanted(key + strlen(prefix))))
            continue;
        inputs->keys[inputs->n++] = key;
        inputs->bytes += l->objects[i].size;
    }
    return 0;
}

int inputs_list(struct inputs *inputs, const struct place *place, const char *prefix,
                bool (*wanted)(const char *rest), struct err *err)
{
    CLEANUP(buf_deinit) struct buf key = PLACE_KEY_INIT;
    *inputs = (struct inputs){.store = place->store};
    const char *text = place_key(&key, place, prefix, err);
    if (!text)
        return E_NOMEM;
    const int r = store_list(place->store, text, &inputs->listing, err);
    return r < 0 && r != E_ABSENT ? r : take(inputs, text, wanted, err);
}

/* Keep what matches the glob, or lies in a folder that does. */
static void filter(struct inputs *inputs, const char *pattern)
{
    size_t n = 0;
    for (size_t i = 0; i < inputs->n; i++)
        if (fnmatch(pattern, inputs->keys[i], FNM_PATHNAME | FNM_PERIOD | FNM_LEADING_DIR) == 0)
            inputs->keys[n++] = inputs->keys[i];
    inputs->n = n;
}

static int list_glob(struct inputs *inputs, const struct place *place, struct err *err)
{
    const size_t plain = strcspn(place->dir, "*?[");
    char *prefix = strndup(place->dir, plain);
    if (!prefix)
        return err_set(err, E_NOMEM, 0, "no memory for a pattern");
    *inputs = (struct inputs){.store = place->store};
    int r = store_list(place->store, prefix, &inputs->listing, err);
    if (r == 0 || r == E_ABSENT)
        r = take(inputs, prefix, NULL, err);
    free(prefix);
    if (r == 0)
        filter(inputs, place->dir);
    return r;
}

/* One object under the very name. @return 1, 0: there is none, or E_*. */
static int list_one(struct inputs *inputs, const struct place *place, struct err *err)
{
    struct err absent = {0};
    struct store_object object;
    if (place->dir[0] == '\0')
        return 0;
    const int r = store_stat(place->store, place->dir, &object, &absent);
    if (r == E_ABSENT || r == E_ARG)
        return 0;
    if (r < 0) {
        if (err)
            *err = absent;
        return r;
    }
    *inputs = (struct inputs){.store = place->store, .n = 1, .bytes = object.size};
    inputs->keys = calloc(1, sizeof *inputs->keys);
    if (!inputs->keys)
        return err_set(err, E_NOMEM, 0, "no memory for an object");
    inputs->keys[0] = place->dir;
    return 1;
}

int inputs_find(struct inputs *inputs, const struct place *place, struct err *err)
{
    int r = list_one(inputs, place, err);
    if (r != 0)
        return r < 0 ? r : 0;
    const bool is_glob = strpbrk(place->dir, "*?[") != NULL;
    r = is_glob ? list_glob(inputs, place, err) : inputs_list(inputs, place, "", NULL, err);
    if (r == 0 && inputs->n == 0 && (is_glob || inputs->listing.n == 0))
        r = err_set(err, E_ABSENT, 0, "%s/%s: no such file, and no data files in a folder of it",
                    store_name(place->store), place->dir);
    if (r < 0)
        inputs_deinit(inputs);
    return r;
}

void inputs_deinit(struct inputs *inputs)
{
    free(inputs->keys);
    store_listing_deinit(&inputs->listing);
    *inputs = (struct inputs){0};
}

bool inputs_lie_in(const struct inputs *inputs, const struct place *folder)
{
    char place[2 * STORE_MAX_KEY], object[2 * STORE_MAX_KEY];
    (void)snprintf(place, sizeof place, "%s/%s%s", store_name(folder->store), folder->dir,
                   folder->dir[0] ? "/" : "");
    for (size_t i = 0; i < inputs->n; i++) {
        (void)snprintf(object, sizeof object, "%s/%s", store_name(inputs->store), inputs->keys[i]);
        if (strncmp(object, place, strlen(place)) == 0)
            return true;
    }
    return false;
}

struct inputs_stream {
    const struct inputs *inputs;
    size_t current, n_opened; // objects
    struct store_reader *readers[AHEAD];
    struct gunzip *gunzip; // of current; NULL: it is not begun
    bool newline_due;      // what was read of it last was no newline
    uint64_t n_lines;      // handed out so far
    uint64_t *first_lines; // of each object, from 0
};

int inputs_open(struct inputs_stream **out, const struct inputs *inputs, struct err *err)
{
    struct inputs_stream *s = calloc(1, sizeof *s);
    uint64_t *first_lines = calloc(inputs->n + 1, sizeof *first_lines);
    if (!s || !first_lines) {
        free(first_lines);
        free(s);
        return err_set(err, E_NOMEM, 0, "no memory for %zu objects", inputs->n);
    }
    s->inputs = inputs;
    s->first_lines = first_lines;
    *out = s;
    return 0;
}

void inputs_close(struct inputs_stream *s)
{
    if (!s)
        return;
    gunzip_free(s->gunzip);
    for (size_t i = 0; i < AHEAD; i++)
        store_reader_close(s->readers[i]);
    free(s->first_lines);
    free(s);
}

static int begin_object(struct inputs_stream *s, struct err *err)
{
    const struct inputs *in = s->inputs;
    int r = 0;
    for (; r == 0 && s->n_opened < in->n && s->n_opened < s->current + AHEAD; s->n_opened += r == 0)
        r = store_get(&s->readers[s->n_opened % AHEAD], in->store, in->keys[s->n_opened], 0,
                      STORE_TO_END, err);
    if (r < 0)
        return r;
    s->first_lines[s->current] = s->n_lines;
    s->newline_due = false;
    return gunzip_new(&s->gunzip, store_reader_source(s->readers[s->current % AHEAD]), err);
}

static void end_object(struct inputs_stream *s)
{
    gunzip_free(s->gunzip);
    s->gunzip = NULL;
    store_reader_close(s->readers[s->current % AHEAD]);
    s->readers[s->current % AHEAD] = NULL;
    s->current++;
}

static void count_lines(struct inputs_stream *s, const uint8_t *bytes, size_t len)
{
    const uint8_t *p = bytes, *const end = bytes + len;
    while ((p = memchr(p, '\n', (size_t)(end - p))) && ++p <= end)
        s->n_lines++;
    s->newline_due = bytes[len - 1] != '\n';
}

static ssize_t read_lines(void *arg, void *dst, size_t cap, struct err *err)
{
    struct inputs_stream *s = arg;
    while (s->current < s->inputs->n) {
        if (!s->gunzip) {
            const int r = begin_object(s, err);
            if (r < 0)
                return r;
        }
        const struct source src = gunzip_source(s->gunzip);
        ssize_t n = src.read(src.arg, dst, cap, err);
        if (n < 0)
            return err_wrap(err, (int)n, "%s", s->inputs->keys[s->current]);
        const bool at_end = n == 0;
        if (at_end && s->newline_due && cap > 0) {
            *(char *)dst = '\n';
            n = 1;
        }
        if (n > 0)
            count_lines(s, dst, (size_t)n);
        if (at_end)
            end_object(s);
        if (n > 0)
            return n;
    }
    return 0;
}

struct source inputs_source(struct inputs_stream *s)
{
    return (struct source){.read = read_lines, .arg = s};
}

const char *inputs_locate(const struct inputs_stream *s, uint64_t line, uint64_t *there)
{
    size_t i = s->current < s->inputs->n ? s->current : s->inputs->n - 1;
    while (i > 0 && s->first_lines[i] >= line)
        i--;
    *there = line - s->first_lines[i];
    return s->inputs->keys[i];
}
