/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/similarity/decimal.h"

enum { SECONDS_OF_HOUR = 3600, EXPONENT_MAX = 400, WHOLE_MAX = 308 };

/* A number's digits without its point, and how many of them stand before it. */
struct digits {
    uint8_t digit[DECIMAL_BYTES_MAX];
    size_t n;
    long n_before;
    bool negative;
};

static bool take_digit(struct digits *d, uint8_t c, bool behind_point)
{
    if (c < '0' || c > '9' || d->n == DECIMAL_BYTES_MAX)
        return false;
    d->digit[d->n++] = c;
    d->n_before += !behind_point;
    return true;
}

static bool take_exponent(struct digits *d, struct span text, size_t i)
{
    const bool negative = i < text.len && text.ptr[i] == '-';
    i += i < text.len && (text.ptr[i] == '-' || text.ptr[i] == '+');
    long exponent = 0;
    const size_t first = i;
    for (; i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9'; i++)
        if (exponent <= EXPONENT_MAX)
            exponent = exponent * 10 + (text.ptr[i] - '0');
    d->n_before += negative ? -exponent : exponent;
    return i > first && i == text.len && exponent <= EXPONENT_MAX;
}

static bool read_number(struct digits *d, struct span text)
{
    bool point = false;
    size_t i = text.len > 0 && (text.ptr[0] == '-' || text.ptr[0] == '+');
    d->negative = i > 0 && text.ptr[0] == '-';
    for (; i < text.len; i++) {
        const uint8_t c = text.ptr[i];
        if (c == 'e' || c == 'E')
            return d->n > 0 && take_exponent(d, text, i + 1);
        if (c == '.' && !point)
            point = true;
        else if (!take_digit(d, c, point))
            return false;
    }
    return d->n > 0;
}

/* Zeros at both ends say nothing. */
static void trim(struct digits *d)
{
    size_t first = 0;
    while (first < d->n && d->digit[first] == '0')
        first++;
    memmove(d->digit, d->digit + first, d->n - first);
    d->n -= first;
    d->n_before -= (long)first;
    while (d->n > 0 && d->digit[d->n - 1] == '0')
        d->n--;
}

static uint8_t digit_at(const struct digits *d, long i)
{
    return i >= 0 && (size_t)i < d->n ? d->digit[i] : (uint8_t)'0';
}

static int write_plain(struct buf *out, const struct digits *d, struct err *err)
{
    const long from = d->n_before > 0 ? 0 : d->n_before - 1; // a zero stands before the point
    int r = d->negative ? buf_append_byte(out, '-', err) : 0;
    for (long i = from; (i < (long)d->n || i < d->n_before) && r == 0; i++) {
        if (i == d->n_before)
            r = buf_append_byte(out, '.', err);
        if (r == 0)
            r = buf_append_byte(out, digit_at(d, i), err);
    }
    return r < 0 ? r : 1;
}

int decimal_plain(struct buf *out, struct span text, struct err *err)
{
    struct digits d = {.n = 0};
    if (!read_number(&d, text))
        return 0;
    trim(&d);
    if (d.n_before > WHOLE_MAX || d.n_before < -EXPONENT_MAX)
        return 0;
    if (d.n > 0)
        return write_plain(out, &d, err);
    const int r = buf_append_byte(out, '0', err);
    return r < 0 ? r : 1;
}

/* Digits behind the point times 3600, from the last one on: what is carried out at the point are
 * whole seconds, and the first digit that stays behind says which way to round. */
static unsigned fraction_seconds(struct span digits)
{
    unsigned carry = 0, first = 0;
    for (size_t i = digits.len; i > 0; i--) {
        const unsigned t = (unsigned)(digits.ptr[i - 1] - '0') * SECONDS_OF_HOUR + carry;
        first = t % 10;
        carry = t / 10;
    }
    return carry + (first >= 5);
}

bool decimal_seconds(int64_t *seconds, struct span hours)
{
    const bool negative = hours.len > 0 && hours.ptr[0] == '-';
    size_t i = negative;
    int64_t whole = 0;
    for (; i < hours.len && hours.ptr[i] != '.'; i++)
        if (__builtin_mul_overflow(whole, 10, &whole) ||
            __builtin_add_overflow(whole, hours.ptr[i] - '0', &whole))
            return false;
    i += i < hours.len;
    const unsigned rest = fraction_seconds(span_of(hours.ptr + i, hours.len - i));
    // Below zero there is one more.
    if (__builtin_mul_overflow(negative ? -whole : whole, SECONDS_OF_HOUR, seconds))
        return false;
    return negative ? !__builtin_sub_overflow(*seconds, rest, seconds)
                    : !__builtin_add_overflow(*seconds, rest, seconds);
}
