/* stage_test.h - two servers, a handful of clients, and the passes over texts in memory. */
#pragma once

#include "base/buf.h"
#include "stage/stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// cmocka.h leans on the four standard headers above it.
#include <cmocka.h>

enum { N_DATA = 7, N_CLIENTS = 40, TEXT_MAX = 64 << 20 };

#define assert_contains(text, part)                                                                \
    do {                                                                                           \
        if (!strstr((text), (part)))                                                               \
            fail_msg("\"%s\" is not in \"%s\"", (part), (text));                                   \
    } while (0)

/* Client k sets bit i when (k + 1) * (i + 2) % 3 == 0; see client_bit. */
struct world {
    struct prio_batch *batch;
    struct prio_client *client;
    struct prio_server *server[2][2]; // [role][points]
    uint8_t private_key[2][PRIO_KEY_BYTES], public_key[2][PRIO_KEY_BYTES];
    uint8_t secret[PRIO_SECRET_BYTES];
    char *share[2][N_CLIENTS]; // base64, by role
    char *cheat[2];            // halves of two submissions: both open, the proof does not hold
};

struct world *world_new(void);
void world_free(struct world *w);
uint8_t client_bit(size_t k, size_t i);

/* How a pass is run; zeros are one worker, first, everything at once. */
struct how {
    unsigned n_workers;
    enum prio_points points;
    bool strict;
    size_t step;           // bytes that the source hands out at a time
    size_t fail_out_after; // bytes the sink takes before it fails; 0 = never
    size_t fail_in_after;  // likewise of the source
};

struct result {
    int status;
    struct err err;
    struct buf out, rejects; // NUL-terminated behind len
    struct stage_counts counts;
    struct buf total_share; // aggregate
    uint64_t n_summed;
};

struct result run_verify1(const struct world *w, enum prio_role role, const struct buf *shares,
                          struct how how);
struct result run_verify2(const struct world *w, enum prio_role role, const struct buf *shares,
                          const struct buf *own, const struct buf *peer, struct how how);
struct result run_aggregate(const struct world *w, enum prio_role role, const struct buf *shares,
                            const struct buf *own, const struct buf *peer, struct how how);
void result_free(struct result *r);
/* Clear and run again: for loops over ways to run. */
#define RESULT CLEANUP(result_free) struct result

#define TEXT(name) CLEANUP(buf_deinit) struct buf name = BUF_INIT(TEXT_MAX)
void add(struct buf *text, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* {"id": ID, "payload": PAYLOAD}, where id is JSON. */
void add_record(struct buf *text, const char *id, const char *payload);

/* All four passes before aggregate, and aggregate, for both servers; verdict on the totals. */
struct totals {
    uint64_t sums[N_DATA];
    struct stage_counts verify1[2], verify2[2], aggregate[2];
};
struct totals run_all(const struct world *w, const struct buf *a, const struct buf *b,
                      struct how how);
void assert_buf_equal(const struct buf *a, const struct buf *b);
void assert_counts(const struct stage_counts *n, uint64_t total, uint64_t error);
