/* err.h - one code to branch on, one line of text to read. */
#pragma once

#include "base/compiler.h"

/* Failures. Expected outcomes of a function are positive and documented with it. */
enum err_code {
    E_ARG = -1,    // the caller broke a documented rule, or the user gave an unusable value
    E_NOMEM = -2,  // allocation failed, or a buffer reached its ceiling
    E_IO = -3,     // system, network or service failure
    E_AGAIN = -4,  // the same call may succeed later
    E_ABSENT = -5, // no such object, message or table
    E_FORMAT = -6, // bytes break their format
    E_CRYPTO = -7, // libcrypto failed (not: a record that does not authenticate)
};

enum { ERR_TEXT_BYTES = 480 };

/* On the caller's stack; nothing to free. Zero-initialise it. */
struct err {
    enum err_code code;
    long native; // errno or the like of the first cause, else 0
    char text[ERR_TEXT_BYTES];
};

/**
 * Start err's text with the printf-like message; with code E_IO and a native errno > 0 the system's
 * text for it follows behind ": ". The arguments may point into err->text.
 * @return code, so that a caller can `return err_set(...)`. err may be NULL.
 */
int err_set(struct err *err, enum err_code code, long native, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/**
 * Put what this layer was doing in front: "fmt: old text". When full, the outer words are dropped,
 * never the cause. @return code unchanged. err may be NULL.
 */
int err_wrap(struct err *err, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/** The lower-case name of a code ("io", "format"), for machine-readable logs. */
const char *err_name(int code);
