/* SPDX-License-Identifier: MPL-2.0 */
/* From traces and from shares, the stages answer the same, byte for byte. */
#include "stage/traced.h"

#include "codec/ndjson.h"
#include "prio/sum.h"
#include "stage_test.h"

static int make_world(void **state)
{
    *state = world_new();
    return 0;
}

static int free_world(void **state)
{
    world_free(*state);
    return 0;
}

/* Records of every fate: answered, forged, repeated under the same and other ids, unreadable,
 * known to one server only. */
static void add_trouble(const struct world *w, struct buf text[2])
{
    for (size_t k = 0; k < 500; k++) {
        char id[32];
        (void)snprintf(id, sizeof id, k % 5 == 0 ? "\"%zu\"" : "%zu", k % 290);
        for (int s = 0; s < 2; s++) {
            if (k % 7 == 3)
                add(&text[s], "not json\n\n");
            else if (k % 11 == 5)
                add_record(&text[s], id, w->cheat[s]);
            else if (k % 13 == 1)
                add_record(&text[s], id, "AAAA");
            else if (k % 17 != (size_t)s)
                add_record(&text[s], id, w->share[s][k % N_CLIENTS]);
        }
    }
}

static int append(void *arg, const void *bytes, size_t len, struct err *err)
{
    return buf_append(arg, bytes, len, err);
}

/* What one server has after verify1. */
struct side {
    const struct prio_server *server;
    struct buf shares, verify1, trace, verify2;
    struct seen seen;
    struct prio_sum *sum;
    struct stage_counts counts;
    uint8_t identity[IDENTITY_BYTES];
};

static void side_init(struct side *s, const struct world *w, int role, const struct buf *shares)
{
    *s = (struct side){.server = w->server[role][PRIO_POINTS_FIRST]};
    s->verify1 = s->trace = s->verify2 = s->shares = BUF_INIT(TEXT_MAX);
    assert_int_equal(buf_append(&s->shares, shares->data, shares->len, NULL), 0);
    assert_int_equal(seen_init(&s->seen, NULL), 0);
    assert_int_equal(prio_sum_new(&s->sum, s->server), PRIO_OK);
}

static void side_deinit(struct side *s)
{
    prio_sum_free(s->sum);
    seen_deinit(&s->seen);
    buf_deinit(&s->shares);
    buf_deinit(&s->verify1);
    buf_deinit(&s->trace);
    buf_deinit(&s->verify2);
}

static struct source source_of(struct memory_source *m, const struct buf *text)
{
    *m = (struct memory_source){.rest = buf_span(text), .step = 1000};
    return memory_source(m);
}

static void verify1(struct side *s, unsigned n_workers)
{
    struct memory_source m;
    struct stage_trace trace = {.entries = {append, &s->trace}, .sum = s->sum};
    const struct stage_input in = {
        .server = s->server, .shares = source_of(&m, &s->shares), .name = "raw", .seen = &s->seen};
    const struct stage_options options = {
        .n_workers = n_workers, .identity = s->identity, .trace = &trace};
    const struct stage_sink out = {append, &s->verify1};
    struct err err = {0};
    assert_int_equal(stage_verify1(&in, &options, &out, &s->counts, &err), 0);
}

static void load(struct packets *p, enum packet_side side, const struct buf *text)
{
    struct memory_source m;
    const struct packets_load how = {
        .source = source_of(&m, text), .name = "packets", .max_line = 4096};
    assert_int_equal(packets_load(p, side, &how, NULL, NULL), 0);
}

static void verify2(struct side *s, const struct side *peer)
{
    struct memory_source m[2];
    CLEANUP(packets_deinit) struct packets packets;
    packets_init(&packets, PACKET_VERIFY1, &s->seen.key);
    load(&packets, PACKET_PEER, &peer->verify1);
    const struct traced_input in = {.server = s->server,
                                    .packets = &packets,
                                    .trace = source_of(&m[0], &s->trace),
                                    .own_verify1 = source_of(&m[1], &s->verify1),
                                    .name = "part"};
    const struct stage_sink out = {append, &s->verify2};
    struct stage_counts counts = {0};
    struct err err = {0};
    assert_int_equal(traced_verify2(&in, false, &out, &counts, &err), 0);
    assert_int_equal(counts.total, s->counts.total - s->counts.error);
}

