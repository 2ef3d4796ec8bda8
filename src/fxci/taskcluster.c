/* SPDX-License-Identifier: MPL-2.0 */
/* Source: fxci-etl.md 3.4, X3, X10. */
#include "fxci/taskcluster.h"

#include "fxci/taskcluster_internal.h"

#include <stdlib.h>
#include <string.h>

struct taskcluster {
    struct record_ops ops;
    struct pages *recorded; // NULL: the service
    struct service *service;
};

int taskcluster_open(struct taskcluster **out, const struct taskcluster_config *config,
                     struct err *err)
{
    struct taskcluster *t = calloc(1, sizeof *t);
    if (!t)
        return err_set(err, E_NOMEM, 0, "no memory for definitions");
    record_ops_init(&t->ops, config->cpu);
    const int r = config->pages ? pages_open(&t->recorded, config->pages, &t->ops, err)
                                : service_open(&t->service, config, &t->ops, err);
    if (r < 0) {
        taskcluster_close(t);
        return r;
    }
    *out = t;
    return 0;
}

void taskcluster_close(struct taskcluster *t)
{
    if (!t)
        return;
    pages_free(t->recorded);
    service_free(t->service);
    free(t);
}

int id_compare(struct span a, struct span b)
{
    if (a.len != b.len)
        return a.len < b.len ? -1 : 1;
    return a.len > 0 ? memcmp(a.ptr, b.ptr, a.len) : 0;
}

static int compare_ids(const void *a, const void *b)
{
    return id_compare(*(const struct span *)a, *(const struct span *)b);
}

int wanted_hand_out(void *arg, struct span task_id, struct span task, struct err *err)
{
    struct wanted *w = arg;
    const struct span *found = bsearch(&task_id, w->ids, w->n, sizeof *w->ids, compare_ids);
    if (!found || w->seen[found - w->ids])
        return 0;
    w->seen[found - w->ids] = true;
    w->stopped = w->fn(w->arg, *found, task, err);
    return w->stopped;
}

static void wanted_deinit(struct wanted *w)
{
    free(w->ids);
    free(w->seen);
}

static int wanted_fill(struct wanted *w, const struct span *ids, size_t n, struct err *err)
{
    w->ids = malloc(n * sizeof *w->ids);
    w->seen = calloc(n, sizeof *w->seen);
    if (!w->ids || !w->seen)
        return err_set(err, E_NOMEM, 0, "no memory for %zu task ids", n);
    memcpy(w->ids, ids, n * sizeof *ids);
    qsort(w->ids, n, sizeof *w->ids, compare_ids);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || id_compare(w->ids[i], w->ids[w->n - 1]) != 0)
            w->ids[w->n++] = w->ids[i];
    return 0;
}

int taskcluster_fetch(struct taskcluster *t, const struct span *ids, size_t n, definition_fn *fn,
                      void *arg, struct err *err)
{
    if (n == 0)
        return 0;
    if (n > TASKCLUSTER_MAX_IDS)
        return err_set(err, E_ARG, 0, "%zu task ids at a time, and %d is the most", n,
                       TASKCLUSTER_MAX_IDS);
    CLEANUP(wanted_deinit) struct wanted w = {.fn = fn, .arg = arg};
    const int r = wanted_fill(&w, ids, n, err);
    if (r < 0)
        return r;
    return t->recorded ? pages_fetch(t->recorded, &w, err) : service_fetch(t->service, &w, err);
}
