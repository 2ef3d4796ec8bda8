/* SPDX-License-Identifier: MPL-2.0 */
#include "codec/json.h"

#include <inttypes.h>

enum { REPLACEMENT = 0xfffd, SURROGATES = 0xd800, LOW_SURROGATES = 0xdc00, ASTRAL = 0x10000 };

/*
 * Read the character at p < end. @return its length in bytes, or 0 where it is malformed.
 */
typedef size_t char_reader(const uint8_t *p, const uint8_t *end, uint32_t *c);

static bool is_surrogate(uint32_t c)
{
    return c >= SURROGATES && c < SURROGATES + 0x800;
}

/* UTF-8 in its shortest form, without surrogates, up to U+10FFFF. */
static size_t read_utf8(const uint8_t *p, const uint8_t *end, uint32_t *c)
{
    if (*p < 0x80) {
        *c = *p;
        return 1;
    }
    const size_t len = *p >= 0xf0 ? 4 : *p >= 0xe0 ? 3 : 2;
    static const uint32_t least[] = {0, 0, 0x80, 0x800, ASTRAL};
    if (*p < 0xc0 || *p > 0xf7 || (size_t)(end - p) < len)
        return 0;
    uint32_t v = *p & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        v = v << 6 | (p[i] & 0x3fu);
    }
    if (v < least[len] || v > 0x10ffff || is_surrogate(v))
        return 0;
    *c = v;
    return len;
}

static size_t write_utf8(uint8_t *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    const size_t len = c < 0x800 ? 2 : c < ASTRAL ? 3 : 4;
    for (size_t i = len - 1; i > 0; i--, c >>= 6)
        out[i] = (uint8_t)(0x80 | (c & 0x3f));
    out[0] = (uint8_t)(0xf00u >> len | c);
    return len;
}

static bool read_hex4(const uint8_t *p, uint32_t *v)
{
    *v = 0;
    for (int i = 0; i < 4; i++) {
        const uint8_t lower = p[i] | 0x20;
        if (p[i] >= '0' && p[i] <= '9')
            *v = *v << 4 | (uint32_t)(p[i] - '0');
        else if (lower >= 'a' && lower <= 'f')
            *v = *v << 4 | (uint32_t)(lower - 'a' + 10);
        else
            return false;
    }
    return true;
}

static size_t read_unicode_escape(const uint8_t *p, const uint8_t *end, uint32_t *c)
{
    uint32_t low;
    if (end - p < 6 || !read_hex4(p + 2, c))
        return 0;
    if (!is_surrogate(*c))
        return 6;
    if (*c >= LOW_SURROGATES || end - p < 12 || p[6] != '\\' || p[7] != 'u' ||
        !read_hex4(p + 8, &low) || low < LOW_SURROGATES || !is_surrogate(low))
        return 0; // half a pair is no character
    *c = ASTRAL + ((*c - SURROGATES) << 10) + (low - LOW_SURROGATES);
    return 12;
}

static size_t read_escape(const uint8_t *p, const uint8_t *end, uint32_t *c)
{
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    if (end - p < 2)
        return 0;
    if (p[1] == 'u')
        return read_unicode_escape(p, end, c);
    const char *letter = p[1] != 0 ? strchr(letters, p[1]) : NULL;
    if (!letter)
        return 0;
    *c = (uint8_t)meanings[letter - letters];
    return 2;
}

/* A character inside a JSON string. */
static size_t read_inside(const uint8_t *p, const uint8_t *end, uint32_t *c)
{
    return *p == '\\' ? read_escape(p, end, c) : read_utf8(p, end, c);
}

/* The next character. A byte that read cannot make out is replaced; checked text has none. */
static const uint8_t *take(char_reader *read, const uint8_t *p, const uint8_t *end, uint32_t *c)
{
    const size_t n = read(p, end, c);
    if (n > 0)
        return p + n;
    *c = REPLACEMENT;
    return p + 1;
}

