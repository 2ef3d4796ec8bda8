/* SPDX-License-Identifier: MPL-2.0 */
#include "base/err.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char ellipsis[] = "...";
enum { ELLIPSIS_BYTES = sizeof ellipsis - 1 };

static bool is_utf8_tail(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* Shorten text to cap - 1 bytes at its end, between characters, and show that something went. */
static void keep_head(char *text, size_t cap)
{
    if (strlen(text) < cap)
        return;
    size_t end = cap - 1 - ELLIPSIS_BYTES;
    while (end > 0 && is_utf8_tail(text[end]))
        end--;
    memcpy(text + end, ellipsis, sizeof ellipsis);
}

/* Copy text to out, leaving out what does not fit at its front, between characters. */
static void keep_tail(char out[ERR_TEXT_BYTES], const char *text, size_t len)
{
    if (len < ERR_TEXT_BYTES) {
        memcpy(out, text, len + 1);
        return;
    }
    const char *tail = text + len - (ERR_TEXT_BYTES - 1 - ELLIPSIS_BYTES);
    while (is_utf8_tail(*tail))
        tail++;
    memcpy(out, ellipsis, ELLIPSIS_BYTES);
    memcpy(out + ELLIPSIS_BYTES, tail, (size_t)(text + len - tail) + 1);
}

int err_set(struct err *err, enum err_code code, long native, const char *fmt, ...)
{
    if (!err)
        return (int)code;
    // Built aside, because the arguments may point into err->text.
    char text[ERR_TEXT_BYTES + ELLIPSIS_BYTES + 1];
    char room[128];
    const char *cause = NULL;
    if (code == E_IO && native > 0)
        cause = strerror_r((int)native, room, sizeof room);

    va_list args;
    va_start(args, fmt);
    if (vsnprintf(text, sizeof text, fmt, args) < 0)
        text[0] = '\0';
    va_end(args);
    keep_head(text, ERR_TEXT_BYTES - (cause ? strlen(cause) + 2 : 0));

    err->code = code;
    err->native = native;
    (void)snprintf(err->text, sizeof err->text, "%s%s%s", text, cause ? ": " : "",
                   cause ? cause : "");
    return (int)code;
}

int err_wrap(struct err *err, int code, const char *fmt, ...)
{
    if (!err)
        return code;
    char text[2 * ERR_TEXT_BYTES + 2];
    va_list args;
    va_start(args, fmt);
    if (vsnprintf(text, ERR_TEXT_BYTES, fmt, args) < 0)
        text[0] = '\0';
    va_end(args);

    size_t len = strlen(text);
    if (err->text[0] != '\0')
        len += (size_t)snprintf(text + len, sizeof text - len, ": %s", err->text);
    keep_tail(err->text, text, len);
    return code;
}

const char *err_name(int code)
{
    switch (code) {
    case E_ARG:
        return "arg";
    case E_NOMEM:
        return "nomem";
    case E_IO:
        return "io";
    case E_AGAIN:
        return "again";
    case E_ABSENT:
        return "absent";
    case E_FORMAT:
        return "format";
    case E_CRYPTO:
        return "crypto";
    default:
        return "unknown";
    }
}
