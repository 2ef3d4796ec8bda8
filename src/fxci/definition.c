/* SPDX-License-Identifier: MPL-2.0 */
#include "fxci/definition.h"

#include "base/utc.h"
#include "fxci/member.h"

#include <stdio.h>

#define NAME(TEXT)                                                                                 \
    {                                                                                              \
        (const uint8_t *)(TEXT), sizeof(TEXT) - 1                                                  \
    }

/* What a column is made from; those two that are not members have no name. */
enum kind { KIND_NONE, KIND_TEXT, KIND_TIME, KIND_LIST, KIND_JSON, KIND_INTEGER };
static const struct span names[DEF_N] = {
    [DEF_CREATED] = NAME("created"),
    [DEF_DEADLINE] = NAME("deadline"),
    [DEF_DEPENDENCIES] = NAME("dependencies"),
    [DEF_EXPIRES] = NAME("expires"),
    [DEF_EXTRA] = NAME("extra"),
    [DEF_METADATA] = NAME("metadata"),
    [DEF_PAYLOAD] = NAME("payload"),
    [DEF_PRIORITY] = NAME("priority"),
    [DEF_PROJECT_ID] = NAME("projectId"),
    [DEF_PROVISIONER_ID] = NAME("provisionerId"),
    [DEF_REQUIRES] = NAME("requires"),
    [DEF_RETRIES] = NAME("retries"),
    [DEF_ROUTES] = NAME("routes"),
    [DEF_SCHEDULER_ID] = NAME("schedulerId"),
    [DEF_SCOPES] = NAME("scopes"),
    [DEF_TAGS] = NAME("tags"),
    [DEF_TASK_GROUP_ID] = NAME("taskGroupId"),
    [DEF_TASK_QUEUE_ID] = NAME("taskQueueId"),
    [DEF_WORKER_TYPE] = NAME("workerType"),
};
static const uint8_t kinds[DEF_N] = {
    [DEF_CREATED] = KIND_TIME,       [DEF_DEADLINE] = KIND_TIME,
    [DEF_DEPENDENCIES] = KIND_LIST,  [DEF_EXPIRES] = KIND_TIME,
    [DEF_EXTRA] = KIND_JSON,         [DEF_METADATA] = KIND_JSON,
    [DEF_PAYLOAD] = KIND_JSON,       [DEF_PRIORITY] = KIND_TEXT,
    [DEF_PROJECT_ID] = KIND_TEXT,    [DEF_PROVISIONER_ID] = KIND_TEXT,
    [DEF_REQUIRES] = KIND_TEXT,      [DEF_RETRIES] = KIND_INTEGER,
    [DEF_ROUTES] = KIND_LIST,        [DEF_SCHEDULER_ID] = KIND_TEXT,
    [DEF_SCOPES] = KIND_LIST,        [DEF_TAGS] = KIND_JSON,
    [DEF_TASK_GROUP_ID] = KIND_TEXT, [DEF_TASK_QUEUE_ID] = KIND_TEXT,
    [DEF_WORKER_TYPE] = KIND_TEXT,
};

/* One definition on its way. */
struct mapping {
    struct definition_mapper *m;
    struct definition *d;
    size_t room; // of scratch
};

/* Of several faults the first is told. */
static void blame(struct definition *d, struct span name, const char *fault)
{
    if (d->reason[0] == '\0')
        (void)snprintf(d->reason, sizeof d->reason, "%.*s %s", (int)name.len,
                       (const char *)name.ptr, fault);
}

/* The cell gets the number of its items; where they stand is known when all lists are read. */
static int take_list(struct mapping *g, int column, const struct member *list, struct err *err)
{
    int r = 0;
    if (member_is(list, '['))
        r = member_texts(&g->m->lists, &g->d->row[column].n_items, &g->m->ops, list, &g->m->scratch,
                         g->room, err);
    if (r == 0)
        blame(g->d, names[column], "is no list of texts");
    return r < 0 ? r : 0;
}

static int take_text(struct mapping *g, int column, const struct member *text, struct err *err)
{
    if (member_is_text(text))
        return member_text(&g->d->row[column].text, text, &g->m->scratch, g->room, err);
    blame(g->d, names[column], "is not text");
    return 0;
}

static int take_time(struct mapping *g, int column, const struct member *time, struct err *err)
{
    struct span text = {0};
    const int r = member_is_text(time) ? member_text(&text, time, &g->m->scratch, g->room, err) : 0;
    if (r == 0 && !utc_parse_rfc3339(&g->d->row[column].integer, text))
        blame(g->d, names[column], "is no time");
    else if (r == 0 && column == DEF_EXPIRES)
        g->d->expires_us = g->d->row[column].integer;
    return r;
}

static int take_member(struct mapping *g, int column, const struct member *member, struct err *err)
{
    if (kinds[column] == KIND_NONE)
        return 0;
    if (member_is_absent(member)) {
        blame(g->d, names[column], "is missing");
        return 0;
    }
    switch ((enum kind)kinds[column]) {
    case KIND_TEXT:
        return take_text(g, column, member, err);
    case KIND_TIME:
        return take_time(g, column, member, err);
    case KIND_LIST:
        return take_list(g, column, member, err);
    case KIND_JSON:
        g->d->row[column].text = member->text;
        return 0;
    default:
        if (!member_integer(&g->d->row[column].integer, member))
            blame(g->d, names[column], "is no integer");
        return 0;
    }
}

