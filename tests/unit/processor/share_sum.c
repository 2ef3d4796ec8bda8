/* SPDX-License-Identifier: MPL-2.0 */
#include "share_sum.h"

#include "base/cpu.h"
#include "codec/base64.h"
#include "codec/ndjson.h"
#include "codec/record.h"

enum { MAX_SHARE = 1 << 20 };

void servers_init(struct servers *s)
{
    *s = (struct servers){.options = {.n_workers = 2, .cpu = cpu_detect()}};
    for (int i = 0; i < N_SERVERS; i++)
        assert_int_equal(prio_keygen(s->private_key[i], s->options.public_key[i]), PRIO_OK);
    assert_int_equal(prio_shared_secret(s->secret), PRIO_OK);
}

/* One server's part in the sum. */
struct side {
    struct buf text;
    const char *p;
    struct prio_server *server;
    struct prio_packet *packet;
    struct prio_sum *sum;
    struct span id; // of the line read last
    bool has_payload, opened;
    uint8_t share[MAX_SHARE];
    uint8_t verify1[PRIO_VERIFY1_MAX], verify2[PRIO_VERIFY2_MAX];
    size_t verify1_len, verify2_len;
};

static struct side *side_new(const struct folder *f, const struct servers *s, int role,
                             const struct prio_batch *batch, const char *prefix)
{
    struct side *side = calloc(1, sizeof *side);
    CLEANUP(store_listing_deinit) struct store_listing l = {0};
    assert_non_null(side);
    side->text = BUF_INIT(FOLDER_MAX_TEXT);
    assert_int_equal(store_list(f->store, prefix, &l, NULL), 0);
    for (size_t i = 0; i < l.n; i++)
        if (!strstr(l.objects[i].key, "_SUCCESS"))
            folder_get(f, l.objects[i].key, &side->text);
    assert_int_equal(buf_reserve(&side->text, NDJSON_SLACK + 1, NULL), 0);
    side->p = text_of(&side->text);
    const struct prio_server_options options = {.role = (enum prio_role)role,
                                                .private_key = s->private_key[role],
                                                .peer_public_key = s->options.public_key[1 - role],
                                                .shared_secret = s->secret};
    assert_int_equal(prio_server_new(&side->server, batch, &options), PRIO_OK);
    assert_int_equal(prio_packet_new(&side->packet, side->server), PRIO_OK);
    assert_int_equal(prio_sum_new(&side->sum, side->server), PRIO_OK);
    return side;
}

static void side_free(struct side *side)
{
    prio_sum_free(side->sum);
    prio_packet_free(side->packet);
    prio_server_free(side->server);
    buf_deinit(&side->text);
    free(side);
}

/* Read a line and open its share. */
static void read_line(struct side *side)
{
    struct record_ops ops;
    struct base64_ops base64;
    struct record record;
    TEXT(scratch);
    const char *end = strchr(side->p, '\n');
    assert_non_null(end);
    record_ops_init(&ops, 0);
    base64_ops_init(&base64, 0);
    assert_int_equal(
        record_parse(&record, &ops, span_of(side->p, (size_t)(end - side->p)), &scratch, NULL), 1);
    side->id = record.id_raw;
    side->has_payload = record.has_payload;
    side->opened = false;
    side->p = end + 1;
    if (!record.has_payload)
        return;
    assert_true(base64_decode_room(record.payload.len) <= MAX_SHARE);
    const ptrdiff_t len = base64.decode(side->share, record.payload.ptr, record.payload.len);
    assert_true(len > 0);
    side->opened = prio_packet_open(side->packet, side->share, (size_t)len) == PRIO_OK;
}

static struct prio_point first_point(const struct side *side)
{
    struct prio_pass *pass;
    struct prio_point point;
    assert_int_equal(prio_pass_new(&pass, side->server), PRIO_OK);
    assert_int_equal(prio_pass_next(pass, &point), PRIO_OK);
    prio_pass_free(pass);
    return point;
}

/* @return true: the record is in both sums. */
static bool add_record(struct side *side[N_SERVERS], const struct prio_point *point)
{
    if (!side[0]->opened || !side[1]->opened)
        return false;
    for (int i = 0; i < N_SERVERS; i++)
        assert_int_equal(
            prio_packet_verify1(side[i]->packet, point, side[i]->verify1, &side[i]->verify1_len),
            PRIO_OK);
    for (int i = 0; i < N_SERVERS; i++)
        assert_int_equal(prio_packet_verify2(side[i]->packet, point, side[i]->verify1,
                                             side[i]->verify1_len, side[1 - i]->verify1,
                                             side[1 - i]->verify1_len, side[i]->verify2,
                                             &side[i]->verify2_len),
                         PRIO_OK);
    int status = PRIO_OK;
    for (int i = 0; i < N_SERVERS && status == PRIO_OK; i++)
        status = prio_sum_add(side[i]->sum, side[i]->packet, side[i]->verify2, side[i]->verify2_len,
                              side[1 - i]->verify2, side[1 - i]->verify2_len);
    return status == PRIO_OK;
}

static void combine(uint64_t *totals, size_t n, struct side *side[N_SERVERS])
{
    static uint8_t share[N_SERVERS][MAX_SHARE];
    size_t len[N_SERVERS];
    for (int i = 0; i < N_SERVERS; i++)
        assert_int_equal(prio_sum_total_share(side[i]->sum, share[i], MAX_SHARE, &len[i]), PRIO_OK);
    assert_int_equal(prio_final(totals, n, share[0], len[0], share[1], len[1]), PRIO_OK);
}

void share_sum(struct share_sum *out, const struct folder *f, const struct servers *s,
               const char *prefix_a, const char *prefix_b, const char *batch_id, size_t n_data)
{
    const char *const prefixes[N_SERVERS] = {prefix_a, prefix_b};
    struct side *side[N_SERVERS];
    struct prio_batch *batch;
    *out = (struct share_sum){0};
    assert_true(n_data <= ARRAY_LEN(out->totals));
    assert_int_equal(
        prio_batch_new(&batch, &(struct prio_batch_options){.batch_id = batch_id,
                                                            .batch_id_len = strlen(batch_id),
                                                            .n_data = n_data}),
        PRIO_OK);
    for (int i = 0; i < N_SERVERS; i++)
        side[i] = side_new(f, s, i, batch, prefixes[i]);
    const struct prio_point point = first_point(side[0]);
    for (; *side[0]->p && *side[1]->p; out->n_lines++) {
        for (int i = 0; i < N_SERVERS; i++)
            read_line(side[i]);
        assert_true(span_equal(side[0]->id, side[1]->id));
        assert_int_equal(side[0]->has_payload, side[1]->has_payload);
        if (!side[0]->has_payload)
            out->n_without_payload++;
        else if (!add_record(side, &point))
            out->n_rejected++;
    }
    assert_true(!*side[0]->p && !*side[1]->p);
    combine(out->totals, n_data, side);
    for (int i = 0; i < N_SERVERS; i++)
        side_free(side[i]);
    prio_batch_free(batch);
}
