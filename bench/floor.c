/* SPDX-License-Identifier: MPL-2.0 */
#include "floor.h"

#include "codec/base64.h"

#include <stdlib.h>

enum {
    HEAD_BYTES = 44, // ephemeral key and IV, in front of a share's ciphertext
    TAG_BYTES = 16,
    // An attempt at an element takes 12 bytes and succeeds in one case of two: p is 2^87 and a bit.
    STREAM_BYTES_AN_ELEMENT = 24,
    CTR_CHUNK = 12 << 10, // stays in the first-level cache
};

static const uint8_t key[16] = "floor of a bench";
static const uint8_t zeros[CTR_CHUNK];
static const uint8_t base_point[PRIO_KEY_BYTES] = {9};

static struct span body_of(const struct floor *w, enum prio_role role, size_t i)
{
    const struct span share = fixture_share(w->f, role, i);
    return span_of(share.ptr + HEAD_BYTES, share.len - HEAD_BYTES - TAG_BYTES);
}

static void start_gcm(struct floor *w, int encrypt)
{
    static const uint8_t iv[12] = "same for all";
    require(EVP_CipherInit_ex2(w->cipher, w->gcm, key, iv, encrypt, NULL) == 1, "AES-128-GCM");
}

/* The tag that the floor's own key gives to a ciphertext. */
static void find_tag(struct floor *w, struct span body, uint8_t tag[TAG_BYTES])
{
    int len = 0;
    start_gcm(w, 0);
    require(EVP_CipherUpdate(w->cipher, w->out, &len, body.ptr, (int)body.len) == 1, "AES-GCM");
    start_gcm(w, 1);
    require(EVP_CipherUpdate(w->cipher, w->out, &len, w->out, (int)body.len) == 1 &&
                EVP_CipherFinal_ex(w->cipher, w->out, &len) == 1 &&
                EVP_CIPHER_CTX_ctrl(w->cipher, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, tag) == 1,
            "AES-128-GCM");
}

static EVP_PKEY *public_key(const uint8_t *bytes)
{
    EVP_PKEY *result = EVP_PKEY_new_raw_public_key_ex(NULL, "X25519", NULL, bytes, PRIO_KEY_BYTES);
    require(result != NULL, "X25519");
    return result;
}

static void init_role(struct floor *w, enum prio_role role)
{
    const struct fixture *f = w->f;
    EVP_PKEY *own =
        EVP_PKEY_new_raw_private_key_ex(NULL, "X25519", NULL, f->private_key[role], PRIO_KEY_BYTES);
    require(own != NULL, "X25519");
    w->derive[role] = EVP_PKEY_CTX_new_from_pkey(NULL, own, NULL);
    EVP_PKEY_free(own);
    w->senders[role] = calloc(f->n_records, sizeof *w->senders[role]);
    require(w->derive[role] != NULL && EVP_PKEY_derive_init(w->derive[role]) == 1 &&
                w->senders[role] != NULL,
            "X25519");
    for (size_t i = 0; i < f->n_records; i++)
        w->senders[role][i] = public_key(fixture_share(f, role, i).ptr);
}

void floor_init(struct floor *w, const struct fixture *f)
{
    *w = (struct floor){.f = f,
                        .base = public_key(base_point),
                        .tags = calloc(f->n_records, sizeof *w->tags),
                        .gcm = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL),
                        .ctr = EVP_CIPHER_fetch(NULL, "AES-128-CTR", NULL),
                        .cipher = EVP_CIPHER_CTX_new()};
    const size_t room = base64_encoded_len(prio_batch_share_max(f->batch, PRIO_SERVER_A));
    w->out = malloc((room > CTR_CHUNK ? room : CTR_CHUNK) + BASE64_SLACK);
    require(w->base && w->tags && w->gcm && w->ctr && w->cipher && w->out, "libcrypto");
    for (int role = 0; role < ROLES; role++)
        init_role(w, (enum prio_role)role);
    for (size_t i = 0; i < f->n_records; i++)
        find_tag(w, body_of(w, PRIO_SERVER_A, i), w->tags[i]);
}

