/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/similarity/bisect.h"

#include "taar/similarity/bisect_internal.h"
#include "taar/similarity/rng.h"

#include <float.h>
#include <math.h>

enum { LEVELS_MAX = 63, ITERATIONS = 20, NO_NODE = -1 };
static const double noise_level = 1e-4;

struct node {
    struct segment s;
    double cost; // sum of squared distances to the mean
    int left, right;
};

struct tree {
    struct passes passes;
    struct node *nodes; // the root first, children behind their parents
    size_t n_nodes;
    int *active, *chosen; // nodes of a level
    size_t n_active, n_chosen;
    int64_t *total; // sums of the cluster that is divided
    struct boundary boundary;
    uint64_t seed;
};

static void tree_deinit(struct tree *t)
{
    passes_deinit(&t->passes);
    free(t->nodes);
    free(t->active);
    free(t->chosen);
    free(t->total);
    free(t->boundary.direction);
}

static bool tree_alloc(struct tree *t, uint32_t n_dimensions, uint32_t n_clusters)
{
    // A division makes two nodes at most, and there is one less than clusters.
    const size_t n_nodes = 2 * (size_t)n_clusters;
    const size_t dims = (size_t)n_dimensions + 1;
    t->nodes = calloc(n_nodes, sizeof *t->nodes);
    t->active = calloc(n_nodes, sizeof *t->active);
    t->chosen = calloc(n_nodes, sizeof *t->chosen);
    t->total = malloc(dims * sizeof *t->total);
    t->boundary.direction = malloc(dims * sizeof *t->boundary.direction);
    return t->nodes && t->active && t->chosen && t->total && t->boundary.direction;
}

/*
 * Of n counts with sum S the squared distances to S/n add up to what they are around the whole
 * number q below S/n, which is exact, less r^2/n, r being what q leaves of S. So equal counts cost
 * nothing at all, where sum of squares less square of sums would leave rounding noise.
 */
static double spread(int64_t sum, int64_t square, size_t n)
{
    const int64_t q = sum / (int64_t)n, r = sum % (int64_t)n;
    const int64_t around = square - 2 * q * sum + q * q * (int64_t)n;
    return (double)around - (double)r * ((double)r / (double)n);
}

static int add_node(struct tree *t, struct segment s, int *number, struct err *err)
{
    const struct features *f = t->passes.f;
    struct node node = {.s = s, .left = NO_NODE, .right = NO_NODE};
    const int r = passes_measure(&t->passes, s, err);
    for (uint32_t d = 0; d < f->n_dimensions && r == 0; d++)
        node.cost +=
            f->weight[d] * f->weight[d] * spread(t->passes.sum[d], t->passes.square[d], s.n);
    *number = (int)t->n_nodes;
    t->nodes[t->n_nodes++] = node;
    return r;
}

/* Two centres around the mean, as far from it as noise says. */
static void start_boundary(struct tree *t, int number)
{
    const struct features *f = t->passes.f;
    const double n = (double)t->nodes[number].s.n;
    struct rng rng = rng_stream(t->seed, RNG_SPLIT, (uint64_t)number);
    double norm = 0;
    for (uint32_t d = 0; d < f->n_dimensions; d++) {
        const double mean = f->weight[d] * ((double)t->total[d] / n);
        norm += mean * mean;
    }
    norm = sqrt(norm);
    t->boundary.threshold = 0;
    for (uint32_t d = 0; d < f->n_dimensions; d++) {
        const double mean = f->weight[d] * ((double)t->total[d] / n);
        const double between = 2 * noise_level * norm * rng_unit(&rng);
        t->boundary.direction[d] = f->weight[d] * between;
        t->boundary.threshold += between * mean;
    }
}

/* Between the means of both sides; sum is that of the left one. */
static void move_boundary(struct tree *t, size_t n_left, size_t n_right)
{
    const struct features *f = t->passes.f;
    t->boundary.threshold = 0;
    for (uint32_t d = 0; d < f->n_dimensions; d++) {
        const int64_t sum = t->passes.sum[d];
        const double left = (double)sum / (double)n_left;
        const double right = (double)(t->total[d] - sum) / (double)n_right;
        t->boundary.direction[d] = f->weight[d] * f->weight[d] * (right - left);
        t->boundary.threshold += t->boundary.direction[d] * (right + left) / 2;
    }
}

/* Where nothing moves, further iterations would change nothing; where one side is empty, it is
 * dropped and the other has all. */
