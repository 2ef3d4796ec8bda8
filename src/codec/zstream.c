/* SPDX-License-Identifier: MPL-2.0 */
#include "codec/zstream.h"

#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

enum { CHUNK = 64 << 10 };

struct zstream {
    z_stream z;
};

int zstream_open(struct zstream **out, struct err *err)
{
    struct zstream *z = calloc(1, sizeof *z);
    if (!z || deflateInit(&z->z, Z_DEFAULT_COMPRESSION) != Z_OK) {
        free(z);
        return err_set(err, E_NOMEM, 0, "no memory for packing");
    }
    *out = z;
    return 0;
}

void zstream_close(struct zstream *z)
{
    if (z)
        (void)deflateEnd(&z->z);
    free(z);
}

int zstream_pack(struct zstream *z, struct buf *out, struct span text, struct err *err)
{
    buf_clear(out);
    const size_t bound = deflateBound(&z->z, (uLong)text.len);
    if (bound > UINT_MAX)
        return err_set(err, E_NOMEM, 0, "a text is too long to pack");
    const int r = buf_reserve(out, bound, err);
    if (r < 0)
        return r;
    (void)deflateReset(&z->z);
    z->z.next_in = (Bytef *)(uintptr_t)text.ptr; // zlib only reads it
    z->z.avail_in = (uInt)text.len;
    z->z.next_out = out->data;
    z->z.avail_out = (uInt)bound;
    if (deflate(&z->z, Z_FINISH) != Z_STREAM_END)
        return err_set(err, E_IO, 0, "a text cannot be packed");
    out->len = bound - z->z.avail_out;
    return 0;
}

static int inflate_all(z_stream *z, struct buf *out, struct err *err)
{
    int status = Z_OK;
    while (status == Z_OK) {
        const int r = buf_reserve(out, CHUNK, err);
        if (r < 0)
            return r;
        const size_t room = out->cap - out->len < CHUNK ? out->cap - out->len : CHUNK;
        z->next_out = out->data + out->len;
        z->avail_out = (uInt)room;
        status = inflate(z, Z_NO_FLUSH);
        out->len += room - z->avail_out;
    }
    return status == Z_STREAM_END ? 0 : err_set(err, E_FORMAT, 0, "it is no zlib stream");
}

int zstream_unpack(struct buf *out, struct span stream, struct err *err)
{
    z_stream z = {0};
    if (inflateInit(&z) != Z_OK)
        return err_set(err, E_NOMEM, 0, "no memory for unpacking");
    z.next_in = (Bytef *)(uintptr_t)stream.ptr; // zlib only reads it
    z.avail_in = (uInt)stream.len;
    const int r = inflate_all(&z, out, err);
    (void)inflateEnd(&z);
    return r;
}
