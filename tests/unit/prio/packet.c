/* SPDX-License-Identifier: MPL-2.0 */
/*
 * packet.c - the plaintext packets of the vectors: read and written again they are the same bytes,
 * and from the random values recovered out of them our encoder makes the same packets.
 */
#include "pair.h"

/* What is in a packet, written the way our encoder writes. */
static struct bytes rewrite(const struct prio_packet *packet, const uint8_t *plain, size_t len)
{
    const struct prio_batch *b = packet->server->batch;
    const enum prio_role role = packet->server->role;
    struct bytes out = {malloc(batch_plain_max(b, role)), 0};
    assert_non_null(out.ptr);
    uint8_t *p = out.ptr;
    p += wire_write_head(p, b->id, &packet->head, (uint8_t)role);
    if (role == PRIO_SERVER_A) {
        p += wire_write_vector(p, packet->shares, b->n);
        p += wire_write_vector(p, fvec_at(packet->shares, b->n), b->n_points);
    } else {
        struct msgpack_reader r = {plain, plain + len};
        struct packet_head head;
        struct span seed;
        assert_true(wire_read_head(&r, b->id, &head, PRIO_SERVER_B));
        assert_true(msgpack_read_str(&r, &seed));
        p += msgpack_write_str(p, seed);
    }
    out.len = (size_t)(p - out.ptr);
    return out;
}

static bool same_packet(const struct prio_packet *a, const struct prio_packet *b)
{
    const struct prio_batch *batch = a->server->batch;
    const size_t n = batch->n + batch->n_points;
    bool same = memcmp(&a->head, &b->head, sizeof a->head) == 0;
    for (size_t i = 0; i < n; i++)
        same = same && fe_equal(fvec_get(a->shares, i), fvec_get(b->shares, i));
    return same;
}

/* minimal: whether the writer of the plaintext kept to the shortest forms, as all real ones do. */
static void plain_reads_and_writes(struct prio_packet *packet, const char *hex, bool minimal)
{
    BYTES plain = from_hex(hex);
    uint8_t *padded = with_slack(plain.ptr, plain.len);
    assert_int_equal(packet_parse(packet, padded, plain.len), PRIO_OK);
    BYTES again = rewrite(packet, plain.ptr, plain.len);
    if (minimal) {
        assert_hex_equal(again.ptr, again.len, hex);
    } else {
        struct prio_packet *other;
        uint8_t *again_padded = with_slack(again.ptr, again.len);
        assert_true(again.len < plain.len);
        assert_int_equal(prio_packet_new(&other, packet->server), PRIO_OK);
        assert_int_equal(packet_parse(other, again_padded, again.len), PRIO_OK);
        assert_true(same_packet(other, packet));
        prio_packet_free(other);
        free(again_padded);
    }
    free(padded);
}

/* Both packets are open in p. values: [n]. */
static void recover(const struct pair *p, const char *seed_plain_hex, struct client_random *random,
                    uint8_t *values)
{
    const struct packet_head *a = &p->packet[0]->head, *b = &p->packet[1]->head;
    BYTES plain = from_hex(seed_plain_hex);
    *random = (struct client_random){.a_a = a->a,
                                     .b_a = a->b,
                                     .a_b = b->a,
                                     .b_b = b->b,
                                     .c_b = b->c,
                                     .f0 = fe_add(a->f0, b->f0),
                                     .g0 = fe_add(a->g0, b->g0),
                                     .f0_a = a->f0,
                                     .g0_a = a->g0,
                                     .h0_a = a->h0};
    memcpy(random->seed, plain.ptr + plain.len - PRG_SEED_BYTES, PRG_SEED_BYTES);
    for (size_t i = 0; i < p->batch->n; i++) {
        const struct fe x =
            fe_add(fvec_get(p->packet[0]->shares, i), fvec_get(p->packet[1]->shares, i));
        assert_true(x.hi == 0 && x.lo <= UINT8_MAX);
        values[i] = (uint8_t)x.lo;
    }
}

static void assert_input(const uint8_t *values, size_t n, const json_t *input)
{
    for (size_t i = 0; i < n; i++) {
        const struct fe x = {.lo = values[i]};
        if (json_is_string(input))
            assert_int_equal('0' + values[i], json_string_value(input)[i]);
        else
            assert_fe_equal(x, to_fe(json_string_value(json_array_get(input, i))));
    }
}

static void encoder_agrees(struct pair *p, const struct keys *keys, const json_t *client)
{
    const char *plain_a = get_text(client, "plain_a"), *plain_b = get_text(client, "plain_b");
    struct client_random random;
    uint8_t values[16];
    plain_reads_and_writes(p->packet[0], plain_a, true);
    plain_reads_and_writes(p->packet[1], plain_b, true);
    assert_true(p->batch->n <= sizeof values);
    recover(p, plain_b, &random, values);
    assert_input(values, p->batch->n, get(client, "input"));
    DESK desk;
    desk_init(&desk, p->batch, keys);
    assert_int_equal(client_make_packets(desk.encoder, values, &random), PRIO_OK);
    assert_hex_equal(desk.encoder->plain_a, desk.encoder->plain_a_len, plain_a);
    assert_hex_equal(desk.encoder->plain_b, desk.encoder->plain_b_len, plain_b);
}

