/* SPDX-License-Identifier: MPL-2.0 */
/* Lines, tables and arrays: the tree. */
#include "codec/toml.h"

#include "base/secret.h"
#include "base/utf8.h"
#include "codec/toml_internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 16 << 10, ALIGN = 16, SHOWN = 60 };

struct block {
    struct block *next;
    size_t size, used; // of bytes
    _Alignas(ALIGN) unsigned char bytes[];
};

struct toml {
    struct block *blocks;
    struct node *root;
    size_t n_values;
};

int toml_fail(const struct toml_parser *p, const char *fmt, ...)
{
    char text[ERR_TEXT_BYTES];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return err_set(p->err, E_FORMAT, 0, "%s: line %u: %s", p->name, p->line, text);
}

void *toml_alloc(struct toml_parser *p, size_t size)
{
    const size_t need = (size + ALIGN - 1) / ALIGN * ALIGN;
    struct block *b = p->toml->blocks;
    if (!b || b->size - b->used < need) {
        const size_t room = need > BLOCK_BYTES ? need : BLOCK_BYTES;
        b = calloc(1, sizeof *b + room);
        if (!b) {
            (void)err_set(p->err, E_NOMEM, 0, "no memory to read %s", p->name);
            return NULL;
        }
        b->size = room;
        b->next = p->toml->blocks;
        p->toml->blocks = b;
    }
    void *at = b->bytes + b->used;
    b->used += need;
    return at;
}

bool toml_skip(struct toml_parser *p, const char *text)
{
    const size_t len = strlen(text);
    const bool follows = (size_t)(p->end - p->p) >= len && memcmp(p->p, text, len) == 0;
    if (follows)
        p->p += len;
    return follows;
}

static void skip_blanks(struct toml_parser *p)
{
    while (p->p < p->end && (*p->p == ' ' || *p->p == '\t'))
        p->p++;
}

/* A comment, where there is one, up to its line's end. */
static int skip_comment(struct toml_parser *p)
{
    if (p->p == p->end || *p->p != '#')
        return 0;
    for (; p->p < p->end && *p->p != '\n'; p->p++) {
        const unsigned char c = (unsigned char)*p->p;
        if (c == '\r' && p->p + 1 < p->end && p->p[1] == '\n')
            return 0;
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return toml_fail(p, "a comment has a control character");
    }
    return 0;
}

static bool skip_line_end(struct toml_parser *p)
{
    const bool is_end = toml_skip(p, "\n") || toml_skip(p, "\r\n");
    p->line += is_end;
    return is_end;
}

/* Blanks, comments and line ends, as between the values of an array. */
static int skip_lines(struct toml_parser *p)
{
    int r;
    do {
        skip_blanks(p);
        r = skip_comment(p);
    } while (r == 0 && skip_line_end(p));
    return r;
}

static struct node *new_node(struct toml_parser *p, struct node *parent, enum toml_kind kind)
{
    if (p->toml->n_values == TOML_MAX_VALUES) {
        (void)toml_fail(p, "there are more than %d values", TOML_MAX_VALUES);
        return NULL;
    }
    if (parent->depth == TOML_MAX_DEPTH) {
        (void)toml_fail(p, "tables and arrays are nested more than %d deep", TOML_MAX_DEPTH);
        return NULL;
    }
    struct node *n = toml_alloc(p, sizeof *n);
    if (!n)
        return NULL;
    p->toml->n_values++;
    n->v.kind = kind;
    n->v.line = p->line;
    n->depth = parent->depth + 1;
    if (parent->last)
        parent->last->v.next = &n->v;
    else
        parent->v.first = &n->v;
    parent->last = n;
    return n;
}

/* The code of a failed new_node or toml_alloc, which filled err. */
static int failed(const struct toml_parser *p)
{
    return p->err->code;
}

static struct node *member(const struct node *table, const char *key, size_t len)
{
    for (struct toml_value *v = table->v.first; v; v = v->next) {
        struct node *n = (struct node *)v;
        if (n->key_len == len && memcmp(v->key, key, len) == 0)
            return n;
    }
    return NULL;
}

static struct node *new_member(struct toml_parser *p, struct node *table, const char *key,
                               size_t len, enum toml_kind kind, enum node_state state)
{
    struct node *n = new_node(p, table, kind);
    if (n) {
        n->v.key = key;
        n->key_len = len;
        n->state = state;
    }
    return n;
}

