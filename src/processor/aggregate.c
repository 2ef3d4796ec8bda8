/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The sum of the proved shares. verify1 has summed them all where it ran in this process; then only
 * the few that are not proved are read again, to be taken back. Otherwise every share is read.
 */
#include "base/log.h"
#include "codec/ndjson.h"
#include "prio/sum.h"
#include "processor/part_record.h"
#include "processor/stage_parts.h"
#include "stage/totals.h"
#include "stage/traced.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Lines that lie closer than this are fetched in one piece. */
enum { GAP_BYTES = 256 << 10, NO_TRACE = 1 };

/* What of a trace entry is needed to take its record back: there may be one for every record. */
struct lost_line {
    uint64_t offset;
    uint32_t len;
    struct digest share;
};

/* Records of one part that must be taken back, in the order of their lines. */
struct unproved {
    struct lost_line *lines;
    size_t n, cap;
};

struct work {
    struct run *run;
    struct run_batch *batch;
    struct packets packets;
    struct stage_counts counts;
    struct prio_sum *sum; // borrowed from the batch, or owned where the shares are read again
};

static int note_unproved(void *arg, const struct trace_entry *entry, struct err *err)
{
    struct unproved *u = arg;
    if (u->n == u->cap) {
        const size_t cap = u->cap > 0 ? 2 * u->cap : 64;
        struct lost_line *grown = realloc(u->lines, cap * sizeof *grown);
        if (!grown)
            return err_set(err, E_NOMEM, 0, "no memory for rejected records");
        u->lines = grown;
        u->cap = cap;
    }
    u->lines[u->n++] =
        (struct lost_line){.offset = entry->offset, .len = entry->len, .share = entry->share};
    return 0;
}

/* Read [at, at + len) into text, whose bytes before that are done with. */
static int read_exactly(struct source source, struct buf *text, size_t len, struct err *err)
{
    int r = buf_reserve(text, len + NDJSON_SLACK, err);
    while (r == 0 && len > 0) {
        const ssize_t n = source.read(source.arg, text->data + text->len, len, err);
        if (n < 0)
            return (int)n;
        if (n == 0)
            return err_set(err, E_FORMAT, 0,
                           "the raw data have changed: a part has become shorter");
        text->len += (size_t)n;
        len -= (size_t)n;
    }
    return r;
}

/* Skip what lies between two lines. */
static int skip(struct source source, uint64_t len, struct err *err)
{
    uint8_t bytes[16 << 10];
    while (len > 0) {
        const size_t want = len < sizeof bytes ? (size_t)len : sizeof bytes;
        const ssize_t n = source.read(source.arg, bytes, want, err);
        if (n < 0)
            return (int)n;
        if (n == 0)
            return err_set(err, E_FORMAT, 0,
                           "the raw data have changed: a part has become shorter");
        len -= (uint64_t)n;
    }
    return 0;
}

/* Lines that one range read covers: from e[0] on. @return how many. */
static size_t in_one_piece(const struct lost_line *e, size_t n)
{
    size_t k = 1;
    while (k < n && e[k].offset - (e[k - 1].offset + e[k - 1].len) <= GAP_BYTES)
        k++;
    return k;
}

static int take_piece(struct work *w, struct taker *taker, const char *key,
                      const struct lost_line *e, size_t n, struct err *err)
{
    const uint64_t end = e[n - 1].offset + e[n - 1].len;
    CLEANUP(store_reader_closep) struct store_reader *reader = NULL;
    CLEANUP(buf_deinit) struct buf line = BUF_INIT(stage_max_line(w->batch->server) + NDJSON_SLACK);
    int r = store_get(&reader, w->run->o->ingest, key, e[0].offset, end - e[0].offset, err);
    if (r < 0)
        return r;
    const struct source source = store_reader_source(reader);
    uint64_t at = e[0].offset;
    for (size_t i = 0; i < n && r == 0; i++) {
        buf_clear(&line);
        r = skip(source, e[i].offset - at, err);
        if (r == 0)
            r = read_exactly(source, &line, e[i].len, err);
        if (r < 0)
            break;
        memset(line.data + line.len, 0, NDJSON_SLACK);
        at = e[i].offset + e[i].len;
        const struct trace_entry entry = {.offset = e[i].offset, .share = e[i].share};
        r = taker_take_back(taker, &entry, buf_span(&line), err);
    }
    return r;
}

