/* SPDX-License-Identifier: MPL-2.0 */
#include "stage_test.h"

#include "base/cpu.h"
#include "codec/base64.h"
#include "prio/server.h"

static char *base64_of(const uint8_t *bytes, size_t len)
{
    struct base64_ops ops;
    base64_ops_init(&ops, 0);
    char *text = calloc(1, base64_encoded_len(len) + BASE64_SLACK + 1);
    assert_non_null(text);
    text[ops.encode((uint8_t *)text, bytes, len)] = '\0';
    return text;
}

uint8_t client_bit(size_t k, size_t i)
{
    return (k + 1) * (i + 2) % 3 == 0;
}

static void encode(struct world *w, struct prio_encoder *encoder, size_t k)
{
    uint8_t bits[N_DATA];
    struct prio_shares shares;
    for (size_t i = 0; i < N_DATA; i++)
        bits[i] = client_bit(k, i);
    assert_int_equal(prio_encode_bits(encoder, &shares, bits), PRIO_OK);
    w->share[PRIO_SERVER_A][k] = base64_of(shares.a, shares.a_len);
    w->share[PRIO_SERVER_B][k] = base64_of(shares.b, shares.b_len);
}

/* A cheater pairs the halves of two different submissions: both open, the proof does not hold. */
static void make_cheater(struct world *w, struct prio_encoder *encoder)
{
    uint8_t bits[N_DATA] = {1};
    struct prio_shares shares;
    assert_int_equal(prio_encode_bits(encoder, &shares, bits), PRIO_OK);
    w->cheat[PRIO_SERVER_A] = base64_of(shares.a, shares.a_len);
    assert_int_equal(prio_encode_bits(encoder, &shares, bits), PRIO_OK);
    w->cheat[PRIO_SERVER_B] = base64_of(shares.b, shares.b_len);
}

struct world *world_new(void)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    const struct prio_batch_options options = {
        .batch_id = "batch", .batch_id_len = 5, .n_data = N_DATA};
    assert_int_equal(prio_batch_new(&w->batch, &options), PRIO_OK);
    for (int role = 0; role < 2; role++)
        assert_int_equal(prio_keygen(w->private_key[role], w->public_key[role]), PRIO_OK);
    assert_int_equal(prio_shared_secret(w->secret), PRIO_OK);
    assert_int_equal(prio_client_new(&w->client, w->batch, w->public_key[0], w->public_key[1]),
                     PRIO_OK);
    for (int role = 0; role < 2; role++)
        for (int points = 0; points < 2; points++) {
            const struct prio_server_options server = {
                .role = (enum prio_role)role,
                .points = (enum prio_points)points,
                .private_key = w->private_key[role],
                .peer_public_key = w->public_key[1 - role],
                .shared_secret = w->secret,
            };
            assert_int_equal(prio_server_new(&w->server[role][points], w->batch, &server), PRIO_OK);
        }
    struct prio_encoder *encoder;
    assert_int_equal(prio_encoder_new(&encoder, w->client), PRIO_OK);
    for (size_t k = 0; k < N_CLIENTS; k++)
        encode(w, encoder, k);
    make_cheater(w, encoder);
    prio_encoder_free(encoder);
    return w;
}

void world_free(struct world *w)
{
    for (int role = 0; role < 2; role++) {
        for (size_t k = 0; k < N_CLIENTS; k++)
            free(w->share[role][k]);
        free(w->cheat[role]);
        prio_server_free(w->server[role][0]);
        prio_server_free(w->server[role][1]);
    }
    prio_client_free(w->client);
    prio_batch_free(w->batch);
    free(w);
}

void add(struct buf *text, const char *fmt, ...)
{
    char *line;
    va_list list;
    va_start(list, fmt);
    const int len = vasprintf(&line, fmt, list);
    va_end(list);
    assert_true(len >= 0);
    assert_int_equal(buf_append(text, line, (size_t)len, NULL), 0);
    free(line);
}

void add_record(struct buf *text, const char *id, const char *payload)
{
    add(text, "{\"id\": %s, \"payload\": \"%s\"}\n", id, payload);
}

struct test_sink {
    struct buf *to;
    size_t fail_after;
};

static int test_sink_write(void *arg, const void *bytes, size_t len, struct err *err)
{
    struct test_sink *s = arg;
    if (s->fail_after > 0 && s->to->len + len > s->fail_after)
        return err_set(err, E_IO, 0, "the sink is full");
    assert_int_equal(buf_append(s->to, bytes, len, NULL), 0);
    return 0;
}

struct test_source {
    struct memory_source memory;
    size_t left_until_failure; // SIZE_MAX: never
};

static ssize_t test_source_read(void *arg, void *dst, size_t cap, struct err *err)
{
    struct test_source *s = arg;
    const struct source from = memory_source(&s->memory);
    if (s->left_until_failure == 0)
        return err_set(err, E_IO, 0, "the source broke");
    const ssize_t n =
        from.read(from.arg, dst, cap < s->left_until_failure ? cap : s->left_until_failure, err);
    if (s->left_until_failure != SIZE_MAX)
        s->left_until_failure -= (size_t)n;
    return n;
}

enum pass { VERIFY1, VERIFY2, AGGREGATE };

static void load(struct packets *packets, enum packet_side side, const struct buf *text)
{
    struct memory_source memory = {.rest = buf_span(text)};
    const struct packets_load load = {
        .source = memory_source(&memory), .name = "packets", .max_line = 1 << 20};
    assert_int_equal(packets_load(packets, side, &load, NULL, NULL), 0);
}

