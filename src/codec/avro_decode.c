/* SPDX-License-Identifier: MPL-2.0 */
/* Avro: the binary encoding, section "Binary Encoding" of the specification. */
#include "codec/avro_internal.h"

#include <math.h>

bool avro_take_long(struct avro_cursor *c, int64_t *out)
{
    uint64_t n = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        if (c->p == c->end)
            return false;
        const uint8_t byte = *c->p++;
        if (shift == 63 && byte > 1)
            return false;
        n |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *out = (int64_t)(n >> 1) ^ -(int64_t)(n & 1);
            return true;
        }
    }
    return false;
}

static bool take(struct avro_cursor *c, struct span *out, size_t len)
{
    if ((size_t)(c->end - c->p) < len)
        return false;
    *out = span_of(c->p, len);
    c->p += len;
    return true;
}

bool avro_take_bytes(struct avro_cursor *c, struct span *out)
{
    int64_t len;
    return avro_take_long(c, &len) && len >= 0 && take(c, out, (size_t)len);
}

static uint64_t little_endian(struct span bytes)
{
    uint64_t n = 0;
    for (size_t i = bytes.len; i > 0; i--)
        n = n << 8 | bytes.ptr[i - 1];
    return n;
}

struct decoder {
    struct avro_cursor *c;
    struct arena *arena;
    size_t n_values;
    struct err *err;
};

static int broken(struct decoder *d, const char *what)
{
    return err_set(d->err, E_FORMAT, 0, "%s", what);
}

static int decode(struct decoder *d, struct avro_value *v, const struct avro_schema *s,
                  unsigned depth);

static struct avro_value *new_items(struct decoder *d, size_t n)
{
    if (n > AVRO_MAX_VALUES - d->n_values) {
        (void)broken(d, "it has too many values");
        return NULL;
    }
    d->n_values += n;
    struct avro_value *items = arena_alloc(d->arena, (n + 1) * sizeof *items);
    if (!items)
        (void)err_set(d->err, E_NOMEM, 0, "no memory for a record");
    return items;
}

static int decode_record(struct decoder *d, struct avro_value *v, unsigned depth)
{
    const struct avro_schema *s = v->schema;
    v->items = new_items(d, s->n);
    if (!v->items)
        return E_FORMAT;
    int r = 0;
    for (v->n = 0; v->n < s->n && r == 0; v->n++)
        r = decode(d, &v->items[v->n], s->schemas[v->n], depth + 1);
    return r;
}

/* A count below zero says how many, and that the block's size in bytes follows. */
static int take_count(struct decoder *d, size_t *n)
{
    int64_t count = 0, size = 0;
    if (!avro_take_long(d->c, &count))
        return broken(d, "it is cut short");
    if (count < 0 && (count == INT64_MIN || !avro_take_long(d->c, &size) || size < 0))
        return broken(d, "a block of items has no usable size");
    *n = (size_t)(count < 0 ? -count : count);
    return *n <= AVRO_MAX_VALUES ? 0 : broken(d, "it has too many values");
}

static const struct avro_schema text_schema = {.kind = AVRO_STRING};

static int decode_item(struct decoder *d, struct avro_value *v, unsigned depth)
{
    const struct avro_schema *s = v->schema;
    int r = 0;
    if (s->kind == AVRO_MAP)
        r = decode(d, &v->items[v->n++], &text_schema, depth + 1);
    if (r == 0)
        r = decode(d, &v->items[v->n++], s->schemas[0], depth + 1);
    return r;
}

static int decode_items(struct decoder *d, struct avro_value *v, unsigned depth)
{
    const size_t each = v->schema->kind == AVRO_MAP ? 2 : 1;
    for (size_t n = 0;;) {
        int r = take_count(d, &n);
        if (r < 0 || n == 0)
            return r;
        struct avro_value *old = v->items;
        v->items = new_items(d, v->n + n * each);
        if (!v->items)
            return E_FORMAT;
        if (v->n > 0)
            memcpy(v->items, old, v->n * sizeof *old);
        for (size_t i = 0; i < n && r == 0; i++)
            r = decode_item(d, v, depth);
        if (r < 0)
            return r;
    }
}