static int take_back_part(struct work *w, const char *raw_key, const struct unproved *u,
                          struct err *err)
{
    CLEANUP(taker_freep) struct taker *taker = NULL;
    struct key key;
    if (u->n == 0)
        return 0;
    int r = run_key(w->run, &key, err, "raw/%s", raw_key);
    if (r == 0)
        r = taker_new(&taker, w->batch->server, w->sum, &w->batch->key, w->run->o->cpu, err);
    for (size_t i = 0, n; i < u->n && r == 0; i += n) {
        n = in_one_piece(u->lines + i, u->n - i);
        r = take_piece(w, taker, key.text, u->lines + i, n, err);
    }
    return r < 0 ? err_wrap(err, r, "raw/%s", raw_key) : 0;
}

/* The unproved records of one part. @return 0, NO_TRACE: it is not the one that was written, E_*.
 */
static int judge_part(struct work *w, const struct part_record *record, struct unproved *u,
                      struct stage_counts *counts, struct err *err)
{
    struct key key;
    struct hash read;
    CLEANUP(store_reader_closep) struct store_reader *reader = NULL;
    CLEANUP(hasher_freep) struct hasher *hasher = NULL;
    int r = run_key(w->run, &key, err, "state/verify1/%s", record->trace.key);
    if (r == 0)
        r = hasher_new(&hasher, err);
    if (r == 0)
        r = store_get(&reader, w->run->o->private, key.text, 0, STORE_TO_END, err);
    if (r < 0)
        return r == E_ABSENT ? NO_TRACE : r;
    struct hashed_source hashed = {.inner = store_reader_source(reader), .hasher = hasher};
    const struct traced_input in = {.server = w->batch->server,
                                    .packets = &w->packets,
                                    .trace = hashed_source(&hashed),
                                    .name = record->trace.key,
                                    .cpu = w->run->o->cpu};
    r = traced_verdicts(&in, counts, note_unproved, u, err);
    if (r == 0)
        r = hasher_finish(hasher, &read, err);
    if (r < 0)
        return r == E_FORMAT ? NO_TRACE : r;
    return hash_equal(&read, &record->trace.hash) ? 0 : NO_TRACE;
}

/*
 * Every part is judged before a single record is taken back, so that the sum is untouched while a
 * trace may still turn out to be of no use.
 */
static int judge_parts(struct work *w, const struct run_traces *traces, struct unproved *unproved,
                       struct err *err)
{
    int r = 0;
    for (size_t i = 0; i < traces->n && r == 0; i++)
        r = judge_part(w, &traces->records[i], &unproved[i], &w->counts, err);
    for (size_t i = 0; i < traces->n && r == 0; i++)
        r = take_back_part(w, traces->records[i].raw.key, &unproved[i], err);
    return r;
}

/* @return 1: summed, 0: there is no sum or no trace, or E_*. */
static int from_traces(struct work *w, struct err *err)
{
    struct run_traces traces = {0};
    if (!w->batch->sum)
        return 0;
    int r = run_traces_open(&traces, w->run, w->batch, err);
    const size_t n = traces.n;
    struct unproved *unproved = calloc(n + 1, sizeof *unproved);
    if (!unproved)
        r = err_set(err, E_NOMEM, 0, "no memory for the traces");
    if (r == 1 && unproved) {
        const int judged = judge_parts(w, &traces, unproved, err);
        r = judged == 0 ? 1 : judged == NO_TRACE ? 0 : judged;
        for (size_t i = 0; i < n; i++)
            free(unproved[i].lines);
    }
    free(unproved);
    run_traces_close(&traces);
    if (r == 1)
        sum_confirm(w->sum, w->counts.total - w->counts.error);
    if (r == 1 && sum_pending(w->sum) != 0)
        return err_set(err, E_FORMAT, 0,
                       "the sum of verify1 and its traces do not belong together");
    return r;
}

static int sum_shares(void *arg, size_t number, const struct stage_input *in,
                      const struct stage_options *options, struct err *err)
{
    struct work *w = arg;
    (void)number;
    return stage_aggregate(in, &w->packets, options, w->sum, &w->counts, err);
}

static int from_shares(struct work *w, struct err *err)
{
    w->counts = (struct stage_counts){0};
    prio_sum_free(w->batch->sum);
    w->batch->sum = NULL;
    if (prio_sum_new(&w->batch->sum, w->batch->server) != PRIO_OK)
        return err_set(err, E_NOMEM, 0, "no memory for a sum");
    w->sum = w->batch->sum;
    return run_later_pass(w->run, w->batch, &w->counts, sum_shares, w, err);
}

