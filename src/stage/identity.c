/* SPDX-License-Identifier: MPL-2.0 */
#include "stage/identity.h"

#include "codec/ndjson.h"
#include "stage/lines.h"

#include <openssl/evp.h>
#include <stdlib.h>

struct identity {
    EVP_MD *md;
    EVP_MD_CTX *line, *file;
};

static int failed(struct err *err)
{
    return err_set(err, E_CRYPTO, 0, "SHA-256 failed");
}

int identity_new(struct identity **out, struct err *err)
{
    CLEANUP(identity_freep) struct identity *i = calloc(1, sizeof *i);
    if (!i)
        return err_set(err, E_NOMEM, 0, "no memory for a digest");
    i->md = EVP_MD_fetch(NULL, "SHA256", NULL);
    i->line = EVP_MD_CTX_new();
    i->file = EVP_MD_CTX_new();
    if (!i->md || !i->line || !i->file)
        return failed(err);
    *out = i;
    i = NULL;
    return 0;
}

void identity_free(struct identity *i)
{
    if (!i)
        return;
    EVP_MD_CTX_free(i->line);
    EVP_MD_CTX_free(i->file);
    EVP_MD_free(i->md);
    free(i);
}

int identity_of_line(struct identity *i, uint8_t out[IDENTITY_BYTES], struct span line,
                     struct err *err)
{
    uint8_t length[8];
    for (int k = 0; k < 8; k++)
        length[k] = (uint8_t)(line.len >> (8 * k));
    const bool whole = line.len <= 2 * IDENTITY_EDGE;
    const size_t head = whole ? line.len : IDENTITY_EDGE;
    const size_t tail = whole ? 0 : IDENTITY_EDGE;
    unsigned n = 0;
    if (EVP_DigestInit_ex(i->line, i->md, NULL) != 1 ||
        EVP_DigestUpdate(i->line, length, sizeof length) != 1 ||
        EVP_DigestUpdate(i->line, line.ptr, head) != 1 ||
        (tail > 0 && EVP_DigestUpdate(i->line, line.ptr + line.len - tail, tail) != 1) ||
        EVP_DigestFinal_ex(i->line, out, &n) != 1 || n != IDENTITY_BYTES)
        return failed(err);
    return 0;
}

int identity_start(struct identity *i, struct err *err)
{
    return EVP_DigestInit_ex(i->file, i->md, NULL) == 1 ? 0 : failed(err);
}

int identity_add(struct identity *i, const uint8_t line[IDENTITY_BYTES], struct err *err)
{
    return EVP_DigestUpdate(i->file, line, IDENTITY_BYTES) == 1 ? 0 : failed(err);
}

int identity_finish(struct identity *i, uint8_t out[IDENTITY_BYTES], struct err *err)
{
    unsigned n = 0;
    return EVP_DigestFinal_ex(i->file, out, &n) == 1 && n == IDENTITY_BYTES ? 0 : failed(err);
}

static int add_chunk(struct identity *i, struct ndjson_chunk *chunk, struct err *err)
{
    uint8_t digest[IDENTITY_BYTES];
    struct span line = {0};
    bool more = chunk->too_long || ndjson_line(chunk, &line);
    int r = 0;
    while (r == 0 && more) {
        if (chunk->too_long || !line_is_blank(line)) {
            r = identity_of_line(i, digest, line, err);
            if (r == 0)
                r = identity_add(i, digest, err);
        }
        more = !chunk->too_long && ndjson_line(chunk, &line);
    }
    return r;
}

int identity_of_source(uint8_t out[IDENTITY_BYTES], struct source source, size_t max_line,
                       struct err *err)
{
    enum { TARGET_BYTES = 256 << 10 };
    CLEANUP(identity_freep) struct identity *i = NULL;
    int r = identity_new(&i, err);
    if (!i)
        return r;
    r = identity_start(i, err);
    if (r < 0)
        return r;
    struct ndjson_reader reader;
    struct ndjson_chunk chunk;
    ndjson_reader_init(&reader, source, max_line);
    ndjson_chunk_init(&chunk, max_line);
    while ((r = ndjson_fill(&reader, &chunk, TARGET_BYTES, err)) == 1) {
        r = add_chunk(i, &chunk, err);
        if (r < 0)
            break;
    }
    ndjson_chunk_deinit(&chunk);
    ndjson_reader_deinit(&reader);
    return r < 0 ? r : identity_finish(i, out, err);
}
