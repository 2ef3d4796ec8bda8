/* SPDX-License-Identifier: MPL-2.0 */
/* Types as DuckDB spells them: STRUCT(addon_id VARCHAR, "type" VARCHAR)[]. */
#include "taar/telemetry_internal.h"

#include <strings.h>

void found_columns_deinit(struct found_columns *f)
{
    for (size_t i = 0; i < f->n; i++) {
        free(f->columns[i].name);
        free(f->columns[i].type);
    }
    free(f->columns);
    free(f->place);
    *f = (struct found_columns){0};
}

int found_columns_add(struct found_columns *f, struct span name, struct span type, struct err *err)
{
    struct found *columns = realloc(f->columns, (f->n + 1) * sizeof *columns);
    if (!columns)
        return err_set(err, E_NOMEM, 0, "no memory for columns");
    f->columns = columns;
    struct found *new = &columns[f->n++];
    *new = (struct found){.name = span_to_text(name), .type = span_to_text(type)};
    return new->name &&new->type ? 0 : err_set(err, E_NOMEM, 0, "no memory for columns");
}

const struct found *found_column(const struct found_columns *f, const char *name)
{
    const struct found *found = NULL;
    for (size_t i = 0; i < f->n; i++) {
        if (strcmp(f->columns[i].name, name) == 0)
            return &f->columns[i];
        if (strcasecmp(f->columns[i].name, name) == 0) // as SQL would find it
            found = &f->columns[i];
    }
    return found;
}

/* p is behind a quote; the text up to its end, with doubled quotes made one. */
static const char *read_quoted(const char *p, char *out)
{
    for (; *p; p++) {
        if (*p == '"' && *++p != '"')
            break;
        *out++ = *p;
    }
    *out = '\0';
    return p;
}

static const char *read_name(const char *p, char *out)
{
    if (*p == '"')
        return read_quoted(p + 1, out);
    const size_t n = strcspn(p, " ");
    memcpy(out, p, n);
    out[n] = '\0';
    return p + n;
}

/* The end of a type: a comma or bracket that closes more than it opened. */
static const char *type_end(const char *p)
{
    size_t depth = 0;
    char quote = '\0';
    for (; *p; p++) {
        if (quote != '\0')
            quote = *p == quote ? '\0' : quote;
        else if (*p == '"' || *p == '\'')
            quote = *p;
        else if (*p == '(')
            depth++;
        else if (depth == 0 && (*p == ',' || *p == ')'))
            break;
        else if (*p == ')')
            depth--;
    }
    return p;
}

int read_struct_type(struct found_columns *fields, const char *type, struct err *err)
{
    static const char start[] = "STRUCT(";
    const size_t len = strlen(type);
    if (strncmp(type, start, sizeof start - 1) != 0 || type[len - 1] != ')')
        return err_set(err, E_FORMAT, 0, "it is of type %.100s, no STRUCT", type);
    char *name = malloc(len + 1);
    if (!name)
        return err_set(err, E_NOMEM, 0, "no memory for a type");
    int r = 0;
    for (const char *p = type + sizeof start - 1; r == 0 && *p != ')' && *p;) {
        p = read_name(p, name);
        p += strspn(p, " ");
        const char *end = type_end(p);
        r = found_columns_add(fields, span_str(name), span_of(p, (size_t)(end - p)), err);
        p = end + strspn(end, ", ");
    }
    free(name);
    return r;
}

char *read_list_type(const char *type)
{
    const size_t n = strlen(type);
    if (n < 2 || strcmp(type + n - 2, "[]") != 0)
        return NULL;
    return span_to_text(span_of(type, n - 2));
}
