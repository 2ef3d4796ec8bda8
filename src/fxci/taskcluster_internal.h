/* taskcluster_internal.h - what the two sources of definitions share. */
#pragma once

#include "fxci/taskcluster.h"

/* What one fetch asks for: each id once, sorted, and which of them were handed out. */
struct wanted {
    struct span *ids;
    bool *seen;
    size_t n;
    definition_fn *fn;
    void *arg;
    int stopped; // what fn returned, where that was not 0
};
/** A definition_fn: hands out what is wanted and was not yet seen; arg is the struct wanted. */
int wanted_hand_out(void *arg, struct span task_id, struct span task, struct err *err);
/** By length, then by bytes. */
int id_compare(struct span a, struct span b);

/* Recorded pages, by task id. */
struct pages;
/** @return 0, E_ABSENT, E_FORMAT naming the file, E_NOMEM, E_IO. */
MUST_CHECK int pages_open(struct pages **out, const char *path, const struct record_ops *ops,
                          struct err *err);
void pages_free(struct pages *r);
MUST_CHECK int pages_fetch(const struct pages *r, struct wanted *w, struct err *err);

/* The queue service. */
struct service;
MUST_CHECK int service_open(struct service **out, const struct taskcluster_config *config,
                            const struct record_ops *ops, struct err *err);
void service_free(struct service *s);
MUST_CHECK int service_fetch(struct service *s, struct wanted *w, struct err *err);