static int iterate(struct tree *t, int number, size_t *n_left, struct err *err)
{
    const struct segment s = t->nodes[number].s;
    int r = passes_measure(&t->passes, s, err);
    if (r < 0)
        return r;
    memcpy(t->total, t->passes.sum, t->passes.f->n_dimensions * sizeof *t->total);
    start_boundary(t, number);
    bool moved = true;
    for (int i = 0; i <= ITERATIONS && moved && r == 0; i++) {
        r = passes_assign(&t->passes, s, &t->boundary, n_left, &moved, err);
        moved |= i == 0;
        if (*n_left == 0 || *n_left == s.n)
            return r;
        move_boundary(t, *n_left, s.n - *n_left);
    }
    return r;
}

static int divide(struct tree *t, int number, struct err *err)
{
    const struct segment s = t->nodes[number].s;
    size_t n_left = 0;
    int left = NO_NODE, right = NO_NODE;
    int r = iterate(t, number, &n_left, err);
    if (r < 0)
        return r;
    passes_part(&t->passes, s);
    if (n_left > 0)
        r = add_node(t, (struct segment){s.first, n_left}, &left, err);
    if (r == 0 && n_left < s.n)
        r = add_node(t, (struct segment){s.first + n_left, s.n - n_left}, &right, err);
    t->nodes[number].left = left;
    t->nodes[number].right = right;
    return r;
}

static int compare_sizes(const void *a, const void *b, void *arg)
{
    const struct node *nodes = arg;
    const int x = *(const int *)a, y = *(const int *)b;
    const size_t of_x = nodes[x].s.n, of_y = nodes[y].s.n;
    return of_x != of_y ? (of_x < of_y) - (of_x > of_y) : (x > y) - (x < y);
}

/* Those of a level that can be divided; the largest where that are more than needed. */
static void choose(struct tree *t, size_t needed)
{
    t->n_chosen = 0;
    for (size_t i = 0; i < t->n_active; i++) {
        const struct node *node = &t->nodes[t->active[i]];
        if (node->cost > DBL_EPSILON * (double)node->s.n)
            t->chosen[t->n_chosen++] = t->active[i];
    }
    if (t->n_chosen <= needed)
        return;
    qsort_r(t->chosen, t->n_chosen, sizeof *t->chosen, compare_sizes, t->nodes);
    t->n_chosen = needed;
}

static int divide_chosen(struct tree *t, struct err *err)
{
    int r = 0;
    t->n_active = 0;
    for (size_t i = 0; i < t->n_chosen && r == 0; i++) {
        r = divide(t, t->chosen[i], err);
        const struct node *node = &t->nodes[t->chosen[i]];
        if (node->left != NO_NODE)
            t->active[t->n_active++] = node->left;
        if (node->right != NO_NODE)
            t->active[t->n_active++] = node->right;
    }
    return r;
}

static int grow(struct tree *t, uint32_t n_clusters, struct err *err)
{
    const struct segment all = {0, t->passes.f->n};
    int r = add_node(t, all, &t->active[0], err);
    t->n_active = 1;
    size_t needed = n_clusters - 1;
    for (int level = 0; level < LEVELS_MAX && t->n_active > 0 && needed > 0 && r == 0; level++) {
        choose(t, needed);
        needed -= t->n_chosen;
        r = divide_chosen(t, err);
    }
    return r;
}

/* Depth is bounded by LEVELS_MAX. */
static void number_leaves(const struct tree *t, int number, uint32_t *cluster_of, uint32_t *n)
{
    const struct node *node = &t->nodes[number];
    if (node->left == NO_NODE && node->right == NO_NODE) {
        for (size_t i = node->s.first; i < node->s.first + node->s.n; i++)
            cluster_of[t->passes.order[i]] = *n;
        ++*n;
        return;
    }
    if (node->left != NO_NODE)
        number_leaves(t, node->left, cluster_of, n);
    if (node->right != NO_NODE)
        number_leaves(t, node->right, cluster_of, n);
}

int bisect(const struct features *f, const struct bisect_config *config, uint32_t *cluster_of,
           uint32_t *n_clusters, struct err *err)
{
    CLEANUP(tree_deinit) struct tree tree = {.seed = config->seed};
    *n_clusters = 0;
    if (f->n == 0)
        return 0;
    if (!tree_alloc(&tree, f->n_dimensions, config->n_clusters))
        return err_set(err, E_NOMEM, 0, "no memory for %u clusters", config->n_clusters);
    int r = passes_init(&tree.passes, f, config->n_workers, err);
    if (r == 0)
        r = grow(&tree, config->n_clusters, err);
    if (r == 0)
        number_leaves(&tree, 0, cluster_of, n_clusters);
    return r;
}
