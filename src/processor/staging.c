/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/staging.h"

#include "processor/layout.h"
#include "processor/staging_internal.h"

#include <stdlib.h>

enum { DEFAULT_MEMORY = 256 << 20, MIN_MEMORY = 4096 };

const char *staging_reason_name(enum staging_reason reason)
{
    static const char *const names[STAGING_REASONS] = {
        [STAGING_BAD_MESSAGE] = "bad-message",
        [STAGING_BAD_BASE64] = "bad-base64",
        [STAGING_BAD_GZIP] = "bad-gzip",
        [STAGING_NOT_JSON] = "not-json",
        [STAGING_NO_ID] = "no-id",
        [STAGING_NO_PRIO_DATA] = "no-prio-data",
        [STAGING_DUPLICATE] = "duplicate",
        [STAGING_BAD_ELEMENT] = "bad-element",
    };
    return reason < STAGING_REASONS ? names[reason] : "none";
}

int intake_init(struct staging_intake *in, const struct staging_options *options,
                struct staging_result *result, struct err *err)
{
    const char *tmp_dir = options->tmp_dir && options->tmp_dir[0] ? options->tmp_dir : "/tmp";
    size_t memory = options->memory_bytes > 0 ? options->memory_bytes : DEFAULT_MEMORY;
    memory = memory > MIN_MEMORY ? memory : MIN_MEMORY;
    *in = (struct staging_intake){.options = options, .result = result};
    base64_ops_init(&in->base64, options->cpu);
    record_ops_init(&in->record_ops, options->cpu);
    int r = digest_key_random(&in->key, err);
    // Half for records, a quarter for ids; what is left is for the workers' lines and the writers.
    if (r == 0)
        r = spool_new(&in->spool, tmp_dir, memory / 2, err);
    if (r == 0)
        r = docids_new(&in->docids, tmp_dir, memory / 4, err);
    return r;
}

void intake_deinit(struct staging_intake *in)
{
    spool_free(in->spool);
    docids_free(in->docids);
    free(in->dropped);
}

static void drop_again(void *arg, const struct docids_ping *ping)
{
    struct staging_intake *in = arg;
    in->dropped[ping->number / 8] |= (uint8_t)(1u << ping->number % 8);
    in->result->dropped[STAGING_DUPLICATE]++;
    in->result->n_pings--;
    in->result->n_records -= ping->n_records;
    in->result->a_bytes -= ping->a_bytes;
}

int intake_finish(struct staging_intake *in, struct err *err)
{
    in->dropped = calloc(in->n_accepted / 8 + 1, 1);
    if (!in->dropped)
        return err_set(err, E_NOMEM, 0, "no memory for a list of %llu pings",
                       (unsigned long long)in->n_accepted);
    int r = docids_finish(in->docids, drop_again, in, err);
    if (r == 0)
        r = spool_finish(in->spool, err);
    in->result->n_runs = spool_runs(in->spool);
    return r;
}

bool intake_is_dropped(const struct staging_intake *in, uint64_t ping)
{
    return in->dropped[ping / 8] >> ping % 8 & 1;
}

int staging_run(const struct staging_options *options, struct staging_result *result,
                struct err *err)
{
    CLEANUP(intake_deinit) struct staging_intake in = {0};
    *result = (struct staging_result){0};
    if (!layout_is_date(options->date))
        return err_set(err, E_ARG, 0, "\"%s\" is not a date like 2026-03-14", options->date);
    int r = intake_init(&in, options, result, err);
    if (r == 0)
        r = staging_read(&in, err);
    if (r == 0)
        r = intake_finish(&in, err);
    if (r < 0)
        return err_wrap(err, r, "reading pings of %s", options->date);
    r = staging_write(&in, err);
    return r < 0 ? err_wrap(err, r, "writing shares of %s", options->date) : 0;
}
