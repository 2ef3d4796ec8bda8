/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Every allocation of ours fails once, in turn: a pass then ends with an error or, where it can do
 * without, with the result of an undisturbed run. ASan watches for what is lost on the way.
 */
#include "stage/stage.h"
#include "stage_test.h"

#include <stdatomic.h>

static atomic_long allocations_left = -1; // the next one fails at 0; negative: none does

static bool fails(void)
{
    return atomic_load(&allocations_left) >= 0 && atomic_fetch_sub(&allocations_left, 1) == 0;
}

// The linker puts these in the place of the real ones (--wrap).
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_aligned_alloc(size_t alignment, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_aligned_alloc(size_t alignment, size_t n);

void *__wrap_malloc(size_t n)
{
    return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
    return fails() ? NULL : __real_realloc(p, n);
}

void *__wrap_aligned_alloc(size_t alignment, size_t n)
{
    return fails() ? NULL : __real_aligned_alloc(alignment, n);
}

enum pass { VERIFY1, VERIFY2, AGGREGATE, ENCODE, N_PASSES };

/* Sinks that need no memory of their own. */
static int count(void *arg, const void *bytes, size_t len, struct err *err)
{
    (void)bytes, (void)err;
    *(size_t *)arg += len;
    return 0;
}

struct inputs {
    const struct world *world;
    struct buf shares, own, peer;
    unsigned n_workers;
};

static int encode(const struct inputs *in, struct stage_options *options, size_t *n_bytes,
                  struct err *err)
{
    struct memory_source rows = {.rest =
                                     span_str("[1,0,1,0,1,0,1]\n{\"payload\": [0,0,0,0,0,0,0]}")};
    const struct encode_input input = {.batch = in->world->batch,
                                       .client = in->world->client,
                                       .rows = memory_source(&rows),
                                       .name = "rows"};
    const struct stage_sink sink = {count, n_bytes};
    uint64_t n_rows = 0;
    return stage_encode(&input, options, &sink, &sink, &n_rows, err);
}

static int load(struct packets *p, enum packet_side side, const struct buf *text, struct err *err)
{
    struct memory_source memory = {.rest = buf_span(text)};
    const struct packets_load from = {
        .source = memory_source(&memory), .name = "packets", .max_line = 1 << 20};
    return packets_load(p, side, &from, NULL, err);
}

static int check(enum pass pass, const struct inputs *in, const struct stage_options *options,
                 struct prio_sum *sum, size_t *n_bytes, struct err *err)
{
    struct seen seen;
    struct packets packets;
    struct stage_counts counts = {0};
    struct memory_source shares = {.rest = buf_span(&in->shares)};
    int r = seen_init(&seen, err);
    packets_init(&packets, pass == VERIFY2 ? PACKET_VERIFY1 : PACKET_VERIFY2, &seen.key);
    const struct stage_input input = {.server = in->world->server[0][0],
                                      .shares = memory_source(&shares),
                                      .name = "shares",
                                      .seen = &seen};
    const struct stage_sink sink = {count, n_bytes};
    if (r == 0 && pass != VERIFY1)
        r = load(&packets, PACKET_OWN, &in->own, err);
    if (r == 0 && pass != VERIFY1)
        r = load(&packets, PACKET_PEER, &in->peer, err);
    if (r == 0)
        r = pass == VERIFY1   ? stage_verify1(&input, options, &sink, &counts, err)
            : pass == VERIFY2 ? stage_verify2(&input, &packets, options, &sink, &counts, err)
                              : stage_aggregate(&input, &packets, options, sum, &counts, err);
    packets_deinit(&packets);
    seen_deinit(&seen);
    return r;
}

/* One run in which allocation number k fails. @return its status. */
static int run(enum pass pass, const struct inputs *in, long k, size_t *n_bytes)
{
    size_t n_rejected = 0;
    struct err err = {0};
    struct stage_options options = {.n_workers = in->n_workers, .rejects = {count, &n_rejected}};
    struct prio_sum *sum;
    assert_int_equal(prio_sum_new(&sum, in->world->server[0][0]), PRIO_OK);
    *n_bytes = 0;
    atomic_store(&allocations_left, k);
    const int r = pass == ENCODE ? encode(in, &options, n_bytes, &err)
                                 : check(pass, in, &options, sum, n_bytes, &err);
    if (atomic_exchange(&allocations_left, -1) >= 0)
        *n_bytes = SIZE_MAX; // it never came to this allocation
    prio_sum_free(sum);
    if (r < 0)
        assert_true(err.text[0] != '\0');
    return r;
}

static void a_failed_allocation_is_an_error_and_loses_nothing(void **state)
{
    const struct world *w = *state;
    struct inputs in = {.world = w,
                        .shares = BUF_INIT(TEXT_MAX),
                        .own = BUF_INIT(TEXT_MAX),
                        .peer = BUF_INIT(TEXT_MAX)};
    for (size_t k = 0; k < 3; k++) { // zeros are messages of both passes, and valid ones
        char id[8];
        (void)snprintf(id, sizeof id, "%zu", k % 2); // the last is a duplicate
        add_record(&in.shares, id, w->share[0][k]);
        add_record(&in.own, id, "oQChAA==");
        add_record(&in.peer, id, "oQChAA==");
    }
    for (int pass = 0; pass < N_PASSES; pass++)
        for (in.n_workers = 1; in.n_workers <= 2; in.n_workers++) {
            size_t want, n_bytes = 0;
            int n_failed = 0;
            assert_int_equal(run((enum pass)pass, &in, 1000000, &want), 0);
            assert_int_equal(run((enum pass)pass, &in, -1, &want), 0);
            for (long k = 0; n_bytes != SIZE_MAX; k++) {
                const int r = run((enum pass)pass, &in, k, &n_bytes);
                assert_true(r == 0 || r == E_NOMEM || r == E_CRYPTO);
                if (r == 0 && n_bytes != SIZE_MAX)
                    assert_int_equal(n_bytes, want);
                n_failed += r < 0;
            }
            assert_true(n_failed > 10);
        }
    buf_deinit(&in.shares);
    buf_deinit(&in.own);
    buf_deinit(&in.peer);
}

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failed_allocation_is_an_error_and_loses_nothing),
    };
    return cmocka_run_group_tests(tests, make_world, free_world);
}
