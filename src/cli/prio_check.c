/* SPDX-License-Identifier: MPL-2.0 */
/*
 * verify1, verify2 and aggregate: the three commands that read a share file.
 *
 * Everything that can be wrong with options, keys and inputs is found before the output directory
 * is touched. What the original prints goes to stdout, unless the records themselves do.
 */
#include "base/log.h"
#include "base/retry.h"
#include "cli/prio.h"
#include "stage/totals.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum command { VERIFY1, VERIFY2, AGGREGATE };

static const char *const names[] = {"verify1", "verify2", "aggregate"};

struct check {
    enum command command;
    const struct prio_args *args;
    struct setup setup;
    struct prio_batch *batch;
    struct prio_server *server;
    struct infile shares, own, peer;
    struct outfile out, rejects;
    struct seen seen;
    struct packets packets;
    struct stage_counts counts;
    struct progress progress;
};

static void check_deinit(struct check *c)
{
    packets_deinit(&c->packets);
    seen_deinit(&c->seen);
    outfile_abandon(&c->rejects);
    outfile_abandon(&c->out);
    infile_close(&c->peer);
    infile_close(&c->own);
    infile_close(&c->shares);
    prio_server_free(c->server);
    prio_batch_free(c->batch);
}

static int say(const struct check *c, struct err *err, const char *fmt, ...) PRINTF_LIKE(3, 4);

static int say(const struct check *c, struct err *err, const char *fmt, ...)
{
    FILE *to = c->out.is_stdout ? stderr : stdout;
    va_list list;
    va_start(list, fmt);
    (void)vfprintf(to, fmt, list);
    va_end(list);
    if (fflush(to) != 0 || ferror(to))
        return err_set(err, E_IO, errno, "write standard output");
    return 0;
}

static int open_inputs(struct check *c, struct err *err)
{
    const struct prio_args *a = c->args;
    const bool pairs = c->command != VERIFY1;
    const char *const paths[] = {a->input, pairs ? a->input_internal : NULL,
                                 pairs ? a->input_external : NULL, NULL};
    int r = files_one_stdin(paths, err);
    if (r == 0)
        r = infile_open(&c->shares, a->input, err);
    if (r == 0 && pairs)
        r = infile_open(&c->own, a->input_internal, err);
    if (r == 0 && pairs)
        r = infile_open(&c->peer, a->input_external, err);
    return r;
}

static int open_outputs(struct check *c, struct err *err)
{
    const struct prio_args *a = c->args;
    const struct infile *const inputs[] = {&c->shares, c->command == VERIFY1 ? NULL : &c->own,
                                           &c->peer, NULL};
    const char *named_after = c->command == VERIFY1 ? a->input : a->input_internal;
    int r = files_open_output(&c->out, a->output, named_after, inputs, err);
    if (r == 0 && a->rejects)
        r = files_open_path(&c->rejects, a->rejects, inputs, err);
    if (r == 0 && a->rejects)
        r = files_check_apart(&c->out, &c->rejects, err);
    return r;
}

static int prepare(struct check *c, struct err *err)
{
    int r = setup_start(&c->setup, c->args, err);
    if (r == 0)
        r = setup_batch(&c->batch, c->args, err);
    if (r == 0)
        r = setup_server(&c->server, c->batch, c->args, err);
    if (r == 0)
        r = open_inputs(c, err);
    if (r == 0)
        r = open_outputs(c, err);
    return r;
}

static int load_side(struct check *c, enum packet_side side, struct infile *in, struct err *err)
{
    uint64_t n_skipped = 0;
    const struct packets_load load = {.source = infile_source(in),
                                      .name = in->file.name,
                                      .max_line = stage_max_line(c->server),
                                      .strict = c->args->strict,
                                      .cpu = c->setup.cpu};
    const int r = packets_load(&c->packets, side, &load, &n_skipped, err);
    if (r == 0 && n_skipped > 0)
        log_event(LOG_LEVEL_WARNING, "lines without a usable record were skipped",
                  LOG_S("file", in->file.name), LOG_U("lines", n_skipped));
    return r;
}

static int load_packets(struct check *c, struct err *err)
{
    if (c->command == VERIFY1)
        return 0;
    packets_init(&c->packets, c->command == VERIFY2 ? PACKET_VERIFY1 : PACKET_VERIFY2,
                 &c->seen.key);
    const int r = load_side(c, PACKET_OWN, &c->own, err);
    return r < 0 ? r : load_side(c, PACKET_PEER, &c->peer, err);
}

static int write_total_share(struct check *c, const struct prio_sum *sum, struct err *err)
{
    CLEANUP(aggregate_deinit) struct aggregate aggregate;
    CLEANUP(buf_deinit) struct buf text = BUF_INIT_SECRET(SIZE_MAX / 4);
    aggregate_init(&aggregate);
    aggregate.error = c->counts.error;
    aggregate.total = c->counts.total;
    int r = buf_reserve(&aggregate.total_share, prio_sum_bytes_max(sum), err);
    if (r < 0)
        return r;
    r = prio_sum_total_share(sum, aggregate.total_share.data, aggregate.total_share.cap,
                             &aggregate.total_share.len);
    if (r != PRIO_OK)
        return stage_prio_err(err, r, "total share");
    r = aggregate_format(&text, &aggregate, false, c->setup.cpu, err);
    return r < 0 ? r : outfile_write(&c->out, text.data, text.len, err);
}

static int aggregate(struct check *c, const struct stage_input *in,
                     const struct stage_options *options, struct err *err)
{
    CLEANUP(prio_sum_freep) struct prio_sum *sum = NULL;
    int r = prio_sum_new(&sum, c->server);
    if (r != PRIO_OK)
        return stage_prio_err(err, r, "aggregate");
    r = stage_aggregate(in, &c->packets, options, sum, &c->counts, err);
    return r < 0 ? r : write_total_share(c, sum, err);
}