void floor_deinit(struct floor *w)
{
    for (int role = 0; role < ROLES; role++) {
        for (size_t i = 0; i < w->f->n_records; i++)
            EVP_PKEY_free(w->senders[role][i]);
        free(w->senders[role]);
        EVP_PKEY_CTX_free(w->derive[role]);
    }
    EVP_PKEY_free(w->base);
    EVP_CIPHER_free(w->gcm);
    EVP_CIPHER_free(w->ctr);
    EVP_CIPHER_CTX_free(w->cipher);
    free(w->tags);
    free(w->out);
}

static void derive(EVP_PKEY_CTX *ctx, EVP_PKEY *peer)
{
    uint8_t z[PRIO_KEY_BYTES];
    size_t len = sizeof z;
    require(EVP_PKEY_derive_set_peer_ex(ctx, peer, 0) == 1 && EVP_PKEY_derive(ctx, z, &len) == 1,
            "X25519");
}

void floor_derive(struct floor *w, enum prio_role role)
{
    for (size_t i = 0; i < w->f->n_records; i++)
        derive(w->derive[role], w->senders[role][i]);
}

void floor_gcm_open(struct floor *w)
{
    for (size_t i = 0; i < w->f->n_records; i++) {
        const struct span body = body_of(w, PRIO_SERVER_A, i);
        int len = 0;
        start_gcm(w, 0);
        require(EVP_CipherUpdate(w->cipher, w->out, &len, body.ptr, (int)body.len) == 1 &&
                    EVP_CIPHER_CTX_ctrl(w->cipher, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, w->tags[i]) ==
                        1 &&
                    EVP_CipherFinal_ex(w->cipher, w->out, &len) == 1,
                "AES-128-GCM");
    }
}

void floor_ctr(struct floor *w)
{
    static const uint8_t first_block[16];
    const size_t n_elements = w->f->n + prio_batch_n_points(w->f->batch);
    for (size_t i = 0; i < w->f->n_records; i++) {
        require(EVP_CipherInit_ex2(w->cipher, w->ctr, key, first_block, 1, NULL) == 1, "AES-CTR");
        for (size_t left = STREAM_BYTES_AN_ELEMENT * n_elements; left > 0;) {
            const size_t now = left < CTR_CHUNK ? left : CTR_CHUNK;
            int len = 0;
            require(EVP_CipherUpdate(w->cipher, w->out, &len, zeros, (int)now) == 1, "AES-CTR");
            left -= now;
        }
    }
}

void floor_base64_decode(struct floor *w, enum prio_role role)
{
    struct base64_ops base64;
    base64_ops_init(&base64, w->f->cpu);
    for (size_t i = 0; i < w->f->n_records; i++) {
        const struct span text = fixture_text(w->f, role, i);
        require(base64.decode(w->out, text.ptr, text.len) >= 0, "base64");
    }
}

void floor_keygen(struct floor *w)
{
    for (size_t i = 0; i < 2 * w->f->n_records; i++)
        derive(w->derive[PRIO_SERVER_A], w->base);
}

void floor_gcm_seal(struct floor *w)
{
    uint8_t tag[TAG_BYTES];
    for (int role = 0; role < ROLES; role++)
        for (size_t i = 0; i < w->f->n_records; i++) {
            const struct span body = body_of(w, (enum prio_role)role, i);
            int len = 0;
            start_gcm(w, 1);
            require(EVP_CipherUpdate(w->cipher, w->out, &len, body.ptr, (int)body.len) == 1 &&
                        EVP_CipherFinal_ex(w->cipher, w->out + len, &len) == 1 &&
                        EVP_CIPHER_CTX_ctrl(w->cipher, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, tag) == 1,
                    "AES-128-GCM");
        }
}

void floor_base64_encode(struct floor *w)
{
    struct base64_ops base64;
    base64_ops_init(&base64, w->f->cpu);
    for (int role = 0; role < ROLES; role++)
        for (size_t i = 0; i < w->f->n_records; i++) {
            const struct span share = fixture_share(w->f, (enum prio_role)role, i);
            require(base64.encode(w->out, share.ptr, share.len) > 0, "base64");
        }
}
