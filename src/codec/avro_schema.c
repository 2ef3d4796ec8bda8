/* SPDX-License-Identifier: MPL-2.0 */
/* Avro: the schema in a file, as the specification's section "Schema Declaration" has it. */
#include "codec/avro_internal.h"

#include <jansson.h>
#include <stdio.h>

struct parser {
    struct arena *arena;
    struct avro_schema **named; // types that others may refer to
    size_t n_named, n_types;
    struct err *err;
};

static const char *const primitives[] = {"null",  "boolean", "int",   "long",
                                         "float", "double",  "bytes", "string"};

static struct avro_schema *parse(struct parser *p, const json_t *json, const char *space,
                                 unsigned depth);

static void *fail(struct parser *p, int code, const char *text)
{
    (void)err_set(p->err, code, 0, "%s", text);
    return NULL;
}

static void *take(struct parser *p, size_t size)
{
    void *memory = arena_alloc(p->arena, size);
    return memory ? memory : fail(p, E_NOMEM, "no memory for an Avro schema");
}

static struct avro_schema *new_type(struct parser *p, enum avro_kind kind)
{
    if (++p->n_types > AVRO_MAX_TYPES)
        return fail(p, E_FORMAT, "the schema has too many types");
    struct avro_schema *s = take(p, sizeof *s);
    if (s)
        s->kind = kind;
    return s;
}

static const char *copy_text(struct parser *p, const char *text)
{
    char *copy = take(p, strlen(text) + 1);
    return copy ? memcpy(copy, text, strlen(text) + 1) : NULL;
}

/* "name" in a space is "space.name"; a name with a dot is whole. */
static const char *full_name(struct parser *p, const char *name, const char *space)
{
    if (strchr(name, '.') || !space || !*space)
        return copy_text(p, name);
    const size_t size = strlen(space) + strlen(name) + 2;
    char *full = take(p, size);
    if (full)
        (void)snprintf(full, size, "%s.%s", space, name);
    return full;
}

static struct avro_schema *find_named(struct parser *p, const char *name, const char *space)
{
    const char *full = full_name(p, name, space);
    for (size_t i = 0; full && i < p->n_named; i++)
        if (strcmp(p->named[i]->name, full) == 0 || strcmp(p->named[i]->name, name) == 0)
            return p->named[i];
    return full ? fail(p, E_FORMAT, "the schema names a type that it does not declare") : NULL;
}

static struct avro_schema *parse_name(struct parser *p, const char *name, const char *space)
{
    for (size_t i = 0; i < ARRAY_LEN(primitives); i++)
        if (strcmp(name, primitives[i]) == 0)
            return new_type(p, (enum avro_kind)i);
    return find_named(p, name, space);
}

static bool make_room(struct parser *p, struct avro_schema *s, size_t n, bool with_names)
{
    if (n > AVRO_MAX_TYPES)
        return fail(p, E_FORMAT, "the schema has too many types");
    s->n = n;
    s->schemas = take(p, (n + 1) * sizeof(struct avro_schema *));
    if (with_names)
        s->names = take(p, (n + 1) * sizeof(const char *));
    return s->schemas && (!with_names || s->names);
}

static struct avro_schema *parse_union(struct parser *p, const json_t *json, const char *space,
                                       unsigned depth)
{
    struct avro_schema *s = new_type(p, AVRO_UNION);
    if (!s || !make_room(p, s, json_array_size(json), false))
        return NULL;
    for (size_t i = 0; i < s->n; i++) {
        s->schemas[i] = parse(p, json_array_get(json, i), space, depth + 1);
        if (!s->schemas[i])
            return NULL;
    }
    return s->n > 0 ? s : fail(p, E_FORMAT, "a union has no branches");
}

static bool parse_fields(struct parser *p, struct avro_schema *s, const json_t *fields,
                         const char *space, unsigned depth)
{
    if (!json_is_array(fields))
        return fail(p, E_FORMAT, "a record has no fields");
    if (!make_room(p, s, json_array_size(fields), true))
        return false;
    for (size_t i = 0; i < s->n; i++) {
        const json_t *field = json_array_get(fields, i);
        const char *name = json_string_value(json_object_get(field, "name"));
        if (!name)
            return fail(p, E_FORMAT, "a field has no name");
        s->names[i] = copy_text(p, name);
        s->schemas[i] = parse(p, json_object_get(field, "type"), space, depth + 1);
        if (!s->names[i] || !s->schemas[i])
            return false;
    }
    return true;
}

static bool parse_symbols(struct parser *p, struct avro_schema *s, const json_t *symbols)
{
    if (!json_is_array(symbols))
        return fail(p, E_FORMAT, "an enum has no symbols");
    if (!make_room(p, s, json_array_size(symbols), true))
        return false;
    for (size_t i = 0; i < s->n; i++) {
        const char *symbol = json_string_value(json_array_get(symbols, i));
        s->names[i] = symbol ? copy_text(p, symbol) : fail(p, E_FORMAT, "a symbol is no text");
        if (!s->names[i])
            return false;
    }
    return true;
}

