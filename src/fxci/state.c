/* SPDX-License-Identifier: MPL-2.0 */
#include "fxci/state.h"

#include "base/utf8.h"
#include "codec/json.h"
#include "fxci/state_internal.h"

#include <inttypes.h>
#include <stdlib.h>

const char *const state_kind_names[STATE_N_KINDS + 1] = {"event", "record", "definition",
                                                         "pending-id", NULL};

const struct state_place_info state_places[STATE_N_PLACES] = {
    [PLACE_TASKS] = {"failed-bq-records.tasks.json", STATE_RECORD, FXCI_TASKS},
    [PLACE_RUNS] = {"failed-bq-records.runs.json", STATE_RECORD, FXCI_RUNS},
    [PLACE_DEFINITION_ROWS] = {"failed-bq-records.taskdefinitions.json", STATE_RECORD,
                               FXCI_DEFINITIONS},
    [PLACE_DEFINITIONS] = {"failed-definitions.json", STATE_DEFINITION, FXCI_N_TABLES},
    [PLACE_PENDING] = {"failed-pulse-task-ids-bigquery.json", STATE_PENDING_ID, FXCI_N_TABLES},
    [PLACE_EVENTS] = {"failed-pulse-events-bigquery.json", STATE_EVENT, FXCI_N_TABLES},
};

/* When an id is given up, whichever is later (fxci-etl.md 3.4). */
enum { MAX_MISSES = 5, DEFAULT_LIFE_DAYS = 30 };
static const int64_t us_per_day = INT64_C(86400) * 1000 * 1000;

const char *state_place_table(enum state_place place)
{
    const enum fxci_table table = state_places[place].table;
    return table == FXCI_N_TABLES ? NULL : fxci_table_name(table);
}

int state_open(struct state **out, struct store *store, int64_t now_us, struct err *err)
{
    CLEANUP(state_closep) struct state *s = calloc(1, sizeof *s);
    if (!s)
        return err_set(err, E_NOMEM, 0, "no memory for the state");
    s->store = store;
    s->now_us = now_us;
    record_ops_init(&s->ops, 0);
    base64_ops_init(&s->base64, 0);
    s->md = EVP_MD_fetch(NULL, "SHA256", NULL);
    s->digest = EVP_MD_CTX_new();
    if (!s->md || !s->digest)
        return err_set(err, E_CRYPTO, 0, "SHA-256 is not to be had");
    *out = s;
    s = NULL;
    return 0;
}

void state_close(struct state *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < STATE_N_PLACES; i++) {
        for (size_t j = 0; j < s->objects[i].n; j++)
            state_item_bury(s, s->objects[i].items[j]);
        free(s->objects[i].items);
    }
    s->n_walks = 0;
    state_free_dead(s);
    free(s->table.slots);
    EVP_MD_free(s->md);
    EVP_MD_CTX_free(s->digest);
    free(s);
}

static int place_of(enum state_place *place, const struct state_entry *e, struct err *err)
{
    for (unsigned i = 0; i < STATE_N_PLACES; i++) {
        const char *table = state_place_table((enum state_place)i);
        if (state_places[i].kind != e->kind)
            continue;
        if (!table || (e->table && strcmp(table, e->table) == 0)) {
            *place = (enum state_place)i;
            return 0;
        }
    }
    return err_set(err, E_ARG, 0, "rows of the table \"%s\" are not kept",
                   e->table ? e->table : "");
}

/* What is no UTF-8 would come back from JSON as another text, with another id. */
static int clean(struct span *text, struct buf *scratch, struct err *err)
{
    if (utf8_is_valid(*text))
        return 0;
    const size_t room = scratch->max;
    scratch->max = 8 * text->len + 2;
    buf_clear(scratch);
    int r = json_write_string(scratch, *text, err);
    scratch->max = room;
    if (r < 0)
        return r;
    scratch->len = json_unescape(scratch->data, span_of(scratch->data + 1, scratch->len - 2));
    *text = buf_span(scratch);
    return 0;
}

static struct span trim(struct span json)
{
    const uint8_t *const p = json_skip_space(json.ptr, span_end(json));
    size_t len = (size_t)(span_end(json) - p);
    while (len > 0 &&
           (p[len - 1] == ' ' || p[len - 1] == '\t' || p[len - 1] == '\n' || p[len - 1] == '\r'))
        len--;
    return span_of(p, len);
}

/* The entry as it will come back from the store. */
struct clean_entry {
    struct state_entry e;
    struct state_key key;
    enum state_place place;
    struct buf exchange, routing_key, content_type, reason;
};

static void clean_deinit(struct clean_entry *c)
{
    buf_deinit(&c->exchange);
    buf_deinit(&c->routing_key);
    buf_deinit(&c->content_type);
    buf_deinit(&c->reason);
}

static int clean_entry(struct state *s, struct clean_entry *c, const struct state_entry *entry,
                       struct err *err)
{
    c->e = *entry;
    int r = place_of(&c->place, entry, err);
    if (r < 0)
        return r;
    c->e.table = state_place_table(c->place);
    if (c->e.kind != STATE_EVENT)
        c->e.exchange = c->e.routing_key = (struct span){0};
    if (c->e.kind != STATE_PENDING_ID && !c->e.undecodable) {
        // Deeper than what can be stored inside of an entry: kept byte by byte.
        c->e.undecodable = !state_is_json(s, c->e.body);
        c->e.body = c->e.undecodable ? c->e.body : trim(c->e.body);
    }
    if (r == 0)
        r = clean(&c->e.exchange, &c->exchange, err);
    if (r == 0)
        r = clean(&c->e.routing_key, &c->routing_key, err);
    if (r == 0)
        r = clean(&c->e.content_type, &c->content_type, err);
    if (r == 0)
        r = clean(&c->e.reason, &c->reason, err);
    return r == 0 ? state_key_of(s, &c->key, &c->e, err) : r;
}

