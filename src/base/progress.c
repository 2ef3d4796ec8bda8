/* SPDX-License-Identifier: MPL-2.0 */
#include "base/progress.h"

#include "base/compiler.h"
#include "base/retry.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { REDRAW_MS = 200, LINE_BYTES = 256 };

/* 1234567 as "1,234,567". */
static void format_grouped(char out[32], uint64_t n)
{
    char digits[24];
    const int len = snprintf(digits, sizeof digits, "%" PRIu64, n);
    char *to = out;
    for (int i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            *to++ = ',';
        *to++ = digits[i];
    }
    *to = '\0';
}

/* Three digits that matter, and a unit: "8.41 MB". */
static void format_bytes(char out[32], double bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    size_t unit = 0;
    while (bytes >= 999.5 && unit + 1 < ARRAY_LEN(units)) {
        bytes /= 1000;
        unit++;
    }
    const int decimals = unit == 0 || bytes >= 99.95 ? 0 : bytes >= 9.995 ? 1 : 2;
    (void)snprintf(out, 32, "%.*f %s", decimals, bytes, units[unit]);
}

/* x >= 0 rounded; what no integer holds becomes a very large one. */
static uint64_t whole(double x)
{
    return x < 1e18 ? (uint64_t)(x + 0.5) : UINT64_C(1000000000000000000);
}

/* "0:07", "12:34", "3:00:00" */
static void format_duration(char out[32], uint64_t seconds)
{
    const uint64_t hours = seconds / 3600;
    const unsigned minutes = (unsigned)(seconds / 60 % 60), rest = (unsigned)(seconds % 60);
    if (hours > 0)
        (void)snprintf(out, 32, "%" PRIu64 ":%02u:%02u", hours, minutes, rest);
    else
        (void)snprintf(out, 32, "%u:%02u", minutes, rest);
}

static void append(char *out, unsigned long cap, const char *fmt, ...) PRINTF_LIKE(3, 4);
static void append(char *out, unsigned long cap, const char *fmt, ...)
{
    const size_t len = strlen(out);
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(out + len, cap - len, fmt, args);
    va_end(args);
}

static unsigned long terminal_columns(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 2)
        return 80;
    return size.ws_col;
}

static void draw(const struct progress *p, uint64_t now_ms)
{
    char line[LINE_BYTES], out[LINE_BYTES + 8];
    const unsigned long columns = terminal_columns();
    // A line that filled the last column would wrap, and then no \r comes back to its start.
    progress_format(p, now_ms, line, columns < sizeof line ? columns : sizeof line);
    const int len = snprintf(out, sizeof out, "\r%s\033[K", line);
    if (len > 0 && write(STDERR_FILENO, out, (size_t)len) < 0)
        return; // decoration: nothing is lost
}

void progress_format(const struct progress *p, uint64_t now_ms, char *out, unsigned long cap)
{
    char number[32];
    if (cap == 0)
        return;
    const uint64_t records = p->n_records, bytes = p->n_bytes;
    format_grouped(number, records);
    (void)snprintf(out, cap, "%s  %s record%s", p->label, number, records == 1 ? "" : "s");
    if (now_ms <= p->started_ms || records == 0)
        return;

    const double seconds = (double)(now_ms - p->started_ms) / 1000;
    const double rate = (double)records / seconds;
    format_grouped(number, whole(rate));
    if (rate < 10)
        append(out, cap, "  %.1f/s", rate);
    else
        append(out, cap, "  %s/s", number);
    if (bytes == 0)
        return;
    format_bytes(number, (double)bytes / seconds);
    append(out, cap, "  %s/s", number);
    if (p->total_bytes > 0 && bytes <= p->total_bytes) {
        const double left = (double)(p->total_bytes - bytes) / (double)bytes * seconds;
        format_duration(number, whole(left));
        append(out, cap, "  ETA %s", number);
    }
}

void progress_start(struct progress *p, const char *label, uint64_t total_bytes, bool on)
{
    const uint64_t now_ms = retry_now_ms();
    p->label = label;
    p->total_bytes = total_bytes;
    p->n_records = 0;
    p->n_bytes = 0;
    p->next_ms = now_ms + REDRAW_MS; // a run shorter than this shows nothing
    p->started_ms = now_ms;
    p->on = on;
}

void progress_add(struct progress *p, uint64_t records, uint64_t bytes)
{
    p->n_records += records;
    p->n_bytes += bytes;
    if (!p->on)
        return;
    const uint64_t now_ms = retry_now_ms();
    uint64_t next_ms = p->next_ms;
    if (now_ms >= next_ms &&
        atomic_compare_exchange_strong(&p->next_ms, &next_ms, now_ms + REDRAW_MS))
        draw(p, now_ms);
}

void progress_end(struct progress *p)
{
    static const char wipe[] = "\r\033[K";
    if (!p->on)
        return;
    p->on = false;
    if (write(STDERR_FILENO, wipe, sizeof wipe - 1) < 0)
        return; // decoration: nothing is lost
}

bool progress_wanted(void)
{
    const char *term = getenv("TERM");
    return term && term[0] != '\0' && strcmp(term, "dumb") != 0 && isatty(STDERR_FILENO) == 1;
}
