/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/similarity/features.h"

#include <math.h>

static const uint32_t unknown = UINT32_MAX;

/* While it is built. */
struct build {
    const struct clients *c;
    uint32_t *index_of_name;             // unknown: of a text that is no add-on
    uint32_t *frequency;                 // N_FEATURES
    uint32_t *dimension;                 // N_FEATURES
    uint32_t scratch[CLIENT_ADDONS_MAX]; // a client's indices, ascending
};

static void build_deinit(struct build **b)
{
    if (*b) {
        free((*b)->index_of_name);
        free((*b)->frequency);
        free((*b)->dimension);
    }
    free(*b);
}

void features_deinit(struct features *f)
{
    free(f->first);
    free(f->terms);
    free(f->index);
    free(f->frequency);
    free(f->weight);
    *f = (struct features){.n = 0};
}

static struct build *build_new(const struct clients *c)
{
    struct build *b = calloc(1, sizeof *b);
    if (!b)
        return NULL;
    b->c = c;
    b->index_of_name = malloc(((size_t)c->names.n + 1) * sizeof *b->index_of_name);
    b->frequency = calloc(N_FEATURES, sizeof *b->frequency);
    b->dimension = calloc(N_FEATURES, sizeof *b->dimension);
    if (!b->index_of_name || !b->frequency || !b->dimension) {
        build_deinit(&b);
        return NULL;
    }
    for (uint32_t i = 0; i < c->names.n; i++)
        b->index_of_name[i] = unknown;
    return b;
}

/* A client's indices into scratch, by insertion: lists are short. @return how many. */
static size_t sort_indices(struct build *b, const struct client *client)
{
    const uint32_t *addons = clients_addons(b->c, client);
    for (size_t i = 0; i < client->n_addons; i++) {
        uint32_t *index = &b->index_of_name[addons[i]];
        if (*index == unknown)
            *index = term_index(names_get(&b->c->names, addons[i]));
        size_t at = i;
        for (; at > 0 && b->scratch[at - 1] > *index; at--)
            b->scratch[at] = b->scratch[at - 1];
        b->scratch[at] = *index;
    }
    return client->n_addons;
}

/* @return different terms of all points together. */
static uint64_t count_frequencies(struct build *b)
{
    uint64_t n_terms = 0;
    for (size_t i = 0; i < clients_count(b->c); i++) {
        const size_t n = sort_indices(b, clients_get(b->c, i));
        for (size_t k = 0; k < n; k++)
            if (k == 0 || b->scratch[k] != b->scratch[k - 1]) {
                b->frequency[b->scratch[k]]++;
                n_terms++;
            }
    }
    return n_terms;
}

static uint32_t number_dimensions(struct build *b)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < N_FEATURES; i++)
        if (b->frequency[i] > 0)
            b->dimension[i] = n++;
    return n;
}

static void fill_dimensions(struct features *f, const struct build *b)
{
    for (uint32_t i = 0; i < N_FEATURES; i++)
        if (b->frequency[i] > 0) {
            const uint32_t d = b->dimension[i];
            f->index[d] = i;
            f->frequency[d] = b->frequency[i];
            f->weight[d] = log(((double)f->n + 1) / ((double)b->frequency[i] + 1));
        }
}

static void fill_terms(struct features *f, struct build *b)
{
    uint64_t at = 0;
    for (size_t i = 0; i < f->n; i++) {
        const size_t n = sort_indices(b, clients_get(b->c, i));
        f->first[i] = at;
        for (size_t k = 0; k < n; k++) {
            if (k == 0 || b->scratch[k] != b->scratch[k - 1])
                f->terms[at++] = b->dimension[b->scratch[k]] << TERM_COUNT_BITS;
            f->terms[at - 1]++;
        }
    }
    f->first[f->n] = at;
}

static bool allocate(struct features *f, uint64_t n_terms)
{
    const size_t n = (size_t)f->n_dimensions + 1; // never of nothing
    f->first = malloc((f->n + 1) * sizeof *f->first);
    f->terms = malloc((n_terms + 1) * sizeof *f->terms);
    f->index = malloc(n * sizeof *f->index);
    f->frequency = malloc(n * sizeof *f->frequency);
    f->weight = malloc(n * sizeof *f->weight);
    return f->first && f->terms && f->index && f->frequency && f->weight;
}

int features_build(struct features *f, const struct clients *c, struct err *err)
{
    CLEANUP(build_deinit) struct build *b = build_new(c);
    if (!b)
        return err_set(err, E_NOMEM, 0, "no memory for features");
    const uint64_t n_terms = count_frequencies(b);
    *f = (struct features){.n = clients_count(c), .n_dimensions = number_dimensions(b)};
    if (!allocate(f, n_terms)) {
        features_deinit(f);
        return err_set(err, E_NOMEM, 0, "no memory for features");
    }
    fill_dimensions(f, b);
    fill_terms(f, b);
    return 0;
}
