/* SPDX-License-Identifier: MPL-2.0 */
/*
 * mutations.c - ten thousand random changes of sealed shares, and as many of plaintexts that are
 * sealed again. No change of a share opens. A changed plaintext that opens either holds the very
 * same values, in one of the longer forms that section 2 accepts, or it does not validate.
 */
#include "pair.h"

enum { CHANGES = 10000, N = 5, ROOM = 2048 };

static const uint64_t SEED = 20200803;

struct world {
    struct keys keys;
    struct pair p;
    struct prio_packet *honest[ROLES]; // never changed
    struct bytes plain[2][ROLES];      // of two clients
    struct bytes share[2][ROLES];
    uint64_t random;
};

static size_t below(struct world *w, size_t n)
{
    return (size_t)(noise(&w->random) % n);
}

static void make_client(struct world *w, int client)
{
    static const uint8_t bits[2][N] = {{1, 0, 1, 1, 0}, {0, 0, 1, 0, 1}};
    struct client_random random;
    DESK desk;
    desk_init(&desk, w->p.batch, &w->keys);
    random_from(&random, SEED + (uint64_t)client);
    assert_int_equal(client_make_packets(desk.encoder, bits[client], &random), PRIO_OK);
    const struct prio_encoder *e = desk.encoder;
    w->plain[client][0] = bytes_copy(e->plain_a, e->plain_a_len);
    w->plain[client][1] = bytes_copy(e->plain_b, e->plain_b_len);
    for (int x = 0; x < ROLES; x++)
        w->share[client][x] = desk_share(&desk, &w->keys, x, 10 * (uint64_t)client + (uint64_t)x);
}

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    w->random = SEED;
    printf("# seed %llu\n", (unsigned long long)SEED);
    keys_fixed(&w->keys);
    pair_init(&w->p, &(struct prio_batch_options){.batch_id = "m", .batch_id_len = 1, .n_data = N},
              &w->keys, PRIO_POINTS_FIRST);
    for (int client = 0; client < 2; client++)
        make_client(w, client);
    for (int x = 0; x < ROLES; x++) {
        assert_int_equal(prio_packet_new(&w->honest[x], w->p.server[x]), PRIO_OK);
        assert_int_equal(prio_packet_open(w->honest[x], w->share[0][x].ptr, w->share[0][x].len),
                         PRIO_OK);
    }
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    for (int x = 0; x < ROLES; x++) {
        prio_packet_free(w->honest[x]);
        for (int client = 0; client < 2; client++) {
            bytes_deinit(&w->plain[client][x]);
            bytes_deinit(&w->share[client][x]);
        }
    }
    pair_deinit(&w->p);
    free(w);
    return 0;
}

/* One change in place; text has ROOM bytes, other is a text to take pieces from. @return the new
 * length. */
static size_t change(struct world *w, uint8_t *text, size_t len, struct bytes other)
{
    const size_t at = len > 0 ? below(w, len) : 0;
    const size_t run = len > at ? 1 + below(w, len - at) : 0;
    switch (len > 0 ? below(w, 9) : 3) {
    case 0: // flip a bit
        text[at] ^= (uint8_t)(1U << below(w, 8));
        return len;
    case 1: // set a byte
        text[at] = (uint8_t)noise(&w->random);
        return len;
    case 2: // cut the end off
        return at;
    case 3: { // add to the end
        const size_t more = 1 + below(w, 40);
        fill_noise(&w->random, text + len, more);
        return len + more;
    }
    case 4: { // swap two bytes
        const size_t b = below(w, len);
        const uint8_t t = text[at];
        text[at] = text[b];
        text[b] = t;
        return len;
    }
    case 5: // take bytes out
        memmove(text + at, text + at + run, len - at - run);
        return len - run;
    case 6: { // put a byte in
        memmove(text + at + 1, text + at, len - at);
        text[at] = (uint8_t)noise(&w->random);
        return len + 1;
    }
    case 7: // a piece of another text in the same place
        for (size_t i = at; i < at + run && i < other.len; i++)
            text[i] = other.ptr[i];
        return len;
    default: // a piece of this text in another place
        memmove(text + below(w, len - run + 1), text + at, run);
        return len;
    }
}

/* Another text of the four: the other server's, the other client's, or both. */
static struct bytes other_of(struct world *w, struct bytes texts[2][ROLES], int role)
{
    const size_t pick = 1 + below(w, 3);
    return texts[pick / 2][pick % 2 ? !role : role];
}

/* One to three changes; @return the length, never that of the same bytes again. */
static size_t change_some(struct world *w, uint8_t *text, struct bytes texts[2][ROLES], int role)
{
    const struct bytes original = texts[0][role];
    size_t len;
    do {
        memcpy(text, original.ptr, original.len);
        len = original.len;
        for (size_t k = 1 + below(w, 3); k > 0; k--)
            len = change(w, text, len, other_of(w, texts, role));
    } while (len == original.len && memcmp(text, original.ptr, len) == 0);
    return len;
}

static void no_changed_share_opens(void **state)
{
    struct world *w = *state;
    for (int i = 0; i < CHANGES; i++) {
        uint8_t text[ROOM];
        const int role = i % ROLES;
        struct prio_packet *packet = w->p.packet[role];
        const size_t len = change_some(w, text, w->share, role);
        BYTES share = bytes_copy(text, len);
        const int r = prio_packet_open(packet, share.ptr, share.len);
        if (r != PRIO_REJECT_DECRYPT)
            fail_msg("change %d: status %d", i, r);
        struct prio_point point;
        uint8_t out[PRIO_VERIFY1_MAX];
        size_t out_len;
        assert_int_equal(prio_pass_next(w->p.pass[role], &point), PRIO_OK);
        assert_int_equal(prio_packet_verify1(packet, &point, out, &out_len), PRIO_E_ARG);
    }
}

