/* SPDX-License-Identifier: MPL-2.0 */
#include "warehouse/keys.h"

#include "warehouse/handle.h"

struct key_slot {
    uint64_t hash;
    size_t offset, len; // in bytes; len 0: free, as no key is empty
};

static const size_t max_bytes = (size_t)1 << 31;

static bool can_be_key(enum column_type type)
{
    return type != COLUMN_DOUBLE && type != COLUMN_JSON && type != COLUMN_STRINGS &&
           type != COLUMN_RECORD;
}

int key_columns_init(struct key_columns *key, const struct table_schema *schema, struct err *err)
{
    *key = (struct key_columns){.columns = schema->columns};
    for (const char *const *name = schema->key; name && *name; name++) {
        const size_t place = find_column(schema->columns, *name);
        if (place == SIZE_MAX || !can_be_key(schema->columns[place].type) ||
            key->n == KEY_MAX_COLUMNS)
            return err_set(err, E_ARG, 0, "table %s: %s cannot be part of the key", schema->name,
                           *name);
        key->places[key->n++] = place;
    }
    return key->n > 0
               ? 0
               : err_set(err, E_ARG, 0, "table %s has no key to tell its rows apart", schema->name);
}

int key_set_init(struct key_set *set, const struct table_schema *schema, struct err *err)
{
    *set = (struct key_set){.bytes = BUF_INIT(max_bytes)};
    return key_columns_init(&set->key, schema, err);
}

void key_set_deinit(struct key_set *set)
{
    buf_deinit(&set->bytes);
    free(set->slots);
}

/* Each cell says how long it is, so that no two keys are written alike. */
static int write_cell(struct buf *out, enum column_type type, const struct cell *cell,
                      struct err *err)
{
    int r = buf_append_byte(out, cell->is_null, err);
    if (r < 0 || cell->is_null)
        return r;
    if (type != COLUMN_STRING)
        return buf_append(out, &cell->integer, sizeof cell->integer, err);
    r = buf_append(out, &cell->text.len, sizeof cell->text.len, err);
    return r < 0 ? r : buf_append(out, cell->text.ptr, cell->text.len, err);
}

static uint64_t hash_bytes(uint64_t h, const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        h = (h ^ p[i]) * UINT64_C(0x100000001b3); // FNV-1a
    return h;
}

static uint64_t hash_integer(uint64_t h, uint64_t value)
{
    uint8_t bytes[8];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(value >> 8 * i);
    return hash_bytes(h, bytes, sizeof bytes);
}

uint64_t key_hash(const struct key_columns *key, const struct cell *cells)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < key->n; i++) {
        const struct cell *cell = &cells[key->places[i]];
        h = hash_bytes(h, &(const uint8_t){cell->is_null}, 1);
        if (cell->is_null)
            continue;
        if (key->columns[key->places[i]].type != COLUMN_STRING) {
            h = hash_integer(h, (uint64_t)cell->integer);
        } else {
            h = hash_integer(h, cell->text.len);
            h = hash_bytes(h, cell->text.ptr, cell->text.len);
        }
    }
    h ^= h >> 32;
    return h > 0 ? h : 1;
}

/* The slot of a key, or the free one where it belongs. */
static struct key_slot *find_slot(const struct key_set *set, const struct key_slot *key)
{
    for (size_t i = (size_t)key->hash & (set->n_slots - 1);; i = (i + 1) & (set->n_slots - 1)) {
        struct key_slot *slot = &set->slots[i];
        if (slot->len == 0 ||
            (slot->hash == key->hash && slot->len == key->len &&
             memcmp(set->bytes.data + slot->offset, set->bytes.data + key->offset, key->len) == 0))
            return slot;
    }
}

/* At most half of the slots are taken. */
static int make_room(struct key_set *set, struct err *err)
{
    if (2 * set->n_keys < set->n_slots)
        return 0;
    const struct key_set old = *set;
    set->n_slots = old.n_slots > 0 ? 2 * old.n_slots : 1024;
    set->slots = calloc(set->n_slots, sizeof *set->slots);
    if (!set->slots) {
        *set = old;
        return err_set(err, E_NOMEM, 0, "no memory for keys");
    }
    for (size_t i = 0; i < old.n_slots; i++)
        if (old.slots[i].len > 0)
            *find_slot(set, &old.slots[i]) = old.slots[i];
    free(old.slots);
    return 0;
}

int key_set_add(struct key_set *set, const struct cell *cells, struct err *err)
{
    struct key_slot key = {.offset = set->bytes.len};
    int r = make_room(set, err);
    for (size_t i = 0; i < set->key.n && r == 0; i++) {
        const size_t place = set->key.places[i];
        r = write_cell(&set->bytes, set->key.columns[place].type, &cells[place], err);
    }
    if (r < 0)
        return r;
    key.len = set->bytes.len - key.offset;
    key.hash = key_hash(&set->key, cells);
    struct key_slot *slot = find_slot(set, &key);
    if (slot->len > 0) {
        set->bytes.len = key.offset;
        return 0;
    }
    *slot = key;
    set->n_keys++;
    return 1;
}