struct back {
    struct side *side;
    struct taker *taker;
    uint64_t n;
};

static int take_back(void *arg, const struct trace_entry *entry, struct err *err)
{
    struct back *b = arg;
    TEXT(line);
    assert_int_equal(buf_append(&line, b->side->shares.data + entry->offset, entry->len, err), 0);
    assert_int_equal(buf_reserve(&line, NDJSON_SLACK, err), 0);
    memset(line.data + line.len, 0, NDJSON_SLACK);
    b->n++;
    return taker_take_back(b->taker, entry, buf_span(&line), err);
}

static void total_share(const struct prio_sum *sum, struct buf *out)
{
    assert_int_equal(buf_reserve(out, prio_sum_bytes_max(sum), NULL), 0);
    assert_int_equal(prio_sum_total_share(sum, out->data, out->cap, &out->len), PRIO_OK);
}

static struct stage_counts settle(struct side *s, const struct side *peer)
{
    struct memory_source m;
    struct stage_counts counts = {0};
    CLEANUP(packets_deinit) struct packets packets;
    packets_init(&packets, PACKET_VERIFY2, &s->seen.key);
    load(&packets, PACKET_OWN, &s->verify2);
    load(&packets, PACKET_PEER, &peer->verify2);
    struct back back = {.side = s};
    assert_int_equal(taker_new(&back.taker, s->server, s->sum, &s->seen.key, 0, NULL), 0);
    const struct traced_input in = {
        .server = s->server, .packets = &packets, .trace = source_of(&m, &s->trace)};
    struct err err = {0};
    assert_int_equal(traced_verdicts(&in, &counts, take_back, &back, &err), 0);
    assert_true(back.n > 0);
    sum_confirm(s->sum, counts.total - counts.error);
    assert_int_equal(sum_pending(s->sum), 0);
    taker_free(back.taker);
    return counts;
}

static void traces_and_shares_give_the_same_bytes(void **state)
{
    const struct world *w = *state;
    struct buf text[2] = {BUF_INIT(TEXT_MAX), BUF_INIT(TEXT_MAX)};
    add_trouble(w, text);
    for (unsigned n_workers = 1; n_workers <= 4; n_workers += 3) {
        struct side s[2];
        for (int i = 0; i < 2; i++) {
            side_init(&s[i], w, i, &text[i]);
            verify1(&s[i], n_workers);
        }
        for (int i = 0; i < 2; i++)
            verify2(&s[i], &s[1 - i]);
        for (int i = 0; i < 2; i++) {
            const struct how how = {.n_workers = n_workers};
            RESULT one = run_verify1(w, (enum prio_role)i, &text[i], how);
            RESULT two =
                run_verify2(w, (enum prio_role)i, &text[i], &s[i].verify1, &s[1 - i].verify1, how);
            RESULT sum = run_aggregate(w, (enum prio_role)i, &text[i], &s[i].verify2,
                                       &s[1 - i].verify2, how);
            assert_buf_equal(&one.out, &s[i].verify1);
            assert_buf_equal(&two.out, &s[i].verify2);
            const struct stage_counts counts = settle(&s[i], &s[1 - i]);
            assert_int_equal(counts.by_reason[REASON_INVALID],
                             sum.counts.by_reason[REASON_INVALID]);
            assert_true(counts.by_reason[REASON_INVALID] > 0);
            TEXT(share);
            total_share(s[i].sum, &share);
            assert_buf_equal(&share, &sum.total_share);
            assert_int_equal(prio_sum_count(s[i].sum), sum.n_summed);
        }
        side_deinit(&s[0]);
        side_deinit(&s[1]);
    }
    buf_deinit(&text[0]);
    buf_deinit(&text[1]);
}

