/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What a stage counted, for a restart that only sends its answer again:
 * own/state/counts-STAGE.json. Nothing but what is told of the run depends on it.
 */
#include "processor/counts_json.h"
#include "processor/run.h"
#include "processor/state_json.h"

static int counts_key(const struct run *run, enum run_stage stage, struct key *key, struct err *err)
{
    return run_key(run, key, err, "state/counts-%s.json", run_stage_name(stage));
}

int run_counts_save(struct run *run, enum run_stage stage, struct err *err)
{
    struct key key;
    json_t *batches = json_object();
    for (size_t b = 0; b < run->n_batches; b++)
        if (run->batches[b].stages[stage].done)
            (void)json_object_set_new(batches, run->batches[b].dir,
                                      counts_to_json(&run->batches[b].stages[stage].counts));
    STATE_JSON *root = json_pack("{s:i, s:o}", "format", 1, "batches", batches);
    const int r = counts_key(run, stage, &key, err);
    return r == 0 ? state_json_write(root, run->o->private, key.text, err) : r;
}

void run_counts_recall(struct run *run, enum run_stage stage)
{
    struct key key;
    struct err ignored = {0};
    STATE_JSON *root = NULL;
    if (counts_key(run, stage, &key, &ignored) < 0 ||
        state_json_read(&root, run->o->private, key.text, &ignored) < 0)
        return;
    for (size_t b = 0; b < run->n_batches; b++) {
        struct run_counts *to = &run->batches[b].stages[stage];
        const json_t *from = json_object_get(json_object_get(root, "batches"), run->batches[b].dir);
        to->done = counts_from_json(from, &to->counts);
    }
}