static void our_encoder_makes_libprios_packets(void **state)
{
    static const char *const levels[] = {"c", "avx2", "avx512"};
    const char *name = *state;
    JSON *vector = vectors_load(name);
    BYTES id;
    struct keys keys;
    struct prio_batch_options options = batch_from(vector, &id);
    options.prg = strncmp(name, "legacy", 6) == 0 ? PRIO_PRG_LEGACY : PRIO_PRG_HASHED;
    options.read_nul_batch_id = strncmp(name, "quirk", 5) == 0;
    keys_from(&keys, vector);
    for (size_t level = 0; level < ARRAY_LEN(levels); level++) {
        PAIR p;
        options.cpu = levels[level];
        pair_init(&p, &options, &keys, PRIO_POINTS_FIRST);
        size_t i;
        json_t *client;
        json_array_foreach(get(vector, "clients"), i, client) encoder_agrees(&p, &keys, client);
        assert_int_equal(i, 5);
    }
}

/* Cases of negative.json whose writer chose longer forms on purpose. */
static bool is_roundabout(const char *name, int role)
{
    static const char *const names[] = {
        "ok-leading-zeros", "ok-leading-zeros-100", "ok-str8",
        "ok-str32",         "ok-server-id-uint8",   "ok-server-id-int64",
        "ok-array32",       "ok-batch-str16",       "ok-trailing-bytes"};
    if (role == PRIO_SERVER_B) // only the last case touches B's packet
        return strcmp(name, names[ARRAY_LEN(names) - 1]) == 0;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

/* Encoded honestly, whatever the values: the encoder must reproduce them too. */
static bool is_byte_input(const char *name)
{
    return strcmp(name, "control-good") == 0 || strncmp(name, "bit-2", 5) == 0 ||
           strncmp(name, "bit-3", 5) == 0;
}

static void packets_of_cheaters_read_and_write_the_same(void **state)
{
    (void)state;
    JSON *vector = vectors_load("negative.json");
    BYTES id;
    struct keys keys;
    const struct prio_batch_options options = batch_from(vector, &id);
    PAIR p;
    keys_from(&keys, vector);
    pair_init(&p, &options, &keys, PRIO_POINTS_FIRST);
    size_t i, n_packets = 0, n_encoded = 0;
    json_t *c;
    json_array_foreach(get(vector, "cases"), i, c)
    {
        const char *name = get_text(c, "name");
        if (strncmp(name, "quirk", 5) == 0)
            continue;
        for (int x = 0; x < ROLES; x++) {
            if (strcmp(get_text(c, role_key("expect_", x)), "accept") != 0)
                continue;
            plain_reads_and_writes(p.packet[x], get_text(c, role_key("plain_", x)),
                                   !is_roundabout(name, x));
            n_packets++;
        }
        if (is_byte_input(name)) {
            encoder_agrees(&p, &keys, c);
            n_encoded++;
        }
    }
    assert_int_equal(n_encoded, 5);
    assert_true(n_packets > 100);
}

static void encoded_opens_and_proves(size_t n, const uint8_t *id, size_t id_len)
{
    const struct prio_batch_options options = {.batch_id = id, .batch_id_len = id_len, .n_data = n};
    struct keys keys;
    struct prio_shares shares;
    struct messages m;
    PAIR p;
    DESK desk;
    BYTES bits = {calloc(1, n), n};
    bits.ptr[n - 1] = 1;
    keys_fixed(&keys);
    pair_init(&p, &options, &keys, PRIO_POINTS_FIRST);
    desk_init(&desk, p.batch, &keys);
    assert_int_equal(prio_encode_bits(desk.encoder, &shares, bits.ptr), PRIO_OK);
    assert_true(shares.a_len <= prio_batch_share_max(p.batch, PRIO_SERVER_A));
    assert_true(shares.b_len <= prio_batch_share_max(p.batch, PRIO_SERVER_B));
    BYTES a = bytes_copy(shares.a, shares.a_len);
    BYTES b = bytes_copy(shares.b, shares.b_len);
    pair_open(&p, a, b);
    assert_int_equal(pair_exchange(&p, &m), PRIO_OK);
}

/* Every form of array and str header: no vector has ids this long. */
static void what_we_write_we_read(void **state)
{
    (void)state;
    static const size_t sizes[] = {15, 16, 100};
    static const size_t ids[] = {0, 1, 31, 32, 255, 256, PRIO_MAX_BATCH_ID};
    uint8_t *id = malloc(PRIO_MAX_BATCH_ID);
    memset(id, 'x', PRIO_MAX_BATCH_ID);
    for (size_t s = 0; s < ARRAY_LEN(sizes); s++)
        for (size_t k = 0; k < ARRAY_LEN(ids); k++)
            encoded_opens_and_proves(sizes[s], id, ids[k]);
    encoded_opens_and_proves(70000, id, PRIO_MAX_BATCH_ID);
    free(id);
}

#define ENCODE(file)                                                                               \
    {                                                                                              \
        file ": our encoder makes libprio's packets", our_encoder_makes_libprios_packets, NULL,    \
            NULL, (void *)(uintptr_t)file                                                          \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENCODE("n0001.json"),
        ENCODE("n0002.json"),
        ENCODE("n0003.json"),
        ENCODE("n0007.json"),
        ENCODE("n0010.json"),
        ENCODE("legacy-n0003.json"),
        ENCODE("quirk-nul-batch.json"),
        cmocka_unit_test(packets_of_cheaters_read_and_write_the_same),
        cmocka_unit_test(what_we_write_we_read),
    };
    return cmocka_run_group_tests_name("prio/packet", tests, NULL, NULL);
}