static int format_record(struct work *w, uint64_t error, uint64_t total, struct buf *text,
                         struct err *err)
{
    CLEANUP(aggregate_deinit) struct aggregate aggregate;
    aggregate_init(&aggregate);
    aggregate.error = error;
    aggregate.total = total;
    int r = buf_reserve(&aggregate.total_share, prio_sum_bytes_max(w->sum), err);
    if (r < 0)
        return r;
    r = prio_sum_total_share(w->sum, aggregate.total_share.data, aggregate.total_share.cap,
                             &aggregate.total_share.len);
    if (r != PRIO_OK)
        return stage_prio_err(err, r, "total share");
    r = aggregate_format(text, &aggregate, true, w->run->o->cpu, err);
    return r == 0 ? buf_append_byte(text, '\n', err) : r;
}

static int write_record(struct work *w, uint64_t error, uint64_t total, struct err *err)
{
    struct key name;
    CLEANUP(buf_deinit) struct buf text = BUF_INIT_SECRET(SIZE_MAX / 4);
    CLEANUP(part_writer_abandon) struct part_writer out = {0};
    int r = format_record(w, error, total, &text, err);
    if (r == 0)
        r = stage_part_name(w->run, w->batch, RUN_AGGREGATE, 0, &name, err);
    if (r == 0)
        r = stage_part_open(w->run, RUN_AGGREGATE, &name, &out, err);
    if (r < 0)
        return r;
    const struct stage_sink sink = part_writer_sink(&out);
    r = sink.write(sink.arg, text.data, text.len, err);
    return r == 0 ? stage_part_commit(w->run, RUN_AGGREGATE, &name, &out, err) : r;
}

/* Of a few clients not even the sum may leave this server. */
static bool is_too_small(const struct work *w, uint64_t n_valid)
{
    const uint64_t least = w->run->o->min_batch;
    if (n_valid >= least)
        return false;
    log_event(LOG_LEVEL_ERROR, "a batch is smaller than --min-batch; its sum does not leave",
              LOG_S("batch", w->batch->entry->batch_id), LOG_U("valid", n_valid),
              LOG_U("min_batch", least));
    w->batch->withheld = true;
    return true;
}

/* Losses of earlier stages are no losses of this one. */
static void drop_earlier_losses(struct stage_counts *counts)
{
    for (int i = 0; i < REASON_COUNT; i++)
        if (i != REASON_MISSING_EXTERNAL && i != REASON_BAD_PACKET && i != REASON_INVALID) {
            counts->total -= counts->by_reason[i];
            counts->error -= counts->by_reason[i];
            counts->by_reason[i] = 0;
        }
}

/* All verdicts are in the sum. */
static int settle(struct work *w, struct err *err)
{
    uint64_t error = 0, total = 0;
    drop_earlier_losses(&w->counts);
    stage_joined_counts(&w->counts, &error, &total);
    w->batch->stages[RUN_AGGREGATE].joined = total;
    progress_add(&w->run->progress, total, 0);
    return is_too_small(w, total - error) ? 0 : write_record(w, error, total, err);
}

static int aggregate_batch(struct run *run, struct run_batch *batch, void *arg, struct err *err)
{
    struct work w = {.run = run, .batch = batch, .sum = batch->sum};
    (void)arg;
    packets_init(&w.packets, PACKET_VERIFY2, &batch->key);
    int r = own_load(run, batch, RUN_VERIFY2, &w.packets, err);
    if (r == 0)
        r = mail_load(run, batch, RUN_VERIFY2, &w.packets, err);
    if (r == 0)
        r = from_traces(&w, err);
    if (r == 0)
        r = from_shares(&w, err);
    packets_deinit(&w.packets);
    if (r >= 0)
        r = settle(&w, err);
    // Settled or broken, it is optimistic no more: should the mailbox change, the shares are read
    // again.
    prio_sum_free(batch->sum);
    batch->sum = NULL;
    return r == 0 && !batch->withheld ? stage_batch_done(run, batch, RUN_AGGREGATE, &w.counts, err)
                                      : r;
}

int run_aggregate(struct run *run, struct err *err)
{
    const int r = stage_answer_mail(run, RUN_VERIFY2, "aggregate", &run->parts[RUN_AGGREGATE],
                                    aggregate_batch, err);
    return r == 0 ? answer_record(run, RUN_AGGREGATE, err) : r;
}
