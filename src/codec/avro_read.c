/* SPDX-License-Identifier: MPL-2.0 */
/* Avro: container files, section "Object Container Files" of the specification. */
#include "codec/avro_internal.h"

#include <inttypes.h>
#include <snappy-c.h>
#include <stdio.h>
#include <zlib.h>

enum { SYNC_BYTES = 16, READ_BYTES = 64 << 10, MAX_VARINT = 10 };

enum codec { CODEC_NULL, CODEC_DEFLATE, CODEC_SNAPPY };

struct avro_reader {
    struct source from;
    char name[256];
    struct arena types, values;
    struct avro_schema *schema;
    enum codec codec;
    uint8_t sync[SYNC_BYTES];
    struct buf input; // bytes read; those before taken are done with
    size_t taken;
    struct buf unpacked;
    struct avro_cursor block;
    uint64_t n_left, n_read; // records of the block, of the file
    struct avro_value value;
};

static int broken(const struct avro_reader *r, struct err *err, const char *what)
{
    return err_set(err, E_FORMAT, 0, "%s: %s", r->name, what);
}

/* Have n bytes behind taken. @return 1, 0: the file ends before, or E_*. */
static int need(struct avro_reader *r, size_t n, struct err *err)
{
    if (r->input.len - r->taken >= n)
        return 1;
    memmove(r->input.data, r->input.data + r->taken, r->input.len - r->taken);
    r->input.len -= r->taken;
    r->taken = 0;
    while (r->input.len < n) {
        const int room = buf_reserve(&r->input, READ_BYTES, err);
        if (room < 0)
            return room;
        const ssize_t got =
            r->from.read(r->from.arg, r->input.data + r->input.len, READ_BYTES, err);
        if (got <= 0)
            return (int)got;
        r->input.len += (size_t)got;
    }
    return 1;
}

/* The next bytes, as many as there are up to n. */
static int peek(struct avro_reader *r, size_t n, struct avro_cursor *c, struct err *err)
{
    const int have = need(r, n, err);
    if (have < 0)
        return have;
    c->p = r->input.data + r->taken;
    c->end = r->input.data + r->input.len;
    return 0;
}

static int take_number(struct avro_reader *r, int64_t *out, struct err *err)
{
    struct avro_cursor c;
    const int have = peek(r, MAX_VARINT, &c, err);
    if (have < 0)
        return have;
    const uint8_t *start = c.p;
    if (!avro_take_long(&c, out))
        return broken(r, err, "the file is cut short");
    r->taken += (size_t)(c.p - start);
    return 0;
}

/* The next n bytes; they stay until the next call. */
static int take(struct avro_reader *r, struct span *out, size_t n, struct err *err)
{
    const int have = need(r, n, err);
    if (have <= 0)
        return have < 0 ? have : broken(r, err, "the file is cut short");
    *out = span_of(r->input.data + r->taken, n);
    r->taken += n;
    return 0;
}

static int take_sized(struct avro_reader *r, struct span *out, size_t limit, struct err *err)
{
    int64_t len = 0;
    const int got = take_number(r, &len, err);
    if (got < 0)
        return got;
    if (len < 0 || (uint64_t)len > limit)
        return broken(r, err, "a length in the file is beyond what is taken");
    return take(r, out, (size_t)len, err);
}

