/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Passes over the shares after the first one: where a restart lost the sum, where the traces are
 * missing, or in `sequential` mode. They answer as traces do, and notice when the shares are not
 * those that verify1 read.
 */
#include "processor/run.h"

#include <inttypes.h>
#include <string.h>

/* A record that verify1 answered opens again, or the data are others. */
static int check_opened(const struct stage_counts *counts, const char *name, struct err *err)
{
    const uint64_t n = counts->by_reason[REASON_DECRYPT] + counts->by_reason[REASON_PARSE] +
                       counts->by_reason[REASON_BAD_BASE64];
    if (n == 0)
        return 0;
    return err_set(err, E_FORMAT, 0,
                   "raw/%s: %" PRIu64
                   " shares that opened in verify1 do not open any more: the raw "
                   "data have changed",
                   name, n);
}

static int read_part(struct run *run, struct run_batch *batch, struct noted_object *raw,
                     size_t number, struct seen *seen, later_part_fn *fn, void *arg,
                     struct err *err)
{
    struct hash now;
    struct raw_part part = {0};
    int r = raw_part_open(&part, run, raw->key, err);
    if (r == 0) {
        const struct stage_input in = {.server = batch->server,
                                       .shares = raw_part_source(&part),
                                       .name = raw->key,
                                       .seen = seen};
        const struct stage_options options = {.n_workers = run->o->n_workers,
                                              .cpu = run->o->cpu,
                                              .progress = &run->progress,
                                              .compact = true,
                                              .identity = now.bytes};
        r = fn(arg, number, &in, &options, err);
    }
    raw_part_close(&part);
    if (r < 0)
        return err_wrap(err, r, "raw/%s", raw->key);
    if (raw->has_hash && !hash_equal(&raw->hash, &now))
        return err_set(err, E_FORMAT, 0,
                       "raw/%s has changed since verify1 read it: restore it, or stage new data on "
                       "both servers",
                       raw->key);
    return 0;
}

int run_later_pass(struct run *run, struct run_batch *batch, const struct stage_counts *counts,
                   later_part_fn *fn, void *arg, struct err *err)
{
    struct key dir;
    size_t first = 0, number = 0;
    struct seen seen;
    int r = raw_recall(run, err);
    if (r == 0)
        r = key_make(&dir, err, "shares/%s", batch->dir);
    if (r < 0)
        return r;
    const size_t n = run_batch_objects(&run->raw, dir.text, &first);
    seen_init_keyed(&seen, &batch->key);
    for (size_t i = first; i < first + n && r == 0; i++)
        if (run_is_part(&run->raw.objects[i], dir.text)) {
            r = read_part(run, batch, &run->raw.objects[i], number++, &seen, fn, arg, err);
            if (r == 0)
                r = check_opened(counts, run->raw.objects[i].key, err);
        }
    seen_deinit(&seen);
    return r;
}