const uint8_t *json_skip_space(const uint8_t *p, const uint8_t *end)
{
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
        p++;
    return p;
}

/* p stands behind the opening quote. */
static const uint8_t *skip_string(const struct json_text *t, const uint8_t *p, bool *escaped)
{
    for (;;) {
        p = t->ops->string_end(p, t->end);
        if (p == t->end || *p < 0x20)
            return NULL;
        if (*p == '"')
            return p + 1;
        uint32_t c;
        const size_t n = read_inside(p, t->end, &c);
        if (n == 0)
            return NULL;
        *escaped |= *p == '\\';
        p += n;
    }
}

static const uint8_t *skip_digits(const uint8_t *p, const uint8_t *end)
{
    const uint8_t *const first = p;
    while (p < end && *p >= '0' && *p <= '9')
        p++;
    return p > first ? p : NULL;
}

static const uint8_t *skip_number(const uint8_t *p, const uint8_t *end)
{
    if (p < end && *p == '-')
        p++;
    // A zero stands alone; digits behind it are left for the caller to trip over.
    p = p < end && *p == '0' ? p + 1 : skip_digits(p, end);
    if (p && p < end && *p == '.')
        p = skip_digits(p + 1, end);
    if (p && p < end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < end && (*p == '+' || *p == '-'))
            p++;
        p = skip_digits(p, end);
    }
    return p;
}

static const uint8_t *skip_word(const uint8_t *p, const uint8_t *end, const char *word)
{
    const size_t len = strlen(word);
    return (size_t)(end - p) >= len && memcmp(p, word, len) == 0 ? p + len : NULL;
}

/* A key and the colon behind it, with white space. */
static const uint8_t *skip_key(const struct json_text *t, const uint8_t *p, struct span *key,
                               bool *escaped)
{
    p = json_skip_space(p, t->end);
    if (p == t->end || *p != '"')
        return NULL;
    const uint8_t *const inside = p + 1;
    p = skip_string(t, inside, escaped);
    if (!p)
        return NULL;
    *key = span_of(inside, (size_t)(p - 1 - inside));
    p = json_skip_space(p, t->end);
    return p < t->end && *p == ':' ? json_skip_space(p + 1, t->end) : NULL;
}

/* A value that holds no others: p < t->end. */
static const uint8_t *skip_scalar(const struct json_text *t, const uint8_t *p, bool *escaped)
{
    switch (*p) {
    case '"':
        return skip_string(t, p + 1, escaped);
    case 't':
        return skip_word(p, t->end, "true");
    case 'f':
        return skip_word(p, t->end, "false");
    case 'n':
        return skip_word(p, t->end, "null");
    default:
        return skip_number(p, t->end);
    }
}

/*
 * Pass over entries of one digit, each with its comma: a client's bits are an array of thousands.
 * @return where the next entry begins.
 */
static const uint8_t *skip_short_entries(const uint8_t *p, const uint8_t *end)
{
    while (end - p >= 3 && (uint8_t)(p[0] - '0') <= 9 && p[1] == ',')
        p += p[2] == ' ' ? 3 : 2;
    return json_skip_space(p, end);
}

/* The open containers: bit 0 of is_object tells about the innermost. */
struct nesting {
    uint64_t is_object;
    unsigned depth, max_depth;
};

/* Walk from a value's first byte into the first scalar or empty container at its head. */
static const uint8_t *descend(const struct json_text *t, const uint8_t *p, struct nesting *open,
                              bool *escaped)
{
    while (p && p < t->end && (*p == '{' || *p == '[')) {
        const bool is_object = *p == '{';
        if (open->depth == open->max_depth)
            return NULL;
        p = json_skip_space(p + 1, t->end);
        if (p < t->end && *p == (is_object ? '}' : ']'))
            return p + 1;
        open->depth++;
        open->is_object = open->is_object << 1 | is_object;
        struct span key;
        bool key_escaped = false;
        p = is_object ? skip_key(t, p, &key, &key_escaped) : skip_short_entries(p, t->end);
    }
    return p && p < t->end ? skip_scalar(t, p, escaped) : NULL;
}

