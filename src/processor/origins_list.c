/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The list that Firefox was built from: C macro lines, and nothing that C would do with them.
 */
#include "processor/origins.h"

/* A place in one line. */
struct scan {
    const uint8_t *p, *end;
};

static void skip_blanks(struct scan *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\t'))
        s->p++;
}

static bool skip_text(struct scan *s, const char *text)
{
    const size_t len = strlen(text);
    skip_blanks(s);
    if ((size_t)(s->end - s->p) < len || memcmp(s->p, text, len) != 0)
        return false;
    s->p += len;
    return true;
}

/* A quoted text that C reads as it stands. */
static bool take_quoted(struct scan *s, struct span *text)
{
    if (!skip_text(s, "\""))
        return false;
    const uint8_t *const first = s->p;
    while (s->p < s->end && *s->p >= ' ' && *s->p <= '~' && *s->p != '"' && *s->p != '\\')
        s->p++;
    *text = span_of(first, (size_t)(s->p - first));
    return text->len > 0 && skip_text(s, "\"");
}

static int take_line(struct origins *out, struct scan s, const char *name, size_t number,
                     struct err *err)
{
    struct span origin, hash;
    if (s.end > s.p && s.end[-1] == '\r')
        s.end--;
    skip_blanks(&s);
    if (s.p == s.end || skip_text(&s, "//"))
        return 0;
    bool ok = skip_text(&s, "ORIGIN") && skip_text(&s, "(") && take_quoted(&s, &origin) &&
              skip_text(&s, ",") && take_quoted(&s, &hash) && skip_text(&s, ")");
    skip_blanks(&s);
    ok = ok && s.p == s.end;
    return ok ? origins_add(out, origin, hash, out->n, err)
              : err_set(err, E_FORMAT, 0,
                        "%s: line %zu is neither ORIGIN(\"<name>\", \"<hash>\"), a // comment "
                        "nor blank",
                        name, number);
}

int origins_parse_list(struct origins *out, struct span text, const char *name, struct err *err)
{
    static const char unknown[] = "__UNKNOWN__";
    const uint8_t *p = text.ptr, *const end = text.len > 0 ? p + text.len : p;
    *out = (struct origins){0};
    int r = 0;
    for (size_t number = 1; p < end && r == 0; number++) {
        const uint8_t *newline = memchr(p, '\n', (size_t)(end - p));
        const uint8_t *const line_end = newline ? newline : end;
        r = take_line(out, (struct scan){p, line_end}, name, number, err);
        p = newline ? newline + 1 : end;
    }
    if (r == 0)
        r = origins_add(out, span_str(unknown), span_str(unknown), out->n, err);
    if (r < 0)
        origins_deinit(out);
    return r;
}
