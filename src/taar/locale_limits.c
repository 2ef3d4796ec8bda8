/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/locale.h"

void locale_limits_deinit(struct locale_limits *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->list[i].locale);
    free(l->list);
    *l = (struct locale_limits){0};
}

static int read_number(uint64_t *out, struct span text, struct err *err)
{
    uint64_t n = 0;
    bool ok = text.len > 0;
    for (size_t i = 0; i < text.len && ok; i++) {
        ok = text.ptr[i] >= '0' && text.ptr[i] <= '9';
        n = n * 10 + (uint64_t)(text.ptr[i] - '0');
        ok = ok && n <= LOCALE_LIMIT_MAX;
    }
    *out = n;
    return ok ? 0
              : err_set(err, E_ARG, 0, "a limit is a number up to %d, or LOCALE=NUMBER,..",
                        LOCALE_LIMIT_MAX);
}

static int add_limit(struct locale_limits *l, struct span part, struct err *err)
{
    const uint8_t *equals = part.len > 0 ? memchr(part.ptr, '=', part.len) : NULL;
    const size_t name_len = equals ? (size_t)(equals - part.ptr) : part.len;
    const struct span name = span_of(part.ptr, name_len);
    uint64_t limit;
    if (!equals || (l->n > 0 && locale_limits_find(l, name, &limit)))
        return err_set(err, E_ARG, 0, equals ? "a locale is named twice" : "a locale has no limit");
    const int r = read_number(&limit, span_of(equals + 1, part.len - name_len - 1), err);
    struct locale_limit *list = r == 0 ? realloc(l->list, (l->n + 1) * sizeof *list) : NULL;
    if (list)
        l->list = list;
    char *locale = list ? span_to_text(name) : NULL;
    if (r < 0 || !locale)
        return r < 0 ? r : err_set(err, E_NOMEM, 0, "no memory for a limit");
    l->list[l->n++] = (struct locale_limit){locale, limit};
    return 0;
}

int locale_limits_read(struct locale_limits *l, const char *text, struct err *err)
{
    *l = (struct locale_limits){0};
    if (!strchr(text, '='))
        return read_number(&l->all, span_str(text), err);
    int r = 0;
    for (const char *p = text; r == 0; p++) {
        const size_t len = strcspn(p, ",");
        r = add_limit(l, span_of(p, len), err);
        p += len;
        if (!*p)
            break;
    }
    if (r < 0)
        locale_limits_deinit(l);
    return r;
}

bool locale_limits_find(const struct locale_limits *l, struct span locale, uint64_t *limit)
{
    *limit = l->all;
    for (size_t i = 0; i < l->n; i++) {
        if (!span_equal(span_str(l->list[i].locale), locale))
            continue;
        *limit = l->list[i].limit;
        return true;
    }
    return l->n == 0;
}

bool locale_limits_are_open(const struct locale_limits *l)
{
    bool open = l->n == 0 && l->all == 0;
    for (size_t i = 0; i < l->n; i++)
        open = open || l->list[i].limit == 0;
    return open;
}