static int take_codec(struct avro_reader *r, struct span name, struct err *err)
{
    static const char *const names[] = {"null", "deflate", "snappy"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (span_equal(name, span_str(names[i]))) {
            r->codec = (enum codec)i;
            return 0;
        }
    return err_set(err, E_FORMAT, 0,
                   "%s: it is packed by \"%.*s\"; known are null, deflate, snappy", r->name,
                   (int)(name.len < 40 ? name.len : 40), (const char *)name.ptr);
}

static int take_meta(struct avro_reader *r, struct err *err)
{
    char key[64];
    struct span name = {0}, value = {0};
    int got = take_sized(r, &name, AVRO_MAX_HEADER, err);
    if (got < 0)
        return got;
    (void)snprintf(key, sizeof key, "%.*s", (int)(name.len < 60 ? name.len : 60),
                   (const char *)name.ptr);
    got = take_sized(r, &value, AVRO_MAX_HEADER, err);
    if (got == 0 && strcmp(key, "avro.codec") == 0)
        return take_codec(r, value, err);
    if (got == 0 && strcmp(key, "avro.schema") == 0) {
        got = avro_schema_parse(&r->schema, &r->types, value, err);
        return got < 0 ? err_wrap(err, got, "%s", r->name) : 0;
    }
    return got;
}

static int take_map(struct avro_reader *r, struct err *err)
{
    for (size_t n_total = 0;;) {
        int64_t n = 0, size = 0;
        int got = take_number(r, &n, err);
        if (got == 0 && n < 0 && n > -AVRO_MAX_TYPES) {
            n = -n;
            got = take_number(r, &size, err);
        }
        if (got < 0 || n == 0)
            return got;
        if (n < 0 || (n_total += (size_t)n) > AVRO_MAX_TYPES)
            return broken(r, err, "the header has too many entries");
        for (; n > 0 && got == 0; n--)
            got = take_meta(r, err);
        if (got < 0)
            return got;
    }
}

static int read_header(struct avro_reader *r, struct err *err)
{
    struct span magic = {0}, sync = {0};
    int got = need(r, 4, err);
    if (got < 0)
        return got;
    got = got == 0 ? E_FORMAT : take(r, &magic, 4, err);
    if (got < 0 || memcmp(magic.ptr, "Obj\x01", 4) != 0)
        return broken(r, err, "it is no Avro container file");
    got = take_map(r, err);
    if (got == 0 && !r->schema)
        return broken(r, err, "the header has no schema");
    if (got == 0)
        got = take(r, &sync, SYNC_BYTES, err);
    if (got == 0)
        memcpy(r->sync, sync.ptr, SYNC_BYTES);
    return got;
}

int avro_reader_open(struct avro_reader **out, struct source from, const char *name,
                     struct err *err)
{
    CLEANUP(avro_reader_closep) struct avro_reader *r = calloc(1, sizeof *r);
    if (!r)
        return err_set(err, E_NOMEM, 0, "no memory for a reader");
    r->from = from;
    r->input = BUF_INIT(AVRO_MAX_PACKED + 4 * (size_t)READ_BYTES);
    r->unpacked = BUF_INIT(AVRO_MAX_BLOCK);
    (void)snprintf(r->name, sizeof r->name, "%s", name);
    int got = buf_reserve(&r->input, READ_BYTES, err);
    if (got == 0)
        got = read_header(r, err);
    if (got < 0)
        return got;
    *out = r;
    r = NULL;
    return 0;
}

void avro_reader_close(struct avro_reader *r)
{
    if (!r)
        return;
    arena_deinit(&r->types);
    arena_deinit(&r->values);
    buf_deinit(&r->input);
    buf_deinit(&r->unpacked);
    free(r);
}

const struct avro_schema *avro_reader_schema(const struct avro_reader *r)
{
    return r->schema;
}

static int inflate_step(struct avro_reader *r, z_stream *z, struct err *err)
{
    const int room = buf_reserve(&r->unpacked, 1, err);
    if (room < 0)
        return room;
    const size_t free_bytes = r->unpacked.cap - r->unpacked.len;
    z->next_out = r->unpacked.data + r->unpacked.len;
    z->avail_out = (uInt)free_bytes;
    const int status = inflate(z, Z_NO_FLUSH);
    r->unpacked.len += free_bytes - z->avail_out;
    if (status == Z_STREAM_END)
        return z->avail_in == 0 ? 1 : broken(r, err, "a block is damaged");
    return status == Z_OK && (z->avail_in > 0 || z->avail_out == 0)
               ? 0
               : broken(r, err, "a block is damaged");
}

static int unpack_deflate(struct avro_reader *r, struct span packed, struct err *err)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)packed.ptr, .avail_in = (uInt)packed.len};
    if (inflateInit2(&z, -MAX_WBITS) != Z_OK)
        return err_set(err, E_NOMEM, 0, "no memory for unpacking");
    int done = 0;
    while (done == 0)
        done = inflate_step(r, &z, err);
    (void)inflateEnd(&z);
    return done < 0 ? done : 0;
}

