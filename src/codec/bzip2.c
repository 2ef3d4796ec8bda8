/* SPDX-License-Identifier: MPL-2.0 */
#include "codec/bzip2.h"

#include <bzlib.h>

enum { BLOCK_SIZE = 9, CHUNK_BYTES = 64 * 1024 };

static unsigned at_most(size_t n)
{
    return n < UINT32_MAX ? (unsigned)n : UINT32_MAX;
}

/* libbz2 counts in unsigned int and only reads what it is given. */
static void give_input(bz_stream *z, struct span *left)
{
    if (z->avail_in > 0 || left->len == 0)
        return;
    z->next_in = (char *)(uintptr_t)left->ptr;
    z->avail_in = at_most(left->len);
    *left = span_of(left->ptr + z->avail_in, left->len - z->avail_in);
}

static int deflate_all(bz_stream *z, struct buf *out, struct span text, struct err *err)
{
    char chunk[CHUNK_BYTES];
    int state = BZ_RUN_OK, r = 0;
    while (r == 0 && state != BZ_STREAM_END) {
        give_input(z, &text);
        z->next_out = chunk;
        z->avail_out = sizeof chunk;
        // Nothing more comes behind what the stream has now: so it may finish.
        state = BZ2_bzCompress(z, text.len > 0 ? BZ_RUN : BZ_FINISH);
        if (state < 0)
            return err_set(err, E_NOMEM, 0, "bzip2: libbz2 failed (%d)", state);
        r = buf_append(out, chunk, sizeof chunk - z->avail_out, err);
    }
    return r;
}

int bzip2_compress(struct buf *out, struct span text, struct err *err)
{
    bz_stream z = {0};
    const size_t before = out->len;
    if (BZ2_bzCompressInit(&z, BLOCK_SIZE, 0, 0) != BZ_OK)
        return err_set(err, E_NOMEM, 0, "no memory for bzip2");
    const int r = deflate_all(&z, out, text, err);
    (void)BZ2_bzCompressEnd(&z);
    if (r < 0)
        out->len = before;
    return r;
}

/* One stream; *bytes is behind it then. */
static int inflate_one(bz_stream *z, struct buf *out, struct span *bytes, struct err *err)
{
    char chunk[CHUNK_BYTES];
    int state = BZ_OK, r = 0;
    while (r == 0 && state != BZ_STREAM_END) {
        give_input(z, bytes);
        z->next_out = chunk;
        z->avail_out = sizeof chunk;
        state = BZ2_bzDecompress(z);
        if (state == BZ_MEM_ERROR)
            return err_set(err, E_NOMEM, 0, "no memory for bzip2");
        if (state < 0)
            return err_set(err, E_FORMAT, 0, "bzip2: the data is damaged");
        if (state == BZ_OK && z->avail_out > 0 && z->avail_in == 0 && bytes->len == 0)
            return err_set(err, E_FORMAT, 0, "bzip2: the input ends too early");
        r = buf_append(out, chunk, sizeof chunk - z->avail_out, err);
    }
    *bytes = span_of(bytes->ptr - z->avail_in, bytes->len + z->avail_in);
    return r;
}

int bzip2_decompress(struct buf *out, struct span bytes, struct err *err)
{
    const size_t before = out->len;
    int r = bytes.len > 0 ? 0 : err_set(err, E_FORMAT, 0, "bzip2: the input is empty");
    while (r == 0 && bytes.len > 0) {
        bz_stream z = {0};
        if (BZ2_bzDecompressInit(&z, 0, 0) != BZ_OK)
            r = err_set(err, E_NOMEM, 0, "no memory for bzip2");
        else
            r = inflate_one(&z, out, &bytes, err);
        (void)BZ2_bzDecompressEnd(&z);
    }
    if (r < 0)
        out->len = before;
    return r;
}
