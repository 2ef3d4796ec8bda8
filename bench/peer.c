/* SPDX-License-Identifier: MPL-2.0 */
/*
 * peer [x25519] - our side of `make bench-peers`, for 2000 bits: one line a job, name and median
 * microseconds of CPU time a record. With x25519, one derivation alone: the unit of bench/program.
 *
 * The jobs named after a part do what libprio-rs does in its jobs: no sealing and no opening, and
 * shares stand in memory. Ours still write and read the packet's bytes, which libprio-rs does not.
 */
#include "fixture.h"
#include "floor.h"
#include "prio/client.h"
#include "prio/packet.h"
#include "timing.h"

#include <stdio.h>
#include <stdlib.h>

enum { N_DATA = 2000, RECORDS = 40, ROUNDS = 15 };

struct bench {
    const struct fixture *f;
    struct floor *floor;
    struct client_random random;
    struct prio_packet *packet[ROLES];
};

static void derive(struct bench *b)
{
    floor_derive(b->floor, PRIO_SERVER_A);
}

static void encode_lines(struct bench *b)
{
    fixture_encode(b->f);
}

static void verify_lines_a(struct bench *b)
{
    fixture_verify1(b->f, PRIO_SERVER_A);
}

static void verify_lines_b(struct bench *b)
{
    fixture_verify1(b->f, PRIO_SERVER_B);
}

static void encode_part(struct bench *b)
{
    for (size_t i = 0; i < RECORDS; i++)
        require(client_random_draw(&b->random) == PRIO_OK &&
                    client_make_packets(b->f->encoder, b->f->bits, &b->random) == PRIO_OK,
                "encode");
}

static void verify_part(struct bench *b, enum prio_role role)
{
    const struct prio_encoder *e = b->f->encoder;
    const uint8_t *plain = role == PRIO_SERVER_A ? e->plain_a : e->plain_b;
    const size_t len = role == PRIO_SERVER_A ? e->plain_a_len : e->plain_b_len;
    struct evaluation at;
    for (size_t i = 0; i < RECORDS; i++)
        require(packet_parse(b->packet[role], plain, len) == PRIO_OK &&
                    packet_evaluate(b->packet[role], b->f->server[role]->first_point, &at) ==
                        PRIO_OK,
                "verify");
}

static void verify_part_a(struct bench *b)
{
    verify_part(b, PRIO_SERVER_A);
}

static void verify_part_b(struct bench *b)
{
    verify_part(b, PRIO_SERVER_B);
}

static void measure(const char *name, void (*job)(struct bench *), struct bench *b)
{
    struct series s = {.n = 0};
    job(b);
    for (int round = 0; round < ROUNDS; round++) {
        const double start = cpu_us();
        job(b);
        series_add(&s, (cpu_us() - start) / RECORDS);
    }
    printf("%s %.1f\n", name, series_median(&s));
}

static void measure_all(struct bench *b)
{
    measure("encode_part", encode_part, b);
    measure("verify_part_a", verify_part_a, b);
    measure("verify_part_b", verify_part_b, b);
    measure("encode", encode_lines, b);
    measure("verify_a", verify_lines_a, b);
    measure("verify_b", verify_lines_b, b);
}

int main(int argc, char **argv)
{
    const bool unit_only = argc > 1 && strcmp(argv[1], "x25519") == 0;
    struct fixture f;
    struct floor floor;
    fixture_init(&f, N_DATA, RECORDS, getenv("WEIR_CPU"));
    floor_init(&floor, &f);
    struct bench b = {.f = &f, .floor = &floor};
    for (int role = 0; role < ROLES; role++)
        require(prio_packet_new(&b.packet[role], f.server[role]) == PRIO_OK, "prio_packet_new");

    measure("x25519", derive, &b);
    if (!unit_only)
        measure_all(&b);

    for (int role = 0; role < ROLES; role++)
        prio_packet_free(b.packet[role]);
    floor_deinit(&floor);
    fixture_deinit(&f);
    return 0;
}