/* Behind a value: close what ends here. @return where the next value begins, or ends if depth is 0.
 */
static const uint8_t *ascend(const struct json_text *t, const uint8_t *p, struct nesting *open)
{
    while (p && open->depth > 0) {
        const bool is_object = open->is_object & 1;
        p = json_skip_space(p, t->end);
        if (p == t->end)
            return NULL;
        if (*p == ',') {
            struct span key;
            bool key_escaped = false;
            return is_object ? skip_key(t, p + 1, &key, &key_escaped)
                             : json_skip_space(p + 1, t->end);
        }
        if (*p != (is_object ? '}' : ']'))
            return NULL;
        p++;
        open->depth--;
        open->is_object >>= 1;
    }
    return p;
}

const uint8_t *json_skip_value(const struct json_text *t, const uint8_t *p, unsigned max_depth,
                               bool *escaped)
{
    struct nesting open = {.max_depth = max_depth};
    do {
        p = descend(t, p, &open, escaped);
        p = ascend(t, p, &open);
    } while (p && open.depth > 0);
    return p;
}

/*
 * Step from behind a container's entry, or from its first byte where it has not begun, to where its
 * next entry should be. @return 1, 0 with *p behind the container, or -1.
 */
static int next_entry(const uint8_t **p, const uint8_t *end, bool *begun, uint8_t open,
                      uint8_t close)
{
    const uint8_t *q = json_skip_space(*p, end);
    if (*begun && q < end && *q == close) {
        *p = q + 1;
        return 0;
    }
    if (q == end || *q != (*begun ? ',' : open))
        return -1;
    q = json_skip_space(q + 1, end);
    const bool is_empty = !*begun && q < end && *q == close;
    *begun = true;
    *p = q + is_empty;
    return !is_empty;
}

int json_next_key(struct json_members *it, struct json_member *m)
{
    const int more = next_entry(&it->p, it->text.end, &it->begun, '{', '}');
    if (more != 1)
        return more;
    m->key_escaped = m->value_escaped = false;
    it->p = skip_key(&it->text, it->p, &m->key, &m->key_escaped);
    return it->p && it->p < it->text.end ? 1 : -1;
}

bool json_take_value(struct json_members *it, struct json_member *m)
{
    const uint8_t *const value = it->p;
    it->p = json_skip_value(&it->text, value, it->max_depth - 1, &m->value_escaped);
    if (it->p)
        m->value = span_of(value, (size_t)(it->p - value));
    return it->p;
}

int json_next_member(struct json_members *it, struct json_member *m)
{
    const int more = json_next_key(it, m);
    return more == 1 && !json_take_value(it, m) ? -1 : more;
}

int json_next_element(struct json_elements *it, struct span *value, bool *escaped)
{
    const int more = next_entry(&it->p, it->text.end, &it->begun, '[', ']');
    if (more != 1)
        return more;
    const uint8_t *const first = it->p;
    *escaped = false;
    it->p = json_skip_value(&it->text, first, it->max_depth - 1, escaped);
    if (!it->p)
        return -1;
    *value = span_of(first, (size_t)(it->p - first));
    return 1;
}

bool json_insides_equal(struct span a, struct span b)
{
    const uint8_t *p = a.ptr, *const p_end = span_end(a), *q = b.ptr, *const q_end = span_end(b);
    while (p < p_end && q < q_end) {
        uint32_t c, d;
        p = take(read_inside, p, p_end, &c);
        q = take(read_inside, q, q_end, &d);
        if (c != d)
            return false;
    }
    return p == p_end && q == q_end;
}

bool json_inside_equals(struct span inside, const char *name)
{
    const uint8_t *p = inside.ptr, *const end = span_end(inside);
    for (; p < end; name++) {
        uint32_t c;
        p = take(read_inside, p, end, &c);
        if (c == 0 || c != (uint8_t)*name)
            return false;
    }
    return *name == '\0';
}

