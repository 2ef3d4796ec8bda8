/* SPDX-License-Identifier: MPL-2.0 */
#include "base/progress.h"

#include "base/compiler.h"
#include "base/log.h"
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
    char number[32], rejected[64] = "";
    if (cap == 0)
        return;
    const uint64_t n_rejected = p->n_rejected;
    format_grouped(number, n_rejected);
    if (n_rejected > 0)
        (void)snprintf(rejected, sizeof rejected, ", %s rejected", number);
    const uint64_t records = p->n_records, bytes = p->n_bytes;
    format_grouped(number, records);
    (void)snprintf(out, cap, "%s  %s record%s%s", p->label, number, records == 1 ? "" : "s",
                   rejected);
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

void progress_log(const struct progress *p, uint64_t now_ms)
{
    const uint64_t records = p->n_records, bytes = p->n_bytes;
    const double seconds = (double)(now_ms - p->started_ms) / 1000;
    const double rate = seconds > 0 ? (double)records / seconds : 0;
    const double byte_rate = seconds > 0 ? (double)bytes / seconds : 0;
    struct log_field fields[8] = {
        LOG_S("stage", p->label),
        LOG_U("records", records),
        LOG_U("rejected", p->n_rejected),
        LOG_U("records_per_s", whole(rate)),
        LOG_R("mb_per_s", (double)whole(byte_rate / 1e4) / 100),
        LOG_U("seconds", whole(seconds)),
    };
    if (p->total_bytes > 0 && bytes > 0 && bytes <= p->total_bytes)
        fields[6] = LOG_U("eta_s", whole((double)(p->total_bytes - bytes) / byte_rate));
    log_line(LOG_LEVEL_INFO, fields, "still at work");
}

static void tick(void *arg)
{
    progress_log(arg, retry_now_ms());
}

void progress_start(struct progress *p, const char *label, uint64_t total_bytes,
                    enum progress_mode mode)
{
    const uint64_t now_ms = retry_now_ms();
    p->label = label;
    p->total_bytes = total_bytes;
    p->n_records = 0;
    p->n_bytes = 0;
    p->next_ms = now_ms + REDRAW_MS; // a run shorter than this shows nothing
    p->started_ms = now_ms;
    p->n_rejected = 0;
    p->mode = mode;
    p->ticker = (struct ticker){0};
    if (mode == PROGRESS_LINE)
        log_live_line(true);
    // Without a thread there are no lines, and the work goes on all the same.
    if (mode == PROGRESS_LOG && ticker_start(&p->ticker, PROGRESS_LOG_MS, tick, p, NULL) < 0)
        p->mode = PROGRESS_OFF;
}

void progress_add(struct progress *p, uint64_t records, uint64_t bytes)
{
    p->n_records += records;
    p->n_bytes += bytes;
    if (p->mode != PROGRESS_LINE)
        return;
    const uint64_t now_ms = retry_now_ms();
    uint64_t next_ms = p->next_ms;
    if (now_ms >= next_ms &&
        atomic_compare_exchange_strong(&p->next_ms, &next_ms, now_ms + REDRAW_MS))
        draw(p, now_ms);
}

void progress_reject(struct progress *p, uint64_t records)
{
    p->n_rejected += records;
}

void progress_end(struct progress *p)
{
    ticker_stop(&p->ticker);
    if (p->mode == PROGRESS_LINE) {
        log_wipe_live_line();
        log_live_line(false);
    }
    p->mode = PROGRESS_OFF;
}

bool progress_wanted(void)
{
    const char *term = getenv("TERM");
    return term && term[0] != '\0' && strcmp(term, "dumb") != 0 && isatty(STDERR_FILENO) == 1;
}
