/* share_sum.h - both servers in one: what shares in a folder add up to. */
#pragma once

#include "folder_test.h"
#include "processor/share_batch.h"

/* Two servers with keys of their own. */
struct servers {
    uint8_t private_key[N_SERVERS][PRIO_KEY_BYTES], secret[PRIO_SECRET_BYTES];
    struct share_options options; // to encode for them, with two workers
};
void servers_init(struct servers *s);

struct share_sum {
    size_t n_lines, n_without_payload, n_rejected;
    uint64_t totals[4096];
};
/* Sum up all files below the two prefixes; lines of both sides must have the same ids in the same
 * order, ascending where they are ascending texts. */
void share_sum(struct share_sum *out, const struct folder *f, const struct servers *s,
               const char *prefix_a, const char *prefix_b, const char *batch_id, size_t n_data);
