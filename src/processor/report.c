/* SPDX-License-Identifier: MPL-2.0 */
/* What is told of a run: progress, the log's counts, metrics, and the report at its end. */
#include "base/log.h"
#include "base/outfile.h"
#include "base/retry.h"
#include "base/utc.h"
#include "processor/run.h"
#include "processor/state_json.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_ENTRIES = 64 };

/* A stage as it ran: one that had to be repeated has several. */
struct stage_entry {
    const char *label;
    bool done;
    uint64_t began_ms, ms, bytes_read, records;
};

struct run_report {
    int64_t began_us;
    uint64_t began_ms;
    struct stage_entry entries[MAX_ENTRIES];
    size_t n;
    uint64_t sent[RUN_STAGES];
};

static const struct metric stage_seconds = {"weir_stage_seconds", "Time that a stage took.",
                                            METRIC_GAUGE};
static const struct metric stage_bytes = {"weir_stage_read_bytes",
                                          "Bytes that a stage had to read.", METRIC_GAUGE};
static const struct metric sent_bytes = {"weir_sent_bytes_total",
                                         "Bytes sent to the partner's mailbox.", METRIC_COUNTER};
static const struct metric records_total = {
    "weir_records_total", "Records that a stage accepted or lost, by reason.", METRIC_COUNTER};
static const struct metric finished_time = {
    "weir_run_end_time_seconds", "When the last run ended, in seconds since 1970.", METRIC_GAUGE};
static const struct metric run_success = {"weir_run_success", "1 when the last run succeeded.",
                                          METRIC_GAUGE};

int run_report_new(struct run_report **out, struct run *run, struct err *err)
{
    struct run_report *report = calloc(1, sizeof *report);
    if (!report)
        return err_set(err, E_NOMEM, 0, "no memory for a report");
    report->began_us = utc_now_us();
    report->began_ms = retry_now_ms();
    *out = report;
    return metrics_open(&run->metrics, run->o->metrics_file, err);
}

void run_report_free(struct run_report *report)
{
    free(report);
}

void run_stage_begin(struct run *run, const char *label, uint64_t bytes)
{
    struct run_report *report = run->report;
    if (report->n == MAX_ENTRIES)
        report->n--;
    report->entries[report->n++] =
        (struct stage_entry){.label = label, .began_ms = retry_now_ms(), .bytes_read = bytes};
    log_event(LOG_LEVEL_INFO, "stage begins", LOG_S("stage", label), LOG_U("bytes", bytes));
    progress_start(&run->progress, label, bytes, run->o->progress);
}

void run_stage_end(struct run *run, bool done)
{
    struct stage_entry *entry = &run->report->entries[run->report->n - 1];
    entry->ms = retry_now_ms() - entry->began_ms;
    entry->records = run->progress.n_records;
    entry->done = done;
    progress_end(&run->progress);
    metrics_set(run->metrics, &stage_seconds, METRIC_LABELS({"stage", entry->label}),
                (double)entry->ms / 1000);
    metrics_set(run->metrics, &stage_bytes, METRIC_LABELS({"stage", entry->label}),
                (double)entry->bytes_read);
    struct err ignored = {0};
    if (metrics_write(run->metrics, &ignored) < 0)
        log_warning("%s", ignored.text);
}

void run_report_sent(struct run *run, enum run_stage stage, uint64_t bytes)
{
    run->report->sent[stage] += bytes;
    metrics_add(run->metrics, &sent_bytes, METRIC_LABELS({"stage", run_stage_name(stage)}),
                (double)bytes);
}

static void count_records(struct run *run, const char *stage, const char *batch,
                          const char *outcome, uint64_t n)
{
    metrics_add(run->metrics, &records_total,
                METRIC_LABELS({"stage", stage}, {"batch", batch}, {"outcome", outcome}), (double)n);
}

/* Bad luck with every single record is no bad luck. */
static void warn_of_nothing(enum run_stage stage, const char *batch_id,
                            const struct stage_counts *counts)
{
    if (stage != RUN_VERIFY1 && counts->total > 0 && counts->error == counts->total)
        log_event(LOG_LEVEL_WARNING,
                  "no record of the batch came through; do both servers have the same data set, "
                  "SHARED_SECRET, PRIO_PRG and PRIO_POINTS?",
                  LOG_S("batch", batch_id), LOG_S("stage", run_stage_name(stage)));
}

void run_report_counts(struct run *run, enum run_stage stage)
{
    const char *name = run_stage_name(stage);
    for (size_t b = 0; b < run->n_batches; b++) {
        const struct run_batch *batch = &run->batches[b];
        const struct stage_counts *counts = &batch->stages[stage].counts;
        const char *id = batch->entry->batch_id;
        if (!batch->stages[stage].done)
            continue;
        struct log_field fields[REASON_COUNT + 5] = {
            LOG_S("stage", name), LOG_S("batch", id), LOG_U("total", counts->total),
            LOG_U("accepted", counts->total - counts->error)};
        size_t n = 4;
        count_records(run, name, id, "accepted", counts->total - counts->error);
        for (int i = 0; i < REASON_COUNT; i++) {
            const char *reason = stage_reason_name((enum stage_reason)i);
            if (counts->by_reason[i] == 0)
                continue;
            fields[n++] = LOG_U(reason, counts->by_reason[i]);
            count_records(run, name, id, reason, counts->by_reason[i]);
        }
        fields[n] = LOG_END;
        log_line(LOG_LEVEL_INFO, fields, "%s", "stage done");
        warn_of_nothing(stage, id, counts);
    }
}