size_t json_unescape(uint8_t *out, struct span inside)
{
    const uint8_t *p = inside.ptr, *const end = span_end(inside);
    uint8_t *q = out;
    while (p < end) {
        uint32_t c;
        p = take(read_inside, p, end, &c);
        q += write_utf8(q, c);
    }
    return (size_t)(q - out);
}

static bool is_plain(uint8_t c)
{
    return c >= ' ' && c <= '~' && c != '"' && c != '\\';
}

bool json_is_plain(struct span inside)
{
    for (size_t i = 0; i < inside.len; i++)
        if (!is_plain(inside.ptr[i]))
            return false;
    return true;
}

/* By hand: a stranger's line may consist of nothing else, and formatting would take most of the
 * run. */
static int write_unit(struct buf *out, uint32_t unit, struct err *err)
{
    static const char digits[] = "0123456789abcdef";
    const char text[6] = {'\\',
                          'u',
                          digits[unit >> 12 & 15],
                          digits[unit >> 8 & 15],
                          digits[unit >> 4 & 15],
                          digits[unit & 15]};
    return buf_append(out, text, sizeof text, err);
}

static int write_escaped(struct buf *out, uint32_t c, struct err *err)
{
    static const char letters[] = "\"\\bfnrt", meanings[] = "\"\\\b\f\n\r\t";
    const char *meaning = c != 0 && c < 0x80 ? strchr(meanings, (int)c) : NULL;
    if (meaning)
        return buf_append(out, (const char[]){'\\', letters[meaning - meanings]}, 2, err);
    if (c < 0x80 && is_plain((uint8_t)c))
        return buf_append_byte(out, (uint8_t)c, err);
    if (c < ASTRAL)
        return write_unit(out, c, err);
    c -= ASTRAL;
    const int r = write_unit(out, SURROGATES + (c >> 10), err);
    return r < 0 ? r : write_unit(out, LOW_SURROGATES + (c & 0x3ff), err);
}

/* A string with its quotes; read tells the characters of text apart. */
static int write_string(struct buf *out, struct span text, char_reader *read, struct err *err)
{
    const uint8_t *p = text.ptr, *const end = span_end(text);
    int r = buf_append_byte(out, '"', err);
    while (r == 0 && p < end) {
        const uint8_t *const run = p;
        while (p < end && is_plain(*p))
            p++;
        r = buf_append(out, run, (size_t)(p - run), err);
        if (r == 0 && p < end) {
            uint32_t c;
            p = take(read, p, end, &c);
            r = write_escaped(out, c, err);
        }
    }
    return r == 0 ? buf_append_byte(out, '"', err) : r;
}

int json_write_string(struct buf *out, struct span text, struct err *err)
{
    return write_string(out, text, read_utf8, err);
}

/* @return behind the quote that ends a checked string; p stands behind its first. */
static const uint8_t *find_closing_quote(const uint8_t *p)
{
    while (*p != '"')
        p += *p == '\\' ? 2 : 1;
    return p + 1;
}

/* Write checked text token by token, with these between them. */
static int respell(struct buf *out, struct span text, const char *comma, const char *colon,
                   struct err *err)
{
    const uint8_t *p = text.ptr, *const end = span_end(text);
    int r = 0;
    while (r == 0 && (p = json_skip_space(p, end)) < end) {
        const uint8_t *const token = p++;
        switch (*token) {
        case '"':
            p = find_closing_quote(p);
            r = write_string(out, span_of(token + 1, (size_t)(p - token - 2)), read_inside, err);
            break;
        case ',':
            r = buf_append_str(out, comma, err);
            break;
        case ':':
            r = buf_append_str(out, colon, err);
            break;
        default:
            r = buf_append_byte(out, *token, err);
        }
    }
    return r;
}

int json_respell(struct buf *out, struct span text, struct err *err)
{
    return respell(out, text, ", ", ": ", err);
}

int json_write_compact(struct buf *out, struct span text, struct err *err)
{
    return respell(out, text, ",", ":", err);
}
