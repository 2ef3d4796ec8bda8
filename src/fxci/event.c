/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The body is walked once, down into status and tags as they come, and each run once more; nothing
 * is built. What it says is decided behind the walk, for members come in any order and the last of
 * a name counts.
 */
#include "fxci/event.h"

#include "base/utc.h"
#include "fxci/tags.h"

#include <stdio.h>

#define NAME(TEXT)                                                                                 \
    {                                                                                              \
        (const uint8_t *)(TEXT), sizeof(TEXT) - 1                                                  \
    }

enum { BODY_STATUS, BODY_RUN_ID, BODY_TASK, BODY_N };
static const struct span body_names[BODY_N] = {NAME("status"), NAME("runId"), NAME("task")};

enum {
    STATUS_STATE,
    STATUS_TASK_ID,
    STATUS_RUNS,
    STATUS_SCHEDULER_ID,
    STATUS_TASK_GROUP_ID,
    STATUS_TASK_QUEUE_ID,
    STATUS_EXPIRES,
    STATUS_N
};
static const struct span status_names[STATUS_N] = {
    NAME("state"),       NAME("taskId"),      NAME("runs"),    NAME("schedulerId"),
    NAME("taskGroupId"), NAME("taskQueueId"), NAME("expires"),
};

enum {
    R_REASON_CREATED,
    R_REASON_RESOLVED,
    R_RESOLVED,
    R_SCHEDULED,
    R_STATE,
    R_STARTED,
    R_WORKER_GROUP,
    R_WORKER_ID,
    R_N
};
static const struct span run_names[R_N] = {
    NAME("reasonCreated"), NAME("reasonResolved"), NAME("resolved"),    NAME("scheduled"),
    NAME("state"),         NAME("started"),        NAME("workerGroup"), NAME("workerId"),
};

/* One body on its way. */
struct mapping {
    struct event_mapper *m;
    struct event *e;
    struct json_text text;
    size_t room; // of scratch
    struct member body[BODY_N], status[STATUS_N], tags_member;
    struct tags tags;
};

static int fail(struct mapping *g, const char *reason)
{
    (void)snprintf(g->e->reason, sizeof g->e->reason, "%s", reason);
    g->e->outcome = EVENT_FAILED;
    return 1;
}

static int fail_member(struct mapping *g, const char *where, struct span name, const char *reason)
{
    (void)snprintf(g->e->reason, sizeof g->e->reason, "%s%.*s %s", where, (int)name.len,
                   (const char *)name.ptr, reason);
    g->e->outcome = EVENT_FAILED;
    return 1;
}

/* The walk. */

static bool read_task(struct json_members *task, struct mapping *g)
{
    struct json_member m;
    int more;
    g->tags_member = (struct member){0};
    while ((more = json_next_key(task, &m)) == 1) {
        const bool is_tags =
            m.key_escaped ? json_inside_equals(m.key, "tags") : span_equal(m.key, span_str("tags"));
        if (!is_tags || *task->p != '{') {
            if (!json_take_value(task, &m))
                return false;
        } else {
            struct json_members tags = {
                .text = g->text, .p = task->p, .max_depth = task->max_depth - 1};
            if (!tags_read(&tags, &g->tags))
                return false;
            m.value = span_of(task->p, (size_t)(tags.p - task->p));
            task->p = tags.p;
        }
        if (is_tags)
            g->tags_member = (struct member){m.value, false};
    }
    return more == 0;
}

/* A value of the body, by way of its members where it is an object that counts. */
static bool read_body_member(struct json_members *body, int which, struct json_member *m,
                             struct mapping *g)
{
    const uint8_t *const value = body->p;
    struct json_members inner = {.text = g->text, .p = value, .max_depth = body->max_depth - 1};
    if ((which != BODY_STATUS && which != BODY_TASK) || *value != '{')
        return json_take_value(body, m);
    if (which == BODY_STATUS ? !members_read(&inner, status_names, STATUS_N, g->status)
                             : !read_task(&inner, g))
        return false;
    m->value = span_of(value, (size_t)(inner.p - value));
    body->p = inner.p;
    return true;
}

static bool read_body(struct json_members *body, struct mapping *g)
{
    struct json_member m;
    int more;
    while ((more = json_next_key(body, &m)) == 1) {
        const int i = member_find(body_names, BODY_N, &m);
        if (!read_body_member(body, i, &m, g))
            return false;
        if (i >= 0)
            g->body[i] = (struct member){m.value, m.value_escaped};
    }
    return more == 0 && json_skip_space(body->p, body->text.end) == body->text.end;
}

/* What it says: each function returns 0, 1 (failed, with its reason), or E_NOMEM. */

static int need_text(struct mapping *g, struct cell *cell, const char *where, struct span name,
                     const struct member *m)
{
    if (member_is_absent(m))
        return fail_member(g, where, name, "is missing");
    if (!member_is_text(m))
        return fail_member(g, where, name, "is not text");
    cell->is_null = false;
    return 0;
}

