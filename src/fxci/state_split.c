/* SPDX-License-Identifier: MPL-2.0 */
#include "codec/json.h"
#include "fxci/state_internal.h"

#include <stdlib.h>

enum { MAX_DEPTH = 64 };

/*
 * The end of something that is no JSON value: the comma or bracket that comes next outside of
 * strings and brackets. One broken element must not take the others with it.
 */
static const uint8_t *skip_anything(const uint8_t *p, const uint8_t *end)
{
    size_t depth = 0;
    for (bool in_string = false; p < end; p++) {
        if (in_string) {
            if (*p == '"')
                in_string = false;
            else if (*p == '\\' && end - p > 1)
                p++;
        } else if (*p == '"') {
            in_string = true;
        } else if (*p == '[' || *p == '{') {
            depth++;
        } else if (depth == 0 && (*p == ',' || *p == ']')) {
            return p;
        } else if ((*p == ']' || *p == '}') && depth > 0) {
            depth--;
        }
    }
    return NULL;
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct span trim_end(const uint8_t *begin, const uint8_t *end)
{
    while (end > begin && is_space(end[-1]))
        end--;
    return span_of(begin, (size_t)(end - begin));
}

/* p: at an element. @return the comma or bracket behind it, or NULL. */
static const uint8_t *element_end(const struct json_text *t, const uint8_t *p)
{
    bool escaped = false;
    const uint8_t *q = json_skip_value(t, p, MAX_DEPTH, &escaped);
    if (q)
        q = json_skip_space(q, t->end);
    return q && q < t->end && (*q == ',' || *q == ']') ? q : skip_anything(p, t->end);
}

static int push(struct span **list, size_t *n, size_t *room, struct span element, struct err *err)
{
    if (*n == *room) {
        const size_t wider = *room > 0 ? *room * 2 : 64;
        struct span *grown = realloc(*list, wider * sizeof *grown);
        if (!grown)
            return err_set(err, E_NOMEM, 0, "no memory for %zu entries", wider);
        *list = grown;
        *room = wider;
    }
    (*list)[(*n)++] = element;
    return 0;
}

/* p: behind the opening bracket. @return 1 and *after behind the closing one, 0, or E_NOMEM. */
static int split(const struct json_text *t, const uint8_t *p, struct span **list, size_t *n,
                 const uint8_t **after, struct err *err)
{
    size_t room = 0;
    for (bool first = true;; first = false) {
        p = json_skip_space(p, t->end);
        if (first && p < t->end && *p == ']')
            break;
        const uint8_t *const end = p < t->end ? element_end(t, p) : NULL;
        if (!end || end == p)
            return 0;
        const int r = push(list, n, &room, trim_end(p, end), err);
        if (r < 0)
            return r;
        p = end;
        if (*p == ']')
            break;
        p++;
    }
    *after = p + 1;
    return 1;
}

int state_split(const struct state *s, struct span text, struct span **out, size_t *n,
                struct err *err)
{
    const struct json_text t = {&s->ops, span_end(text)};
    const uint8_t *p = json_skip_space(text.ptr, t.end);
    struct span *list = NULL;
    *n = 0;
    int r = p < t.end && *p == '[' ? split(&t, p + 1, &list, n, &p, err) : 0;
    if (r == 1 && json_skip_space(p, t.end) != t.end)
        r = 0;
    if (r == 1) {
        *out = list;
        return r;
    }
    free(list);
    *n = 0;
    return r;
}

bool state_is_json(const struct state *s, struct span text)
{
    const struct json_text t = {&s->ops, span_end(text)};
    bool escaped = false;
    const uint8_t *p = json_skip_space(text.ptr, t.end);
    p = p < t.end ? json_skip_value(&t, p, STATE_MAX_DEPTH, &escaped) : NULL;
    return p && json_skip_space(p, t.end) == t.end;
}
