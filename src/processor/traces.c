/* SPDX-License-Identifier: MPL-2.0 */
/* Which traces of verify1 can be used by the stages behind it. */
#include "processor/part_record.h"
#include "processor/run.h"

#include <stdlib.h>
#include <string.h>

void run_traces_close(struct run_traces *traces)
{
    for (size_t i = 0; i < traces->n; i++)
        part_record_deinit(&traces->records[i]);
    free(traces->records);
    *traces = (struct run_traces){0};
}

static bool belongs(const struct part_record *record, const struct noted_object *answer)
{
    return strcmp(record->answer.key, answer->key) == 0 && answer->has_hash &&
           hash_equal(&record->answer.hash, &answer->hash);
}

/* @return 1, 0: missing, changed, or of another answer, or E_*. */
static int open_one(struct run *run, struct run_batch *batch, size_t number,
                    const struct noted_object *answer, struct part_record *record, struct err *err)
{
    struct key key;
    struct store_object trace;
    int r = run_key(run, &key, err, "state/verify1/%s/part-%05zu.json", batch->dir, number);
    if (r < 0)
        return r;
    struct err ignored = {0};
    if (part_record_read(record, run->o->private, key.text, &ignored) < 0)
        return 0;
    if (!belongs(record, answer))
        return 0;
    r = run_key(run, &key, err, "state/verify1/%s", record->trace.key);
    if (r == 0)
        r = store_stat(run->o->private, key.text, &trace, err);
    return r == 0 ? trace.size == record->trace.size : r == E_ABSENT ? 0 : r;
}

int run_traces_open(struct run_traces *traces, struct run *run, struct run_batch *batch,
                    struct err *err)
{
    size_t first = 0;
    const size_t n = run_batch_objects(&run->parts[RUN_VERIFY1], batch->dir, &first);
    *traces = (struct run_traces){0};
    if (run->o->points != PRIO_POINTS_FIRST)
        return 0;
    traces->records = calloc(n + 1, sizeof *traces->records);
    if (!traces->records)
        return err_set(err, E_NOMEM, 0, "no memory for the traces");
    int r = 1;
    for (; traces->n < n && r == 1; traces->n++)
        r = open_one(run, batch, traces->n, &run->parts[RUN_VERIFY1].objects[first + traces->n],
                     &traces->records[traces->n], err);
    return r;
}
