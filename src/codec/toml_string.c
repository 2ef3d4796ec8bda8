/* SPDX-License-Identifier: MPL-2.0 */
/* The four kinds of strings, and keys. */
#include "codec/toml_internal.h"

#include <string.h>

enum { LONGEST_ESCAPE = 4, CONTROL = 0x20, DELETE = 0x7f };

static bool is_bare(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

/* An upper bound of a string's length: up to what cannot be inside of it. */
static size_t longest(const struct toml_parser *p, char quote, bool many)
{
    const char *c = p->p;
    for (; c < p->end; c++) {
        if (!many && (*c == '\n' || (*c == quote && quote == '\'')))
            break;
        if (many && *c == quote && p->end - c >= 3 && c[1] == quote && c[2] == quote)
            return (size_t)(c - p->p) + 2; // two more quotes may belong to it
        if (*c == '\\' && quote == '"' && c + 1 < p->end)
            c++;
        else if (!many && *c == quote)
            break;
    }
    return (size_t)(c - p->p);
}

static char *put_utf8(char *out, uint32_t c)
{
    if (c < 0x80) {
        *out++ = (char)c;
        return out;
    }
    const int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    *out++ = (char)((0xff00u >> (more + 1) & 0xff) | c >> (6 * more));
    for (int i = more - 1; i >= 0; i--)
        *out++ = (char)(0x80 | (c >> (6 * i) & 0x3f));
    return out;
}

static int unicode(struct toml_parser *p, char **out, int digits)
{
    uint32_t c = 0;
    for (int i = 0; i < digits; i++, p->p++) {
        const char d = p->p < p->end ? *p->p : '\0';
        const int value = d >= '0' && d <= '9'   ? d - '0'
                          : d >= 'a' && d <= 'f' ? d - 'a' + 10
                          : d >= 'A' && d <= 'F' ? d - 'A' + 10
                                                 : -1;
        if (value < 0)
            return toml_fail(p, "an escape needs %d hexadecimal digits", digits);
        c = c << 4 | (uint32_t)value;
    }
    if (c == 0)
        return toml_fail(p, "a text may not contain the character NUL");
    if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return toml_fail(p, "an escape is no Unicode character");
    *out = put_utf8(*out, c);
    return 0;
}

/* A backslash at the end of a line: all white space and line ends behind it go. */
static bool joined_lines(struct toml_parser *p)
{
    const char *c = p->p;
    while (c < p->end && (*c == ' ' || *c == '\t'))
        c++;
    if (c < p->end && *c == '\r')
        c++;
    if (c == p->end || *c != '\n')
        return false;
    for (; c < p->end && memchr(" \t\r\n", *c, 4); c++) {
        if (*c == '\r' && (c + 1 == p->end || c[1] != '\n'))
            break;
        p->line += *c == '\n';
    }
    p->p = c;
    return true;
}

/* Behind a backslash. */
static int escape(struct toml_parser *p, char **out, bool many)
{
    static const char letters[] = "btnfr\"\\", meant[] = "\b\t\n\f\r\"\\";
    if (many && joined_lines(p))
        return 0;
    const char c = p->p < p->end ? *p->p++ : '\0';
    const char *letter = c ? strchr(letters, c) : NULL;
    if (c == 'u' || c == 'U')
        return unicode(p, out, c == 'u' ? 4 : 8);
    if (!letter)
        return toml_fail(p, "a backslash is followed by something that is no escape; in single "
                            "quotes it means itself");
    *(*out)++ = meant[letter - letters];
    return 0;
}

/* A line end within a text of several lines. */
static bool line_end(struct toml_parser *p)
{
    const bool is_end = toml_skip(p, "\n") || toml_skip(p, "\r\n");
    p->line += is_end;
    return is_end;
}

/* At one or more quotes in a text of several lines. @return is it over? */
static bool closing(struct toml_parser *p, char quote, char **out)
{
    size_t n = 0;
    while (n < 5 && p->p + n < p->end && p->p[n] == quote)
        n++;
    p->p += n;
    for (size_t i = n < 3 ? 0 : 3; i < n; i++)
        *(*out)++ = quote;
    return n >= 3;
}

/* @return 1: the text goes on; 0: it is over; E_FORMAT. */
static int one_character(struct toml_parser *p, char quote, bool many, char **out)
{
    if (p->p == p->end)
        return toml_fail(p, "a text does not end");
    if (*p->p == quote && many)
        return !closing(p, quote, out);
    if (*p->p == quote) {
        p->p++;
        return 0;
    }
    if (many && line_end(p)) {
        *(*out)++ = '\n';
        return 1;
    }
    const unsigned char c = (unsigned char)*p->p;
    if (c == '\n' || c == '\r')
        return toml_fail(p, many ? "a carriage return stands alone"
                                 : "a text does not end on its line; use three quotes");
    if ((c < CONTROL && c != '\t') || c == DELETE)
        return toml_fail(p, "a text has a control character");
    p->p++;
    if (c == '\\' && quote == '"') {
        const int r = escape(p, out, many);
        return r < 0 ? r : 1;
    }
    *(*out)++ = (char)c;
    return 1;
}

int toml_string(struct toml_parser *p, bool multi, const char **text, size_t *len)
{
    const char quote = *p->p;
    const bool many = p->end - p->p >= 3 && p->p[1] == quote && p->p[2] == quote;
    if (many && !multi)
        return toml_fail(p, "a key may not have several lines");
    p->p += many ? 3 : 1;
    if (many)
        (void)line_end(p);
    char *start = toml_alloc(p, longest(p, quote, many) + LONGEST_ESCAPE), *out = start;
    if (!start)
        return E_NOMEM;
    int r;
    while ((r = one_character(p, quote, many, &out)) == 1)
        ;
    *text = start;
    *len = (size_t)(out - start);
    return r;
}

int toml_key(struct toml_parser *p, const char **text, size_t *len)
{
    if (p->p < p->end && (*p->p == '"' || *p->p == '\''))
        return toml_string(p, false, text, len);
    size_t n = 0;
    while (p->p + n < p->end && is_bare(p->p[n]))
        n++;
    if (n == 0)
        return toml_fail(p, "expected a key: letters, digits, _ and -, or a text in quotes");
    char *copy = toml_alloc(p, n + 1);
    if (!copy)
        return E_NOMEM;
    memcpy(copy, p->p, n);
    p->p += n;
    *text = copy;
    *len = n;
    return 0;
}
