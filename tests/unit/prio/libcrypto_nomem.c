/* SPDX-License-Identifier: MPL-2.0 */
/*
 * libcrypto_nomem.c - libcrypto's own k-th allocation failing, for every k: the call fails as one
 * of memory or of libcrypto and never as a verdict on a key or a share, and the next one succeeds.
 * Leaks are the sanitizers' to find.
 */
#include "pair.h"

#include <openssl/crypto.h>

static struct {
    bool on;
    int fail_at, seen;
} heap;

static bool allowed(void)
{
    return !heap.on || ++heap.seen != heap.fail_at;
}

static void *crypto_malloc(size_t n, const char *file, int line)
{
    (void)file;
    (void)line;
    return allowed() ? malloc(n) : NULL;
}

static void *crypto_realloc(void *p, size_t n, const char *file, int line)
{
    (void)file;
    (void)line;
    return allowed() ? realloc(p, n) : NULL;
}

static void crypto_free(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    free(p);
}

struct world {
    struct keys keys;
    struct pair p;
    struct desk desk;
    struct bytes share[ROLES];
};

static int setup(void **state)
{
    static const uint8_t bits[] = {1, 0, 1};
    struct world *w = calloc(1, sizeof *w);
    struct prio_shares shares;
    keys_fixed(&w->keys);
    pair_init(&w->p, &(struct prio_batch_options){.n_data = 3}, &w->keys, PRIO_POINTS_FIRST);
    desk_init(&w->desk, w->p.batch, &w->keys);
    assert_int_equal(prio_encode_bits(w->desk.encoder, &shares, bits), PRIO_OK);
    w->share[0] = bytes_copy(shares.a, shares.a_len);
    w->share[1] = bytes_copy(shares.b, shares.b_len);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    bytes_deinit(&w->share[0]);
    bytes_deinit(&w->share[1]);
    desk_deinit(&w->desk);
    pair_deinit(&w->p);
    free(w);
    return 0;
}

typedef int (*call)(const struct world *w);

static void fails_as_libcrypto_at_every_allocation(const struct world *w, call f)
{
    int failures = 0;
    for (int k = 1; k < 1000; k++) {
        heap.fail_at = k;
        heap.seen = 0;
        heap.on = true;
        const int r = f(w);
        heap.on = false;
        if (r != PRIO_OK && r != PRIO_E_NOMEM && r != PRIO_E_CRYPTO)
            fail_msg("allocation %d: %s", k, prio_status_text(r));
        failures += r != PRIO_OK;
        if (heap.seen < k) {
            assert_int_equal(r, PRIO_OK);
            assert_true(failures > 0);
            return;
        }
    }
    fail_msg("more than a thousand allocations");
}

static int make_client(const struct world *w)
{
    struct prio_client *client = NULL;
    const int r =
        prio_client_new(&client, w->p.batch, w->keys.public_key[0], w->keys.public_key[1]);
    assert_int_equal(r == PRIO_OK, client != NULL);
    prio_client_free(client);
    return r;
}

static int make_encoder(const struct world *w)
{
    struct prio_encoder *encoder = NULL;
    const int r = prio_encoder_new(&encoder, w->desk.client);
    assert_int_equal(r == PRIO_OK, encoder != NULL);
    prio_encoder_free(encoder);
    return r;
}

static int make_server(const struct world *w)
{
    struct prio_server *server = NULL;
    const struct prio_server_options options = {.private_key = w->keys.private_key[0],
                                                .public_key = w->keys.public_key[0],
                                                .peer_public_key = w->keys.public_key[1],
                                                .shared_secret = w->keys.secret};
    const int r = prio_server_new(&server, w->p.batch, &options);
    assert_int_equal(r == PRIO_OK, server != NULL);
    prio_server_free(server);
    return r;
}

static int make_pass(const struct world *w)
{
    struct prio_pass *pass = NULL;
    const int r = prio_pass_new(&pass, w->p.server[0]);
    assert_int_equal(r == PRIO_OK, pass != NULL);
    prio_pass_free(pass);
    return r;
}

static int make_packet(const struct world *w)
{
    struct prio_packet *packet = NULL;
    const int r = prio_packet_new(&packet, w->p.server[0]);
    assert_int_equal(r == PRIO_OK, packet != NULL);
    prio_packet_free(packet);
    return r;
}

static int make_keys(const struct world *w)
{
    (void)w;
    uint8_t private_key[PRIO_KEY_BYTES], public_key[PRIO_KEY_BYTES];
    return prio_keygen(private_key, public_key);
}

static void constructors_fail_cleanly(void **state)
{
    const struct world *w = *state;
    fails_as_libcrypto_at_every_allocation(w, make_client);
    fails_as_libcrypto_at_every_allocation(w, make_encoder);
    fails_as_libcrypto_at_every_allocation(w, make_server);
    fails_as_libcrypto_at_every_allocation(w, make_pass);
    fails_as_libcrypto_at_every_allocation(w, make_packet);
    fails_as_libcrypto_at_every_allocation(w, make_keys);
}

/* An honest record must not be rejected because this machine is short of memory. */
static int open_share(const struct world *w, int role)
{
    struct prio_packet *packet = w->p.packet[role];
    const int r = prio_packet_open(packet, w->share[role].ptr, w->share[role].len);
    assert_int_equal(packet->open, r == PRIO_OK);
    return r;
}

static int open_a(const struct world *w)
{
    return open_share(w, PRIO_SERVER_A);
}

static int open_b(const struct world *w)
{
    return open_share(w, PRIO_SERVER_B);
}

static int encode(const struct world *w)
{
    static const uint8_t bits[] = {0, 1, 1};
    struct prio_shares shares;
    memset(&shares, GUARD_BYTE, sizeof shares);
    const int r = prio_encode_bits(w->desk.encoder, &shares, bits);
    if (r != PRIO_OK)
        assert_guarded((const uint8_t *)&shares, sizeof shares);
    return r;
}

static void records_fail_cleanly(void **state)
{
    struct world *w = *state;
    struct messages m;
    fails_as_libcrypto_at_every_allocation(w, encode);
    fails_as_libcrypto_at_every_allocation(w, open_a);
    fails_as_libcrypto_at_every_allocation(w, open_b);
    assert_int_equal(pair_exchange(&w->p, &m), PRIO_OK);
}

int main(void)
{
    // Before libcrypto allocates anything, or it refuses.
    if (CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free) != 1)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(constructors_fail_cleanly, setup, teardown),
        cmocka_unit_test_setup_teardown(records_fail_cleanly, setup, teardown),
    };
    return cmocka_run_group_tests_name("prio/libcrypto_nomem", tests, NULL, NULL);
}
