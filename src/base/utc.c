/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The calendar is computed here and not by the C library, whose conversions know time zones,
 * leap-second tables and locales that these texts must not depend on. Years begin in March inside:
 * the leap day is then the last day of a year and the lengths of the months follow one linear
 * formula.
 */
#include "base/utc.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    DAYS_PER_ERA = 146097,  // 400 years
    DAYS_TO_EPOCH = 719468, // from 0000-03-01 to 1970-01-01
    US_PER_SECOND = 1000000,
    SECONDS_PER_DAY = 86400,
};
static const int64_t us_per_day = (int64_t)SECONDS_PER_DAY * US_PER_SECOND;

struct moment {
    int64_t year;
    unsigned month, day, hour, minute, second, us;
};

/* Days before a month of a year that begins with March (month 0). */
static unsigned days_before(unsigned month_from_march)
{
    return (153 * month_from_march + 2) / 5;
}

static int64_t floor_divide(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int64_t days_from_date(int64_t year, unsigned month, unsigned day)
{
    if (month <= 2)
        year--;
    const int64_t era = floor_divide(year, 400);
    const int64_t year_of_era = year - era * 400;
    const int64_t day_of_year = days_before(month > 2 ? month - 3 : month + 9) + day - 1;
    return era * DAYS_PER_ERA + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
           day_of_year - DAYS_TO_EPOCH;
}

static void date_from_days(struct moment *m, int64_t days)
{
    days += DAYS_TO_EPOCH;
    const int64_t era = floor_divide(days, DAYS_PER_ERA);
    const int64_t d = days - era * DAYS_PER_ERA;
    const int64_t year_of_era = (d - d / 1460 + d / 36524 - d / 146096) / 365;
    const unsigned day_of_year =
        (unsigned)(d - (365 * year_of_era + year_of_era / 4 - year_of_era / 100));
    const unsigned month = (5 * day_of_year + 2) / 153;
    m->day = day_of_year - days_before(month) + 1;
    m->month = month < 10 ? month + 3 : month - 9;
    m->year = era * 400 + year_of_era + (m->month <= 2);
}

static unsigned days_in_month(int64_t year, unsigned month)
{
    const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 ? 28u + leap : 30 + (month + month / 8) % 2;
}

/* What is left to read. */
struct cursor {
    const uint8_t *p, *end;
};

static struct cursor cursor_of(struct span text)
{
    return (struct cursor){text.ptr, text.len > 0 ? text.ptr + text.len : text.ptr};
}

static bool is_digit(const struct cursor *s)
{
    return s->p < s->end && *s->p >= '0' && *s->p <= '9';
}

static bool read_number(struct cursor *s, unsigned n_digits, unsigned *value)
{
    *value = 0;
    for (unsigned i = 0; i < n_digits; i++, s->p++) {
        if (!is_digit(s))
            return false;
        *value = *value * 10 + (unsigned)(*s->p - '0');
    }
    return true;
}

static bool read_byte(struct cursor *s, char want)
{
    if (s->p == s->end || *s->p != (uint8_t)want)
        return false;
    s->p++;
    return true;
}

/* Read ".123456" where there is one: its first six digits count; *n is how many there are. */
static bool read_fraction(struct cursor *s, unsigned *us, size_t *n)
{
    unsigned unit = 100000;
    *us = 0;
    *n = 0;
    if (!read_byte(s, '.'))
        return true;
    for (; is_digit(s); s->p++, unit /= 10, ++*n)
        *us += unit * (unsigned)(*s->p - '0');
    return *n > 0;
}

static bool read_day(struct cursor *s, struct moment *m)
{
    unsigned year;
    if (!read_number(s, 4, &year) || !read_byte(s, '-') || !read_number(s, 2, &m->month) ||
        !read_byte(s, '-') || !read_number(s, 2, &m->day))
        return false;
    m->year = year;
    return true;
}

/* All but the zone. */
static bool read_moment(struct cursor *s, struct moment *m, char between, size_t *n_decimals)
{
    return read_day(s, m) && read_byte(s, between) && read_number(s, 2, &m->hour) &&
           read_byte(s, ':') && read_number(s, 2, &m->minute) && read_byte(s, ':') &&
           read_number(s, 2, &m->second) && read_fraction(s, &m->us, n_decimals);
}

/* "Z", "+02:00": how far the clock there is ahead, in minutes. */
static bool read_zone(struct cursor *s, int *minutes)
{
    unsigned hour, minute;
    *minutes = 0;
    if (read_byte(s, 'Z'))
        return true;
    const bool ahead = read_byte(s, '+');
    if ((!ahead && !read_byte(s, '-')) || !read_number(s, 2, &hour) || !read_byte(s, ':') ||
        !read_number(s, 2, &minute) || hour > 23 || minute > 59)
        return false;
    *minutes = (int)(hour * 60 + minute) * (ahead ? 1 : -1);
    return true;
}

static bool is_day(const struct moment *m)
{
    return m->month >= 1 && m->month <= 12 && m->day >= 1 &&
           m->day <= days_in_month(m->year, m->month);
}

static bool in_range(const struct moment *m)
{
    return is_day(m) && m->hour < 24 && m->minute < 60 && m->second < 60;
}

static int64_t us_from_moment(const struct moment *m)
{
    const int64_t seconds = (int64_t)m->hour * 3600 + m->minute * 60 + m->second;
    return days_from_date(m->year, m->month, m->day) * us_per_day + seconds * US_PER_SECOND + m->us;
}

static void format(char out[UTC_TEXT_BYTES], int64_t us, const char *zone)
{
    struct moment m;
    const int64_t days = floor_divide(us, us_per_day);
    const int64_t rest = us % us_per_day + (us % us_per_day < 0 ? us_per_day : 0);
    date_from_days(&m, days);
    const unsigned seconds = (unsigned)(rest / US_PER_SECOND);
    char text[128]; // wide enough for any numbers, as the compiler does not know the calendar
    const int len = snprintf(text, sizeof text, "%04" PRId64 "-%02u-%02uT%02u:%02u:%02u.%06u%s",
                             m.year, m.month, m.day, seconds / 3600, seconds / 60 % 60,
                             seconds % 60, (unsigned)(rest % US_PER_SECOND), zone);
    memcpy(out, text, (size_t)len + 1); // at most "-290308-12-21T19:59:05.224192Z"
}

int64_t utc_now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now); // cannot fail on Linux
    return (int64_t)now.tv_sec * US_PER_SECOND + now.tv_nsec / 1000;
}