static int take_text(struct mapping *g, struct cell *cell, const char *where, struct span name,
                     const struct member *m, struct err *err)
{
    const int r = need_text(g, cell, where, name, m);
    return r != 0 ? r : member_text(&cell->text, m, &g->m->scratch, g->room, err);
}

static int take_time(struct mapping *g, struct cell *cell, const char *where, struct span name,
                     const struct member *m, struct err *err)
{
    struct span text;
    int r = need_text(g, cell, where, name, m);
    if (r == 0)
        r = member_text(&text, m, &g->m->scratch, g->room, err);
    if (r == 0 && !utc_parse_rfc3339(&cell->integer, text))
        r = fail_member(g, where, name, "is no time");
    return r;
}

static int take_run_time(struct mapping *g, const struct member *run, int which, int column,
                         struct err *err)
{
    return take_time(g, &g->e->run[column], "of the run, ", run_names[which], &run[which], err);
}

static int take_run_text(struct mapping *g, const struct member *run, int which, int column,
                         struct err *err)
{
    return take_text(g, &g->e->run[column], "of the run, ", run_names[which], &run[which], err);
}

static int take_run(struct mapping *g, const struct member *run, int64_t run_id, struct err *err)
{
    struct event *e = g->e;
    e->run[RUN_SUBMISSION_DATE].integer = g->m->today;
    e->run[RUN_RUN_ID].integer = run_id;
    e->run[RUN_TASK_ID].text = e->task_id;
    e->run[RUN_STARTED].is_null = e->run[RUN_WORKER_GROUP].is_null = e->run[RUN_WORKER_ID].is_null =
        true;
    int r = take_run_text(g, run, R_REASON_CREATED, RUN_REASON_CREATED, err);
    if (r == 0)
        r = take_run_text(g, run, R_REASON_RESOLVED, RUN_REASON_RESOLVED, err);
    if (r == 0)
        r = take_run_time(g, run, R_RESOLVED, RUN_RESOLVED, err);
    if (r == 0)
        r = take_run_time(g, run, R_SCHEDULED, RUN_SCHEDULED, err);
    if (r == 0)
        r = take_run_text(g, run, R_STATE, RUN_STATE, err);
    if (r == 0 && !member_is_absent(&run[R_STARTED]))
        r = take_run_time(g, run, R_STARTED, RUN_STARTED, err);
    if (r == 0 && !member_is_absent(&run[R_WORKER_GROUP]))
        r = take_run_text(g, run, R_WORKER_GROUP, RUN_WORKER_GROUP, err);
    if (r == 0 && !member_is_absent(&run[R_WORKER_ID]))
        r = take_run_text(g, run, R_WORKER_ID, RUN_WORKER_ID, err);
    return r;
}

/* The element of status.runs, or an empty span. */
static struct span find_element(const struct mapping *g, int64_t run_id)
{
    struct json_elements runs = {
        .text = g->text, .p = g->status[STATUS_RUNS].text.ptr, .max_depth = RECORD_MAX_DEPTH - 2};
    struct span element;
    bool escaped;
    for (int64_t i = 0; run_id >= 0 && json_next_element(&runs, &element, &escaped) == 1; i++)
        if (i == run_id)
            return element;
    return (struct span){0};
}

static int find_run(struct mapping *g, struct member run[R_N], int64_t *run_id)
{
    if (!member_is(&g->status[STATUS_RUNS], '['))
        return fail(g, "status.runs is no array");
    if (!member_integer(run_id, &g->body[BODY_RUN_ID]))
        return fail(g, "runId is no integer, or far too large");
    const struct span element = find_element(g, *run_id);
    if (element.len == 0)
        return fail(g, "runId is out of range");
    struct json_members it = {.text = g->text, .p = element.ptr, .max_depth = RECORD_MAX_DEPTH - 3};
    return members_read(&it, run_names, R_N, run) ? 0 : fail(g, "the run is no object");
}

static int take_status_text(struct mapping *g, struct cell *cell, int which, struct err *err)
{
    return take_text(g, cell, "status.", status_names[which], &g->status[which], err);
}

/* Not there, null, [] or "". */
static bool has_no_tags(const struct member *tags, struct json_text text)
{
    if (member_is_absent(tags))
        return true;
    if (*tags->text.ptr == '[')
        return *json_skip_space(tags->text.ptr + 1, text.end) == ']';
    return span_equal(tags->text, span_str("\"\""));
}

static int take_tags(struct mapping *g, struct err *err)
{
    struct event *e = g->e;
    memset(e->tags, 0, sizeof e->tags);
    e->task[TASK_TAGS].items = e->tags;
    e->task[TASK_TAGS].n_items = N_TAGS;
    if (g->body[BODY_TASK].text.ptr && !member_is(&g->body[BODY_TASK], '{'))
        return fail(g, "task is no object");
    if (!g->body[BODY_TASK].text.ptr || has_no_tags(&g->tags_member, g->text))
        return 0;
    if (!member_is(&g->tags_member, '{'))
        return fail(g, "task.tags is no object");
    if (g->tags.failed)
        return fail(g, "a tag of task.tags is not text");
    int r = 0;
    for (int i = 0; i < N_TAGS && r == 0; i++)
        if (g->tags.values[i].text.ptr)
            r = member_text(&e->tags[i], &g->tags.values[i], &g->m->scratch, g->room, err);
    return r;
}