/* One part of a dotted key. *more: another one follows its dot. */
static int key_part(struct toml_parser *p, const char **key, size_t *len, bool *more)
{
    skip_blanks(p);
    const int r = toml_key(p, key, len);
    skip_blanks(p);
    *more = r == 0 && toml_skip(p, ".");
    return r;
}

static int value(struct toml_parser *p, struct node *node);

/* "a.b = value" into a table. */
static int key_value(struct toml_parser *p, struct node *table)
{
    const char *key;
    size_t len;
    bool more;
    int r;
    while ((r = key_part(p, &key, &len, &more)) == 0 && more) {
        struct node *n = member(table, key, len);
        if (n && n->state != NODE_DOTTED)
            return toml_fail(p, "\"%.*s\" is defined already (line %u), and may not be added to",
                             SHOWN, key, n->v.line);
        table = n ? n : new_member(p, table, key, len, TOML_TABLE, NODE_DOTTED);
        if (!table)
            return failed(p);
    }
    if (r < 0)
        return r;
    const struct node *before = member(table, key, len);
    if (before)
        return toml_fail(p, "\"%.*s\" is set twice (see line %u)", SHOWN, key, before->v.line);
    if (!toml_skip(p, "="))
        return toml_fail(p, "expected \"=\" behind a key");
    struct node *n = new_member(p, table, key, len, TOML_BOOL, NODE_PLAIN);
    return n ? value(p, n) : failed(p);
}

static int array(struct toml_parser *p, struct node *node)
{
    node->v.kind = TOML_ARRAY;
    for (;;) {
        int r = skip_lines(p);
        if (r < 0)
            return r;
        if (toml_skip(p, "]"))
            return 0;
        struct node *n = new_node(p, node, TOML_BOOL);
        r = n ? value(p, n) : failed(p);
        if (r == 0)
            r = skip_lines(p);
        if (r < 0)
            return r;
        if (!toml_skip(p, ",") && (p->p == p->end || *p->p != ']'))
            return toml_fail(p, "expected \",\" or \"]\" in an array");
    }
}

static int inline_table(struct toml_parser *p, struct node *node)
{
    node->v.kind = TOML_TABLE;
    skip_blanks(p);
    if (toml_skip(p, "}"))
        return 0;
    for (;;) {
        const int r = key_value(p, node);
        if (r < 0)
            return r;
        skip_blanks(p);
        if (toml_skip(p, "}"))
            return 0;
        if (!toml_skip(p, ","))
            return toml_fail(p, "expected \",\" or \"}\" in a table; it stands on one line");
    }
}

static int value(struct toml_parser *p, struct node *node)
{
    skip_blanks(p);
    if (p->p == p->end)
        return toml_fail(p, "expected a value");
    size_t len;
    switch (*p->p) {
    case '"':
    case '\'':
        node->v.kind = TOML_STRING;
        return toml_string(p, true, &node->v.text, &len);
    case '[':
        p->p++;
        return array(p, node);
    case '{':
        p->p++;
        return inline_table(p, node);
    default:
        return toml_scalar(p, node);
    }
}

/* A table on the way to a header's own. */
static int step_into(struct toml_parser *p, struct node **table, const char *key, size_t len)
{
    struct node *n = member(*table, key, len);
    if (!n)
        n = new_member(p, *table, key, len, TOML_TABLE, NODE_IMPLICIT);
    if (!n)
        return failed(p);
    if (n->state == NODE_PLAIN)
        return toml_fail(p, "\"%.*s\" is defined already (line %u), and may not be added to", SHOWN,
                         key, n->v.line);
    *table = n->state == NODE_TABLES ? n->last : n;
    return 0;
}

static int open_table(struct toml_parser *p, struct node **table, const char *key, size_t len)
{
    struct node *n = member(*table, key, len);
    if (n && n->state != NODE_IMPLICIT)
        return toml_fail(p, "table \"%.*s\" is defined already (line %u)", SHOWN, key, n->v.line);
    if (!n)
        n = new_member(p, *table, key, len, TOML_TABLE, NODE_HEADER);
    if (!n)
        return failed(p);
    n->state = NODE_HEADER;
    n->v.line = p->line;
    *table = n;
    return 0;
}

