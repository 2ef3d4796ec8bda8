/* SPDX-License-Identifier: MPL-2.0 */
/*
 * fxci_messages messages|tasks|runs N [SEED] - made-up days of Firefox-CI on standard output.
 *
 *   messages  N messages as `pulse drain --source` reads them: of each task that it was defined,
 * and how its runs ended, 0.8 to 3 kB each tasks     N rows of tasks_v2 as CSV, of 20 days, for
 * `load` runs      N rows of task_runs_v1 as CSV
 *
 * Task ids are random, as real ones are. Of one seed they are always the same, of two never.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ID_CHARS = 22, TIME_BYTES = 32, MAX_RUNS = 6, DAY_S = 86400 };

struct day {
    uint64_t random;
    uint64_t n_left;
};

static uint64_t next(struct day *d)
{
    uint64_t z = d->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static unsigned below(struct day *d, unsigned n)
{
    return (unsigned)(next(d) % n);
}

struct id {
    char text[ID_CHARS + 1];
};

static struct id make_id(struct day *d)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    struct id id = {{0}};
    for (int i = 0; i < ID_CHARS; i++)
        id.text[i] = letters[next(d) >> 58];
    return id;
}

struct time {
    char text[TIME_BYTES];
};

/* ms: of 2026-08-20. */
static struct time make_time(uint64_t ms)
{
    struct time t;
    const unsigned s = (unsigned)(ms / 1000 % DAY_S);
    (void)snprintf(t.text, sizeof t.text, "2026-08-20T%02u:%02u:%02u.%03uZ", s / 3600 % 24,
                   s / 60 % 60, s % 60, (unsigned)(ms % 1000));
    return t;
}

static const struct worker {
    const char *provisioner, *type, *os, *group;
} workers[] = {
    {"gecko-t", "t-linux-docker-noscratch-amd", "linux", "us-central1-a"},
    {"gecko-t", "t-linux-2404-wayland", "linux", "northamerica-northeast1-b"},
    {"gecko-t", "win11-64-24h2", "windows", "eastus2"},
    {"gecko-t", "win11-64-24h2-gpu", "windows", "northcentralus"},
    {"gecko-1", "b-linux-amd", "linux-build", "us-east1-c"},
    {"gecko-3", "b-linux-gcp", "linux-build", "us-central1-f"},
    {"releng-hardware", "gecko-t-osx-1400-r8", "macosx", "mdc1"},
};
enum { N_WORKERS = sizeof workers / sizeof *workers };

struct task {
    struct id id, group;
    const struct worker *worker;
    unsigned n_runs;
    uint64_t defined_ms;
};

static void put_status(const struct task *t, const char *state)
{
    const struct worker *w = t->worker;
    printf("\"status\":{\"taskId\":\"%s\",\"provisionerId\":\"%s\",\"workerType\":\"%s\","
           "\"taskQueueId\":\"%s/%s\",\"schedulerId\":\"gecko-level-1\",\"projectId\":\"none\","
           "\"taskGroupId\":\"%s\",\"priority\":\"low\",\"deadline\":\"2026-08-21T09:30:00.000Z\","
           "\"expires\":\"2027-08-20T04:30:00.000Z\",\"retriesLeft\":5,\"state\":\"%s\",\"runs\":[",
           t->id.text, w->provisioner, w->type, w->provisioner, w->type, t->group.text, state);
}

static void put_tags(struct day *d, const struct task *t)
{
    const unsigned who = below(d, 900), chunk = below(d, 40);
    printf("]},\"task\":{\"tags\":{\"createdForUser\":\"dev%u@example.org\",\"kind\":\"%s\","
           "\"label\":\"test-%s-24.04-64/opt-mochitest-browser-chrome-swr-%u\",\"os\":\"%s\","
           "\"owned by\":\"dev%u@example.org\",\"project\":\"%s\",\"trust-domain\":\"gecko\","
           "\"worker-implementation\":\"%s\",\"retrigger\":\"true\"",
           who, chunk % 3 ? "test" : "build", t->worker->os, chunk, t->worker->os, who,
           chunk % 2 ? "autoland" : "try", chunk % 5 ? "docker-worker" : "generic-worker");
    if (chunk % 3)
        printf(",\"test-suite\":\"mochitest-browser-chrome\",\"test-platform\":\"%s-24.04-64/opt\","
               "\"test-variant\":\"swr\"",
               t->worker->os);
    printf("}}}}\n");
}

