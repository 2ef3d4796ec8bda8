/* toml_internal.h - what the files of the TOML reader share. */
#pragma once

#include "base/compiler.h"
#include "codec/toml.h"

enum node_state {
    NODE_PLAIN,    // a value, or a closed table or array: nothing is added to it
    NODE_IMPLICIT, // a table on the way to a header's: may be opened once
    NODE_HEADER,   // a table that a header opened, or an element of NODE_TABLES, or the root
    NODE_DOTTED,   // a table that a dotted key made
    NODE_TABLES,   // an array of tables
};

struct node {
    struct toml_value v; // first: they are the same to readers
    struct node *last;   // member
    size_t key_len;
    enum node_state state;
    unsigned depth;
};

struct toml_parser {
    struct toml *toml;
    const char *p, *end; // what is left
    unsigned line;
    const char *name;
    struct err *err;
};

/** Start the error's text with "NAME: line N: ". @return E_FORMAT. */
int toml_fail(const struct toml_parser *p, const char *fmt, ...) PRINTF_LIKE(2, 3);
/** Zeroed memory that lives as long as the tree, and is wiped with it. NULL: no memory, err says
 * so. */
void *toml_alloc(struct toml_parser *p, size_t size);
/** @return 1 when text follows, which is skipped then; else 0. */
bool toml_skip(struct toml_parser *p, const char *text);

/* toml_string.c */
/** At a quote. multi: three quotes begin a text of several lines. *text, *len: in the tree. */
MUST_CHECK int toml_string(struct toml_parser *p, bool multi, const char **text, size_t *len);
/** A bare or quoted key, without dots. */
MUST_CHECK int toml_key(struct toml_parser *p, const char **text, size_t *len);

/* toml_scalar.c */
/** A number, boolean or time into node. */
MUST_CHECK int toml_scalar(struct toml_parser *p, struct node *node);