/* One more element of an array of tables. */
static int add_table(struct toml_parser *p, struct node **table, const char *key, size_t len)
{
    struct node *n = member(*table, key, len);
    if (n && n->state != NODE_TABLES)
        return toml_fail(p, "\"%.*s\" is defined already (line %u), not as [[%.*s]]", SHOWN, key,
                         n->v.line, SHOWN, key);
    if (!n)
        n = new_member(p, *table, key, len, TOML_ARRAY, NODE_TABLES);
    struct node *element = n ? new_node(p, n, TOML_TABLE) : NULL;
    if (!element)
        return failed(p);
    element->state = NODE_HEADER;
    *table = element;
    return 0;
}

/* "[a.b]" or "[[a.b]]", behind the first bracket. */
static int header(struct toml_parser *p, struct node **table)
{
    const bool is_array = toml_skip(p, "[");
    const char *key;
    size_t len;
    bool more;
    int r;
    *table = p->toml->root;
    while ((r = key_part(p, &key, &len, &more)) == 0 && more)
        if ((r = step_into(p, table, key, len)) < 0)
            return r;
    if (r == 0)
        r = is_array ? add_table(p, table, key, len) : open_table(p, table, key, len);
    if (r == 0 && !toml_skip(p, is_array ? "]]" : "]"))
        r = toml_fail(p, "expected \"%s\" behind a table's name", is_array ? "]]" : "]");
    return r;
}

static int document(struct toml_parser *p)
{
    struct node *table = p->toml->root;
    int r = 0;
    while (r == 0 && (r = skip_lines(p)) == 0 && p->p < p->end) {
        r = toml_skip(p, "[") ? header(p, &table) : key_value(p, table);
        if (r < 0)
            return r;
        skip_blanks(p);
        r = skip_comment(p);
        if (r == 0 && p->p < p->end && !skip_line_end(p))
            r = toml_fail(p, "there is more on the line than that");
    }
    return r;
}

static int check_text(const struct toml_parser *p, struct span text)
{
    if (text.len > TOML_MAX_BYTES)
        return err_set(p->err, E_FORMAT, 0, "%s: longer than %d bytes", p->name, TOML_MAX_BYTES);
    struct toml_parser at = *p;
    for (size_t i = 0; i < text.len;) {
        const size_t len = utf8_length(text.ptr + i, text.len - i);
        if (len == 0)
            return toml_fail(&at, "not UTF-8");
        at.line += text.ptr[i] == '\n';
        i += len;
    }
    return 0;
}

int toml_parse(struct toml **out, struct span text, const char *name, struct err *err)
{
    struct err own = {0};
    CLEANUP(toml_freep) struct toml *toml = calloc(1, sizeof *toml);
    if (!toml)
        return err_set(err, E_NOMEM, 0, "no memory to read %s", name);
    struct toml_parser p = {.toml = toml,
                            .p = (const char *)text.ptr,
                            .line = 1,
                            .name = name,
                            .err = err ? err : &own};
    int r = check_text(&p, text);
    if (r < 0)
        return r;
    p.end = p.p + text.len;
    (void)toml_skip(&p, "\xef\xbb\xbf"); // what some editors put in front
    toml->root = toml_alloc(&p, sizeof *toml->root);
    if (!toml->root)
        return E_NOMEM;
    toml->root->v.kind = TOML_TABLE;
    toml->root->v.line = 1;
    toml->root->state = NODE_HEADER;
    r = document(&p);
    if (r < 0)
        return r;
    *out = toml;
    toml = NULL;
    return 0;
}

void toml_free(struct toml *t)
{
    if (!t)
        return;
    for (struct block *b = t->blocks, *next; b; b = next) {
        next = b->next;
        secret_wipe(b, sizeof *b + b->size);
        free(b);
    }
    free(t);
}

const struct toml_value *toml_root(const struct toml *t)
{
    return &t->root->v;
}

const struct toml_value *toml_member(const struct toml_value *table, const char *key)
{
    const struct node *n = (const struct node *)table;
    const struct node *found = table->kind == TOML_TABLE ? member(n, key, strlen(key)) : NULL;
    return found ? &found->v : NULL;
}
