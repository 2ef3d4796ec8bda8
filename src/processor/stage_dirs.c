/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/stage_dirs.h"

#include "base/log.h"
#include "codec/uuid.h"
#include "processor/part_out.h"
#include "processor/publish_dirs.h"
#include "processor/share_batch.h"
#include "stage/stage.h"
#include "stage/totals.h"

DEFINE_FREEP(struct prio_sum, prio_sum_free)

struct job {
    enum stage_dirs_stage stage;
    const struct stage_dirs_options *options;
    struct prio_batch *batch;
    struct prio_server *server;
    struct inputs shares, own, partner;
    char uuid[UUID_TEXT_BYTES];
    struct part_out out;
    struct seen seen;
    struct packets packets;
    struct stage_counts counts;
    struct progress progress;
};

const char *stage_dirs_name(enum stage_dirs_stage stage)
{
    static const char *const names[] = {"verify1", "verify2", "aggregate", "publish"};
    return names[stage];
}

static void job_deinit(struct job *job)
{
    progress_end(&job->progress);
    packets_deinit(&job->packets);
    seen_deinit(&job->seen);
    part_out_deinit(&job->out);
    inputs_deinit(&job->partner);
    inputs_deinit(&job->own);
    inputs_deinit(&job->shares);
    prio_server_free(job->server);
    prio_batch_free(job->batch);
}

static int make_server(struct job *job, struct err *err)
{
    const struct stage_dirs_options *o = job->options;
    CLEANUP(server_keys_wipe) struct server_keys keys = {0};
    int r = batch_from_options(&job->batch, o->batch_id, o->n_data, o->prg, o->cpu_level, err);
    if (r == 0)
        r = server_keys_read(&keys, &o->keys, err);
    return r < 0 ? r : server_from_keys(&job->server, job->batch, &keys, o->role, o->points, err);
}

static int find(struct job *job, struct inputs *in, const char *option, const struct place *place,
                struct err *err)
{
    const int r = inputs_find(in, place, err);
    if (r < 0)
        return err_wrap(err, r, "%s", option);
    if (inputs_lie_in(in, &job->options->output))
        return err_set(err, E_ARG, 0, "--output is replaced, and %s lies in it.", option);
    return 0;
}

static int find_inputs(struct job *job, struct err *err)
{
    const struct stage_dirs_options *o = job->options;
    int r = 0;
    if (job->stage != STAGE_DIRS_PUBLISH)
        r = find(job, &job->shares, "--input", &o->input, err);
    if (r == 0 && job->stage != STAGE_DIRS_VERIFY1)
        r = find(job, &job->own, "--input-internal", &o->own, err);
    if (r == 0 && job->stage != STAGE_DIRS_VERIFY1)
        r = find(job, &job->partner, "--input-external", &o->partner, err);
    return r;
}

static int load_side(struct job *job, enum packet_side side, const struct inputs *in,
                     struct err *err)
{
    CLEANUP(inputs_closep) struct inputs_stream *stream = NULL;
    const char *const name = side == PACKET_OWN ? "--input-internal" : "--input-external";
    uint64_t n_skipped = 0;
    int r = inputs_open(&stream, in, err);
    if (r < 0)
        return r;
    const struct packets_load load = {.source = inputs_source(stream),
                                      .name = name,
                                      .max_line = stage_max_line(job->server),
                                      .cpu = job->options->cpu};
    r = packets_load(&job->packets, side, &load, &n_skipped, err);
    if (r == 0 && n_skipped > 0)
        log_event(LOG_LEVEL_WARNING, "lines without a usable record were skipped",
                  LOG_S("option", name), LOG_U("lines", n_skipped));
    return r;
}

static int load_packets(struct job *job, struct err *err)
{
    if (job->stage == STAGE_DIRS_VERIFY1)
        return 0;
    packets_init(&job->packets, job->stage == STAGE_DIRS_VERIFY2 ? PACKET_VERIFY1 : PACKET_VERIFY2,
                 &job->seen.key);
    const int r = load_side(job, PACKET_OWN, &job->own, err);
    return r < 0 ? r : load_side(job, PACKET_PEER, &job->partner, err);
}

static struct stage_options stage_options(struct job *job)
{
    return (struct stage_options){.n_workers = job->options->n_workers,
                                  .cpu = job->options->cpu,
                                  .progress = &job->progress,
                                  .compact = true};
}

static int write_out(void *arg, const void *bytes, size_t len, struct err *err)
{
    return part_out_write(arg, bytes, len, err);
}

/* Answer one part of shares with a part of the same number. */
static int answer_part(struct job *job, size_t index, struct err *err)
{
    const struct inputs one = {
        .store = job->shares.store, .keys = &job->shares.keys[index], .n = 1};
    CLEANUP(inputs_closep) struct inputs_stream *stream = NULL;
    int r = inputs_open(&stream, &one, err);
    if (r == 0)
        r = part_out_turn(&job->out, (unsigned)index, (struct span){0}, err);
    if (r < 0)
        return r;
    const struct stage_input in = {.server = job->server,
                                   .shares = inputs_source(stream),
                                   .name = one.keys[0],
                                   .seen = &job->seen};
    const struct stage_options options = stage_options(job);
    const struct stage_sink sink = {write_out, &job->out};
    return job->stage == STAGE_DIRS_VERIFY1
               ? stage_verify1(&in, &options, &sink, &job->counts, err)
               : stage_verify2(&in, &job->packets, &options, &sink, &job->counts, err);
}

