/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Names are folded: '-' and ' ' become '_', a capital letter behind the first becomes '_' and the
 * small one. Where several spellings of a column occur, the one that began last counts, with its
 * own last value: so Python fills a dictionary and walks it.
 */
#include "fxci/tags.h"

#include "fxci/event.h"

enum {
    LONGEST_NAME = 21, // worker_implementation
    LONGEST_ESCAPED = 6 * LONGEST_NAME,
    MAX_OVERRIDDEN = 64, // each costs a walk to the object's end
};

static uint8_t to_lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

/* Does name fold to column? *spelling, below 32, tells its spellings apart: columns have up to two
 * '_', each written in one of four ways, and the first letter in one of two. */
static bool folds_to(struct span name, const char *column, unsigned *spelling)
{
    static const uint8_t separators[] = {'_', '-', ' '};
    const char *want = column;
    *spelling = 0;
    for (size_t i = 0; i < name.len; i++) {
        const uint8_t c = name.ptr[i];
        const uint8_t *separator = memchr(separators, c, sizeof separators);
        if (separator) {
            *spelling = *spelling * 4 + (unsigned)(separator - separators);
            if (*want++ != '_')
                return false;
            continue;
        }
        if (to_lower(c) != c && i > 0) {
            *spelling = *spelling * 4 + 3;
            if (*want++ != '_')
                return false;
        } else if (to_lower(c) != c) {
            *spelling = 1;
        }
        if (*want == '\0' || (uint8_t)*want++ != to_lower(c))
            return false;
    }
    return *want == '\0';
}

static int find_column(struct span name, unsigned *spelling)
{
    if (name.len == 0 || name.len > LONGEST_NAME)
        return -1;
    const uint8_t first = to_lower(name.ptr[0]);
    for (int i = 0; i < N_TAGS; i++)
        if ((uint8_t)fxci_tag_names[i][0] == first && folds_to(name, fxci_tag_names[i], spelling))
            return i;
    return -1;
}

int event_tag_column(struct span name)
{
    unsigned spelling;
    return find_column(name, &spelling);
}

static int find_key_column(const struct json_member *m, unsigned *spelling)
{
    uint8_t name[LONGEST_ESCAPED];
    if (!m->key_escaped)
        return find_column(m->key, spelling);
    if (m->key.len > sizeof name)
        return -1;
    return find_column(span_of(name, json_unescape(name, m->key)), spelling);
}

/* Does the key come again behind this place? */
static bool comes_again(struct json_members it, struct span key)
{
    struct json_member m;
    while (json_next_member(&it, &m) == 1)
        if (json_insides_equal(m.key, key))
            return true;
    return false;
}

static void take_tag(struct tags *t, const struct json_members *it, const struct json_member *m)
{
    if (*m->value.ptr != '"') {
        if (!t->failed)
            t->failed = t->n_overridden++ == MAX_OVERRIDDEN || !comes_again(*it, m->key);
    }
    unsigned spelling;
    const int i = find_key_column(m, &spelling);
    if (i < 0)
        return;
    const bool is_new = !(t->seen[i] >> spelling & 1);
    if (!is_new && spelling != t->spelling[i])
        return;
    t->seen[i] |= UINT32_C(1) << spelling;
    t->spelling[i] = (uint8_t)spelling;
    t->values[i] = (struct member){m->value, m->value_escaped};
}

bool tags_read(struct json_members *it, struct tags *t)
{
    struct json_member m;
    int more;
    *t = (struct tags){0};
    while ((more = json_next_member(it, &m)) == 1)
        take_tag(t, it, &m);
    return more == 0;
}
