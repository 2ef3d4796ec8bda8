/* SPDX-License-Identifier: MPL-2.0 */
/*
 * total_share.c - total shares and states from a peer or a disk. The first bytes pick the number of
 * elements, the precision and where A's share ends and B's begins.
 */
#include "prio/sum.h"

#include <stdlib.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_N = 24, HEAD = 4 };

static struct prio_batch *batches[MAX_N + 1];
static struct prio_server *servers[MAX_N + 1];

static void must(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    static const uint8_t key[PRIO_KEY_BYTES] = {1}, secret[PRIO_SECRET_BYTES] = {2};
    for (size_t n = 1; n <= MAX_N; n++) {
        const struct prio_server_options options = {
            .private_key = key, .peer_public_key = key, .shared_secret = secret};
        must(prio_batch_new(&batches[n], &(struct prio_batch_options){.n_data = n}) == PRIO_OK);
        must(prio_server_new(&servers[n], batches[n], &options) == PRIO_OK);
    }
    return 0;
}

/* An exact copy, so that a sanitizer sees a read past the end. */
static struct span copy_of(const uint8_t *bytes, size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);
    must(copy != NULL);
    memcpy(copy, bytes, len);
    return span_of(copy, len);
}

static void free_span(struct span s)
{
    free((void *)(uintptr_t)s.ptr);
}

/* Totals are written all or not at all, and only in the order A, B. */
static void check_final(size_t n, struct span a, struct span b)
{
    uint64_t totals[MAX_N], untouched[MAX_N];
    memset(totals, 0xa5, sizeof totals);
    memset(untouched, 0xa5, sizeof untouched);
    const int r = prio_final(totals, n, a.ptr, a.len, b.ptr, b.len);
    must(r == PRIO_OK || r == PRIO_REJECT_PACKET || r == PRIO_E_RANGE);
    if (r != PRIO_OK)
        must(memcmp(totals, untouched, sizeof totals) == 0);
    else
        must(memcmp(totals + n, untouched + n, (MAX_N - n) * sizeof totals[0]) == 0);
    if (r != PRIO_REJECT_PACKET)
        must(prio_final(totals, n, b.ptr, b.len, a.ptr, a.len) == PRIO_REJECT_PACKET);
}

/* With precision 1 the conversion only rewrites in the shortest forms: doing it twice changes
 * nothing, and the room of the input is enough at every precision. */
static void check_uints(size_t n, unsigned precision, struct span share)
{
    uint8_t *out = malloc(share.len + 1), *again = malloc(share.len + 1);
    size_t len = 0, again_len = 0;
    must(out != NULL && again != NULL);
    const int r =
        prio_total_share_to_uints(share.ptr, share.len, n, precision, out, share.len, &len);
    must(r == PRIO_OK || r == PRIO_REJECT_PACKET || (r == PRIO_E_ARG && n % precision != 0));
    if (r == PRIO_OK) {
        const size_t n_uint = n / precision;
        must(prio_total_share_to_uints(out, len, n_uint, 1, again, len, &again_len) == PRIO_OK);
        must(again_len == len && memcmp(out, again, len) == 0);
    }
    free(out);
    free(again);
}

/* A state added to nothing is itself, in its shortest form; one that is refused adds nothing. */
static void check_state(size_t n, struct span state)
{
    struct prio_sum *sum, *again;
    uint8_t out[512], out_again[512];
    size_t len = 0, len_again = 0;
    must(prio_sum_new(&sum, servers[n]) == PRIO_OK);
    must(prio_sum_new(&again, servers[n]) == PRIO_OK);
    must(prio_sum_bytes_max(sum) <= sizeof out);
    const int r = prio_sum_add_state(sum, state.ptr, state.len, 3);
    must(r == PRIO_OK || r == PRIO_REJECT_PACKET);
    must(prio_sum_count(sum) == (r == PRIO_OK ? 3 : 0));
    must(prio_sum_state(sum, out, sizeof out, &len) == PRIO_OK);
    must(r != PRIO_OK || len <= state.len);
    must(prio_sum_add_state(again, out, len, 3) == PRIO_OK);
    must(prio_sum_state(again, out_again, sizeof out_again, &len_again) == PRIO_OK);
    must(len == len_again && memcmp(out, out_again, len) == 0);
    prio_sum_free(sum);
    prio_sum_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < HEAD)
        return 0;
    const size_t n = 1 + data[0] % MAX_N, body = size - HEAD;
    const unsigned precision = 1 + data[1] % PRIO_MAX_PRECISION;
    const size_t cut = (size_t)(data[2] << 8 | data[3]) % (body + 1);
    const struct span a = copy_of(data + HEAD, cut), b = copy_of(data + HEAD + cut, body - cut);
    check_final(n, a, b);
    check_uints(n, precision, a);
    check_uints(n, 1, b);
    check_state(n, b);
    free_span(a);
    free_span(b);
    return 0;
}
