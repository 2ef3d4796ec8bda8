/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/generate.h"

#include "processor/generate_sides.h"
#include "processor/share_rows.h"

int generate_run(const struct generate_options *options, struct generate_result *result,
                 struct err *err)
{
    CLEANUP(generate_sides_deinit) struct generate_sides sides = {0};
    CLEANUP(share_batch_deinit) struct share_batch batch = {0};
    struct progress progress;
    size_t len = 0;
    *result =
        (struct generate_result){.n_batches = 1, .n_records = options->n_rows * options->scale};
    int r = share_batch_init(&batch, &options->shares, span_str(options->batch_id), options->n_data,
                             err);
    if (r == 0)
        r = share_base64_len(&len, &batch, err);
    if (r < 0)
        return r;
    result->n_partitions = share_partitions(len, result->n_records, options->partition_mb);
    if (result->n_partitions > UINT32_MAX)
        return err_set(err, E_ARG, 0, "too many partitions: make them larger");
    r = place_overwrite(&options->output, err);
    if (r == 0)
        r = generate_sides_below(&sides, &options->output, err);
    if (r < 0)
        return r;
    const struct share_rows rows = {.options = &options->shares,
                                    .batch = &batch,
                                    .n_rows = options->n_rows,
                                    .scale = options->scale,
                                    .fill = fill_random,
                                    .n_lines = result->n_records,
                                    .n_partitions = (unsigned)result->n_partitions,
                                    .out = sides.out,
                                    .progress = &progress};
    progress_start(&progress, "generate", 0, options->shares.progress);
    r = share_rows_run(&rows, err);
    progress_end(&progress);
    if (r == 0)
        r = generate_sides_close(&sides, err);
    result->n_files = sides.out[0].n_files;
    return r < 0 ? r : place_mark(&options->output, "_SUCCESS", err);
}
