/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/hash.h"

#include "base/secret.h"
#include "codec/hex.h"

#include <openssl/evp.h>
#include <stdlib.h>

struct hasher {
    EVP_MD *md;
    EVP_MD_CTX *ctx;
};

static int failed(struct err *err)
{
    return err_set(err, E_CRYPTO, 0, "SHA-256 failed");
}

int hasher_new(struct hasher **out, struct err *err)
{
    CLEANUP(hasher_freep) struct hasher *h = calloc(1, sizeof *h);
    if (!h)
        return err_set(err, E_NOMEM, 0, "no memory for a digest");
    h->md = EVP_MD_fetch(NULL, "SHA256", NULL);
    h->ctx = EVP_MD_CTX_new();
    if (!h->md || !h->ctx || EVP_DigestInit_ex(h->ctx, h->md, NULL) != 1)
        return failed(err);
    *out = h;
    h = NULL;
    return 0;
}

void hasher_free(struct hasher *h)
{
    if (!h)
        return;
    EVP_MD_CTX_free(h->ctx);
    EVP_MD_free(h->md);
    free(h);
}

int hasher_add(struct hasher *h, struct span bytes, struct err *err)
{
    return EVP_DigestUpdate(h->ctx, bytes.ptr, bytes.len) == 1 ? 0 : failed(err);
}

int hasher_add_text(struct hasher *h, const char *text, struct err *err)
{
    return hasher_add(h, span_of(text, strlen(text) + 1), err);
}

int hasher_finish(struct hasher *h, struct hash *out, struct err *err)
{
    unsigned n = 0;
    if (EVP_DigestFinal_ex(h->ctx, out->bytes, &n) != 1 || n != HASH_BYTES ||
        EVP_DigestInit_ex(h->ctx, h->md, NULL) != 1)
        return failed(err);
    return 0;
}

static ssize_t hashed_read(void *arg, void *dst, size_t cap, struct err *err)
{
    struct hashed_source *s = arg;
    const ssize_t n = s->inner.read(s->inner.arg, dst, cap, err);
    if (n <= 0)
        return n;
    s->n_bytes += (uint64_t)n;
    const int r = hasher_add(s->hasher, span_of(dst, (size_t)n), err);
    return r < 0 ? r : n;
}

struct source hashed_source(struct hashed_source *s)
{
    return (struct source){.read = hashed_read, .arg = s};
}

void hash_to_hex(char out[HASH_HEX_BYTES], const struct hash *hash)
{
    hex_encode(out, hash->bytes, HASH_BYTES);
}

bool hash_from_hex(struct hash *out, const char *hex)
{
    return hex_decode(out->bytes, HASH_BYTES, hex, strlen(hex));
}

bool hash_equal(const struct hash *a, const struct hash *b)
{
    return secret_equal(a->bytes, b->bytes, HASH_BYTES);
}
