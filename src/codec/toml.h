/*
 * toml.h - TOML 1.0.0 (https://toml.io/en/v1.0.0), read strictly: for configuration files.
 *
 * Limits: 1 MiB of text, 10,000 values, nesting of 32. A key that is set twice, a table that is
 * opened twice, and all else that the specification forbids is an error with its line.
 */
#pragma once

#include "base/err.h"
#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TOML_MAX_BYTES = 1 << 20, TOML_MAX_VALUES = 10000, TOML_MAX_DEPTH = 32 };

enum toml_kind {
    TOML_STRING,
    TOML_INTEGER,
    TOML_REAL,
    TOML_BOOL,
    TOML_TIME,
    TOML_ARRAY,
    TOML_TABLE
};

struct toml_value {
    enum toml_kind kind;
    const char *key;  // in its table; NULL in an array
    const char *text; // string (may not contain NUL: an error), time: as written
    int64_t integer;
    double real;
    bool boolean;
    unsigned line;
    struct toml_value *first, *next; // members of a table or array; the next of the own
};

struct toml;
/** name: for messages. @return 0, E_FORMAT "NAME: line 3: ..", or E_NOMEM. Secrets may be in it:
 * the memory is wiped at the end, errors name keys and lines, never values. */
MUST_CHECK int toml_parse(struct toml **out, struct span text, const char *name, struct err *err);
void toml_free(struct toml *t);
DEFINE_FREEP(struct toml, toml_free)
const struct toml_value *toml_root(const struct toml *t);
/** A member of a table, or NULL. */
const struct toml_value *toml_member(const struct toml_value *table, const char *key);
