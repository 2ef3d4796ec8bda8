/* SPDX-License-Identifier: MPL-2.0 */
/* Pairs by a hash with open places, and their JSON. */
#include "taar/lite.h"

#include <inttypes.h>

#define PAIR_FREE UINT64_MAX
enum { FIRST_SLOTS = 1 << 12 };

struct entry {
    uint32_t key, co; // by rank
    uint64_t n;
};

/* Add-ons in the order of their bytes. */
struct order {
    uint32_t *ranks;    // by place
    uint32_t *places;   // by rank
    struct span *names; // by rank, as JSON spells them
};

void coinstallation_deinit(struct coinstallation *c)
{
    free(c->slots);
    *c = (struct coinstallation){0};
}

static struct pair_slot *find_slot(struct pair_slot *slots, size_t n_slots, uint64_t key)
{
    static const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t h = key * odd;
    h ^= h >> 32;
    size_t i = (size_t)h & (n_slots - 1);
    while (slots[i].key != key && slots[i].key != PAIR_FREE)
        i = (i + 1) & (n_slots - 1);
    return &slots[i];
}

static int grow(struct coinstallation *c, struct err *err)
{
    const size_t n_slots = c->n_slots > 0 ? 2 * c->n_slots : FIRST_SLOTS;
    struct pair_slot *slots = malloc(n_slots * sizeof *slots);
    if (!slots)
        return err_set(err, E_NOMEM, 0, "no memory for %zu pairs of add-ons", c->n_pairs);
    for (size_t i = 0; i < n_slots; i++)
        slots[i] = (struct pair_slot){PAIR_FREE, 0};
    for (size_t i = 0; i < c->n_slots; i++)
        if (c->slots[i].key != PAIR_FREE)
            *find_slot(slots, n_slots, c->slots[i].key) = c->slots[i];
    free(c->slots);
    c->slots = slots;
    c->n_slots = n_slots;
    return 0;
}

/* Twice for equal places: [g, g] is n[g][g] = 2. */
int coinstallation_add(struct coinstallation *c, size_t a, size_t b, uint64_t n, struct err *err)
{
    const uint64_t key = a < b ? (uint64_t)a << 32 | b : (uint64_t)b << 32 | a;
    if (c->n_pairs >= c->n_slots / 2) {
        const int r = grow(c, err);
        if (r < 0)
            return r;
    }
    struct pair_slot *slot = find_slot(c->slots, c->n_slots, key);
    c->n_pairs += slot->key == PAIR_FREE;
    slot->key = key;
    slot->n += a == b ? 2 * n : n;
    c->n_counted += 2 * n;
    return 0;
}

static int by_bytes(const void *a, const void *b, void *arg)
{
    const struct span *list = arg;
    const struct span x = list[*(const uint32_t *)a], y = list[*(const uint32_t *)b];
    const size_t n = x.len < y.len ? x.len : y.len;
    const int order = n > 0 ? memcmp(x.ptr, y.ptr, n) : 0;
    return order != 0 ? order : (x.len > y.len) - (x.len < y.len);
}

static int by_rank(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return (x->co > y->co) - (x->co < y->co);
}

static void order_deinit(struct order *o)
{
    free(o->ranks);
    free(o->places);
    free(o->names);
}

static void rank(const struct order *o, const struct guids *guids)
{
    for (size_t i = 0; i < guids->n; i++)
        o->places[i] = (uint32_t)i;
    qsort_r(o->places, guids->n, sizeof *o->places, by_bytes, guids->list);
    for (size_t i = 0; i < guids->n; i++)
        o->ranks[o->places[i]] = (uint32_t)i;
}

/* Both directions, sorted. */
static int list_entries(struct entry **out, size_t *n, const struct coinstallation *c,
                        const uint32_t *ranks, struct err *err)
{
    struct entry *entries = calloc(2 * c->n_pairs + 1, sizeof *entries);
    if (!entries)
        return err_set(err, E_NOMEM, 0, "no memory to sort %zu pairs of add-ons", c->n_pairs);
    *n = 0;
    for (size_t i = 0; i < c->n_slots; i++) {
        const struct pair_slot *slot = &c->slots[i];
        if (slot->key == PAIR_FREE)
            continue;
        const uint32_t a = ranks[slot->key >> 32], b = ranks[slot->key & UINT32_MAX];
        entries[(*n)++] = (struct entry){a, b, slot->n};
        if (a != b)
            entries[(*n)++] = (struct entry){b, a, slot->n};
    }
    qsort(entries, *n, sizeof *entries, by_rank);
    *out = entries;
    return 0;
}

static int append_entry(struct buf *out, const struct entry *e, const struct entry *before,
                        const struct span *names, struct err *err)
{
    const bool new = !before || before->key != e->key;
    int r = before && new ? buf_append_str(out, "}, ", err) : 0;
    if (r == 0 && new)
        r = buf_append(out, names[e->key].ptr, names[e->key].len, err);
    if (r == 0)
        r = buf_append_str(out, new ? ": {" : ", ", err);
    if (r == 0)
        r = buf_append(out, names[e->co].ptr, names[e->co].len, err);
    return r < 0 ? r : buf_printf(out, err, ": %" PRIu64, e->n);
}

static int append_entries(struct buf *out, const struct coinstallation *c, const struct order *o,
                          struct err *err)
{
    struct entry *entries = NULL;
    size_t n = 0;
    int r = list_entries(&entries, &n, c, o->ranks, err);
    for (size_t i = 0; r == 0 && i < n; i++)
        r = append_entry(out, &entries[i], i > 0 ? &entries[i - 1] : NULL, o->names, err);
    if (r == 0 && n > 0)
        r = buf_append_str(out, "}", err);
    free(entries);
    return r;
}

/* The names lie in spelled. */
static int spell_names(struct buf *spelled, const struct order *o, const struct guids *guids,
                       struct err *err)
{
    int r = 0;
    for (size_t i = 0; i < guids->n && r == 0; i++) {
        const size_t before = spelled->len;
        r = append_json_text(spelled, guids->list[o->places[i]], err);
        o->names[i].len = spelled->len - before;
    }
    const uint8_t *at = spelled->data; // which moves no more
    for (size_t i = 0; i < guids->n && r == 0; at += o->names[i].len, i++)
        o->names[i].ptr = at;
    return r;
}

int coinstallation_json(struct buf *out, const struct coinstallation *c, struct err *err)
{
    const struct guids *guids = &c->whitelist->guids;
    CLEANUP(buf_deinit) struct buf spelled = BUF_INIT(SIZE_MAX);
    CLEANUP(order_deinit)
    struct order order = {
        .ranks = calloc(guids->n + 1, sizeof *order.ranks),
        .places = calloc(guids->n + 1, sizeof *order.places),
        .names = calloc(guids->n + 1, sizeof *order.names),
    };
    if (!order.ranks || !order.places || !order.names)
        return err_set(err, E_NOMEM, 0, "no memory to sort add-ons");
    rank(&order, guids);
    int r = spell_names(&spelled, &order, guids, err);
    if (r == 0)
        r = buf_append_str(out, "{", err);
    if (r == 0)
        r = append_entries(out, c, &order, err);
    if (r == 0)
        r = buf_append_str(out, "}", err);
    return r;
}
