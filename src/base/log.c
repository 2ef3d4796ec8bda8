/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A line is built in memory and leaves by one write(2) under a lock. Whatever its parts contain it
 * stays one line, and in the JSON format one valid object: long parts are cut before they are
 * escaped, and a field that finds no room any more is left out whole.
 */
#include "base/log.h"

#include "base/buf.h"
#include "base/utc.h"
#include "base/utf8.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    MESSAGE_BYTES = 4096,
    VALUE_BYTES = 2048, // of a string field, before escaping
    LINE_BYTES_MAX = 65536,
};

static struct {
    const char *program;
    enum log_format format;
    enum log_level lowest;
    atomic_bool live_line;
} sink = {.lowest = LOG_LEVEL_INFO};

static pthread_mutex_t write_lock = PTHREAD_MUTEX_INITIALIZER;

static const char *level_name(enum log_level level)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};
    return names[level];
}

/* Control characters of both sets: U+009B starts a terminal sequence just as ESC [ does. */
static bool is_control(const unsigned char *s, size_t char_len)
{
    return (char_len == 1 && (s[0] < 0x20 || s[0] == 0x7f)) ||
           (char_len == 2 && s[0] == 0xc2 && s[1] < 0xa0);
}

/*
 * Append text with everything escaped that could end the line or the string, at most cap bytes of
 * it. In JSON a foreign byte becomes the four characters \xff, which a reader can tell from a
 * replacement character.
 */
static int append_escaped(struct buf *b, const char *text, size_t cap, bool quoted, bool json)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t len = strlen(text);
    const bool is_cut = len > cap;
    if (is_cut)
        len = cap;
    int r = 0;
    for (size_t i = 0; i < len && r == 0;) {
        const size_t n = utf8_length(s + i, len - i);
        if (n == 0 && is_cut && len - i < 4)
            break; // a character that the cut went through
        if (n == 0)
            r = buf_printf(b, NULL, json ? "\\\\x%02x" : "\\x%02x", s[i]);
        else if (s[i] == '\n')
            r = buf_append_str(b, "\\n", NULL);
        else if (is_control(s + i, n))
            r = buf_printf(b, NULL, "\\u%04x", n == 1 ? s[i] : s[i + 1]);
        else if (quoted && (s[i] == '"' || s[i] == '\\'))
            r = buf_printf(b, NULL, "\\%c", s[i]);
        else
            r = buf_append(b, s + i, n, NULL);
        i += n > 0 ? n : 1;
    }
    if (r == 0 && is_cut)
        r = buf_append_str(b, "...", NULL);
    return r;
}

static int append_quoted(struct buf *b, const char *text, size_t cap, bool json)
{
    int r = buf_append_byte(b, '"', NULL);
    if (r == 0)
        r = append_escaped(b, text, cap, true, json);
    if (r == 0)
        r = buf_append_byte(b, '"', NULL);
    return r;
}

/* A text that can stand without quotes behind "key=" and be told from what follows. */
static bool is_bare(const char *text)
{
    if (text[0] == '\0')
        return false;
    for (const unsigned char *s = (const unsigned char *)text; *s; s++) {
        if (*s <= ' ' || *s >= 0x7f || *s == '"' || *s == '=' || *s == '\\')
            return false;
    }
    return true;
}

/* The shortest of the two usual forms that reads back as the same number. */
static int append_real(struct buf *b, double real, bool json)
{
    char text[40];
    if (json && !isfinite(real))
        return buf_append_str(b, "null", NULL);
    (void)snprintf(text, sizeof text, "%.15g", real);
    if (json && strtod(text, NULL) != real)
        (void)snprintf(text, sizeof text, "%.17g", real);
    if (!json)
        (void)snprintf(text, sizeof text, "%.6g", real);
    return buf_append_str(b, text, NULL);
}