static bool parse_size(struct parser *p, struct avro_schema *s, const json_t *json)
{
    const json_int_t size = json_integer_value(json_object_get(json, "size"));
    if (size < 0 || size > AVRO_MAX_PACKED)
        return fail(p, E_FORMAT, "a fixed has no usable size");
    s->size = (size_t)size;
    return true;
}

/* A named type stands in the list before its fields are read, which may name it. */
static struct avro_schema *parse_named(struct parser *p, enum avro_kind kind, const json_t *json,
                                       const char *space, unsigned depth)
{
    const char *name = json_string_value(json_object_get(json, "name"));
    const char *own = json_string_value(json_object_get(json, "namespace"));
    struct avro_schema *s = new_type(p, kind);
    if (!s || !name)
        return s ? fail(p, E_FORMAT, "a named type has no name") : NULL;
    s->name = full_name(p, name, own ? own : space);
    if (!s->name)
        return NULL;
    p->named[p->n_named++] = s;
    const bool ok = kind == AVRO_RECORD ? parse_fields(p, s, json_object_get(json, "fields"),
                                                       own ? own : space, depth)
                    : kind == AVRO_ENUM ? parse_symbols(p, s, json_object_get(json, "symbols"))
                                        : parse_size(p, s, json);
    return ok ? s : NULL;
}

static struct avro_schema *parse_items(struct parser *p, enum avro_kind kind, const json_t *json,
                                       const char *space, unsigned depth)
{
    struct avro_schema *s = new_type(p, kind);
    if (!s || !make_room(p, s, 1, false))
        return NULL;
    s->schemas[0] =
        parse(p, json_object_get(json, kind == AVRO_ARRAY ? "items" : "values"), space, depth + 1);
    return s->schemas[0] ? s : NULL;
}

/* Other logical types are values of the type below. */
static struct avro_schema *parse_logical(struct parser *p, struct avro_schema *s,
                                         const json_t *json)
{
    const char *logical = json_string_value(json_object_get(json, "logicalType"));
    if (!s || !logical || strcmp(logical, "decimal") != 0 ||
        (s->kind != AVRO_BYTES && s->kind != AVRO_FIXED))
        return s;
    const json_int_t scale = json_integer_value(json_object_get(json, "scale"));
    if (scale < 0 || scale > 100)
        return fail(p, E_FORMAT, "a decimal has no usable scale");
    s->decimal = true;
    s->scale = (unsigned)scale;
    return s;
}

static struct avro_schema *parse_object(struct parser *p, const json_t *json, const char *space,
                                        unsigned depth)
{
    static const struct {
        const char *name;
        enum avro_kind kind;
    } complex[] = {{"record", AVRO_RECORD}, {"error", AVRO_RECORD}, {"enum", AVRO_ENUM},
                   {"fixed", AVRO_FIXED},   {"array", AVRO_ARRAY},  {"map", AVRO_MAP}};
    const json_t *type = json_object_get(json, "type");
    const char *name = json_string_value(type);
    for (size_t i = 0; name && i < ARRAY_LEN(complex); i++)
        if (strcmp(name, complex[i].name) == 0)
            return complex[i].kind == AVRO_ARRAY || complex[i].kind == AVRO_MAP
                       ? parse_items(p, complex[i].kind, json, space, depth)
                       : parse_logical(p, parse_named(p, complex[i].kind, json, space, depth),
                                       json);
    return parse_logical(p, parse(p, type, space, depth + 1), json);
}

static struct avro_schema *parse(struct parser *p, const json_t *json, const char *space,
                                 unsigned depth)
{
    if (depth > AVRO_MAX_DEPTH)
        return fail(p, E_FORMAT, "the schema nests too deep");
    if (json_is_string(json))
        return parse_name(p, json_string_value(json), space);
    if (json_is_array(json))
        return parse_union(p, json, space, depth);
    if (json_is_object(json))
        return parse_object(p, json, space, depth);
    return fail(p, E_FORMAT, "the schema has something that is no type");
}

int avro_schema_parse(struct avro_schema **out, struct arena *arena, struct span text,
                      struct err *err)
{
    struct parser p = {.arena = arena, .err = err};
    json_t *json = json_loadb((const char *)text.ptr, text.len,
                              JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
    if (!json)
        return err_set(err, E_FORMAT, 0, "the schema is not JSON");
    p.named = take(&p, AVRO_MAX_TYPES * sizeof(struct avro_schema *));
    *out = p.named ? parse(&p, json, NULL, 0) : NULL;
    json_decref(json);
    return *out ? 0 : err ? err->code : E_FORMAT;
}
