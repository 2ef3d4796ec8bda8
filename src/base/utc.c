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

static bool read_number(const char **s, unsigned n_digits, unsigned *value)
{
    *value = 0;
    for (unsigned i = 0; i < n_digits; i++, (*s)++) {
        if (**s < '0' || **s > '9')
            return false;
        *value = *value * 10 + (unsigned)(**s - '0');
    }
    return true;
}

static bool read_byte(const char **s, char want)
{
    if (**s != want)
        return false;
    (*s)++;
    return true;
}

/* Read ".123456", one to six digits, where there is one. */
static bool read_fraction(const char **s, unsigned *us)
{
    unsigned unit = 100000;
    *us = 0;
    if (!read_byte(s, '.'))
        return true;
    const char *first = *s;
    for (; unit > 0 && **s >= '0' && **s <= '9'; (*s)++, unit /= 10)
        *us += unit * (unsigned)(**s - '0');
    return *s > first;
}

static bool read_moment(struct moment *m, const char *s)
{
    unsigned year;
    const bool well_formed =
        read_number(&s, 4, &year) && read_byte(&s, '-') && read_number(&s, 2, &m->month) &&
        read_byte(&s, '-') && read_number(&s, 2, &m->day) && read_byte(&s, 'T') &&
        read_number(&s, 2, &m->hour) && read_byte(&s, ':') && read_number(&s, 2, &m->minute) &&
        read_byte(&s, ':') && read_number(&s, 2, &m->second) && read_fraction(&s, &m->us) &&
        read_byte(&s, 'Z') && *s == '\0';
    if (well_formed)
        m->year = year;
    return well_formed;
}

static bool in_range(const struct moment *m)
{
    return m->month >= 1 && m->month <= 12 && m->day >= 1 &&
           m->day <= days_in_month(m->year, m->month) && m->hour < 24 && m->minute < 60 &&
           m->second < 60;
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
    if (!read_moment(&m, text) || !in_range(&m))
        return err_set(err, E_ARG, 0, "\"%s\" is not a UTC time like 2026-08-20T04:30:00Z", text);
    const int64_t seconds = (int64_t)m.hour * 3600 + m.minute * 60 + m.second;
    *us = days_from_date(m.year, m.month, m.day) * us_per_day + seconds * US_PER_SECOND + m.us;
    return 0;
}

void utc_format_naive(char out[UTC_TEXT_BYTES], int64_t us)
{
    format(out, us, "");
}

void utc_format(char out[UTC_TEXT_BYTES], int64_t us)
{
    format(out, us, "Z");
}
