/* backend.h - what a backend of the profiles does for profiles.c. */
#pragma once

#include "profiles/batch.h"

/* Rows that could not be written, and why the first of them could not. */
struct failures {
    uint64_t n;
    struct err first;
};

/* impl is the backend's handle. Keys, values and times were checked before. */
struct profiles_ops {
    /* A batch's rows have no order among each other: none may have a key twice. */
    bool unordered;
    void (*close)(void *impl);
    int (*ensure_table)(void *impl, struct err *err);
    /**
     * Write the rows, or begin to. *batch may become another one, and is to be cleared by the
     * caller either way. @return 0, or E_*: none of them was taken.
     */
    int (*send)(void *impl, struct batch **batch, struct err *err);
    /** Wait until all that was sent is durable, or failed; add what failed. */
    void (*settle)(void *impl, struct failures *failures);
    int (*collect)(void *impl, int64_t before_us, uint64_t *n, struct err *err);
    int (*get)(void *impl, struct span key, struct buf *value, struct err *err);
    int (*each)(void *impl, profiles_fn *fn, void *arg, struct err *err);
};

/* Open what follows "lmdb://" and "bigtable://". */
int lmdb_backend_open(void **impl, const struct profiles_config *config, const char *rest,
                      struct err *err);
int bigtable_backend_open(void **impl, const struct profiles_config *config, const char *rest,
                          struct err *err);
extern const struct profiles_ops lmdb_ops, bigtable_ops;
