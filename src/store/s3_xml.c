/* SPDX-License-Identifier: MPL-2.0 */
#include "store/s3_xml.h"

#include "base/buf.h"

#include <string.h>

struct walk {
    const uint8_t *start, *at, *end;
    char path[S3_XML_MAX_PATH];
    size_t path_len[S3_XML_MAX_DEPTH + 1]; // [depth]: of the path down to there
    size_t depth;
    bool rooted; // the one root element began
    struct buf text;
    s3_xml_element_fn *element;
    void *arg;
};

static int broken(const struct walk *w, const char *what, struct err *err)
{
    return err_set(err, E_FORMAT, 0, "the server's XML breaks at byte %zu: %s",
                   (size_t)(w->at - w->start), what);
}

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_name(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == ':';
}

static bool starts(const struct walk *w, const char *text)
{
    const size_t len = strlen(text);
    return (size_t)(w->end - w->at) >= len && memcmp(w->at, text, len) == 0;
}

static void skip_spaces(struct walk *w)
{
    while (w->at < w->end && is_space(*w->at))
        w->at++;
}

/* A name without its prefix. */
static int read_name(struct walk *w, struct span *name, struct err *err)
{
    const uint8_t *first = w->at;
    while (w->at < w->end && is_name(*w->at))
        if (*w->at++ == ':')
            first = w->at;
    *name = span_of(first, (size_t)(w->at - first));
    return name->len > 0 ? 0 : broken(w, "a name is missing", err);
}

/* name="value" pairs up to ">", "/" or "?". */
static int skip_attributes(struct walk *w, struct err *err)
{
    struct span name;
    for (;;) {
        skip_spaces(w);
        if (w->at == w->end || *w->at == '>' || *w->at == '/' || *w->at == '?')
            return 0;
        const int r = read_name(w, &name, err);
        if (r < 0)
            return r;
        skip_spaces(w);
        if (w->at == w->end || *w->at++ != '=')
            return broken(w, "an attribute has no value", err);
        skip_spaces(w);
        if (w->at == w->end || (*w->at != '"' && *w->at != '\''))
            return broken(w, "an attribute has no quotes", err);
        const uint8_t *close = memchr(w->at + 1, *w->at, (size_t)(w->end - w->at - 1));
        if (!close)
            return broken(w, "an attribute does not end", err);
        w->at = close + 1;
    }
}

static int skip_behind(struct walk *w, const char *close, struct err *err)
{
    const size_t len = strlen(close);
    const uint8_t *found = memmem(w->at, (size_t)(w->end - w->at), close, len);
    if (!found)
        return broken(w, "something does not end", err);
    w->at = found + len;
    return 0;
}

static int put_character(struct buf *out, uint32_t c, struct err *err)
{
    uint8_t utf8[4];
    size_t n = 0;
    if (c < 0x80) {
        utf8[n++] = (uint8_t)c;
    } else if (c < 0x800) {
        utf8[n++] = (uint8_t)(0xc0 | c >> 6);
    } else if (c < 0x10000) {
        utf8[n++] = (uint8_t)(0xe0 | c >> 12);
        utf8[n++] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
    } else {
        utf8[n++] = (uint8_t)(0xf0 | c >> 18);
        utf8[n++] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
        utf8[n++] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
    }
    if (c >= 0x80)
        utf8[n++] = (uint8_t)(0x80 | (c & 0x3f));
    return buf_append(out, utf8, n, err);
}

/* The digits of "&#10;" or "&#xa;". @return the character, or 0 for none that text may hold. */
static uint32_t numbered(struct span digits)
{
    const bool hex = digits.len > 0 && digits.ptr[0] == 'x';
    uint32_t c = 0;
    if (digits.len == (hex ? 1u : 0u) || digits.len > 8)
        return 0;
    for (size_t i = hex; i < digits.len; i++) {
        const uint8_t d = digits.ptr[i];
        const uint8_t lower = d | 0x20;
        if (d >= '0' && d <= '9')
            c = c * (hex ? 16 : 10) + (d - '0');
        else if (hex && lower >= 'a' && lower <= 'f')
            c = c * 16 + (lower - 'a' + 10u);
        else
            return 0;
        if (c > 0x10ffff)
            return 0;
    }
    return c >= 0xd800 && c < 0xe000 ? 0 : c;
}

