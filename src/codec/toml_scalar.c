/* SPDX-License-Identifier: MPL-2.0 */
/* Numbers, booleans and times: what stands without quotes. */
#include "codec/toml_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST = 255 };

/* One word, NUL-terminated. */
struct word {
    char text[LONGEST + 1];
    size_t len;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool belongs(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '+' || c == '-' || c == '.' || c == ':';
}

/* "1979-05-27 07:32:00": one word in spite of its space. */
static bool time_follows(const struct toml_parser *p, size_t len)
{
    return len == 10 && p->p[4] == '-' && p->p[7] == '-' && p->end - p->p > 12 && p->p[10] == ' ' &&
           is_digit(p->p[11]) && is_digit(p->p[12]);
}

static int take_word(struct toml_parser *p, struct word *w)
{
    size_t len = 0;
    while (p->p + len < p->end && belongs(p->p[len]))
        len++;
    if (time_follows(p, len))
        for (len++; p->p + len < p->end && belongs(p->p[len]);)
            len++;
    if (len == 0)
        return toml_fail(p, "expected a value");
    if (len > LONGEST)
        return toml_fail(p, "a number is longer than %d characters", LONGEST);
    memcpy(w->text, p->p, len);
    w->text[len] = '\0';
    w->len = len;
    p->p += len;
    return 0;
}

static int not_a_value(const struct toml_parser *p)
{
    return toml_fail(p, "a value is no number, boolean or time; texts need quotes");
}

/* Exactly n digits at *c. @return their value, or -1. */
static int digits(const char **c, int n)
{
    int value = 0;
    for (int i = 0; i < n; i++) {
        if (!is_digit((*c)[i]))
            return -1;
        value = value * 10 + ((*c)[i] - '0');
    }
    *c += n;
    return value;
}

static bool skip(const char **c, const char *one_of)
{
    const bool found = **c != '\0' && strchr(one_of, **c);
    *c += found;
    return found;
}

static bool date(const char **c)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const int year = digits(c, 4);
    const int month = year >= 0 && skip(c, "-") ? digits(c, 2) : -1;
    const int day = month >= 1 && month <= 12 && skip(c, "-") ? digits(c, 2) : -1;
    if (day < 1)
        return false;
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return day <= days[month - 1] + (month == 2 && leap);
}

/* "07:32" of a time or offset. */
static bool hours_minutes(const char **c)
{
    const int hour = digits(c, 2);
    const int minute = hour >= 0 && hour <= 23 && skip(c, ":") ? digits(c, 2) : -1;
    return minute >= 0 && minute <= 59;
}

static bool clock(const char **c)
{
    if (!hours_minutes(c) || !skip(c, ":"))
        return false;
    const int second = digits(c, 2);
    if (second < 0 || second > 60) // a leap second
        return false;
    if (!skip(c, "."))
        return true;
    const char *fraction = *c;
    while (is_digit(**c))
        ++*c;
    return *c > fraction;
}

static bool is_time(const char *text)
{
    const char *c = text;
    if (text[2] == ':')
        return clock(&c) && *c == '\0';
    if (!date(&c))
        return false;
    if (*c == '\0')
        return true;
    if (!skip(&c, "Tt ") || !clock(&c))
        return false;
    if (*c == '\0' || (skip(&c, "Zz") && *c == '\0'))
        return true;
    return skip(&c, "+-") && hours_minutes(&c) && *c == '\0';
}

static int take_time(struct toml_parser *p, struct node *node, const struct word *w)
{
    if (!is_time(w->text))
        return toml_fail(p, "no such date or time; times look like 2026-08-20T04:30:00Z");
    char *text = toml_alloc(p, w->len + 1);
    if (!text)
        return E_NOMEM;
    memcpy(text, w->text, w->len);
    node->v.kind = TOML_TIME;
    node->v.text = text;
    return 0;
}

static int digit_value(char c)
{
    return is_digit(c)            ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : 99;
}

