/* SPDX-License-Identifier: MPL-2.0 */
/*
 * packet.c - plaintext packets from strangers, read by both servers of small batches. What is read
 * is canonical and survives being written and read again, and the server answers to it; what is
 * refused leaves nothing that can be answered to. The first byte picks batch and role.
 */
#include "prio/packet.h"

#include <stdlib.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { N_BATCHES = 4, ROLES = 2 };

static struct {
    struct prio_batch *batch;
    struct prio_server *server[ROLES];
} worlds[N_BATCHES];

static void must(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    static const size_t sizes[N_BATCHES] = {1, 3, 8, 33};
    static const char *const ids[N_BATCHES] = {"", "b", "test", "0123456789abcdef0123456789abcdef"};
    static const uint8_t key[PRIO_KEY_BYTES] = {1, 2, 3}, secret[PRIO_SECRET_BYTES] = {4, 5, 6};
    for (int i = 0; i < N_BATCHES; i++) {
        const struct prio_batch_options options = {.batch_id = ids[i],
                                                   .batch_id_len = strlen(ids[i]),
                                                   .n_data = sizes[i],
                                                   .prg = i % 2 ? PRIO_PRG_LEGACY : PRIO_PRG_HASHED,
                                                   .cpu = i == 0 ? "c" : NULL};
        must(prio_batch_new(&worlds[i].batch, &options) == PRIO_OK);
        for (int x = 0; x < ROLES; x++) {
            const struct prio_server_options server = {.role = (enum prio_role)x,
                                                       .private_key = key,
                                                       .peer_public_key = key,
                                                       .shared_secret = secret};
            must(prio_server_new(&worlds[i].server[x], worlds[i].batch, &server) == PRIO_OK);
        }
    }
    return 0;
}

static bool canonical(struct fe x)
{
    uint8_t bytes[FIELD_BYTES];
    struct fe back;
    fe_to_bytes(bytes, x);
    return fe_from_bytes(&back, bytes) && fe_equal(back, x);
}

static void check_canonical(const struct prio_packet *p)
{
    const struct prio_batch *b = p->server->batch;
    const struct packet_head *h = &p->head;
    must(canonical(h->a) && canonical(h->b) && canonical(h->c) && canonical(h->f0) &&
         canonical(h->g0) && canonical(h->h0));
    for (size_t i = 0; i < b->n + b->n_points; i++)
        must(canonical(fvec_get(p->shares, i)));
}

/* The seed is not kept; B's packets differ from one another in head and seed only. */
static size_t write_packet(const struct prio_packet *p, struct span seed, uint8_t *out)
{
    const struct prio_batch *b = p->server->batch;
    uint8_t *at = out + wire_write_head(out, b->id, &p->head, (uint8_t)p->server->role);
    if (p->server->role == PRIO_SERVER_A) {
        at += wire_write_vector(at, p->shares, b->n);
        at += wire_write_vector(at, fvec_at(p->shares, b->n), b->n_points);
    } else {
        at += msgpack_write_str(at, seed);
    }
    return (size_t)(at - out);
}

static struct span seed_of(const struct prio_packet *p, const uint8_t *plain, size_t len)
{
    struct msgpack_reader r = {plain, plain + len};
    struct packet_head head;
    struct span seed = {0};
    if (p->server->role == PRIO_SERVER_B)
        must(wire_read_head(&r, p->server->batch->id, &head, PRIO_SERVER_B) &&
             msgpack_read_str(&r, &seed) && seed.len == PRG_SEED_BYTES);
    return seed;
}

static void check_rewriting(const struct prio_packet *p, const uint8_t *plain, size_t len)
{
    const struct prio_batch *b = p->server->batch;
    struct prio_packet *again;
    uint8_t *text = calloc(1, batch_plain_max(b, p->server->role) + VEC_SLACK);
    must(text != NULL);
    must(prio_packet_new(&again, p->server) == PRIO_OK);
    const size_t n = write_packet(p, seed_of(p, plain, len), text);
    must(n <= len); // the writer uses the shortest forms
    must(packet_parse(again, text, n) == PRIO_OK);
    must(memcmp(&again->head, &p->head, sizeof p->head) == 0);
    for (size_t i = 0; i < b->n + b->n_points; i++)
        must(fe_equal(fvec_get(again->shares, i), fvec_get(p->shares, i)));
    prio_packet_free(again);
    free(text);
}

static void check_answers(struct prio_packet *p, bool open)
{
    struct prio_pass *pass;
    struct prio_point point;
    uint8_t verify1[PRIO_VERIFY1_MAX], verify2[PRIO_VERIFY2_MAX];
    size_t len1 = 0, len2 = 0;
    must(prio_pass_new(&pass, p->server) == PRIO_OK);
    must(prio_pass_next(pass, &point) == PRIO_OK);
    const int want = open ? PRIO_OK : PRIO_E_ARG;
    must(prio_packet_verify1(p, &point, verify1, &len1) == want);
    if (open) {
        must(len1 >= 4 && len1 <= sizeof verify1);
        must(prio_packet_verify2(p, &point, verify1, len1, verify1, len1, verify2, &len2) ==
             PRIO_OK);
        must(len2 >= 2 && len2 <= sizeof verify2);
        must(prio_verdict(verify2, len2, verify2, len2) != PRIO_REJECT_PACKET);
    }
    prio_pass_free(pass);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct prio_packet *p;
    if (size < 1)
        return 0;
    const struct prio_server *server = worlds[data[0] / 2 % N_BATCHES].server[data[0] % ROLES];
    const size_t len = size - 1;
    uint8_t *plain = calloc(1, len + VEC_SLACK);
    must(plain != NULL);
    must(prio_packet_new(&p, server) == PRIO_OK);
    memcpy(plain, data + 1, len);
    const int r = packet_parse(p, plain, len);
    must(r == PRIO_OK || r == PRIO_REJECT_PARSE);
    if (r == PRIO_OK) {
        check_canonical(p);
        check_rewriting(p, plain, len);
    }
    check_answers(p, r == PRIO_OK);
    prio_packet_free(p);
    free(plain);
    return 0;
}
