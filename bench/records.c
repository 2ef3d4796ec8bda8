/* SPDX-License-Identifier: MPL-2.0 */
/*
 * records [ROUNDS [N_DATA...]] - what one record costs one worker, beside what it cannot cost less
 * than.
 *
 * A job is measured three ways in every round: its floor, part by part (floor.h); the library
 * alone, from sealed bytes to message or back, in memory; and the stage worker, NDJSON line in to
 * NDJSON line out. All are CPU time a record. Printed are the medians over the rounds, and the
 * median of the rounds' ratios of worker to floor.
 */
#include "base/compiler.h"
#include "fixture.h"
#include "floor.h"
#include "timing.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    DEFAULT_ROUNDS = 25,
    MIN_RECORDS = 48,
    MAX_RECORDS = 1024,
    ELEMENTS_A_ROUND = 768 << 10,
    MAX_ENCODED = 48,
};

enum part { X25519, AES, BASE64, FLOOR, LIBRARY, WORKER, PARTS };

struct job {
    const char *name;
    struct series parts[PARTS];
};

enum { VERIFY1_A, VERIFY1_B, ENCODE, JOBS };

static double started;

static void start(void)
{
    started = cpu_us();
}

/* Microseconds a record since the last call or start(). */
static double lap(size_t n_records)
{
    const double now = cpu_us(), us = (now - started) / (double)n_records;
    started = now;
    return us;
}

static void add_floor(struct job *job, double x25519, double aes, double base64)
{
    series_add(&job->parts[X25519], x25519);
    series_add(&job->parts[AES], aes);
    series_add(&job->parts[BASE64], base64);
    series_add(&job->parts[FLOOR], x25519 + aes + base64);
}

static void open_all(const struct fixture *f, struct prio_packet *packet, enum prio_role role,
                     const struct prio_point *point)
{
    uint8_t message[PRIO_VERIFY1_MAX];
    size_t len;
    for (size_t i = 0; i < f->n_records; i++) {
        const struct span share = fixture_share(f, role, i);
        require(prio_packet_open(packet, share.ptr, share.len) == PRIO_OK &&
                    prio_packet_verify1(packet, point, message, &len) == PRIO_OK,
                "verify1");
    }
}

static void verify1_round(struct job *job, struct floor *w, enum prio_role role)
{
    const struct fixture *f = w->f;
    struct prio_packet *packet = NULL;
    struct prio_pass *pass = NULL;
    struct prio_point point;
    require(prio_packet_new(&packet, f->server[role]) == PRIO_OK &&
                prio_pass_new(&pass, f->server[role]) == PRIO_OK &&
                prio_pass_next(pass, &point) == PRIO_OK,
            "verify1");
    start();
    floor_derive(w, role);
    const double x25519 = lap(f->n_records);
    if (role == PRIO_SERVER_A)
        floor_gcm_open(w);
    else
        floor_ctr(w);
    const double aes = lap(f->n_records);
    floor_base64_decode(w, role);
    add_floor(job, x25519, aes, lap(f->n_records));
    fixture_verify1(f, role);
    series_add(&job->parts[WORKER], lap(f->n_records));
    open_all(f, packet, role, &point);
    series_add(&job->parts[LIBRARY], lap(f->n_records));
    prio_pass_free(pass);
    prio_packet_free(packet);
}

static void encode_round(struct job *job, struct floor *w)
{
    const struct fixture *f = w->f;
    struct prio_shares shares;
    start();
    floor_keygen(w);
    floor_derive(w, PRIO_SERVER_A);
    floor_derive(w, PRIO_SERVER_B);
    const double x25519 = lap(f->n_records);
    floor_gcm_seal(w);
    floor_ctr(w);
    const double aes = lap(f->n_records);
    floor_base64_encode(w);
    add_floor(job, x25519, aes, lap(f->n_records));
    fixture_encode(f);
    series_add(&job->parts[WORKER], lap(f->n_records));
    for (size_t i = 0; i < f->n_records; i++)
        require(prio_encode_bits(f->encoder, &shares, f->bits) == PRIO_OK, "encode");
    series_add(&job->parts[LIBRARY], lap(f->n_records));
}

static void print_job(size_t n, const struct job *job, const struct series *unit)
{
    const struct series *p = job->parts;
    printf("%6zu  %-9s", n, job->name);
    for (int i = 0; i < PARTS; i++)
        printf(" %8.1f", series_median(&p[i]));
    printf(" %8.2f %8.2f\n", series_ratio(&p[WORKER], &p[FLOOR]), series_ratio(&p[WORKER], unit));
}

static void run(size_t n, size_t rounds, const char *level)
{
    struct job jobs[JOBS] = {{.name = "verify1 A"}, {.name = "verify1 B"}, {.name = "encode"}};
    struct fixture many, few;
    struct floor many_floor, few_floor;
    size_t n_records = ELEMENTS_A_ROUND / (2 * n);
    n_records = n_records > MAX_RECORDS ? MAX_RECORDS : n_records;
    n_records = n_records < MIN_RECORDS ? MIN_RECORDS : n_records;
    fixture_init(&many, n, n_records, level);
    fixture_init(&few, n, MAX_ENCODED, level);
    floor_init(&many_floor, &many);
    floor_init(&few_floor, &few);
    for (size_t i = 0; i <= rounds; i++) {
        verify1_round(&jobs[VERIFY1_A], &many_floor, PRIO_SERVER_A);
        verify1_round(&jobs[VERIFY1_B], &many_floor, PRIO_SERVER_B);
        encode_round(&jobs[ENCODE], &few_floor);
        if (i == 0) // caches, clock and heap warm up
            for (int job = 0; job < JOBS; job++)
                for (int part = 0; part < PARTS; part++)
                    jobs[job].parts[part].n = 0;
    }
    for (int job = 0; job < JOBS; job++)
        print_job(n, &jobs[job], &jobs[VERIFY1_A].parts[X25519]);
    floor_deinit(&few_floor);
    floor_deinit(&many_floor);
    fixture_deinit(&few);
    fixture_deinit(&many);
}

static void print_head(const char *level, size_t rounds)
{
    struct fixture f;
    fixture_init(&f, 1, 1, level);
    printf("One worker, CPU level %s, medians of %zu rounds, microseconds of CPU time a record\n\n",
           prio_batch_cpu(f.batch), rounds);
    fixture_deinit(&f);
    printf("n_data  job         x25519      aes   base64    floor  library   worker    ratio "
           " x25519s\n");
}

int main(int argc, char **argv)
{
    static const size_t sizes[] = {100, 441, 2000, 2046, 10000};
    const char *level = getenv("WEIR_CPU");
    const size_t asked = argc > 1 ? strtoul(argv[1], NULL, 10) : DEFAULT_ROUNDS;
    const size_t rounds = asked >= 1 && asked < SERIES_MAX ? asked : DEFAULT_ROUNDS;
    print_head(level, rounds);
    for (int i = 2; i < argc; i++)
        run(strtoul(argv[i], NULL, 10), rounds, level);
    for (size_t i = 0; argc <= 2 && i < ARRAY_LEN(sizes); i++)
        run(sizes[i], rounds, level);
    return 0;
}