static void an_optimistic_sum_cannot_leave(void **state)
{
    struct side s;
    TEXT(text);
    TEXT(share);
    const struct world *w = *state;
    add_record(&text, "1", w->share[0][0]);
    side_init(&s, w, 0, &text);
    verify1(&s, 1);
    assert_int_equal(sum_pending(s.sum), 1);
    assert_int_equal(buf_reserve(&share, prio_sum_bytes_max(s.sum), NULL), 0);
    assert_int_equal(prio_sum_total_share(s.sum, share.data, share.cap, &share.len), PRIO_E_ARG);
    side_deinit(&s);
}

static void the_identity_is_that_of_the_stream(void **state)
{
    const struct world *w = *state;
    struct buf text[2] = {BUF_INIT(TEXT_MAX), BUF_INIT(TEXT_MAX)};
    add_trouble(w, text);
    for (int i = 0; i < 2; i++) {
        struct side s;
        struct memory_source m;
        uint8_t identity[IDENTITY_BYTES];
        side_init(&s, w, i, &text[i]);
        verify1(&s, 3);
        assert_int_equal(
            identity_of_source(identity, source_of(&m, &text[i]), stage_max_line(s.server), NULL),
            0);
        assert_memory_equal(identity, s.identity, sizeof identity);
        text[i].data[text[i].len - 30] ^= 1; // in the last record's tag
        assert_int_equal(
            identity_of_source(identity, source_of(&m, &text[i]), stage_max_line(s.server), NULL),
            0);
        assert_memory_not_equal(identity, s.identity, sizeof identity);
        side_deinit(&s);
    }
    buf_deinit(&text[0]);
    buf_deinit(&text[1]);
}

static void a_trace_of_another_part_is_refused(void **state)
{
    struct side s[2];
    const struct world *w = *state;
    for (int i = 0; i < 2; i++) {
        TEXT(text);
        add_record(&text, i == 0 ? "1" : "2", w->share[0][0]);
        side_init(&s[i], w, 0, &text);
        verify1(&s[i], 1);
    }
    CLEANUP(packets_deinit) struct packets packets;
    packets_init(&packets, PACKET_VERIFY1, &s[0].seen.key);
    struct memory_source m[2];
    struct traced_input in = {.server = s[0].server,
                              .packets = &packets,
                              .trace = source_of(&m[0], &s[0].trace),
                              .own_verify1 = source_of(&m[1], &s[1].verify1),
                              .name = "part"};
    const struct stage_sink out = {append, &s[0].verify2};
    struct stage_counts counts = {0};
    struct err err = {0};
    assert_int_equal(traced_verify2(&in, false, &out, &counts, &err), E_FORMAT);
    assert_contains(err.text, "part: line 1");
    s[0].trace.len -= 3;
    in.trace = source_of(&m[0], &s[0].trace);
    in.own_verify1 = source_of(&m[1], &s[0].verify1);
    assert_int_equal(traced_verify2(&in, false, &out, &counts, &err), E_FORMAT);
    side_deinit(&s[0]);
    side_deinit(&s[1]);
}

static void a_changed_share_is_not_taken_back(void **state)
{
    struct side s;
    TEXT(text);
    const struct world *w = *state;
    add_record(&text, "1", w->share[0][0]);
    side_init(&s, w, 0, &text);
    verify1(&s, 1);
    struct memory_source m;
    struct trace_reader reader;
    struct trace_entry entry;
    trace_reader_init(&reader, source_of(&m, &s.trace));
    assert_int_equal(trace_next(&reader, &entry, NULL), 1);
    struct back back = {.side = &s};
    struct err err = {0};
    assert_int_equal(taker_new(&back.taker, s.server, s.sum, &s.seen.key, 0, NULL), 0);
    s.shares.data[s.shares.len / 2] ^= 1;
    assert_int_equal(take_back(&back, &entry, &err), E_FORMAT);
    assert_contains(err.text, "changed");
    taker_free(back.taker);
    side_deinit(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(traces_and_shares_give_the_same_bytes),
        cmocka_unit_test(an_optimistic_sum_cannot_leave),
        cmocka_unit_test(the_identity_is_that_of_the_stream),
        cmocka_unit_test(a_trace_of_another_part_is_refused),
        cmocka_unit_test(a_changed_share_is_not_taken_back),
    };
    return cmocka_run_group_tests_name("traced", tests, make_world, free_world);
}