static void place_items(const struct definition_mapper *m, struct definition *d)
{
    size_t first = 0;
    for (int i = 0; i < DEF_N; i++)
        if (d->row[i].n_items > 0) {
            d->row[i].items = m->lists.items + first;
            first += d->row[i].n_items;
        }
}

void definition_mapper_init(struct definition_mapper *m, unsigned cpu, int64_t today)
{
    *m = (struct definition_mapper){.today = today, .scratch = BUF_INIT(DEFINITION_MAX_BYTES)};
    record_ops_init(&m->ops, cpu);
}

void definition_mapper_deinit(struct definition_mapper *m)
{
    buf_deinit(&m->scratch);
    member_items_free(&m->lists);
}

static int map(struct mapping *g, struct span task, struct err *err)
{
    struct member members[DEF_N];
    if (task.len == 0) {
        blame(g->d, span_str("task"), "is missing");
        return 0;
    }
    if (task.len > DEFINITION_MAX_BYTES) {
        blame(g->d, span_str("task"), "is larger than 64 MiB");
        return 0;
    }
    if (!members_of_text(&g->m->ops, task, RECORD_MAX_DEPTH, names, DEF_N, members)) {
        blame(g->d, span_str("task"), "is no object");
        return 0;
    }
    int r = 0;
    for (int i = 0; i < DEF_N && r == 0; i++)
        r = take_member(g, i, &members[i], err);
    place_items(g->m, g->d);
    return r;
}

int definition_map(struct definition_mapper *m, struct definition *d, struct span task_id,
                   struct span task, struct err *err)
{
    struct mapping g = {.m = m, .d = d, .room = task.len};
    *d = (struct definition){.expires_us = INT64_MIN};
    buf_clear(&m->scratch);
    m->lists.n = 0;
    d->row[DEF_SUBMISSION_DATE].integer = m->today;
    d->row[DEF_TASK_ID].text = task_id;
    return map(&g, task, err);
}

/* Pages. */

enum { PAGE_TASKS, PAGE_TOKEN, PAGE_N };
static const struct span page_names[PAGE_N] = {NAME("tasks"), NAME("continuationToken")};
enum { ITEM_TASK_ID, ITEM_TASK, ITEM_N };
static const struct span item_names[ITEM_N] = {NAME("taskId"), NAME("task")};

static int hand_out(const struct record_ops *ops, struct span item, struct buf *scratch,
                    definition_fn *fn, void *arg, uint64_t *n_skipped, struct err *err)
{
    struct member members[ITEM_N];
    struct span id;
    if (*item.ptr != '{' ||
        !members_of_text(ops, item, RECORD_MAX_DEPTH, item_names, ITEM_N, members) ||
        !member_is_text(&members[ITEM_TASK_ID])) {
        ++*n_skipped;
        return 0;
    }
    buf_clear(scratch);
    const int r =
        member_text(&id, &members[ITEM_TASK_ID], scratch, members[ITEM_TASK_ID].text.len, err);
    return r < 0 ? r : fn(arg, id, members[ITEM_TASK].text, err);
}

static int walk_items(const struct record_ops *ops, struct span tasks, definition_fn *fn, void *arg,
                      uint64_t *n_skipped, struct err *err)
{
    CLEANUP(buf_deinit) struct buf scratch = BUF_INIT(DEFINITION_MAX_BYTES);
    struct json_elements it = {
        .text = {ops, span_end(tasks)}, .p = tasks.ptr, .max_depth = RECORD_MAX_DEPTH};
    struct span item;
    bool escaped;
    int r = 0;
    while (r == 0 && json_next_element(&it, &item, &escaped) == 1)
        r = hand_out(ops, item, &scratch, fn, arg, n_skipped, err);
    return r;
}

int definitions_page(struct span page, const struct record_ops *ops, definition_fn *fn, void *arg,
                     struct buf *token, uint64_t *n_skipped, struct err *err)
{
    struct member members[PAGE_N];
    const struct member *next = &members[PAGE_TOKEN];
    buf_clear(token);
    if (!members_of_text(ops, page, RECORD_MAX_DEPTH, page_names, PAGE_N, members) ||
        !member_is(&members[PAGE_TASKS], '[') || !(member_is_absent(next) || member_is_text(next)))
        return err_set(err, E_FORMAT, 0,
                       "a page of definitions is no object with \"tasks\", nested 64 deep at most");
    if (member_is_text(next)) {
        CLEANUP(buf_deinit) struct buf scratch = BUF_INIT(next->text.len);
        struct span text;
        int r = member_text(&text, next, &scratch, next->text.len, err);
        if (r == 0)
            r = buf_append(token, text.ptr, text.len, err);
        if (r < 0)
            return r;
    }
    return walk_items(ops, members[PAGE_TASKS].text, fn, arg, n_skipped, err);
}
