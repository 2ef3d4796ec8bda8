/* SPDX-License-Identifier: MPL-2.0 */
/* Avro: writing container files. */
#include "codec/avro.h"

#include <zlib.h>

enum { BLOCK_BYTES = 64 << 10, BLOCK_MAX_BYTES = 64 << 20, HEADER_MAX_BYTES = 1 << 20 };

int avro_put_long(struct buf *out, int64_t n, struct err *err)
{
    uint64_t z = (uint64_t)n << 1 ^ (n < 0 ? UINT64_MAX : 0);
    int r = 0;
    for (; z >= 0x80 && r == 0; z >>= 7)
        r = buf_append_byte(out, (uint8_t)(z | 0x80), err);
    return r < 0 ? r : buf_append_byte(out, (uint8_t)z, err);
}

int avro_put_double(struct buf *out, double x, struct err *err)
{
    uint64_t bits;
    uint8_t bytes[sizeof bits];
    memcpy(&bits, &x, sizeof bits);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(bits >> (8 * i));
    return buf_append(out, bytes, sizeof bytes, err);
}

int avro_put_boolean(struct buf *out, bool b, struct err *err)
{
    return buf_append_byte(out, b, err);
}

int avro_put_bytes(struct buf *out, struct span bytes, struct err *err)
{
    const int r = avro_put_long(out, (int64_t)bytes.len, err);
    return r < 0 || bytes.len == 0 ? r : buf_append(out, bytes.ptr, bytes.len, err);
}

static int put_meta(struct buf *out, const char *key, const char *value, struct err *err)
{
    const int r = avro_put_bytes(out, span_str(key), err);
    return r < 0 ? r : avro_put_bytes(out, span_str(value), err);
}

int avro_writer_begin(struct avro_writer *w, const char *schema, const uint8_t sync[16],
                      bool deflate,
                      int (*write)(void *arg, const void *bytes, size_t len, struct err *err),
                      void *arg, struct err *err)
{
    CLEANUP(buf_deinit) struct buf header = BUF_INIT(HEADER_MAX_BYTES);
    *w = (struct avro_writer){.block = BUF_INIT(BLOCK_MAX_BYTES),
                              .packed = BUF_INIT(2 * (size_t)BLOCK_MAX_BYTES),
                              .write = write,
                              .arg = arg,
                              .deflate = deflate};
    memcpy(w->sync, sync, sizeof w->sync);
    int r = buf_append(&header, "Obj\x01", 4, err);
    if (r == 0)
        r = avro_put_long(&header, 2, err);
    if (r == 0)
        r = put_meta(&header, "avro.schema", schema, err);
    if (r == 0)
        r = put_meta(&header, "avro.codec", deflate ? "deflate" : "null", err);
    if (r == 0)
        r = avro_put_long(&header, 0, err);
    if (r == 0)
        r = buf_append(&header, w->sync, sizeof w->sync, err);
    return r < 0 ? r : write(arg, header.data, header.len, err);
}

static int pack(struct avro_writer *w, struct err *err)
{
    z_stream z = {.next_in = w->block.data, .avail_in = (uInt)w->block.len};
    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) !=
        Z_OK)
        return err_set(err, E_NOMEM, 0, "no memory for packing");
    const size_t room = deflateBound(&z, (uLong)w->block.len);
    buf_clear(&w->packed);
    int r = buf_reserve(&w->packed, room, err);
    if (r == 0) {
        z.next_out = w->packed.data;
        z.avail_out = (uInt)room;
        r = deflate(&z, Z_FINISH) == Z_STREAM_END
                ? 0
                : err_set(err, E_NOMEM, 0, "a block cannot be packed");
        w->packed.len = room - z.avail_out;
    }
    (void)deflateEnd(&z);
    return r;
}

static int flush(struct avro_writer *w, struct err *err)
{
    CLEANUP(buf_deinit) struct buf head = BUF_INIT(64);
    if (w->n_records == 0)
        return 0;
    int r = w->deflate ? pack(w, err) : 0;
    const struct span body = buf_span(w->deflate ? &w->packed : &w->block);
    if (r == 0)
        r = avro_put_long(&head, (int64_t)w->n_records, err);
    if (r == 0)
        r = avro_put_long(&head, (int64_t)body.len, err);
    if (r == 0)
        r = w->write(w->arg, head.data, head.len, err);
    if (r == 0 && body.len > 0)
        r = w->write(w->arg, body.ptr, body.len, err);
    if (r == 0)
        r = w->write(w->arg, w->sync, sizeof w->sync, err);
    buf_clear(&w->block);
    w->n_records = 0;
    return r;
}

int avro_writer_end_record(struct avro_writer *w, struct err *err)
{
    w->n_records++;
    return w->block.len < BLOCK_BYTES ? 0 : flush(w, err);
}

int avro_writer_finish(struct avro_writer *w, struct err *err)
{
    return flush(w, err);
}

void avro_writer_deinit(struct avro_writer *w)
{
    buf_deinit(&w->block);
    buf_deinit(&w->packed);
}