static int append_value(struct buf *b, const struct log_field *f, bool json)
{
    const char *text;
    switch (f->kind) {
    case LOG_UINT:
        return buf_printf(b, NULL, "%" PRIu64, f->value.uint);
    case LOG_REAL:
        return append_real(b, f->value.real, json);
    case LOG_BOOL:
        return buf_append_str(b, f->value.boolean ? "true" : "false", NULL);
    default:
        text = f->value.string;
        if (!text)
            return buf_append_str(b, json ? "null" : "-", NULL);
        if (!json && is_bare(text) && strlen(text) <= VALUE_BYTES)
            return buf_append_str(b, text, NULL);
        return append_quoted(b, text, VALUE_BYTES, json);
    }
}

static int append_field(struct buf *b, const struct log_field *f, bool json)
{
    int r = buf_append_byte(b, json ? ',' : ' ', NULL);
    if (r == 0)
        r = json ? append_quoted(b, f->key, VALUE_BYTES, true) : buf_append_str(b, f->key, NULL);
    if (r == 0)
        r = buf_append_byte(b, json ? ':' : '=', NULL);
    return r < 0 ? r : append_value(b, f, json);
}

static void append_fields(struct buf *b, const struct log_field *fields, bool json)
{
    for (const struct log_field *f = fields; f && f->key; f++) {
        const size_t before = b->len;
        if (append_field(b, f, json) < 0) {
            b->len = before; // no room: the line says the rest
            return;
        }
    }
}

static int start_text(struct buf *b, enum log_level level, const char *message)
{
    int r = 0;
    if (sink.program)
        r = buf_printf(b, NULL, "%s: ", sink.program);
    if (r == 0 && level != LOG_LEVEL_INFO)
        r = buf_printf(b, NULL, "%s: ", level_name(level));
    return r < 0 ? r : append_escaped(b, message, MESSAGE_BYTES, false, false);
}

static int start_json(struct buf *b, enum log_level level, const char *message)
{
    char now[UTC_TEXT_BYTES];
    utc_format(now, utc_now_us());
    int r = buf_printf(b, NULL, "{\"time\":\"%s\",\"level\":\"%s\",\"program\":", now,
                       level_name(level));
    if (r == 0)
        r = append_quoted(b, sink.program ? sink.program : "", VALUE_BYTES, true);
    if (r == 0)
        r = buf_append_str(b, ",\"message\":", NULL);
    return r < 0 ? r : append_quoted(b, message, MESSAGE_BYTES, true);
}

static void write_line(const uint8_t *bytes, size_t len)
{
    (void)pthread_mutex_lock(&write_lock);
    while (len > 0) {
        const ssize_t n = write(STDERR_FILENO, bytes, len);
        if (n < 0 && errno != EINTR)
            break; // there is nowhere to report it
        bytes += n > 0 ? n : 0;
        len -= n > 0 ? (size_t)n : 0;
    }
    (void)pthread_mutex_unlock(&write_lock);
}

void log_init(const char *program, enum log_format format, enum log_level lowest)
{
    sink.program = program;
    sink.format = format;
    sink.lowest = lowest;
}

void log_live_line(bool stands)
{
    sink.live_line = stands;
}

void log_wipe_live_line(void)
{
    static const char wipe[] = "\r\033[K";
    if (sink.live_line && write(STDERR_FILENO, wipe, sizeof wipe - 1) < 0)
        return; // decoration: nothing is lost
}

void log_line(enum log_level level, const struct log_field *fields, const char *fmt, ...)
{
    if (level < sink.lowest)
        return;
    const int saved_errno = errno;
    char message[MESSAGE_BYTES + 5]; // one byte more than is shown marks a cut
    va_list args;
    va_start(args, fmt);
    if (vsnprintf(message, sizeof message, fmt, args) < 0)
        message[0] = '\0';
    va_end(args);

    const bool json = sink.format == LOG_FORMAT_JSON;
    // The ceiling leaves room for the end of the line.
    CLEANUP(buf_deinit) struct buf line = BUF_INIT(LINE_BYTES_MAX);
    int r = json ? start_json(&line, level, message) : start_text(&line, level, message);
    if (r == 0) {
        append_fields(&line, fields, json);
        line.max += 2;
        r = buf_append_str(&line, json ? "}\n" : "\n", NULL);
    }
    if (r == 0) {
        log_wipe_live_line();
        write_line(line.data, line.len);
    }
    errno = saved_errno;
}