static int run_stage(struct check *c, struct err *err)
{
    const struct stage_input in = {.server = c->server,
                                   .shares = infile_source(&c->shares),
                                   .name = c->shares.file.name,
                                   .seen = &c->seen};
    struct stage_options options = {.n_workers = c->setup.n_workers,
                                    .cpu = c->setup.cpu,
                                    .strict = c->args->strict,
                                    .progress = &c->progress};
    if (c->args->rejects)
        options.rejects = files_sink(&c->rejects);
    const struct stage_sink out = files_sink(&c->out);
    switch (c->command) {
    case VERIFY1:
        return stage_verify1(&in, &options, &out, &c->counts, err);
    case VERIFY2:
        return stage_verify2(&in, &c->packets, &options, &out, &c->counts, err);
    case AGGREGATE:
        return aggregate(c, &in, &options, err);
    }
    return err_set(err, E_ARG, 0, "no such command");
}

/* What it usually is when most records fail for this reason. */
static const char *usual_cause(enum stage_reason reason)
{
    switch (reason) {
    case REASON_DECRYPT:
        return "shares do not decrypt: is --private-key-hex the key that they were sealed to, and "
               "--input this server's share file?";
    case REASON_PARSE:
        return "shares decrypt and are no packets of this batch: check --batch-id, --n-data and "
               "--server-id";
    case REASON_INVALID:
        return "proofs do not hold: both servers must use the same --points (first or sequential), "
               "--shared-secret, --batch-id and --n-data, and the --prg of the clients (old data "
               "is legacy)";
    case REASON_MISSING_INTERNAL:
    case REASON_MISSING_EXTERNAL:
        return "records lack the messages of both servers: --input, --input-internal and "
               "--input-external come from different runs, or the step before dropped everything";
    case REASON_BAD_PACKET:
        return "messages cannot be read: are --input-internal and --input-external the results of "
               "the step before?";
    default:
        return "-v lists the reasons, --rejects FILE names the records";
    }
}

/*
 * A batch that fails as a whole has one cause, which is not in the records. With points modes that
 * differ, the first record alone survives, since its point is the same in both.
 */
static void give_hint(const struct stage_counts *n)
{
    const bool but_one =
        n->total > 1 && n->by_reason[REASON_INVALID] == n->total - 1 && n->error == n->total - 1;
    if (n->total == 0 || (n->error < n->total && !but_one))
        return;
    enum stage_reason most = REASON_BAD_JSON;
    for (enum stage_reason i = REASON_BAD_JSON; i < REASON_COUNT; i++)
        if (n->by_reason[i] > n->by_reason[most])
            most = i;
    log_warning("%s record failed: %s", but_one ? "all but one" : "every", usual_cause(most));
}

static void report_details(const struct check *c, uint64_t ms)
{
    for (int i = 0; i < REASON_COUNT; i++)
        if (c->counts.by_reason[i] > 0)
            log_event(LOG_LEVEL_INFO, "rejected", LOG_S("reason", stage_reason_name(i)),
                      LOG_U("records", c->counts.by_reason[i]));
    log_event(LOG_LEVEL_INFO, "done", LOG_S("command", names[c->command]),
              LOG_U("records", c->counts.total), LOG_U("errors", c->counts.error),
              LOG_U("milliseconds", ms), LOG_U("workers", c->setup.n_workers),
              LOG_S("cpu", prio_batch_cpu(c->batch)));
}

static int commit(struct check *c, struct err *err)
{
    int r = c->args->rejects ? outfile_commit(&c->rejects, err) : 0;
    const bool to_stdout = c->out.is_stdout;
    if (r == 0)
        r = outfile_commit(&c->out, err);
    c->out.is_stdout = to_stdout; // say() goes on asking
    if (r == 0)
        r = say(c, err, "%" PRIu64 " errors out of %" PRIu64 " total\n", c->counts.error,
                c->counts.total);
    return r;
}

static int run(struct check *c, struct err *err)
{
    int r = say(c, err, "Running %s\n", names[c->command]);
    if (r == 0)
        r = seen_init(&c->seen, err);
    if (r == 0)
        r = load_packets(c, err);
    if (r < 0)
        return r;
    const uint64_t started_ms = retry_now_ms();
    progress_start(&c->progress, names[c->command], c->shares.size_bytes,
                   progress_wanted() ? PROGRESS_LINE : PROGRESS_OFF);
    r = run_stage(c, err);
    progress_end(&c->progress);
    if (r == 0)
        r = commit(c, err);
    if (r < 0)
        return r;
    report_details(c, retry_now_ms() - started_ms);
    give_hint(&c->counts);
    return 0;
}

static int run_command(enum command command, const struct prio_args *args, struct err *err)
{
    CLEANUP(check_deinit)
    struct check c = {
        .command = command,
        .args = args,
        .shares = INFILE_INIT,
        .own = INFILE_INIT,
        .peer = INFILE_INIT,
        .out = OUTFILE_INIT,
        .rejects = OUTFILE_INIT,
    };
    int r = prepare(&c, err);
    if (r < 0)
        return setup_exit(r);
    r = run(&c, err);
    return r < 0 ? EXIT_FAILED : EXIT_DONE;
}

int cmd_verify1(void *args, struct err *err)
{
    return run_command(VERIFY1, args, err);
}

int cmd_verify2(void *args, struct err *err)
{
    return run_command(VERIFY2, args, err);
}

int cmd_aggregate(void *args, struct err *err)
{
    return run_command(AGGREGATE, args, err);
}