static int take_task(struct mapping *g, struct err *err)
{
    struct cell *task = g->e->task;
    task[TASK_SUBMISSION_DATE].integer = g->m->today;
    task[TASK_ID].text = g->e->task_id;
    int r = take_status_text(g, &task[TASK_SCHEDULER_ID], STATUS_SCHEDULER_ID, err);
    if (r == 0)
        r = take_status_text(g, &task[TASK_GROUP_ID], STATUS_TASK_GROUP_ID, err);
    if (r == 0)
        r = take_status_text(g, &task[TASK_QUEUE_ID], STATUS_TASK_QUEUE_ID, err);
    return r == 0 ? take_tags(g, err) : r;
}

/* taskId, and until when the task is known to the queue service. */
static int take_task_id(struct mapping *g, struct err *err)
{
    struct cell id = {0};
    struct span expires;
    int r = take_status_text(g, &id, STATUS_TASK_ID, err);
    g->e->task_id = id.text;
    if (r == 0 && member_is_text(&g->status[STATUS_EXPIRES])) {
        r = member_text(&expires, &g->status[STATUS_EXPIRES], &g->m->scratch, g->room, err);
        if (r == 0 && !utc_parse_rfc3339(&g->e->expires_us, expires))
            g->e->expires_us = INT64_MIN;
    }
    return r;
}

static bool is_unscheduled(const struct member *state)
{
    return member_is_text(state) &&
           json_inside_equals(span_of(state->text.ptr + 1, state->text.len - 2), "unscheduled");
}

static int take_run_and_task(struct mapping *g, struct err *err)
{
    struct member run[R_N];
    int64_t run_id;
    int r = find_run(g, run, &run_id);
    if (r == 0)
        r = take_task_id(g, err);
    if (r == 0)
        r = take_run(g, run, run_id, err);
    if (r == 0 && run_id == 0)
        r = take_task(g, err);
    if (r == 0)
        g->e->outcome = run_id == 0 ? EVENT_RUN_AND_TASK : EVENT_RUN;
    return r;
}

static int decide(struct mapping *g, struct err *err)
{
    g->e->outcome = EVENT_IGNORED;
    if (member_is_absent(&g->body[BODY_STATUS]))
        return 0;
    if (!member_is(&g->body[BODY_STATUS], '{'))
        return fail(g, "status is no object");
    if (is_unscheduled(&g->status[STATUS_STATE])) {
        g->e->outcome = EVENT_TASK_ID;
        return take_task_id(g, err);
    }
    return member_is_absent(&g->body[BODY_RUN_ID]) ? 0 : take_run_and_task(g, err);
}

static int fail_undecodable(struct mapping *g, const char *reason)
{
    g->e->undecodable = true;
    return fail(g, reason);
}

static int map(struct mapping *g, struct span body, struct err *err)
{
    if (body.len > EVENT_MAX_BODY_BYTES)
        return fail_undecodable(g, "the body is larger than 64 MiB");
    const uint8_t *const first = json_skip_space(body.ptr, g->text.end);
    bool escaped = false;
    if (first < g->text.end && *first == '{') {
        struct json_members it = {.text = g->text, .p = first, .max_depth = RECORD_MAX_DEPTH};
        if (read_body(&it, g))
            return decide(g, err);
    } else {
        const uint8_t *const end = json_skip_value(&g->text, first, RECORD_MAX_DEPTH, &escaped);
        if (end && json_skip_space(end, g->text.end) == g->text.end)
            return fail(g, "the body is no object");
    }
    return fail_undecodable(g, "the body is not JSON in UTF-8, nested 64 deep at most");
}

void event_mapper_init(struct event_mapper *m, unsigned cpu, int64_t today)
{
    *m = (struct event_mapper){.today = today, .scratch = BUF_INIT(EVENT_MAX_BODY_BYTES)};
    record_ops_init(&m->ops, cpu);
}

void event_mapper_deinit(struct event_mapper *m)
{
    buf_deinit(&m->scratch);
}

int event_map(struct event_mapper *m, struct event *e, struct span body, struct err *err)
{
    struct mapping g = {.m = m, .e = e, .text = {&m->ops, span_end(body)}, .room = body.len};
    buf_clear(&m->scratch);
    e->undecodable = false;
    e->reason[0] = '\0';
    e->task_id = (struct span){0};
    e->expires_us = INT64_MIN;
    memset(e->run, 0, sizeof e->run);
    memset(e->task, 0, sizeof e->task);
    const int r = map(&g, body, err);
    return r > 0 ? 0 : r;
}
