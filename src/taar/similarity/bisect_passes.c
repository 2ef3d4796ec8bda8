/* SPDX-License-Identifier: MPL-2.0 */
/* Workers take blocks of points; what they add up are whole numbers, so that neither their number
 * nor their order shows in the sums. */
#include "base/pool.h"
#include "taar/similarity/bisect_internal.h"

#include <stdatomic.h>

enum { BLOCK_POINTS = 8192 };

int passes_init(struct passes *p, const struct features *f, unsigned n_workers, struct err *err)
{
    const size_t n = f->n + 1, dims = (size_t)f->n_dimensions + 1;
    *p = (struct passes){.f = f, .n_workers = n_workers};
    p->order = malloc(n * sizeof *p->order);
    p->is_right = calloc(n, sizeof *p->is_right);
    p->spare = malloc(n * sizeof *p->spare);
    p->sum = malloc(dims * sizeof *p->sum);
    p->square = malloc(dims * sizeof *p->square);
    if (!p->order || !p->is_right || !p->spare || !p->sum || !p->square)
        return err_set(err, E_NOMEM, 0, "no memory to divide %zu clients", f->n);
    for (size_t i = 0; i < f->n; i++)
        p->order[i] = (uint32_t)i;
    return 0;
}

void passes_deinit(struct passes *p)
{
    free(p->order);
    free(p->is_right);
    free(p->spare);
    free(p->sum);
    free(p->square);
}

struct pass {
    struct passes *p;
    struct segment s;
    const struct boundary *boundary; // NULL: measure
    atomic_size_t next;              // block
    pthread_mutex_t lock;            // of what follows, and of the sums
    size_t n_left;
    bool moved;
};

/* A worker's part of the sums. */
struct part {
    int64_t *sum, *square;
    size_t n_left;
    bool moved;
};

static void measure_point(struct part *part, const struct features *f, size_t point)
{
    for (uint64_t t = f->first[point]; t < f->first[point + 1]; t++) {
        const uint32_t d = term_dimension(f->terms[t]);
        const int64_t count = term_count(f->terms[t]);
        part->sum[d] += count;
        part->square[d] += count * count;
    }
}

static void assign_point(struct part *part, const struct features *f, size_t point,
                         const struct boundary *boundary, uint8_t *is_right)
{
    double place = 0;
    for (uint64_t t = f->first[point]; t < f->first[point + 1]; t++)
        place += term_count(f->terms[t]) * boundary->direction[term_dimension(f->terms[t])];
    const bool right = place > boundary->threshold;
    part->moved |= right != *is_right;
    *is_right = right;
    if (right)
        return;
    part->n_left++;
    for (uint64_t t = f->first[point]; t < f->first[point + 1]; t++)
        part->sum[term_dimension(f->terms[t])] += term_count(f->terms[t]);
}

static void take_blocks(struct pass *pass, struct part *part)
{
    struct passes *p = pass->p;
    const size_t end = pass->s.first + pass->s.n;
    for (;;) {
        const size_t from = pass->s.first + atomic_fetch_add(&pass->next, 1) * BLOCK_POINTS;
        if (from >= end)
            return;
        const size_t to = end - from < BLOCK_POINTS ? end : from + BLOCK_POINTS;
        for (size_t i = from; i < to; i++) {
            if (pass->boundary)
                assign_point(part, p->f, p->order[i], pass->boundary, &p->is_right[i]);
            else
                measure_point(part, p->f, p->order[i]);
        }
    }
}

static void add_part(struct pass *pass, const struct part *part)
{
    (void)pthread_mutex_lock(&pass->lock);
    pass->n_left += part->n_left;
    pass->moved |= part->moved;
    for (uint32_t d = 0; d < pass->p->f->n_dimensions; d++) {
        pass->p->sum[d] += part->sum[d];
        pass->p->square[d] += part->square[d];
    }
    (void)pthread_mutex_unlock(&pass->lock);
}

static int work(unsigned index, void *arg, struct err *err)
{
    struct pass *pass = arg;
    const size_t dims = (size_t)pass->p->f->n_dimensions + 1;
    int64_t *sums = calloc(2 * dims, sizeof *sums);
    (void)index;
    if (!sums)
        return err_set(err, E_NOMEM, 0, "no memory for sums of %zu dimensions", dims);
    struct part part = {.sum = sums, .square = sums + dims};
    take_blocks(pass, &part);
    add_part(pass, &part);
    free(sums);
    return 0;
}

static int run_pass(struct pass *pass, struct err *err)
{
    struct passes *p = pass->p;
    const size_t n_blocks = (pass->s.n + BLOCK_POINTS - 1) / BLOCK_POINTS;
    const unsigned n = n_blocks < p->n_workers ? (unsigned)n_blocks : p->n_workers;
    memset(p->sum, 0, p->f->n_dimensions * sizeof *p->sum);
    memset(p->square, 0, p->f->n_dimensions * sizeof *p->square);
    if (pthread_mutex_init(&pass->lock, NULL) != 0)
        return err_set(err, E_NOMEM, 0, "no memory for a lock");
    const int r = pool_run(n > 0 ? n : 1, work, pass, err);
    (void)pthread_mutex_destroy(&pass->lock);
    return r;
}

int passes_measure(struct passes *p, struct segment s, struct err *err)
{
    struct pass pass = {.p = p, .s = s};
    return run_pass(&pass, err);
}

int passes_assign(struct passes *p, struct segment s, const struct boundary *boundary,
                  size_t *n_left, bool *moved, struct err *err)
{
    struct pass pass = {.p = p, .s = s, .boundary = boundary};
    const int r = run_pass(&pass, err);
    *n_left = pass.n_left;
    *moved = pass.moved;
    return r;
}

void passes_part(struct passes *p, struct segment s)
{
    size_t n_left = 0, n_right = 0;
    for (size_t i = s.first; i < s.first + s.n; i++) {
        if (p->is_right[i])
            p->spare[n_right++] = p->order[i];
        else
            p->order[s.first + n_left++] = p->order[i];
    }
    if (n_right > 0)
        memcpy(p->order + s.first + n_left, p->spare, n_right * sizeof *p->spare);
    memset(p->is_right + s.first, 0, s.n);
}