static json_t *batch_json(const struct run_batch *batch, int stage)
{
    const struct stage_counts *counts = &batch->stages[stage].counts;
    json_t *rejected = json_object();
    for (int i = 0; i < REASON_COUNT; i++)
        if (counts->by_reason[i] > 0)
            (void)json_object_set_new(rejected, stage_reason_name((enum stage_reason)i),
                                      json_integer((json_int_t)counts->by_reason[i]));
    return json_pack("{s:s, s:I, s:I, s:o}", "batch_id", batch->entry->batch_id, "total",
                     (json_int_t)counts->total, "accepted",
                     (json_int_t)(counts->total - counts->error), "rejected", rejected);
}

static json_t *counts_json(const struct run *run)
{
    json_t *stages = json_object();
    for (int s = 0; s < RUN_STAGES; s++) {
        json_t *batches = json_array();
        for (size_t b = 0; b < run->n_batches; b++)
            if (run->batches[b].stages[s].done)
                (void)json_array_append_new(batches, batch_json(&run->batches[b], s));
        (void)json_object_set_new(stages, run_stage_name((enum run_stage)s), batches);
    }
    return stages;
}

static json_t *times_json(const struct run_report *report)
{
    json_t *entries = json_array();
    for (size_t i = 0; i < report->n; i++) {
        const struct stage_entry *e = &report->entries[i];
        (void)json_array_append_new(
            entries, json_pack("{s:s, s:b, s:f, s:I, s:I}", "stage", e->label, "done", e->done,
                               "seconds", (double)e->ms / 1000, "bytes_read",
                               (json_int_t)e->bytes_read, "records", (json_int_t)e->records));
    }
    return entries;
}

static json_t *published_json(const struct run *run)
{
    json_t *list = json_array();
    for (size_t b = 0; b < run->n_batches; b++)
        if (run->batches[b].published || run->batches[b].withheld)
            (void)json_array_append_new(list, json_pack("{s:s, s:b}", "batch_id",
                                                        run->batches[b].entry->batch_id,
                                                        "published", run->batches[b].published));
    return list;
}

static json_t *report_json(const struct run *run, int status, const char *cause)
{
    const struct run_report *report = run->report;
    const struct process_options *o = run->o;
    char began[UTC_TEXT_BYTES], ended[UTC_TEXT_BYTES];
    utc_format(began, report->began_us);
    utc_format(ended, utc_now_us());
    json_t *sent = json_object();
    for (int s = 0; s < RUN_STAGES; s++)
        (void)json_object_set_new(sent, run_stage_name((enum run_stage)s),
                                  json_integer((json_int_t)report->sent[s]));
    json_t *root = json_pack(
        "{s:i, s:s, s:s, s:s, s:s, s:s, s:f, s:s, s:o, s:o, s:o, s:o}", "format", 1, "app_name",
        o->app_name, "date", o->date, "server_id", o->role == PRIO_SERVER_A ? "A" : "B", "began",
        began, "ended", ended, "seconds", (double)(retry_now_ms() - report->began_ms) / 1000,
        "result", status == 0 ? "done" : err_name(status), "stages", times_json(report),
        "sent_bytes", sent, "counts", counts_json(run), "batches", published_json(run));
    if (root && status != 0 && cause)
        (void)json_object_set_new(root, "error", json_string(cause));
    return root;
}

static int write_file(const char *path, const char *text, struct err *err)
{
    struct outfile out = OUTFILE_INIT;
    const char *slash = strrchr(path, '/');
    char *dir = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
    if (!dir)
        return err_set(err, E_NOMEM, 0, "no memory for a path");
    int r = make_directories(dir, err);
    if (r == 0)
        r = outfile_open(&out, dir, slash ? slash + 1 : path, err);
    free(dir);
    if (r == 0)
        r = outfile_write(&out, text, strlen(text), err);
    if (r == 0)
        return outfile_commit(&out, err);
    outfile_abandon(&out);
    return r;
}

int run_report_write(struct run *run, int status, const char *cause, struct err *err)
{
    metrics_set(run->metrics, &finished_time, NULL, (double)utc_now_us() / 1e6);
    metrics_set(run->metrics, &run_success, NULL, status == 0);
    int r = metrics_close(run->metrics, err);
    run->metrics = NULL;
    if (!run->o->report_file)
        return r;
    STATE_JSON *root = report_json(run, status, cause);
    char *text = root ? json_dumps(root, JSON_INDENT(2)) : NULL;
    if (!text)
        return err_set(err, E_NOMEM, 0, "no memory for the report");
    const int written = write_file(run->o->report_file, text, err);
    free(text);
    return r < 0 ? r : written;
}
