/* SPDX-License-Identifier: MPL-2.0 */
#include "cli/processor.h"
#include "processor/status.h"

#include <stdio.h>

static struct status_options status_options(const struct processor_args *a,
                                            const struct processor_setup *setup,
                                            const struct processor_buckets *buckets)
{
    return (struct status_options){
        .ingest = buckets->ingest,
        .private = buckets->private,
        .shared = buckets->shared,
        .external_shared = buckets->external_shared,
        .bucket_prefix = a->bucket_prefix,
        .app_name = a->app_name,
        .date = setup->date,
        .key_internal = a->key_internal,
        .key_external = a->key_external,
        .now_us = setup->now_us,
        .format = (enum status_format)a->format,
    };
}

int processor_print_status(const struct processor_args *a, const struct processor_setup *setup,
                           const struct processor_buckets *buckets, struct err *err)
{
    const struct status_options options = status_options(a, setup, buckets);
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(SIZE_MAX / 4);
    const int r = status_run(&text, &options, err);
    if (r == 0)
        (void)fwrite(text.data, 1, text.len, stdout);
    return r;
}

int cmd_status(void *args, struct err *err)
{
    const struct processor_args *a = args;
    struct processor_setup setup;
    CLEANUP(processor_close_buckets) struct processor_buckets buckets = {0};
    int r = processor_start(&setup, a, err);
    if (r == 0)
        r = processor_open_buckets(&buckets, &setup, a, err);
    if (r < 0)
        return processor_exit(r);
    return processor_exit(processor_print_status(a, &setup, &buckets, err));
}
