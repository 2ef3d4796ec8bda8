/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The second half of staging: number the records of each batch, cut them into ranges of about equal
 * size, and write both sides of each range under one name.
 */
#include "base/log.h"
#include "processor/part_out.h"
#include "processor/staging_internal.h"

#include <inttypes.h>
#include <stdio.h>

enum { N_SIDES = 2, HEAD_BYTES = 40 };
static const uint64_t default_partition_bytes = 250000000;

__extension__ typedef unsigned __int128 wide;

struct cut {
    unsigned n;      // ranges
    uint64_t total;  // bytes of all
    uint64_t before; // bytes of the records before this one
    uint64_t record; // its number, where there are no bytes to go by
    uint64_t n_records;
};

/* The range that a record belongs to: no range is longer than total / n by more than a record. */
static unsigned range_of(const struct cut *c)
{
    const uint64_t at = c->total > 0 ? c->before : c->record;
    const uint64_t all = c->total > 0 ? c->total : c->n_records;
    const unsigned range = (unsigned)((wide)at * c->n / all);
    return range < c->n ? range : c->n - 1; // records without bytes may follow the last byte
}

static int count_partitions(unsigned *n, const struct staging_intake *in, struct err *err)
{
    const struct staging_options *o = in->options;
    const uint64_t bytes = o->partition_bytes > 0 ? o->partition_bytes : default_partition_bytes;
    const uint64_t by_size =
        in->result->a_bytes / bytes + (in->result->a_bytes % bytes > 0 ? 1 : 0);
    const uint64_t want = o->n_partitions > 0 ? o->n_partitions : by_size > 0 ? by_size : 1;
    if (want > STAGING_MAX_PARTITIONS)
        return err_set(err, E_ARG, 0,
                       "%" PRIu64 " partitions are too many (%d at most): make them larger", want,
                       STAGING_MAX_PARTITIONS);
    *n = (unsigned)want;
    return 0;
}

static int write_record(struct part_out *out, uint64_t id, struct span payload, struct err *err)
{
    static const char tail[] = "\"}\n";
    char head[HEAD_BYTES];
    const int n = snprintf(head, sizeof head, "{\"id\":%" PRIu64 ",\"payload\":\"", id);
    int r = part_out_write(out, head, (size_t)n, err);
    if (r == 0)
        r = part_out_write(out, payload.ptr, payload.len, err);
    return r < 0 ? r : part_out_write(out, tail, sizeof tail - 1, err);
}

/* Write one record to both sides. */
static int write_both(struct part_out out[N_SIDES], const struct spool_record *record,
                      unsigned range, uint64_t id, struct err *err)
{
    const struct span payloads[N_SIDES] = {record->a, record->b};
    int r = 0;
    for (int i = 0; i < N_SIDES && r == 0; i++) {
        r = part_out_turn(&out[i], range, record->batch, err);
        if (r == 0)
            r = write_record(&out[i], id, payloads[i], err);
    }
    return r;
}

/* A batch id, kept beyond the record that it came with. */
struct current_batch {
    char text[SPOOL_MAX_BATCH_ID];
    size_t len;
    uint64_t n_records;
};

static void enter_batch(struct current_batch *b, struct span batch, uint64_t *n_batches)
{
    if (*n_batches > 0 && span_equal(span_of(b->text, b->len), batch))
        return;
    memcpy(b->text, batch.ptr, batch.len);
    b->len = batch.len;
    b->n_records = 0;
    ++*n_batches;
}

static int write_records(struct staging_intake *in, struct part_out out[N_SIDES], struct err *err)
{
    struct staging_result *result = in->result;
    struct cut cut = {
        .n = result->n_partitions, .total = result->a_bytes, .n_records = result->n_records};
    struct current_batch batch = {0};
    struct spool_record record;
    int r;
    while ((r = spool_next(in->spool, &record, err)) == 1) {
        if (intake_is_dropped(in, record.ping))
            continue;
        enter_batch(&batch, record.batch, &result->n_batches);
        r = write_both(out, &record, range_of(&cut), ++batch.n_records, err);
        if (r < 0)
            return r;
        cut.before += record.a.len;
        cut.record++;
        progress_add(&in->progress, 1, record.a.len);
    }
    for (int i = 0; i < N_SIDES && r == 0; i++)
        r = part_out_close(&out[i], err);
    return r;
}

static int write_sides(struct staging_intake *in, struct err *err)
{
    static const char *const sides[N_SIDES] = {"a", "b"};
    struct part_out out[N_SIDES];
    struct buf dirs[N_SIDES];
    char uuid[LAYOUT_UUID_BYTES], folder[64];
    // The same name for the same date: a rerun writes the same objects again.
    int r =
        layout_derived_uuid(uuid, (const char *const[]){"staging", in->options->date, NULL}, err);
    for (int i = 0; i < N_SIDES; i++) {
        dirs[i] = PLACE_KEY_INIT;
        snprintf(folder, sizeof folder, "submission_date=%.10s/server_id=%s", in->options->date,
                 sides[i]);
        const char *dir = place_key(&dirs[i], &in->options->output, folder, err);
        if (!dir)
            r = E_NOMEM;
        part_out_init(&out[i],
                      &(struct place){.store = in->options->output.store, .dir = dir ? dir : ""},
                      uuid, LAYOUT_PARTITION);
    }
    progress_start(&in->progress, "staging: shares", in->result->a_bytes, in->options->progress);
    if (r == 0)
        r = write_records(in, out, err);
    progress_end(&in->progress);
    in->result->n_files = out[0].n_files;
    for (int i = 0; i < N_SIDES; i++) {
        part_out_deinit(&out[i]);
        buf_deinit(&dirs[i]);
    }
    return r;
}

int staging_write(struct staging_intake *in, struct err *err)
{
    const struct place *output = &in->options->output;
    char date_folder[32];
    snprintf(date_folder, sizeof date_folder, "submission_date=%.10s/", in->options->date);
    int r = count_partitions(&in->result->n_partitions, in, err);
    if (r == 0)
        r = place_unmark(output, "_SUCCESS", err);
    // All of the date: batches that are gone, parts of a run with more of them.
    if (r == 0)
        r = place_clear(output, date_folder, err);
    if (r == 0)
        r = write_sides(in, err);
    return r < 0 ? r : place_mark(output, "_SUCCESS", err);
}
