/* SPDX-License-Identifier: MPL-2.0 */
#include "prio/batch.h"

#include "base/cpu.h"
#include "prio/seal.h"
#include "prio/wire.h"

#include <stdlib.h>

static bool options_valid(const struct prio_batch_options *o)
{
    if (o == NULL || o->n_data < 1 || o->n_data > PRIO_MAX_DATA ||
        o->batch_id_len > PRIO_MAX_BATCH_ID || (o->batch_id == NULL && o->batch_id_len > 0))
        return false;
    if (o->prg != PRIO_PRG_HASHED && o->prg != PRIO_PRG_LEGACY)
        return false;
    return o->read_nul_batch_id || o->batch_id_len == 0 ||
           memchr(o->batch_id, 0, o->batch_id_len) == NULL;
}

/* libprio copied the id with a string function into a zeroed block, so nothing behind the first NUL
 * survived (section 11). */
static bool copy_id(struct prio_batch *b, const struct prio_batch_options *o)
{
    uint8_t *id = calloc(1, o->batch_id_len + 1);
    if (id == NULL)
        return false;
    for (size_t i = 0; i < o->batch_id_len && ((const uint8_t *)o->batch_id)[i] != 0; i++)
        id[i] = ((const uint8_t *)o->batch_id)[i];
    b->id = span_of(id, o->batch_id_len);
    return true;
}

int prio_batch_new(struct prio_batch **out, const struct prio_batch_options *options)
{
    unsigned mask;
    if (out == NULL || !options_valid(options) || cpu_parse_level(&mask, options->cpu, NULL) < 0)
        return PRIO_E_ARG;
    struct prio_batch *b = calloc(1, sizeof *b);
    if (b == NULL)
        return PRIO_E_NOMEM;
    b->n = options->n_data;
    b->prg = options->prg;
    b->cpu = cpu_detect() & mask;
    for (b->n_points = 2; b->n_points < b->n + 1; b->n_points *= 2)
        ;
    if (options->cpu != NULL)
        vec_ops_init(&b->ops, b->cpu);
    else
        vec_ops_choose(&b->ops, b->cpu);
    int r = suite_init(&b->suite);
    if (r == PRIO_OK && !copy_id(b, options))
        r = PRIO_E_NOMEM;
    if (r != PRIO_OK) {
        prio_batch_free(b);
        return r;
    }
    *out = b;
    return PRIO_OK;
}

void prio_batch_free(struct prio_batch *batch)
{
    if (batch == NULL)
        return;
    suite_deinit(&batch->suite);
    free((void *)(uintptr_t)
             batch->id.ptr); // the span's const is for its readers; the batch owns the bytes
    free(batch);
}

size_t prio_batch_n_data(const struct prio_batch *batch)
{
    return batch->n;
}

size_t prio_batch_n_points(const struct prio_batch *batch)
{
    return batch->n_points;
}

const char *prio_batch_cpu(const struct prio_batch *batch)
{
    return cpu_level_name(batch->cpu);
}

size_t batch_plain_max(const struct prio_batch *batch, enum prio_role role)
{
    const size_t head = wire_head_max(batch->id.len);
    if (role == PRIO_SERVER_B)
        return head + 1 + PRIO_SECRET_BYTES;
    return head + wire_vector_max(batch->n) + wire_vector_max(batch->n_points);
}

size_t prio_batch_share_max(const struct prio_batch *batch, enum prio_role role)
{
    return batch_plain_max(batch, role) + SEAL_BYTES;
}
