/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Bytes to elements, every level against the plain C version: rejection sampling and decoding stop
 * at the same place with the same elements, write no further than VEC_PAD behind what is wanted,
 * and read no further than VEC_SLACK behind their input.
 */
#include "base/compiler.h"
#include "unit/prio/kernels/kernel_run.h"

#include <string.h>

enum { TWELVE = 12, MAX_GROUPS = 100, FIXSTR_11 = 0xab };

/* Values around p and at the ends of the 88 bits, 11 bytes big-endian. */
static const uint8_t CORNERS[][FIELD_BYTES] = {
    {0},
    {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
    {0x80, 0, 0, 0, 0, 0, 0, 0, 0x08, 0, 0},       // p - 1
    {0x80, 0, 0, 0, 0, 0, 0, 0, 0x08, 0, 1},       // p
    {0x80, 0, 0, 0, 0, 0, 0, 0, 0x08, 0, 2},       // p + 1
    {0x80},                                        // 2^87
    {0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff},    // 2^87 + 2^16 - 1
    {0x80, 0, 0, 0, 0, 0, 0, 0, 0x07, 0xff, 0xff}, // 2^87 + 2^19 - 1
    {0x80, 0, 0, 0, 0x10},                         // 2^87 + 2^52: only the high limb is too large
    {0x80, 0, 0, 0, 0x08},                         // 2^87 + 2^51: only the low limb is
    {0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
    {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
    {0, 0, 0, 0, 0x0f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, // 2^52 - 1
    {0, 0, 0, 0, 0x10},                                     // 2^52
};

static void fill_random(struct kernel_run *run, uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)run_random(run);
}

/* Attempts, one in four a corner. */
static void fill_stream(struct kernel_run *run, uint8_t *stream, size_t n_attempts)
{
    fill_random(run, stream, TWELVE * n_attempts);
    for (size_t k = 0; k < n_attempts; k++) {
        if (run_random(run) % 4 != 0)
            continue;
        const uint8_t *be = CORNERS[run_random(run) % ARRAY_LEN(CORNERS)];
        memcpy(stream + TWELVE * k + 1, be + 1, FIELD_BYTES - 1);
        stream[TWELVE * k + 11] = be[0];
    }
}

static void sample_agrees(struct kernel_run *run, size_t want, const uint8_t *stream,
                          size_t n_attempts)
{
    const struct fvec ref = run_vector(run, 0, 0), out = run_vector(run, 1, want % 2);
    const size_t expected = run->ref.sample(ref, want, stream, n_attempts);
    const size_t stored = run->ops.sample(out, want, stream, n_attempts);
    assert_int_equal(stored, expected);
    assert_elements_equal(run, "sample", out, ref, stored);
    assert_untouched(run, "sample", out, want, want + VEC_PAD);
}

static void sample_agrees_with_plain_c(void **state)
{
    struct kernel_run *run = kernel_run_start(state);
    uint8_t stream[TWELVE * MAX_GROUPS + VEC_SLACK];
    for (size_t n_attempts = 0; n_attempts <= MAX_GROUPS; n_attempts++) {
        for (size_t want = 0; want <= 70; want++) {
            fill_stream(run, stream, n_attempts);
            fill_random(run, stream + TWELVE * n_attempts, VEC_SLACK);
            sample_agrees(run, want, stream, n_attempts);
        }
    }
}

static void sample_takes_any_mixture(void **state)
{
    struct kernel_run *run = kernel_run_start(state);
    uint8_t stream[TWELVE * 8 + VEC_SLACK];
    for (unsigned accepted = 0; accepted < 256; accepted++) {
        fill_random(run, stream, sizeof stream);
        for (unsigned k = 0; k < 8; k++)
            stream[TWELVE * k + 11] = accepted >> k & 1 ? 0x7f : 0x81;
        for (size_t want = 1; want <= 9; want++)
            sample_agrees(run, want, stream, 8);
    }
}

static void sample_reads_no_further_than_its_slack(void **state)
{
    struct kernel_run *run = kernel_run_start(state);
    for (size_t n_attempts = 0; n_attempts <= 40; n_attempts++) {
        const size_t size = TWELVE * n_attempts + VEC_SLACK;
        uint8_t *stream = fenced_new(size);
        fill_stream(run, stream, n_attempts);
        for (size_t want = 0; want <= n_attempts + 1; want++)
            sample_agrees(run, want, stream, n_attempts);
        fenced_free(stream, size);
    }
}

/* Elements in their usual form, which every version can take. */
static void fill_usual(struct kernel_run *run, uint8_t *in, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        in[TWELVE * i] = FIXSTR_11;
        const struct fe x = random_element(run);
        fe_to_bytes(in + TWELVE * i + 1, x);
    }
}

static void decode_agrees(struct kernel_run *run, size_t want, const uint8_t *in, size_t size)
{
    const struct fvec ref = run_vector(run, 0, 0), out = run_vector(run, 1, want % 2);
    const size_t expected = run->ref.decode(ref, want, in, in + size);
    const size_t stored = run->ops.decode(out, want, in, in + size);
    assert_int_equal(stored, expected);
    assert_elements_equal(run, "decode", out, ref, stored);
    assert_untouched(run, "decode", out, want, want + VEC_PAD);
}

static void decode_agrees_with_plain_c(void **state)
{
    struct kernel_run *run = kernel_run_start(state);
    uint8_t in[TWELVE * MAX_GROUPS + VEC_SLACK];
    for (size_t n = 0; n <= MAX_GROUPS; n++) {
        fill_usual(run, in, n);
        fill_random(run, in + TWELVE * n, VEC_SLACK);
        for (size_t want = 0; want <= n + 3; want++)
            decode_agrees(run, want, in, TWELVE * n);
    }
}

/* Cut anywhere: what stands behind the end would be fine elements, and must not be taken. */
static void decode_ends_where_its_input_ends(void **state)
{
    struct kernel_run *run = kernel_run_start(state);
    uint8_t in[TWELVE * MAX_GROUPS + VEC_SLACK];
    fill_usual(run, in, MAX_GROUPS);
    for (size_t size = 0; size <= TWELVE * 40; size++)
        decode_agrees(run, MAX_GROUPS, in, size);
}

static void decode_stops_at_another_header(void **state)
{
    struct kernel_run *run = kernel_run_start(state);
    uint8_t in[TWELVE * MAX_GROUPS + VEC_SLACK];
    for (size_t at = 0; at < 24; at++) {
        for (unsigned header = 0; header < 256; header++) {
            fill_usual(run, in, 32);
            in[TWELVE * at] = (uint8_t)header;
            decode_agrees(run, 32, in, TWELVE * 32);
        }
    }
}

/* Header and value go wrong together too: a borrow from one must not repair the other. */
static void decode_stops_at_the_first_value_not_below_p(void **state)
{
    struct kernel_run *run = kernel_run_start(state);
    static const uint8_t headers[] = {FIXSTR_11, FIXSTR_11 - 1, FIXSTR_11 + 1, 0, 0xff};
    uint8_t in[TWELVE * MAX_GROUPS + VEC_SLACK];
    for (size_t at = 0; at < 24; at++) {
        for (size_t c = 0; c < ARRAY_LEN(CORNERS); c++) {
            for (size_t h = 0; h < ARRAY_LEN(headers); h++) {
                fill_usual(run, in, 32);
                in[TWELVE * at] = headers[h];
                memcpy(in + TWELVE * at + 1, CORNERS[c], FIELD_BYTES);
                decode_agrees(run, 32, in, TWELVE * 32);
            }
        }
    }
}

/* Shorter elements shift everything behind them: the caller comes back off the 12-byte grid. */
static void decode_takes_any_bytes(void **state)
{
    struct kernel_run *run = kernel_run_start(state);
    uint8_t in[TWELVE * MAX_GROUPS + VEC_SLACK];
    for (int round = 0; round < 3000; round++) {
        fill_usual(run, in, MAX_GROUPS);
        for (uint64_t changes = run_random(run) % 4; changes > 0; changes--)
            in[run_random(run) % (TWELVE * MAX_GROUPS)] = (uint8_t)run_random(run);
        const size_t from = run_random(run) % 300;
        decode_agrees(run, run_random(run) % 60, in + from, TWELVE * 40);
    }
}

static void decode_reads_no_further_than_its_slack(void **state)
{
    struct kernel_run *run = kernel_run_start(state);
    for (size_t n = 0; n <= 40; n++) {
        const size_t size = TWELVE * n + VEC_SLACK;
        uint8_t *in = fenced_new(size);
        fill_usual(run, in, n);
        decode_agrees(run, n, in, TWELVE * n);
        decode_agrees(run, n + 1, in, TWELVE * n);
        fenced_free(in, size);
    }
}

static const struct CMUnitTest promises[] = {
    cmocka_unit_test(sample_agrees_with_plain_c),
    cmocka_unit_test(sample_takes_any_mixture),
    cmocka_unit_test(sample_reads_no_further_than_its_slack),
    cmocka_unit_test(decode_agrees_with_plain_c),
    cmocka_unit_test(decode_ends_where_its_input_ends),
    cmocka_unit_test(decode_stops_at_another_header),
    cmocka_unit_test(decode_stops_at_the_first_value_not_below_p),
    cmocka_unit_test(decode_takes_any_bytes),
    cmocka_unit_test(decode_reads_no_further_than_its_slack),
};

int main(void)
{
    return kernel_runs_all("prio/kernels/bytes", promises, ARRAY_LEN(promises));
}
