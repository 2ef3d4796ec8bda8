/* SPDX-License-Identifier: MPL-2.0 */
#include "base/log.h"
#include "cli/prio.h"

#include <string.h>

/* Both files appear, or neither, unless the machine stops between the two renames. */
static int encode(const struct prio_args *a, const struct setup *setup,
                  const struct prio_batch *batch, const struct prio_client *client,
                  struct infile *in, struct err *err)
{
    CLEANUP(outfile_abandon) struct outfile out_a = OUTFILE_INIT;
    CLEANUP(outfile_abandon) struct outfile out_b = OUTFILE_INIT;
    const struct infile *const inputs[] = {in, NULL};
    int r = files_open_output(&out_a, a->output_a, a->input, inputs, err);
    if (r == 0)
        r = files_open_output(&out_b, a->output_b, a->input, inputs, err);
    if (r == 0)
        r = files_check_apart(&out_a, &out_b, err);
    if (r < 0)
        return r;

    struct progress progress;
    uint64_t n_rows = 0;
    const struct encode_input input = {.batch = batch,
                                       .client = client,
                                       .precision = (unsigned)a->prec,
                                       .rows = infile_source(in),
                                       .name = in->file.name};
    const struct stage_options options = {
        .n_workers = setup->n_workers, .cpu = setup->cpu, .progress = &progress};
    const struct stage_sink sink_a = files_sink(&out_a), sink_b = files_sink(&out_b);
    progress_start(&progress, "encode-shares", in->size_bytes,
                   progress_wanted() ? PROGRESS_LINE : PROGRESS_OFF);
    r = stage_encode(&input, &options, &sink_a, &sink_b, &n_rows, err);
    progress_end(&progress);
    if (r == 0)
        r = outfile_commit(&out_a, err);
    if (r == 0)
        r = outfile_commit(&out_b, err);
    if (r == 0)
        log_event(LOG_LEVEL_INFO, "encoded", LOG_U("rows", n_rows),
                  LOG_U("workers", setup->n_workers), LOG_S("cpu", prio_batch_cpu(batch)));
    return r;
}

static int same_place(const struct prio_args *a, struct err *err)
{
    if (strcmp(a->output_a, a->output_b) != 0)
        return 0;
    return err_set(err, E_ARG, 0, "--output-A and --output-B must be different places.");
}

int cmd_encode_shares(void *args, struct err *err)
{
    const struct prio_args *a = args;
    CLEANUP(prio_batch_freep) struct prio_batch *batch = NULL;
    CLEANUP(prio_client_freep) struct prio_client *client = NULL;
    CLEANUP(infile_close) struct infile in = INFILE_INIT;
    struct setup setup;

    int r = setup_start(&setup, a, err);
    if (r == 0)
        r = same_place(a, err);
    if (r == 0)
        r = setup_check_prec(a, err);
    if (r == 0)
        r = setup_batch(&batch, a, err);
    if (r == 0)
        r = setup_client(&client, batch, a, err);
    if (r == 0)
        r = infile_open(&in, a->input, err);
    if (r == 0)
        r = encode(a, &setup, batch, client, &in, err);
    return r < 0 ? setup_exit(r) : EXIT_DONE;
}