int utc_parse(int64_t *us, const char *text, struct err *err)
{
    struct moment m;
    size_t n_decimals;
    struct cursor s = cursor_of(span_str(text));
    if (!read_moment(&s, &m, 'T', &n_decimals) || n_decimals > 6 || !read_byte(&s, 'Z') ||
        s.p != s.end || !in_range(&m))
        return err_set(err, E_ARG, 0, "\"%s\" is not a UTC time like 2026-08-20T04:30:00Z", text);
    *us = us_from_moment(&m);
    return 0;
}

/* Warehouses know the years 1 to 9999 of UTC. */
static bool put_storable(int64_t *us, const struct moment *m, int zone_minutes)
{
    static const int64_t first = INT64_C(-719162) * SECONDS_PER_DAY * US_PER_SECOND,
                         behind = INT64_C(2932897) * SECONDS_PER_DAY * US_PER_SECOND;
    const int64_t value = us_from_moment(m) - (int64_t)zone_minutes * 60 * US_PER_SECOND;
    if (value < first || value >= behind)
        return false;
    *us = value;
    return true;
}

bool utc_parse_rfc3339(int64_t *us, struct span text)
{
    struct moment m;
    size_t n_decimals;
    int zone_minutes;
    struct cursor s = cursor_of(text);
    return read_moment(&s, &m, 'T', &n_decimals) && read_zone(&s, &zone_minutes) && s.p == s.end &&
           in_range(&m) && put_storable(us, &m, zone_minutes);
}

bool utc_parse_billing(int64_t *us, struct span text)
{
    static const char zone[] = " UTC";
    struct moment m;
    size_t n_decimals;
    struct cursor s = cursor_of(text);
    return read_moment(&s, &m, ' ', &n_decimals) && in_range(&m) &&
           s.end - s.p == sizeof zone - 1 && memcmp(s.p, zone, sizeof zone - 1) == 0 &&
           put_storable(us, &m, 0);
}

bool utc_parse_date(int64_t *days, struct span text)
{
    struct moment m = {0};
    struct cursor s = cursor_of(text);
    if (!read_day(&s, &m) || s.p != s.end || m.year < 1 || !is_day(&m))
        return false;
    *days = days_from_date(m.year, m.month, m.day);
    return true;
}

void utc_format_naive(char out[UTC_TEXT_BYTES], int64_t us)
{
    format(out, us, "");
}

void utc_format(char out[UTC_TEXT_BYTES], int64_t us)
{
    format(out, us, "Z");
}
