/* SPDX-License-Identifier: MPL-2.0 */
#include "fxci/event.h"

#include "base/cpu.h"
#include "base/utf8.h"
#include "codec/json.h"
#include "codec/ndjson.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct mapped {
    uint8_t *bytes;
    struct event_mapper mapper;
    struct event event;
};

static void map(struct mapped *m, unsigned cpu, struct span text)
{
    *m = (struct mapped){.bytes = calloc(1, text.len + NDJSON_SLACK)};
    if (!m->bytes)
        abort();
    if (text.len > 0)
        memcpy(m->bytes, text.ptr, text.len);
    event_mapper_init(&m->mapper, cpu, 20685);
    if (event_map(&m->mapper, &m->event, span_of(m->bytes, text.len), NULL) != 0)
        abort();
}

static void mapped_deinit(struct mapped *m)
{
    event_mapper_deinit(&m->mapper);
    free(m->bytes);
}

/* A body is undecodable exactly when it is not one JSON value. */
static bool is_json(const struct mapped *m, size_t len)
{
    const struct json_text text = {&m->mapper.ops, m->bytes + len};
    bool escaped = false;
    const uint8_t *p = json_skip_space(m->bytes, text.end);
    p = json_skip_value(&text, p, RECORD_MAX_DEPTH, &escaped);
    return p && json_skip_space(p, text.end) == text.end;
}

static void check_texts(const struct event *e)
{
    const struct span texts[] = {
        e->task_id,
        e->run[RUN_STATE].text,
        e->run[RUN_REASON_CREATED].text,
        e->run[RUN_REASON_RESOLVED].text,
        e->run[RUN_WORKER_GROUP].text,
        e->run[RUN_WORKER_ID].text,
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (!utf8_is_valid(texts[i]))
            abort();
    for (size_t i = 0; e->outcome == EVENT_RUN_AND_TASK && i < N_TAGS; i++)
        if (!utf8_is_valid(e->tags[i]))
            abort();
}

static bool same_event(const struct event *a, const struct event *b)
{
    return a->outcome == b->outcome && a->undecodable == b->undecodable &&
           strcmp(a->reason, b->reason) == 0 && span_equal(a->task_id, b->task_id) &&
           a->expires_us == b->expires_us;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mapped plain, fast;
    map(&plain, 0, span_of(data, size));
    map(&fast, cpu_detect(), span_of(data, size));
    if (!same_event(&plain.event, &fast.event) || fast.event.undecodable == is_json(&fast, size) ||
        (fast.event.outcome == EVENT_FAILED) != (fast.event.reason[0] != '\0'))
        abort();
    check_texts(&fast.event);
    mapped_deinit(&fast);
    mapped_deinit(&plain);
    return 0;
}