/* Behind the data stands their CRC-32, most significant byte first. */
static int unpack_snappy(struct avro_reader *r, struct span packed, struct err *err)
{
    size_t len = 0;
    if (packed.len < 4 ||
        snappy_uncompressed_length((const char *)packed.ptr, packed.len - 4, &len) != SNAPPY_OK)
        return broken(r, err, "a block is damaged");
    const int room = buf_reserve(&r->unpacked, len + 1, err);
    if (room < 0)
        return room;
    if (snappy_uncompress((const char *)packed.ptr, packed.len - 4, (char *)r->unpacked.data,
                          &len) != SNAPPY_OK)
        return broken(r, err, "a block is damaged");
    r->unpacked.len = len;
    const uint8_t *sum = packed.ptr + packed.len - 4;
    const uint32_t want =
        (uint32_t)sum[0] << 24 | (uint32_t)sum[1] << 16 | (uint32_t)sum[2] << 8 | (uint32_t)sum[3];
    return crc32_z(0, r->unpacked.data, len) == want ? 0 : broken(r, err, "a block is damaged");
}

/* The block's bytes, with its sync marker taken as well, so that one look at the input will do. */
static int unpack(struct avro_reader *r, struct span packed, struct err *err)
{
    int got = 0;
    struct span bytes = packed;
    buf_clear(&r->unpacked);
    if (r->codec == CODEC_DEFLATE)
        got = unpack_deflate(r, packed, err);
    if (r->codec == CODEC_SNAPPY)
        got = unpack_snappy(r, packed, err);
    if (r->codec != CODEC_NULL)
        bytes = buf_span(&r->unpacked);
    r->block = (struct avro_cursor){bytes.ptr, bytes.len > 0 ? bytes.ptr + bytes.len : bytes.ptr};
    return got;
}

/* @return 1, 0 at the end, or E_*. */
static int next_block(struct avro_reader *r, struct err *err)
{
    int64_t n = 0, len = 0;
    struct span bytes = {0};
    int got = need(r, 1, err);
    if (got <= 0)
        return got;
    got = take_number(r, &n, err);
    if (got == 0)
        got = take_number(r, &len, err);
    if (got < 0)
        return got;
    if (n < 0 || len < 0 || len > AVRO_MAX_PACKED)
        return broken(r, err, "a block's size is beyond what is taken");
    got = take(r, &bytes, (size_t)len + SYNC_BYTES, err);
    if (got < 0)
        return got;
    bytes.len = (size_t)len;
    if (memcmp(bytes.ptr + len, r->sync, SYNC_BYTES) != 0)
        return broken(r, err, "a block does not end where it should");
    r->n_left = (uint64_t)n;
    got = unpack(r, bytes, err);
    return got < 0 ? got : 1;
}

int avro_read(struct avro_reader *r, const struct avro_value **value, struct err *err)
{
    while (r->n_left == 0) {
        if (r->block.p != r->block.end)
            return broken(r, err, "a block has bytes behind its last record");
        const int got = next_block(r, err);
        if (got <= 0)
            return got;
    }
    arena_reset(&r->values);
    const int got = avro_decode(&r->value, r->schema, &r->block, &r->values, err);
    if (got < 0)
        return err_wrap(err, got, "%s: record %" PRIu64, r->name, r->n_read + 1);
    r->n_left--;
    r->n_read++;
    *value = &r->value;
    return 1;
}
