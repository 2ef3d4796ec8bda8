/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/similarity/names.h"

enum { FIRST_SLOTS = 1024 };
static const size_t names_bytes_max = SIZE_MAX / 4;

void names_init(struct names *names)
{
    *names = (struct names){.text = BUF_INIT(names_bytes_max),
                            .ends = BUF_INIT(names_bytes_max),
                            .table = BUF_INIT(names_bytes_max)};
}

void names_deinit(struct names *names)
{
    buf_deinit(&names->text);
    buf_deinit(&names->ends);
    buf_deinit(&names->table);
}

/* FNV-1a; whoever chose all texts could make it slow, and only that. */
static uint64_t hash(struct span text)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < text.len; i++)
        h = (h ^ text.ptr[i]) * UINT64_C(0x100000001b3);
    return h ^ (h >> 32);
}

struct span names_get(const struct names *names, uint32_t number)
{
    const uint64_t *ends = (const uint64_t *)(const void *)names->ends.data;
    const uint64_t from = number > 0 ? ends[number - 1] : 0;
    return span_of(names->text.data + from, ends[number] - from);
}

/* The slot of a text, or the free one where it belongs. */
static uint32_t *find(const struct names *names, struct span text)
{
    uint32_t *slots = (uint32_t *)(void *)names->table.data;
    const size_t mask = names->table.len / sizeof *slots - 1;
    size_t i = hash(text) & mask;
    while (slots[i] > 0 && !span_equal(names_get(names, slots[i] - 1), text))
        i = (i + 1) & mask;
    return &slots[i];
}

static int grow(struct names *names, struct err *err)
{
    const size_t n_slots = names->table.len / sizeof(uint32_t);
    if ((size_t)names->n * 2 < n_slots)
        return 0;
    const size_t bytes = (n_slots > 0 ? 2 * n_slots : FIRST_SLOTS) * sizeof(uint32_t);
    buf_clear(&names->table);
    const int r = buf_reserve(&names->table, bytes, err);
    if (r < 0)
        return r;
    memset(names->table.data, 0, bytes);
    names->table.len = bytes;
    for (uint32_t i = 0; i < names->n; i++)
        *find(names, names_get(names, i)) = i + 1;
    return 0;
}

int names_intern(struct names *names, struct span text, uint32_t *number, struct err *err)
{
    int r = grow(names, err);
    if (r < 0)
        return r;
    uint32_t *slot = find(names, text);
    if (*slot == 0) {
        if (names->n == UINT32_MAX - 1)
            return err_set(err, E_NOMEM, 0, "more than %u different texts", names->n);
        const uint64_t end = names->text.len + text.len;
        r = buf_append(&names->ends, &end, sizeof end, err);
        if (r == 0)
            r = buf_append(&names->text, text.ptr, text.len, err);
        if (r < 0)
            return r;
        *slot = ++names->n;
    }
    *number = *slot - 1;
    return 0;
}