/* Find it, or add it as one of which nothing is stored. */
static int obtain(struct state *s, struct state_item **out, struct clean_entry *c, struct err *err)
{
    *out = state_table_get(&s->table, &c->key);
    if (*out)
        return 0;
    c->e.attempts = 0;
    c->e.first_seen_us = s->now_us;
    return state_item_add(s, out, c->place, &c->e, &c->key, err);
}

static void count_attempt(struct state_item *item)
{
    item->n_more++;
    item->e.attempts = item->stored_attempts + item->n_more;
}

int state_fail(struct state *s, const struct state_entry *entry, char out_id[STATE_ID_BYTES],
               struct err *err)
{
    CLEANUP(clean_deinit) struct clean_entry c = {0};
    struct state_item *item = NULL;
    int r = clean_entry(s, &c, entry, err);
    if (r == 0)
        r = obtain(s, &item, &c, err);
    if (r == 0)
        r = state_item_set_reason(item, c.e.reason, err);
    if (r < 0 || !item)
        return r;
    item->removed = false;
    item->tried = true;
    count_attempt(item);
    if (out_id)
        memcpy(out_id, item->e.id, sizeof item->e.id);
    return 0;
}

static int find_pending(struct state *s, struct state_item **out, struct span task_id,
                        struct err *err)
{
    const struct state_entry e = {.kind = STATE_PENDING_ID, .body = task_id};
    struct state_key key;
    const int r = state_key_of(s, &key, &e, err);
    *out = r == 0 ? state_table_get(&s->table, &key) : NULL;
    return r;
}

int state_want(struct state *s, struct span task_id, int64_t expires_us, struct err *err)
{
    CLEANUP(clean_deinit) struct clean_entry c = {0};
    const struct state_entry e = {
        .kind = STATE_PENDING_ID, .body = task_id, .expires_us = expires_us};
    struct state_item *item = NULL;
    int r = clean_entry(s, &c, &e, err);
    if (r == 0)
        r = obtain(s, &item, &c, err);
    if (r == 0)
        item->removed = false;
    return r;
}

static int64_t end_of_life(const struct state_item *item)
{
    return item->e.expires_us != INT64_MIN ? item->e.expires_us
                                           : item->e.first_seen_us + DEFAULT_LIFE_DAYS * us_per_day;
}

/* A definition that never came: its id stands for it. */
static int give_up(struct state *s, struct state_item *item, struct err *err)
{
    CLEANUP(buf_deinit) struct buf body = BUF_INIT(STATE_MAX_OBJECT_BYTES);
    char reason[128];
    (void)snprintf(reason, sizeof reason,
                   "the queue service did not return this task in %" PRIu64 " runs",
                   item->e.attempts);
    int r = buf_append_str(&body, "{\"taskId\":", err);
    if (r == 0)
        r = json_write_string(&body, item->e.body, err);
    if (r == 0)
        r = buf_append_str(&body, ",\"task\":null}", err);
    if (r == 0)
        r = buf_reserve(&body, STATE_SLACK, err);
    const struct state_entry e = {
        .kind = STATE_DEFINITION, .body = buf_span(&body), .reason = span_str(reason)};
    if (r == 0)
        r = state_fail(s, &e, NULL, err);
    if (r == 0)
        item->removed = true;
    return r;
}

int state_missed(struct state *s, struct span task_id, bool *given_up, struct err *err)
{
    struct state_item *item = NULL;
    *given_up = false;
    const int r = find_pending(s, &item, task_id, err);
    if (r < 0 || !item || item->removed)
        return r;
    item->tried = true;
    count_attempt(item);
    if (item->e.attempts < MAX_MISSES || s->now_us < end_of_life(item))
        return 0;
    *given_up = true;
    return give_up(s, item, err);
}

int state_have(struct state *s, struct span task_id, struct err *err)
{
    struct state_item *item = NULL;
    const int r = find_pending(s, &item, task_id, err);
    if (item)
        item->removed = true;
    return r;
}

static struct state_item *find(const struct state *s, const char *id)
{
    struct state_key key;
    struct state_item *item = state_key_read(&key, id) ? state_table_get(&s->table, &key) : NULL;
    return item && !item->removed ? item : NULL;
}

int state_resolve(struct state *s, const char *id, struct err *err)
{
    struct state_item *item = find(s, id);
    if (!item)
        return err_set(err, E_ABSENT, 0, "no entry has the id %s", id);
    item->removed = true;
    return 0;
}

bool state_get(const struct state *s, const char *id, struct state_entry *entry)
{
    const struct state_item *item = find(s, id);
    if (item)
        *entry = state_shown(item);
    return item != NULL;
}

bool state_was_tried(const struct state *s, const char *id)
{
    const struct state_item *item = find(s, id);
    return item && item->tried;
}

uint64_t state_count(const struct state *s, enum state_kind kind)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < STATE_N_PLACES; i++)
        for (size_t j = 0; state_places[i].kind == kind && j < s->objects[i].n; j++)
            n += !s->objects[i].items[j]->removed;
    return n;
}