static int decode_union(struct decoder *d, struct avro_value *v, const struct avro_schema *s,
                        unsigned depth)
{
    int64_t branch;
    if (!avro_take_long(d->c, &branch) || branch < 0 || (uint64_t)branch >= s->n)
        return broken(d, "a union has no such branch");
    return decode(d, v, s->schemas[branch], depth + 1);
}

static bool decode_plain(struct decoder *d, struct avro_value *v)
{
    const struct avro_schema *s = v->schema;
    struct span bytes;
    switch (s->kind) {
    case AVRO_BOOLEAN:
        if (!take(d->c, &bytes, 1) || bytes.ptr[0] > 1)
            return false;
        v->boolean = bytes.ptr[0];
        return true;
    case AVRO_INT:
        return avro_take_long(d->c, &v->integer) && v->integer >= INT32_MIN &&
               v->integer <= INT32_MAX;
    case AVRO_LONG:
        return avro_take_long(d->c, &v->integer);
    case AVRO_ENUM:
        return avro_take_long(d->c, &v->integer) && v->integer >= 0 && (uint64_t)v->integer < s->n;
    case AVRO_BYTES:
    case AVRO_STRING:
        return avro_take_bytes(d->c, &v->bytes);
    case AVRO_FIXED:
        return take(d->c, &v->bytes, s->size);
    default:
        return s->kind == AVRO_NULL;
    }
}

static bool decode_real(struct decoder *d, struct avro_value *v)
{
    struct span bytes;
    if (!take(d->c, &bytes, v->schema->kind == AVRO_FLOAT ? sizeof(float) : sizeof(double)))
        return false;
    const uint64_t bits = little_endian(bytes);
    if (v->schema->kind == AVRO_DOUBLE) {
        memcpy(&v->real, &bits, sizeof v->real);
        return true;
    }
    const uint32_t half = (uint32_t)bits;
    float f;
    memcpy(&f, &half, sizeof f);
    v->real = (double)f;
    return true;
}

static int decode(struct decoder *d, struct avro_value *v, const struct avro_schema *s,
                  unsigned depth)
{
    if (depth > AVRO_MAX_DEPTH)
        return broken(d, "it nests too deep");
    *v = (struct avro_value){.schema = s};
    switch (s->kind) {
    case AVRO_RECORD:
        return decode_record(d, v, depth);
    case AVRO_ARRAY:
    case AVRO_MAP:
        return decode_items(d, v, depth);
    case AVRO_UNION:
        return decode_union(d, v, s, depth);
    case AVRO_FLOAT:
    case AVRO_DOUBLE:
        return decode_real(d, v) ? 0 : broken(d, "it is cut short");
    default:
        return decode_plain(d, v) ? 0 : broken(d, "a value is cut short, or none of its type");
    }
}

int avro_decode(struct avro_value *out, const struct avro_schema *schema, struct avro_cursor *c,
                struct arena *arena, struct err *err)
{
    struct err local = {0};
    struct decoder d = {.c = c, .arena = arena, .err = &local};
    const int r = decode(&d, out, schema, 0);
    if (r < 0 && err)
        *err = local;
    return r < 0 ? local.code : 0;
}

const struct avro_value *avro_field(const struct avro_value *record, const char *name)
{
    if (!record || record->schema->kind != AVRO_RECORD)
        return NULL;
    for (size_t i = 0; i < record->schema->n; i++)
        if (strcmp(record->schema->names[i], name) == 0)
            return &record->items[i];
    return NULL;
}

/* Two's complement, most significant byte first. */
static double decimal(struct span bytes, unsigned scale)
{
    double x = bytes.len > 0 && bytes.ptr[0] >= 0x80 ? -1 : 0;
    for (size_t i = 0; i < bytes.len; i++)
        x = x * 256 + bytes.ptr[i];
    return x / pow(10, scale);
}

bool avro_number(double *out, const struct avro_value *v)
{
    switch (v->schema->kind) {
    case AVRO_INT:
    case AVRO_LONG:
        *out = (double)v->integer;
        return true;
    case AVRO_FLOAT:
    case AVRO_DOUBLE:
        *out = v->real;
        return true;
    default:
        if (v->schema->decimal)
            *out = decimal(v->bytes, v->schema->scale);
        return v->schema->decimal;
    }
}
