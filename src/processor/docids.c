/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/docids.h"

#include "base/tempfile.h"

#include <stdlib.h>
#include <string.h>

enum { MIN_SLOTS = 16, BLOCK_ENTRIES = 2048 };

/* A part of the temporary file, sorted by (digest, number), and the block of it in memory. */
struct run {
    uint64_t at, end;
    size_t next, n;
    struct docids_ping *block; // [BLOCK_ENTRIES]
};

struct docids {
    struct docids_ping *slots; // an empty slot's digest is all zeros
    size_t n_slots, used;      // n_slots: a power of two
    struct tempfile file;
    struct run *runs;
    size_t n_runs;
};

int docids_new(struct docids **out, const char *tmp_dir, size_t memory_bytes, struct err *err)
{
    CLEANUP(docids_freep) struct docids *d = calloc(1, sizeof *d);
    if (!d)
        return err_set(err, E_NOMEM, 0, "no memory for document ids");
    d->file = TEMPFILE_INIT;
    d->n_slots = MIN_SLOTS;
    while (2 * d->n_slots * sizeof *d->slots <= memory_bytes)
        d->n_slots *= 2;
    d->slots = calloc(d->n_slots, sizeof *d->slots);
    if (!d->slots)
        return err_set(err, E_NOMEM, 0, "no memory for %zu document ids", d->n_slots);
    const int r = tempfile_open(&d->file, tmp_dir, err);
    if (r < 0)
        return r;
    *out = d;
    d = NULL;
    return 0;
}

void docids_free(struct docids *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < d->n_runs; i++)
        free(d->runs[i].block);
    free(d->runs);
    free(d->slots);
    tempfile_close(&d->file);
    free(d);
}

static bool is_empty(const struct docids_ping *slot)
{
    static const struct digest zero;
    return memcmp(&slot->digest, &zero, sizeof zero) == 0;
}

static int compare(const void *a, const void *b)
{
    const struct docids_ping *x = a, *y = b;
    const int order = memcmp(&x->digest, &y->digest, sizeof x->digest);
    return order != 0 ? order : (x->number > y->number) - (x->number < y->number);
}

/* Write the table as a run, and empty it. */
static int spill(struct docids *d, struct err *err)
{
    struct run *runs = realloc(d->runs, (d->n_runs + 1) * sizeof *runs);
    if (!runs)
        return err_set(err, E_NOMEM, 0, "no memory for %zu runs", d->n_runs + 1);
    d->runs = runs;
    size_t n = 0;
    for (size_t i = 0; i < d->n_slots; i++)
        if (!is_empty(&d->slots[i]))
            d->slots[n++] = d->slots[i];
    qsort(d->slots, n, sizeof *d->slots, compare);
    const uint64_t at = d->file.end;
    const int r = tempfile_append(&d->file, d->slots, n * sizeof *d->slots, err);
    if (r < 0)
        return r;
    d->runs[d->n_runs++] = (struct run){.at = at, .end = d->file.end};
    memset(d->slots, 0, d->n_slots * sizeof *d->slots);
    d->used = 0;
    return 0;
}

int docids_add(struct docids *d, const struct docids_ping *ping, struct err *err)
{
    if (4 * d->used >= 3 * d->n_slots) {
        const int r = spill(d, err);
        if (r < 0)
            return r;
    }
    size_t start; // digests are keyed: nobody can aim at one place
    memcpy(&start, ping->digest.bytes, sizeof start);
    for (size_t i = start & (d->n_slots - 1);; i = (i + 1) & (d->n_slots - 1)) {
        struct docids_ping *slot = &d->slots[i];
        if (is_empty(slot)) {
            *slot = *ping;
            d->used++;
            return 1;
        }
        if (memcmp(&slot->digest, &ping->digest, sizeof slot->digest) == 0)
            return 0;
    }
}

/* Make a run's next entry available. @return 1, 0: it has none, or E_*. */
static int refill(struct docids *d, struct run *run, struct err *err)
{
    if (run->next < run->n)
        return 1;
    if (run->at == run->end)
        return 0;
    if (!run->block)
        run->block = malloc(BLOCK_ENTRIES * sizeof *run->block);
    if (!run->block)
        return err_set(err, E_NOMEM, 0, "no memory for a block of document ids");
    const uint64_t left = (run->end - run->at) / sizeof *run->block;
    run->n = left < BLOCK_ENTRIES ? (size_t)left : BLOCK_ENTRIES;
    run->next = 0;
    const int r = tempfile_read(&d->file, run->at, run->block, run->n * sizeof *run->block, err);
    run->at += run->n * sizeof *run->block;
    return r < 0 ? r : 1;
}

static bool is_less(const struct run *a, const struct run *b)
{
    return compare(&a->block[a->next], &b->block[b->next]) < 0;
}

/* The run whose next entry is the least. @return 1, 0: all are at their end, or E_*. */
static int find_least(struct docids *d, struct run **least, struct err *err)
{
    *least = NULL;
    for (size_t i = 0; i < d->n_runs; i++) {
        const int more = refill(d, &d->runs[i], err);
        if (more < 0)
            return more;
        if (more && (!*least || is_less(&d->runs[i], *least)))
            *least = &d->runs[i];
    }
    return *least != NULL;
}

int docids_finish(struct docids *d, void (*visit)(void *arg, const struct docids_ping *ping),
                  void *arg, struct err *err)
{
    if (d->n_runs == 0)
        return 0;
    int r = spill(d, err);
    if (r < 0)
        return r;
    struct digest last = {0};
    struct run *least;
    while ((r = find_least(d, &least, err)) == 1) {
        const struct docids_ping *ping = &least->block[least->next++];
        if (memcmp(&ping->digest, &last, sizeof last) == 0)
            visit(arg, ping);
        last = ping->digest;
    }
    return r;
}
