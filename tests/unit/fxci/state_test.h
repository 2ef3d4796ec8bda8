/* state_test.h - a folder of the test's own as the place of the state. */
#pragma once

#include "base/buf.h"
#include "fxci/state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// cmocka.h leans on the standard headers above it.
#include <cmocka.h>

#define EVENTS      "failed-pulse-events-bigquery.json"
#define PENDING     "failed-pulse-task-ids-bigquery.json"
#define DEFINITIONS "failed-definitions.json"
#define TASKS       "failed-bq-records.tasks.json"
#define RUNS        "failed-bq-records.runs.json"
#define DEF_ROWS    "failed-bq-records.taskdefinitions.json"

#define T0  INT64_C(1787200200000000) // 2026-08-20T04:30:00Z
#define DAY INT64_C(86400000000)

struct place_of_state {
    char path[64];
    struct store *store;
};
int state_setup(void **state);
int state_teardown(void **state);
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, state_setup, state_teardown)

#define STATE CLEANUP(state_closep) struct state *
/* Open, and load where load is set. */
struct state *opened(void **state, int64_t now_us, bool load);
void saved(struct state *s);
void put_text(void **state, const char *key, const char *text);
/* The object's text, or "absent". The caller frees it. */
char *get_text(void **state, const char *key);
#define TEXT __attribute__((cleanup(free_text))) char *
void free_text(char **text);

/* An event fails. */
void fail_event(struct state *s, const char *body, const char *reason);
void want(struct state *s, const char *task_id);
/* `failed list`: the lines, without ids. The caller frees it. */
char *listed(struct state *s);
/* The id of the only entry whose line holds part. */
void id_of(struct state *s, const char *part, char id[STATE_ID_BYTES]);

#define assert_contains(text, part)                                                                \
    do {                                                                                           \
        if (!strstr((text), (part)))                                                               \
            fail_msg("\"%s\" is not in \"%s\"", (part), (text));                                   \
    } while (0)
#define assert_lacks(text, part)                                                                   \
    do {                                                                                           \
        if (strstr((text), (part)))                                                                \
            fail_msg("\"%s\" is in \"%s\"", (part), (text));                                       \
    } while (0)