/* 0x, 0o, 0b */
static int based(struct toml_parser *p, struct node *node, const char *text, int base)
{
    int64_t value = 0;
    for (const char *c = text; *c; c++) {
        if (*c == '_' && c > text && c[-1] != '_' && c[1])
            continue;
        const int digit = digit_value(*c);
        if (digit >= base)
            return not_a_value(p);
        if (value > (INT64_MAX - digit) / base)
            return toml_fail(p, "an integer has more than 64 bits");
        value = value * base + digit;
    }
    if (!*text)
        return not_a_value(p);
    node->v.kind = TOML_INTEGER;
    node->v.integer = value;
    return 0;
}

/* Digits with underscores between them, at *c; copied without. @return how many digits, 0: none. */
static size_t number_part(const char **c, char **out)
{
    size_t n = 0;
    while (is_digit(**c) || (**c == '_' && n > 0 && is_digit((*c)[-1]) && is_digit((*c)[1]))) {
        if (**c != '_') {
            *(*out)++ = **c;
            n++;
        }
        ++*c;
    }
    return n;
}

/* Copy a decimal number without underscores, as the grammar has it. @return is it one? */
static bool plain_number(const char *text, char out[LONGEST + 1], bool *is_real)
{
    const char *c = text;
    *is_real = false;
    if (*c == '+' || *c == '-')
        *out++ = *c++;
    const char *whole = c;
    const size_t n = number_part(&c, &out);
    if (n == 0 || (whole[0] == '0' && n > 1))
        return false;
    if (*c == '.') {
        *is_real = true;
        *out++ = *c++;
        if (number_part(&c, &out) == 0)
            return false;
    }
    if (*c == 'e' || *c == 'E') {
        *is_real = true;
        *out++ = *c++;
        if (*c == '+' || *c == '-')
            *out++ = *c++;
        if (number_part(&c, &out) == 0)
            return false;
    }
    *out = '\0';
    return *c == '\0';
}

static int decimal(struct toml_parser *p, struct node *node, const char *text)
{
    char plain[LONGEST + 1];
    bool is_real;
    if (!plain_number(text, plain, &is_real))
        return not_a_value(p);
    if (is_real) {
        node->v.kind = TOML_REAL;
        node->v.real = strtod(plain, NULL);
        return isfinite(node->v.real) ? 0 : toml_fail(p, "a number is too large");
    }
    const bool negative = plain[0] == '-';
    int64_t value = 0; // negative: that side holds one number more
    for (const char *c = plain + (is_digit(plain[0]) ? 0 : 1); *c; c++) {
        const int digit = *c - '0';
        if (value < (INT64_MIN + digit) / 10)
            return toml_fail(p, "an integer has more than 64 bits");
        value = value * 10 - digit;
    }
    if (!negative && value == INT64_MIN)
        return toml_fail(p, "an integer has more than 64 bits");
    node->v.kind = TOML_INTEGER;
    node->v.integer = negative ? value : -value;
    return 0;
}

static bool special(struct node *node, const char *text)
{
    const char *bare = text[0] == '+' || text[0] == '-' ? text + 1 : text;
    const bool is_nan = strcmp(bare, "nan") == 0;
    if (!is_nan && strcmp(bare, "inf") != 0)
        return false;
    node->v.kind = TOML_REAL;
    node->v.real = copysign(is_nan ? (double)NAN : (double)INFINITY, text[0] == '-' ? -1.0 : 1.0);
    return true;
}

int toml_scalar(struct toml_parser *p, struct node *node)
{
    struct word w = {.text = ""};
    const int r = take_word(p, &w);
    if (r < 0)
        return r;
    const char *t = w.text;
    if (strcmp(t, "true") == 0 || strcmp(t, "false") == 0) {
        node->v.kind = TOML_BOOL;
        node->v.boolean = t[0] == 't';
        return 0;
    }
    if (special(node, t))
        return 0;
    if (t[0] == '0' && t[1] != '\0' && strchr("xob", t[1]))
        return based(p, node, t + 2, t[1] == 'x' ? 16 : t[1] == 'o' ? 8 : 2);
    const bool looks_like_time =
        w.len > 2 && (t[2] == ':' || (w.len > 4 && t[4] == '-' && is_digit(t[3])));
    return looks_like_time ? take_time(p, node, &w) : decimal(p, node, t);
}
