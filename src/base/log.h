/* log.h - the one logger: to stderr, as text for people or as one JSON object a line. */
#pragma once

#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

/*
 * A field of a log line. The text format, in which info lines drop the level:
 *   prio: warning: message key=value key="two words"
 * The JSON format, one line:
 *   {"time":"2026-08-20T04:30:00.123456Z","level":"warning","program":"prio","message":"...",
 *    "key":value}
 * Messages end after 4096 bytes, strings after 2048; fields beyond 64 KiB of a line are left out.
 */
struct log_field {
    const char *key; // NULL ends a list
    enum { LOG_STRING, LOG_UINT, LOG_REAL, LOG_BOOL } kind;
    union {
        const char *string; // any bytes; invalid UTF-8 and control characters are escaped
        uint64_t uint;
        double real;
        bool boolean;
    } value;
};

#define LOG_S(k, v) ((struct log_field){.key = (k), .kind = LOG_STRING, .value.string = (v)})
#define LOG_U(k, v) ((struct log_field){.key = (k), .kind = LOG_UINT, .value.uint = (v)})
#define LOG_R(k, v) ((struct log_field){.key = (k), .kind = LOG_REAL, .value.real = (v)})
#define LOG_B(k, v) ((struct log_field){.key = (k), .kind = LOG_BOOL, .value.boolean = (v)})
#define LOG_END     ((struct log_field){.key = NULL})

/** Once, at the start of a program, before threads. program: borrowed for ever. */
void log_init(const char *program, enum log_format format, enum log_level lowest);

/** One line, written with a single write(2), whatever the number of threads. */
void log_line(enum log_level level, const struct log_field *fields, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* With at least one field: log_event(LOG_LEVEL_INFO, "verify1 done", LOG_U("records", n)); */
#define log_event(level, message, ...)                                                             \
    log_line((level), (const struct log_field[]){__VA_ARGS__, LOG_END}, "%s", (message))
#define log_info(...)    log_line(LOG_LEVEL_INFO, NULL, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, NULL, __VA_ARGS__)
#define log_error(...)   log_line(LOG_LEVEL_ERROR, NULL, __VA_ARGS__)
#define log_debug(...)   log_line(LOG_LEVEL_DEBUG, NULL, __VA_ARGS__)

/* A line that is drawn over and over (base/progress.h) stands on the terminal: log lines wipe it
 * first, and so must whoever else writes there. */
void log_live_line(bool stands);
void log_wipe_live_line(void);
