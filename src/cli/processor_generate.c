/* SPDX-License-Identifier: MPL-2.0 */
/* The commands that make clients' data: shares of known and of random vectors, and pings. */
#include "base/log.h"
#include "cli/processor.h"
#include "processor/encode_shares.h"
#include "processor/generate.h"
#include "processor/generate_pings.h"

#include <inttypes.h>
#include <stdio.h>

struct maker {
    struct processor_setup setup;
    struct processor_places places;
    struct share_options shares;
    struct data_config config;
    struct place output;
};

static void maker_deinit(struct maker *m)
{
    data_config_deinit(&m->config);
    processor_places_close(&m->places);
}

static int start(struct maker *m, const struct processor_args *a, struct err *err)
{
    const int r = processor_start(&m->setup, a, err);
    return r < 0 ? r : processor_shares(&m->shares, &m->setup, a, err);
}

static void say_partitions(uint64_t n)
{
    char line[64];
    (void)snprintf(line, sizeof line, "writing %" PRIu64 " partitions", n);
    processor_say(NULL, line);
}

static void log_made(const struct generate_result *made)
{
    log_event(LOG_LEVEL_INFO, "generated", LOG_U("batches", made->n_batches),
              LOG_U("records", made->n_records), LOG_U("files", made->n_files));
}

/* Nothing is written: say where it would have been. */
static int would_write(const struct place *place)
{
    processor_would_replace(place, "");
    return EXIT_DONE;
}

int cmd_encode_shares(void *args, struct err *err)
{
    const struct processor_args *a = args;
    CLEANUP(maker_deinit) struct maker m = {0};
    struct encode_shares_options o = {.batch_id = a->batch_id, .n_data = a->n_data};
    struct encode_shares_result made;
    struct place *const out = o.output;
    int r = start(&m, a, err);
    if (r == 0)
        r = processor_place(&m.places, &o.input, &m.setup, a, "--input", a->input, err);
    if (r == 0)
        r = processor_place(&m.places, &out[0], &m.setup, a, "--output-A", a->output_a, err);
    if (r == 0)
        r = processor_place(&m.places, &out[1], &m.setup, a, "--output-B", a->output_b, err);
    if (r == 0)
        r = processor_apart(&out[0], "--output-A", &out[1], "--output-B", err);
    if (r < 0)
        return processor_exit(r);
    o.shares = m.shares;
    o.dry_run = a->dry_run;
    processor_say(NULL, "Running encode shares");
    r = encode_shares_run(&o, &made, err);
    if (r < 0)
        return processor_exit(r);
    if (a->dry_run)
        return would_write(&out[0]) + would_write(&out[1]);
    say_partitions(made.n_partitions);
    log_event(LOG_LEVEL_INFO, "done", LOG_S("stage", "encode-shares"), LOG_U("rows", made.n_rows),
              LOG_U("rows_without_payload", made.n_bad));
    return EXIT_DONE;
}

int cmd_generate_random(void *args, struct err *err)
{
    const struct processor_args *a = args;
    CLEANUP(maker_deinit) struct maker m = {0};
    struct generate_result made = {0};
    int r = start(&m, a, err);
    if (r == 0)
        r = processor_place(&m.places, &m.output, &m.setup, a, "--output", a->output, err);
    if (r < 0)
        return processor_exit(r);
    const struct generate_options o = {.shares = m.shares,
                                       .batch_id = a->batch_id,
                                       .n_data = a->n_data,
                                       .n_rows = a->n_rows,
                                       .scale = (unsigned)a->scale,
                                       .partition_mb = a->partition_size_mb,
                                       .output = m.output};
    if (a->dry_run)
        return would_write(&m.output);
    r = generate_run(&o, &made, err);
    if (r == 0)
        say_partitions(made.n_partitions);
    if (r == 0)
        log_made(&made);
    return processor_exit(r);
}

static struct integration_options integration(const struct maker *m, const struct processor_args *a)
{
    return (struct integration_options){.shares = m->shares,
                                        .config = &m->config,
                                        .n_rows = a->n_rows,
                                        .n_partitions = (unsigned)a->n_partitions,
                                        .n_drop_batch = a->n_drop_batch};
}

int cmd_generate_integration(void *args, struct err *err)
{
    const struct processor_args *a = args;
    CLEANUP(maker_deinit) struct maker m = {0};
    struct generate_result made = {0};
    int r = start(&m, a, err);
    if (r == 0)
        r = processor_read_config(&m.config, a, err);
    if (r == 0)
        r = processor_place(&m.places, &m.output, &m.setup, a, "--output", a->output, err);
    if (r < 0)
        return processor_exit(r);
    if (a->dry_run)
        return would_write(&m.output);
    const struct integration_options o = integration(&m, a);
    r = generate_integration_run(&o, &m.output, &made, err);
    if (r == 0)
        log_made(&made);
    return processor_exit(r);
}

int cmd_generate(void *args, struct err *err)
{
    const struct processor_args *a = args;
    CLEANUP(maker_deinit) struct maker m = {0};
    CLEANUP(processor_ingest_close) struct ingest ingest = {0};
    struct generate_result made = {0};
    int r = start(&m, a, err);
    if (r == 0)
        r = processor_read_config(&m.config, a, err);
    if (r == 0)
        r = processor_ingest_open(&ingest, &m.setup, a, err);
    if (r < 0)
        return processor_exit(r);
    const struct integration_options o = integration(&m, a);
    for (int i = 0; i < N_SERVERS && a->dry_run && r == 0; i++) {
        CLEANUP(buf_deinit) struct buf folder = PLACE_KEY_INIT;
        r = ingest_folder(&folder, &ingest, (enum prio_role)i, err);
        if (r == 0)
            (void)would_write(&(struct place){ingest.bucket[i], (const char *)folder.data});
    }
    if (r < 0 || a->dry_run)
        return processor_exit(r);
    r = generate_ingest_run(&o, &ingest, &made, err);
    if (r == 0)
        log_made(&made);
    return processor_exit(r);
}

int cmd_generate_pings(void *args, struct err *err)
{
    const struct processor_args *a = args;
    CLEANUP(maker_deinit) struct maker m = {0};
    struct generate_pings_result made = {0};
    int r = start(&m, a, err);
    if (r == 0)
        r = processor_check_date(a->date, err);
    if (r == 0)
        r = processor_read_config(&m.config, a, err);
    if (r == 0)
        r = processor_place(&m.places, &m.output, &m.setup, a, "--output", a->output, err);
    if (r < 0)
        return processor_exit(r);
    const struct generate_pings_options o = {.shares = m.shares,
                                             .config = &m.config,
                                             .date = a->date,
                                             .n_pings = a->n_pings,
                                             .n_duplicates = a->n_duplicates,
                                             .seed = a->seed,
                                             .output = m.output};
    if (a->dry_run)
        return would_write(&m.output);
    r = generate_pings_run(&o, &made, err);
    if (r == 0 && a->truth)
        r = processor_write_file(a->truth, &made.truth, err);
    if (r == 0)
        log_event(LOG_LEVEL_INFO, "generated", LOG_U("lines", made.n_lines),
                  LOG_U("records", made.n_records), LOG_U("files", made.n_files));
    buf_deinit(&made.truth);
    return processor_exit(r);
}
