/* SPDX-License-Identifier: MPL-2.0 */
/* The stages of prio-spark, a folder at a time. */
#include "cli/processor.h"
#include "processor/encode_shares.h"
#include "processor/stage_dirs.h"

#include <inttypes.h>
#include <stdio.h>

static int open_places(struct processor_places *places, struct stage_dirs_options *o,
                       const struct processor_args *a, const struct processor_setup *s,
                       struct err *err)
{
    const struct {
        struct place *place;
        const char *option, *location;
    } wanted[] = {
        {&o->input, "--input", a->input},
        {&o->own, "--input-internal", a->input_internal},
        {&o->partner, "--input-external", a->input_external},
        {&o->output, "--output", a->output},
    };
    int r = 0;
    for (size_t i = 0; i < ARRAY_LEN(wanted) && r == 0; i++)
        if (wanted[i].location)
            r = processor_place(places, wanted[i].place, s, a, wanted[i].option, wanted[i].location,
                                err);
    return r;
}

static int run_stage(enum stage_dirs_stage stage, const struct processor_args *a, struct err *err)
{
    CLEANUP(processor_places_close) struct processor_places places = {0};
    struct processor_setup setup;
    char line[32];
    int r = processor_start(&setup, a, err);
    if (r < 0)
        return processor_exit(r);
    struct stage_dirs_options options = {
        .batch_id = a->batch_id,
        .n_data = a->n_data,
        .role = (enum prio_role)a->server_id,
        .prg = (enum prio_prg)a->prg,
        .points = (enum prio_points)a->points,
        .keys = processor_keys(a),
        .n_workers = setup.n_workers,
        .cpu = setup.cpu,
        .cpu_level = a->cpu,
        .now_us = setup.now_us,
        .progress = setup.progress,
        .dry_run = a->dry_run,
    };
    r = open_places(&places, &options, a, &setup, err);
    if (r < 0)
        return processor_exit(r);
    (void)snprintf(line, sizeof line, "Running %s", stage_dirs_name(stage));
    processor_say(NULL, line);
    r = stage_dirs_run(stage, &options, err);
    if (r == 0 && a->dry_run)
        processor_would_replace(&options.output, "");
    return processor_exit(r);
}

int cmd_verify1(void *args, struct err *err)
{
    return run_stage(STAGE_DIRS_VERIFY1, args, err);
}

int cmd_verify2(void *args, struct err *err)
{
    return run_stage(STAGE_DIRS_VERIFY2, args, err);
}

int cmd_aggregate(void *args, struct err *err)
{
    return run_stage(STAGE_DIRS_AGGREGATE, args, err);
}

int cmd_publish(void *args, struct err *err)
{
    return run_stage(STAGE_DIRS_PUBLISH, args, err);
}