static int read_entity(struct walk *w, struct err *err)
{
    static const struct {
        const char *name;
        char c;
    } named[] = {{"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}};
    const size_t left = (size_t)(w->end - w->at);
    const uint8_t *close = memchr(w->at, ';', left < 12 ? left : 12);
    if (!close)
        return broken(w, "an entity does not end", err);
    const struct span name = span_of(w->at + 1, (size_t)(close - w->at - 1));
    uint32_t c = 0;
    if (name.len > 0 && name.ptr[0] == '#')
        c = numbered(span_of(name.ptr + 1, name.len - 1));
    for (size_t i = 0; i < ARRAY_LEN(named); i++)
        if (span_equal(name, span_str(named[i].name)))
            c = (uint8_t)named[i].c;
    if (c == 0)
        return broken(w, "an unknown entity", err);
    w->at = close + 1;
    return put_character(&w->text, c, err);
}

static int read_text(struct walk *w, struct err *err)
{
    const uint8_t *first = w->at;
    while (w->at < w->end && *w->at != '<' && *w->at != '&') {
        if (w->depth == 0 && !is_space(*w->at))
            return broken(w, "text outside of the root", err);
        if (*w->at == 0)
            return broken(w, "a zero byte", err);
        w->at++;
    }
    const size_t len = (size_t)(w->at - first);
    if (len > w->text.max - w->text.len)
        return broken(w, "a text is too long", err);
    const int r = buf_append(&w->text, first, len, err);
    if (r < 0 || w->at == w->end || *w->at == '<')
        return r;
    if (w->text.max - w->text.len < 4)
        return broken(w, "a text is too long", err);
    return w->depth > 0 ? read_entity(w, err) : broken(w, "text outside of the root", err);
}

static int enter(struct walk *w, struct span name, struct err *err)
{
    if (w->depth == S3_XML_MAX_DEPTH)
        return broken(w, "too many levels", err);
    if (w->depth == 0 && w->rooted)
        return broken(w, "a second root", err);
    w->rooted = true;
    size_t len = w->path_len[w->depth];
    if (len + 1 + name.len >= sizeof w->path)
        return broken(w, "the names are too long", err);
    if (len > 0)
        w->path[len++] = '/';
    memcpy(w->path + len, name.ptr, name.len);
    len += name.len;
    w->path[len] = '\0';
    w->path_len[++w->depth] = len;
    buf_clear(&w->text);
    return 0;
}

static int leave(struct walk *w, struct err *err)
{
    const int r = w->element(w->arg, w->path, buf_span(&w->text), err);
    w->path[w->path_len[--w->depth]] = '\0';
    buf_clear(&w->text);
    return r;
}

static int open_tag(struct walk *w, struct err *err)
{
    struct span name;
    w->at++;
    int r = read_name(w, &name, err);
    if (r == 0)
        r = enter(w, name, err);
    if (r == 0)
        r = skip_attributes(w, err);
    const bool empty = r == 0 && w->at < w->end && *w->at == '/';
    w->at += empty;
    if (r == 0 && (w->at == w->end || *w->at++ != '>'))
        r = broken(w, "a tag does not end", err);
    return r == 0 && empty ? leave(w, err) : r;
}

static int close_tag(struct walk *w, struct err *err)
{
    struct span name;
    w->at += 2;
    const int r = read_name(w, &name, err);
    if (r < 0)
        return r;
    skip_spaces(w);
    if (w->at == w->end || *w->at++ != '>')
        return broken(w, "a tag does not end", err);
    if (w->depth == 0)
        return broken(w, "a tag that nothing opened", err);
    const size_t outer = w->path_len[w->depth - 1], first = outer + (outer > 0);
    if (!span_equal(name, span_of(w->path + first, w->path_len[w->depth] - first)))
        return broken(w, "a tag closes another", err);
    return leave(w, err);
}

static int step(struct walk *w, struct err *err)
{
    if (*w->at != '<')
        return read_text(w, err);
    if (starts(w, "<?"))
        return skip_behind(w, "?>", err);
    if (starts(w, "<!--"))
        return skip_behind(w, "-->", err);
    if (starts(w, "<!"))
        return broken(w, "a declaration", err);
    return starts(w, "</") ? close_tag(w, err) : open_tag(w, err);
}

int s3_xml_walk(struct span document, s3_xml_element_fn *element, void *arg, struct err *err)
{
    struct walk w = {
        .start = document.ptr,
        .at = document.ptr,
        .end = document.len > 0 ? document.ptr + document.len : document.ptr,
        .text = BUF_INIT(S3_XML_MAX_TEXT),
        .element = element,
        .arg = arg,
    };
    int r = 0;
    while (r == 0 && w.at != w.end)
        r = step(&w, err);
    if (r == 0 && (w.depth > 0 || !w.rooted))
        r = broken(&w, "it ends early", err);
    buf_deinit(&w.text);
    return r;
}