static void put_run(struct day *d, const struct task *t, unsigned i, const char *state,
                    const char *reason)
{
    const uint64_t at = t->defined_ms + UINT64_C(400000) * i;
    printf("%s{\"runId\":%u,\"state\":\"%s\",\"reasonCreated\":\"%s\",\"reasonResolved\":\"%s\","
           "\"workerGroup\":\"%s\",\"workerId\":\"41827409552%08u\",\"takenUntil\":\"%s\","
           "\"scheduled\":\"%s\",\"started\":\"%s\",\"resolved\":\"%s\"}",
           i > 0 ? "," : "", i, state, i > 0 ? "retry" : "scheduled", reason, t->worker->group,
           below(d, 20000), make_time(at + 900000).text, make_time(at).text,
           make_time(at + 60000).text, make_time(at + 360000 + below(d, 30000)).text);
}

static void put_head(const struct task *t, const char *exchange, const char *run)
{
    printf("{\"exchange\":\"exchange/taskcluster-queue/v1/%s\",\"routingKey\":"
           "\"primary.%s.%s.%s.%s.%s.gecko-level-1.%s._\",\"payload\":{\"version\":1,",
           exchange, t->id.text, run, t->worker->group, t->worker->provisioner, t->worker->type,
           t->group.text);
}

static void put_defined(struct day *d, const struct task *t)
{
    put_head(t, "task-defined", "_");
    put_status(t, "unscheduled");
    put_tags(d, t);
    d->n_left--;
}

/* How run `last` ended, of a task that had all runs before. */
static void put_end(struct day *d, const struct task *t, unsigned last)
{
    static const char *const ends[][3] = {{"task-completed", "completed", "completed"},
                                          {"task-failed", "failed", "failed"},
                                          {"task-exception", "exception", "worker-shutdown"}};
    const unsigned which = last + 1 < t->n_runs ? 2 : below(d, 100) < 85 ? 0 : 1;
    char run[8];
    (void)snprintf(run, sizeof run, "%u", last);
    put_head(t, ends[which][0], run);
    printf("\"runId\":%u,\"workerGroup\":\"%s\",\"workerId\":\"4182740955201873361\",", last,
           t->worker->group);
    put_status(t, ends[which][1]);
    for (unsigned i = 0; i < last; i++)
        put_run(d, t, i, "exception", "worker-shutdown");
    put_run(d, t, last, ends[which][1], ends[which][2]);
    put_tags(d, t);
    d->n_left--;
}

static struct task make_task(struct day *d, struct id group)
{
    return (struct task){
        .id = make_id(d),
        .group = group,
        .worker = &workers[below(d, N_WORKERS)],
        .n_runs = below(d, 100) < 92 ? 1 : 2 + below(d, MAX_RUNS - 1),
        .defined_ms = below(d, DAY_S / 2) * UINT64_C(1000) + below(d, 1000),
    };
}

static void put_messages(struct day *d)
{
    for (uint64_t i = 0; d->n_left > 0;) {
        const struct id group = make_id(d);
        for (const uint64_t end = i + 200; i < end && d->n_left > 0; i++) {
            const struct task t = make_task(d, group);
            put_defined(d, &t);
            for (unsigned run = 0; run < t.n_runs && d->n_left > 0; run++)
                put_end(d, &t, run);
        }
    }
}

static void put_tasks(struct day *d)
{
    printf("submission_date,scheduler_id,task_group_id,task_id,task_queue_id\n");
    for (uint64_t i = 0; i < d->n_left; i++)
        printf("2026-08-%02u,gecko-level-1,%s,%s,gecko-t/t-linux-docker-noscratch-amd\n",
               (unsigned)(1 + i * 20 / d->n_left), make_id(d).text, make_id(d).text);
}

static void put_runs(struct day *d)
{
    printf("submission_date,reason_created,reason_resolved,resolved,run_id,scheduled,started,state,"
           "task_id,worker_group,worker_id\n");
    for (uint64_t i = 0; i < d->n_left; i++) {
        const uint64_t at = below(d, DAY_S / 2) * UINT64_C(1000);
        printf("2026-08-%02u,scheduled,completed,%s,0,%s,%s,completed,%s,us-central1-a,"
               "41827409552%08u\n",
               (unsigned)(1 + i * 20 / d->n_left), make_time(at + 600000).text, make_time(at).text,
               make_time(at + 60000).text, make_id(d).text, below(d, 20000));
    }
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*put)(struct day *d);
    } kinds[] = {{"messages", put_messages}, {"tasks", put_tasks}, {"runs", put_runs}};
    struct day d = {.random = argc > 3 ? strtoull(argv[3], NULL, 10) << 32 : 0};
    d.n_left = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && d.n_left > 0; i++)
        if (strcmp(argv[1], kinds[i].name) == 0) {
            kinds[i].put(&d);
            return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
        }
    (void)fprintf(stderr, "usage: fxci_messages messages|tasks|runs N [SEED]\n");
    return 2;
}