static bool same_values(const struct prio_packet *a, const struct prio_packet *b)
{
    const struct prio_batch *batch = a->server->batch;
    bool same = memcmp(&a->head, &b->head, sizeof a->head) == 0;
    for (size_t i = 0; i < batch->n + batch->n_points; i++)
        same = same && fe_equal(fvec_get(a->shares, i), fvec_get(b->shares, i));
    return same;
}

/* The verdict on a changed packet of one server beside the honest one of the other. */
static int verdict_of(struct world *w, struct prio_packet *changed, int role)
{
    struct prio_packet *const packet[ROLES] = {role == 0 ? changed : w->honest[0],
                                               role == 1 ? changed : w->honest[1]};
    struct messages m;
    for (int x = 0; x < ROLES; x++) {
        assert_int_equal(prio_pass_next(w->p.pass[x], &m.point[x]), PRIO_OK);
        assert_int_equal(
            prio_packet_verify1(packet[x], &m.point[x], m.verify1[x], &m.verify1_len[x]), PRIO_OK);
    }
    for (int x = 0; x < ROLES; x++)
        assert_int_equal(prio_packet_verify2(packet[x], &m.point[x], m.verify1[x], m.verify1_len[x],
                                             m.verify1[!x], m.verify1_len[!x], m.verify2[x],
                                             &m.verify2_len[x]),
                         PRIO_OK);
    return prio_verdict(m.verify2[0], m.verify2_len[0], m.verify2[1], m.verify2_len[1]);
}

struct tally {
    int refused, invalid, same;
};

static void judge(struct world *w, struct tally *t, int role, const uint8_t *text, size_t len)
{
    struct prio_packet *packet = w->p.packet[role];
    BYTES share = seal_to(w->p.batch, &w->keys, role, span_of(text, len), w->random);
    const int r = prio_packet_open(packet, share.ptr, share.len);
    if (r == PRIO_REJECT_PARSE) {
        t->refused++;
        return;
    }
    assert_int_equal(r, PRIO_OK);
    const bool same = same_values(packet, w->honest[role]);
    assert_int_equal(verdict_of(w, packet, role), same ? PRIO_OK : PRIO_REJECT_INVALID);
    t->same += same;
    t->invalid += !same;
}

static void no_changed_plaintext_validates(void **state)
{
    struct world *w = *state;
    struct tally t = {0};
    for (int i = 0; i < CHANGES; i++) {
        uint8_t text[ROOM];
        const int role = i % ROLES;
        const size_t len = change_some(w, text, w->plain, role);
        judge(w, &t, role, text, len);
    }
    printf("# %d refused, %d invalid, %d of the same values\n", t.refused, t.invalid, t.same);
    assert_true(t.refused > 1000 && t.invalid > 1000 && t.same > 10); // each outcome is exercised
}

/* An element replaced, or two exchanged, in a packet that stays well-formed. */
static void change_value(struct world *w, struct packet_head *head, struct fvec shares, size_t n)
{
    struct fe *const fields[] = {&head->a, &head->b, &head->c, &head->f0, &head->g0, &head->h0};
    const size_t n_fields = ARRAY_LEN(fields), i = below(w, n_fields + n),
                 k = below(w, n_fields + n);
    const struct fe one = i < n_fields ? *fields[i] : fvec_get(shares, i - n_fields);
    const struct fe other = k < n_fields ? *fields[k] : fvec_get(shares, k - n_fields);
    const struct fe choices[] = {fe_add(one, FE_ONE),  fe_sub(one, FE_ONE),
                                 fe_neg(one),          FE_ZERO,
                                 noise_fe(&w->random), other};
    const struct fe x = choices[below(w, ARRAY_LEN(choices))];
    if (i < n_fields)
        *fields[i] = x;
    else
        fvec_set(shares, i - n_fields, x);
}

static void no_changed_value_validates(void **state)
{
    struct world *w = *state;
    const struct prio_batch *b = w->p.batch;
    const size_t n = b->n + b->n_points;
    struct fvec shares = fvec_new(n);
    struct tally t = {0};
    for (int i = 0; i < CHANGES; i++) {
        uint8_t text[ROOM];
        const int role = i % ROLES;
        struct packet_head head = w->honest[role]->head;
        for (size_t k = 0; k < n; k++)
            fvec_set(shares, k, fvec_get(w->honest[role]->shares, k));
        change_value(w, &head, shares, role == PRIO_SERVER_A ? n : 0);
        uint8_t *p = text + wire_write_head(text, b->id, &head, (uint8_t)role);
        if (role == PRIO_SERVER_A) {
            p += wire_write_vector(p, shares, b->n);
            p += wire_write_vector(p, fvec_at(shares, b->n), b->n_points);
        } else {
            const struct bytes plain = w->plain[0][1];
            p += msgpack_write_str(p,
                                   span_of(plain.ptr + plain.len - PRG_SEED_BYTES, PRG_SEED_BYTES));
        }
        judge(w, &t, role, text, (size_t)(p - text));
    }
    fvec_free(shares, n);
    printf("# %d invalid, %d of the same values\n", t.invalid, t.same);
    assert_int_equal(t.refused, 0);
    assert_true(t.invalid > CHANGES / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_changed_share_opens),
        cmocka_unit_test(no_changed_plaintext_validates),
        cmocka_unit_test(no_changed_value_validates),
    };
    return cmocka_run_group_tests_name("prio/mutations", tests, setup, teardown);
}