static void keep_total(struct result *r, const struct prio_sum *sum)
{
    r->n_summed = prio_sum_count(sum);
    assert_int_equal(buf_reserve(&r->total_share, prio_sum_bytes_max(sum), NULL), 0);
    assert_int_equal(
        prio_sum_total_share(sum, r->total_share.data, r->total_share.cap, &r->total_share.len),
        PRIO_OK);
}

static void terminate(struct buf *text)
{
    assert_int_equal(buf_append_byte(text, 0, NULL), 0);
    text->len--;
}

static struct result run_pass(enum pass pass, const struct world *w, enum prio_role role,
                              const struct buf *shares, const struct buf *own,
                              const struct buf *peer, struct how how)
{
    struct result r = {.out = BUF_INIT(TEXT_MAX),
                       .rejects = BUF_INIT(TEXT_MAX),
                       .total_share = BUF_INIT(TEXT_MAX)};
    struct seen seen;
    struct packets packets = {0};
    assert_int_equal(seen_init(&seen, NULL), 0);
    packets_init(&packets, pass == VERIFY2 ? PACKET_VERIFY1 : PACKET_VERIFY2, &seen.key);
    if (pass != VERIFY1) {
        load(&packets, PACKET_OWN, own);
        load(&packets, PACKET_PEER, peer);
    }
    struct test_source source = {.memory = {.rest = buf_span(shares), .step = how.step},
                                 .left_until_failure =
                                     how.fail_in_after > 0 ? how.fail_in_after : SIZE_MAX};
    struct test_sink out = {&r.out, how.fail_out_after}, rejects = {&r.rejects, 0};
    const struct stage_input in = {.server = w->server[role][how.points],
                                   .shares = {test_source_read, &source},
                                   .name = "shares",
                                   .seen = &seen};
    const struct stage_options options = {.n_workers = how.n_workers,
                                          .cpu = cpu_detect(),
                                          .strict = how.strict,
                                          .rejects = {test_sink_write, &rejects}};
    const struct stage_sink sink = {test_sink_write, &out};
    struct prio_sum *sum;
    assert_int_equal(prio_sum_new(&sum, in.server), PRIO_OK);
    if (pass == VERIFY1)
        r.status = stage_verify1(&in, &options, &sink, &r.counts, &r.err);
    else if (pass == VERIFY2)
        r.status = stage_verify2(&in, &packets, &options, &sink, &r.counts, &r.err);
    else
        r.status = stage_aggregate(&in, &packets, &options, sum, &r.counts, &r.err);
    if (pass == AGGREGATE && r.status == 0)
        keep_total(&r, sum);
    prio_sum_free(sum);
    packets_deinit(&packets);
    seen_deinit(&seen);
    terminate(&r.out);
    terminate(&r.rejects);
    return r;
}

struct result run_verify1(const struct world *w, enum prio_role role, const struct buf *shares,
                          struct how how)
{
    return run_pass(VERIFY1, w, role, shares, NULL, NULL, how);
}

struct result run_verify2(const struct world *w, enum prio_role role, const struct buf *shares,
                          const struct buf *own, const struct buf *peer, struct how how)
{
    return run_pass(VERIFY2, w, role, shares, own, peer, how);
}

struct result run_aggregate(const struct world *w, enum prio_role role, const struct buf *shares,
                            const struct buf *own, const struct buf *peer, struct how how)
{
    return run_pass(AGGREGATE, w, role, shares, own, peer, how);
}

void result_free(struct result *r)
{
    buf_deinit(&r->out);
    buf_deinit(&r->rejects);
    buf_deinit(&r->total_share);
}

struct totals run_all(const struct world *w, const struct buf *a, const struct buf *b,
                      struct how how)
{
    const struct buf *shares[2] = {a, b};
    struct result v1[2], v2[2], sums[2];
    struct totals totals;
    for (int s = 0; s < 2; s++)
        v1[s] = run_verify1(w, (enum prio_role)s, shares[s], how);
    for (int s = 0; s < 2; s++)
        v2[s] = run_verify2(w, (enum prio_role)s, shares[s], &v1[s].out, &v1[1 - s].out, how);
    for (int s = 0; s < 2; s++)
        sums[s] = run_aggregate(w, (enum prio_role)s, shares[s], &v2[s].out, &v2[1 - s].out, how);
    for (int s = 0; s < 2; s++) {
        assert_int_equal(v1[s].status, 0);
        assert_int_equal(v2[s].status, 0);
        assert_int_equal(sums[s].status, 0);
        assert_int_equal(sums[s].n_summed, sums[s].counts.total - sums[s].counts.error);
        totals.verify1[s] = v1[s].counts;
        totals.verify2[s] = v2[s].counts;
        totals.aggregate[s] = sums[s].counts;
    }
    assert_int_equal(prio_final(totals.sums, N_DATA, sums[0].total_share.data,
                                sums[0].total_share.len, sums[1].total_share.data,
                                sums[1].total_share.len),
                     PRIO_OK);
    for (int s = 0; s < 2; s++) {
        result_free(&v1[s]);
        result_free(&v2[s]);
        result_free(&sums[s]);
    }
    return totals;
}

void assert_buf_equal(const struct buf *a, const struct buf *b)
{
    assert_int_equal(a->len, b->len);
    if (a->len > 0)
        assert_memory_equal(a->data, b->data, a->len);
}

void assert_counts(const struct stage_counts *n, uint64_t total, uint64_t error)
{
    uint64_t sum = 0;
    for (int i = 0; i < REASON_COUNT; i++)
        sum += n->by_reason[i];
    assert_int_equal(n->total, total);
    assert_int_equal(n->error, error);
    assert_int_equal(sum, error);
}
