/* SPDX-License-Identifier: MPL-2.0 */
/*
 * taskcluster_steps ROOT_URL <IDS - asks for the ids on standard input, one a line, 1,000 at a
 * time; prints "ID bytes outcome" of each definition, where the outcome is "well-formed" or a
 * reason.
 */
#include "base/buf.h"
#include "base/log.h"
#include "fxci/taskcluster.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ID_BYTES = 64, TODAY = 20685 };

static int show(void *arg, struct span task_id, struct span task, struct err *err)
{
    struct definition d;
    const int r = definition_map(arg, &d, task_id, task, err);
    if (r == 0)
        (void)printf("%.*s %zu %s\n", (int)task_id.len, (const char *)task_id.ptr, task.len,
                     d.reason[0] ? d.reason : "well-formed");
    return r;
}

static size_t read_ids(char lines[][ID_BYTES], struct span *ids)
{
    size_t n = 0;
    while (n < TASKCLUSTER_MAX_IDS && fgets(lines[n], ID_BYTES, stdin)) {
        ids[n] = span_of(lines[n], strcspn(lines[n], "\n"));
        n++;
    }
    return n;
}

static int fetch_all(struct taskcluster *t, struct definition_mapper *mapper, struct err *err)
{
    static char lines[TASKCLUSTER_MAX_IDS][ID_BYTES];
    struct span ids[TASKCLUSTER_MAX_IDS];
    int r = 0;
    for (size_t n; r == 0 && (n = read_ids(lines, ids)) > 0;)
        r = taskcluster_fetch(t, ids, n, show, mapper, err);
    return r;
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    log_init("taskcluster_steps", LOG_FORMAT_TEXT, LOG_LEVEL_WARNING);
    struct err err = {0};
    struct definition_mapper mapper;
    definition_mapper_init(&mapper, 0, TODAY);
    struct taskcluster *t = NULL;
    int r = taskcluster_open(&t, &(const struct taskcluster_config){.root_url = argv[1]}, &err);
    if (r == 0)
        r = fetch_all(t, &mapper, &err);
    taskcluster_close(t);
    definition_mapper_deinit(&mapper);
    if (r != 0)
        (void)fprintf(stderr, "%s: %s\n", err_name(r), err.text);
    return r == 0 ? 0 : 1;
}
