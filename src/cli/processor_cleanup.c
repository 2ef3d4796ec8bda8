/* SPDX-License-Identifier: MPL-2.0 */
#include "cli/processor.h"
#include "processor/cleanup.h"

int cmd_cleanup(void *args, struct err *err)
{
    const struct processor_args *a = args;
    struct processor_setup setup;
    CLEANUP(processor_close_buckets) struct processor_buckets buckets = {0};
    int r = processor_start(&setup, a, err);
    if (r == 0)
        r = processor_open_buckets(&buckets, &setup, a, err);
    if (r < 0)
        return processor_exit(r);
    const struct cleanup_options options = {.ingest = buckets.ingest,
                                            .private = buckets.private,
                                            .shared = buckets.shared,
                                            .key_internal = a->key_internal,
                                            .force = a->force,
                                            .dry_run = a->dry_run,
                                            .say = processor_say};
    return processor_exit(cleanup_run(&options, err));
}