static int answer(struct job *job, struct err *err)
{
    // Without a record there is a part all the same: it says that somebody looked.
    int r = part_out_turn(&job->out, 0, (struct span){0}, err);
    for (size_t i = 0; i < job->shares.n && r == 0; i++)
        r = answer_part(job, i, err);
    return r;
}

static int aggregate_line(struct buf *line, const struct job *job, const struct prio_sum *sum,
                          struct err *err)
{
    CLEANUP(aggregate_deinit) struct aggregate aggregate;
    aggregate_init(&aggregate);
    stage_joined_counts(&job->counts, &aggregate.error, &aggregate.total);
    int r = buf_reserve(&aggregate.total_share, prio_sum_bytes_max(sum), err);
    if (r < 0)
        return r;
    r = prio_sum_total_share(sum, aggregate.total_share.data, aggregate.total_share.cap,
                             &aggregate.total_share.len);
    if (r != PRIO_OK)
        return stage_prio_err(err, r, "total share");
    r = aggregate_format(line, &aggregate, true, job->options->cpu, err);
    return r < 0 ? r : buf_append_byte(line, '\n', err);
}

static int write_line(struct job *job, const struct buf *line, struct err *err)
{
    const int r = part_out_turn(&job->out, 0, (struct span){0}, err);
    return r < 0 ? r : part_out_write(&job->out, line->data, line->len, err);
}

static int aggregate(struct job *job, struct err *err)
{
    CLEANUP(prio_sum_freep) struct prio_sum *sum = NULL;
    CLEANUP(inputs_closep) struct inputs_stream *stream = NULL;
    CLEANUP(buf_deinit) struct buf line = BUF_INIT_SECRET(SIZE_MAX / 4);
    int r = prio_sum_new(&sum, job->server);
    if (r != PRIO_OK)
        return stage_prio_err(err, r, "aggregate");
    r = inputs_open(&stream, &job->shares, err);
    if (r < 0)
        return r;
    const struct stage_input in = {.server = job->server,
                                   .shares = inputs_source(stream),
                                   .name = "--input",
                                   .seen = &job->seen};
    const struct stage_options options = stage_options(job);
    r = stage_aggregate(&in, &job->packets, &options, sum, &job->counts, err);
    if (r == 0)
        r = aggregate_line(&line, job, sum, err);
    return r < 0 ? r : write_line(job, &line, err);
}

static void report(const struct job *job)
{
    const char *const name = stage_dirs_name(job->stage);
    for (int i = 0; i < REASON_COUNT; i++)
        if (job->counts.by_reason[i] > 0)
            log_event(LOG_LEVEL_INFO, "rejected", LOG_S("stage", name),
                      LOG_S("reason", stage_reason_name((enum stage_reason)i)),
                      LOG_U("records", job->counts.by_reason[i]));
    log_event(LOG_LEVEL_INFO, "done", LOG_S("stage", name), LOG_U("parts", job->shares.n),
              LOG_U("records", job->counts.total), LOG_U("rejected", job->counts.error));
}

static int begin_output(struct job *job, struct err *err)
{
    uint8_t random[16];
    int r = random_bytes(random, sizeof random, err);
    if (r < 0)
        return r;
    uuid4_format(job->uuid, random);
    part_out_init(&job->out, &job->options->output, job->uuid, LAYOUT_STAGE);
    return place_overwrite(&job->options->output, err);
}

static int end_output(struct job *job, struct err *err)
{
    const int r = part_out_close(&job->out, err);
    return r < 0 ? r : place_mark(&job->options->output, "_SUCCESS", err);
}

static int publish(struct job *job, struct err *err)
{
    CLEANUP(buf_deinit) struct buf line = BUF_INIT(SIZE_MAX / 4);
    int r = publish_line(&line, job->options, &job->own, &job->partner, err);
    if (r == 0)
        r = begin_output(job, err);
    if (r == 0)
        r = write_line(job, &line, err);
    return r < 0 ? r : end_output(job, err);
}

static int check_shares(struct job *job, struct err *err)
{
    int r = seen_init(&job->seen, err);
    if (r == 0)
        r = load_packets(job, err);
    if (r == 0)
        r = begin_output(job, err);
    if (r < 0)
        return r;
    progress_start(&job->progress, stage_dirs_name(job->stage), job->shares.bytes,
                   job->options->progress);
    r = job->stage == STAGE_DIRS_AGGREGATE ? aggregate(job, err) : answer(job, err);
    progress_end(&job->progress);
    if (r == 0)
        r = end_output(job, err);
    if (r == 0)
        report(job);
    return r;
}

int stage_dirs_run(enum stage_dirs_stage stage, const struct stage_dirs_options *options,
                   struct err *err)
{
    CLEANUP(job_deinit) struct job job = {.stage = stage, .options = options};
    int r = make_server(&job, err);
    if (r == 0)
        r = find_inputs(&job, err);
    if (r < 0 || options->dry_run)
        return r;
    return stage == STAGE_DIRS_PUBLISH ? publish(&job, err) : check_shares(&job, err);
}
