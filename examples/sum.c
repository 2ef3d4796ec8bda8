/* SPDX-License-Identifier: MPL-2.0 */
/*
 * sum.c - the whole of Prio v1 in memory, with the public API only.
 *
 * Five clients say which of six things they use. Two servers add that up; neither sees an answer.
 * In earnest the three parties are three machines, and what stands here in variables travels.
 *
 *     cc sum.c $(pkg-config --cflags --libs weir-prio)
 */
#include <stdio.h>
#include <stdlib.h>
#include <weir/prio.h>

enum { N_CLIENTS = 5, N_THINGS = 6, TOTAL_SHARE_MAX = 256 };

static const uint8_t answers[N_CLIENTS][N_THINGS] = {
    {1, 0, 0, 1, 0, 1}, {1, 1, 0, 0, 0, 1}, {0, 1, 0, 1, 0, 1},
    {1, 0, 0, 0, 0, 1}, {1, 1, 0, 1, 0, 1},
};

struct party {
    uint8_t private_key[PRIO_KEY_BYTES], public_key[PRIO_KEY_BYTES];
    struct prio_server *server;
    struct prio_pass *pass;
    struct prio_packet *packet;
    struct prio_sum *sum;
    struct prio_point point; // the same on both sides, from their shared secret
};

static void check(int status, const char *what)
{
    if (status == PRIO_OK)
        return;
    fprintf(stderr, "%s: %s\n", what, prio_status_text(status));
    exit(EXIT_FAILURE);
}

static void set_up(struct party *own, const struct party *peer, enum prio_role role,
                   const struct prio_batch *batch, const uint8_t *secret)
{
    const struct prio_server_options options = {.role = role,
                                                .private_key = own->private_key,
                                                .public_key = own->public_key,
                                                .peer_public_key = peer->public_key,
                                                .shared_secret = secret};
    check(prio_server_new(&own->server, batch, &options), "server");
    check(prio_pass_new(&own->pass, own->server), "pass");
    check(prio_packet_new(&own->packet, own->server), "packet");
    check(prio_sum_new(&own->sum, own->server), "sum");
    check(prio_pass_next(own->pass, &own->point), "point");
}

/* Open one submission on both sides, exchange both messages, add it where it proves to be bits. */
static void add_up(struct party *a, struct party *b, const struct prio_shares *shares)
{
    uint8_t a1[PRIO_VERIFY1_MAX], b1[PRIO_VERIFY1_MAX], a2[PRIO_VERIFY2_MAX], b2[PRIO_VERIFY2_MAX];
    size_t a1_len, b1_len, a2_len, b2_len;

    check(prio_packet_open(a->packet, shares->a, shares->a_len), "A opens");
    check(prio_packet_open(b->packet, shares->b, shares->b_len), "B opens");
    check(prio_packet_verify1(a->packet, &a->point, a1, &a1_len), "A verify1");
    check(prio_packet_verify1(b->packet, &b->point, b1, &b1_len), "B verify1");
    check(prio_packet_verify2(a->packet, &a->point, a1, a1_len, b1, b1_len, a2, &a2_len),
          "A verify2");
    check(prio_packet_verify2(b->packet, &b->point, b1, b1_len, a1, a1_len, b2, &b2_len),
          "B verify2");
    check(prio_sum_add(a->sum, a->packet, a2, a2_len, b2, b2_len), "A adds");
    check(prio_sum_add(b->sum, b->packet, b2, b2_len, a2, a2_len), "B adds");
}

static void combine(uint64_t *totals, const struct party *a, const struct party *b)
{
    uint8_t total_a[TOTAL_SHARE_MAX], total_b[TOTAL_SHARE_MAX];
    size_t a_len, b_len;
    check(prio_sum_total_share(a->sum, total_a, sizeof total_a, &a_len), "total share of A");
    check(prio_sum_total_share(b->sum, total_b, sizeof total_b, &b_len), "total share of B");
    check(prio_final(totals, N_THINGS, total_a, a_len, total_b, b_len), "final");
}

static void tear_down(struct party *party)
{
    prio_sum_free(party->sum);
    prio_packet_free(party->packet);
    prio_pass_free(party->pass);
    prio_server_free(party->server);
}

int main(void)
{
    const struct prio_batch_options options = {
        .batch_id = "example", .batch_id_len = 7, .n_data = N_THINGS};
    struct prio_batch *batch;
    struct prio_client *client;
    struct prio_encoder *encoder;
    struct party a = {0}, b = {0};
    uint8_t secret[PRIO_SECRET_BYTES];

    check(prio_batch_new(&batch, &options), "batch");
    check(prio_keygen(a.private_key, a.public_key), "keys of A");
    check(prio_keygen(b.private_key, b.public_key), "keys of B");
    check(prio_shared_secret(secret), "secret");
    set_up(&a, &b, PRIO_SERVER_A, batch, secret);
    set_up(&b, &a, PRIO_SERVER_B, batch, secret);
    check(prio_client_new(&client, batch, a.public_key, b.public_key), "client");
    check(prio_encoder_new(&encoder, client), "encoder");

    uint64_t totals[N_THINGS], truth[N_THINGS] = {0};
    for (size_t i = 0; i < N_CLIENTS; i++) {
        struct prio_shares shares;
        check(prio_encode_bits(encoder, &shares, answers[i]), "encode");
        add_up(&a, &b, &shares);
        for (size_t k = 0; k < N_THINGS; k++)
            truth[k] += answers[i][k];
    }
    combine(totals, &a, &b);

    int wrong = 0;
    for (size_t k = 0; k < N_THINGS; k++) {
        printf("thing %zu: %llu of %d\n", k, (unsigned long long)totals[k], N_CLIENTS);
        wrong += totals[k] != truth[k];
    }
    prio_encoder_free(encoder);
    prio_client_free(client);
    tear_down(&a);
    tear_down(&b);
    prio_batch_free(batch);
    return wrong ? EXIT_FAILURE : EXIT_SUCCESS;
}
