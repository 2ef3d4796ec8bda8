/* SPDX-License-Identifier: MPL-2.0 */
#include "warehouse_test.h"

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#define WITH_PLACE(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

static const char *const fields[] = {"kind", "select", "a \"b\"", NULL};
static const struct column task_columns[] = {
    {.name = "day", .type = COLUMN_DATE},
    {.name = "id", .type = COLUMN_STRING, .required = true},
    {.name = "tags", .type = COLUMN_RECORD, .fields = fields},
    {.name = "routes", .type = COLUMN_STRINGS},
    {.name = "extra", .type = COLUMN_JSON},
    {.name = "order", .type = COLUMN_INT64},
    {.name = NULL},
};
static const char *const task_key[] = {"id", NULL};
static const struct table_schema tasks = {.name = "s.tasks",
                                          .columns = task_columns,
                                          .partition_column = "day",
                                          .key = task_key,
                                          .lax = true};
enum { DAY, ID, TAGS, ROUTES, EXTRA, ORDER, N_TASK };

static const struct column use_columns[] = {
    {.name = "zone", .type = COLUMN_STRING},
    {.name = "day", .type = COLUMN_DATE},
    {.name = "n", .type = COLUMN_INT64},
    {.name = "hours", .type = COLUMN_DOUBLE},
    {.name = NULL},
};
static const char *const use_key[] = {"zone", "n", NULL};
static const struct table_schema uses = {
    .name = "s.uses", .columns = use_columns, .partition_column = "day", .key = use_key};

static const struct table_schema *const both[] = {&tasks, &uses};

static void make_tables(struct warehouse *w)
{
    struct err err = {0};
    assert_ok(warehouse_ensure_table(w, &tasks, &err), &err);
    assert_ok(warehouse_ensure_table(w, &uses, &err), &err);
}

static struct warehouse_batch *begin(struct warehouse *w)
{
    struct err err = {0};
    struct warehouse_batch *batch = NULL;
    assert_ok(warehouse_batch_begin(&batch, w, both, 2, 0, &err), &err);
    return batch;
}

static int put_task(struct warehouse_batch *batch, const char *id, int64_t order, struct err *err)
{
    char route[64];
    (void)snprintf(route, sizeof route, "route of %" PRId64 ", longer than an inline one", order);
    const struct span tags[3] = {span_str("test"), span_of(NULL, 0), span_str("")};
    const struct span routes[2] = {span_str(route), span_str("")};
    const struct cell cells[N_TASK] = {
        [DAY] = {.integer = 20000},
        [ID] = {.text = span_str(id)},
        [TAGS] = {.items = tags, .n_items = 3, .is_null = order % 3 == 1},
        [ROUTES] = {.items = routes, .n_items = (size_t)order % 3, .is_null = order % 7 == 5},
        [EXTRA] = {.text = span_str("{\"a\": [1]}"), .is_null = order % 2 == 1},
        [ORDER] = {.integer = order},
    };
    return warehouse_batch_row(batch, 0, cells, err);
}

static void add_task(struct warehouse_batch *batch, const char *id, int64_t order)
{
    struct err err = {0};
    assert_ok(put_task(batch, id, order, &err), &err);
}

static void add_use(struct warehouse_batch *batch, const char *zone, int64_t n, double hours)
{
    struct err err = {0};
    const struct cell cells[] = {
        {.text = span_str(zone ? zone : ""), .is_null = !zone},
        {.integer = 20000},
        {.integer = n, .is_null = n < 0},
        {.real = hours},
    };
    assert_ok(warehouse_batch_row(batch, 1, cells, &err), &err);
}

static void commit(struct warehouse_batch *batch, uint64_t tasks_written, uint64_t tasks_known,
                   uint64_t uses_written, uint64_t uses_known)
{
    struct err err = {0};
    struct batch_outcome outcomes[2];
    assert_ok(warehouse_batch_commit(batch, outcomes, NULL, NULL, &err), &err);
    assert_int_equal(outcomes[0].code | outcomes[1].code, 0);
    assert_int_equal(outcomes[0].n_written, tasks_written);
    assert_int_equal(outcomes[0].n_duplicate, tasks_known);
    assert_int_equal(outcomes[1].n_written, uses_written);
    assert_int_equal(outcomes[1].n_duplicate, uses_known);
    assert_int_equal(outcomes[0].n_refused | outcomes[1].n_refused, 0);
}

static int check_task(void *arg, const struct cell *cells, struct err *err)
{
    const int64_t order = cells[ORDER].integer;
    char route[64];
    (void)err;
    ++*(int *)arg;
    (void)snprintf(route, sizeof route, "route of %" PRId64 ", longer than an inline one", order);
    assert_int_equal(cells[TAGS].is_null, order % 3 == 1);
    if (!cells[TAGS].is_null) {
        assert_int_equal(cells[TAGS].n_items, 3);
        assert_true(span_equal(cells[TAGS].items[0], span_str("test")));
        assert_null(cells[TAGS].items[1].ptr);
        assert_non_null(cells[TAGS].items[2].ptr);
        assert_int_equal(cells[TAGS].items[2].len, 0);
    }
    assert_int_equal(cells[ROUTES].is_null, order % 7 == 5);
    if (!cells[ROUTES].is_null) {
        assert_int_equal(cells[ROUTES].n_items, (size_t)order % 3);
        if (order % 3 > 0)
            assert_true(span_equal(cells[ROUTES].items[0], span_str(route)));
    }
    assert_int_equal(cells[EXTRA].is_null, order % 2 == 1);
    return 0;
}

static void rows_of_more_than_a_vector_come_back(void **state)
{
    CLEANUP(warehouse_closep) struct warehouse *w = open_place(*state);
    struct err err = {0};
    make_tables(w);
    struct warehouse_batch *batch = begin(w);
    for (int64_t i = 0; i < 5000; i++) {
        char id[32];
        (void)snprintf(id, sizeof id, "%" PRId64, i);
        add_task(batch, id, i);
    }
    commit(batch, 5000, 0, 0, 0);
    int n = 0;
    assert_ok(warehouse_scan(w, &tasks, INT64_MIN, "order", check_task, &n, &err), &err);
    assert_int_equal(n, 5000);
    make_tables(w); // they fit what is there
}

static int take_order(void *arg, const struct cell *cells, struct err *err)
{
    (void)err;
    int64_t *orders = arg;
    orders[cells[ID].text.ptr[0] - 'a'] = cells[ORDER].integer;
    return 0;
}

static void the_first_of_a_key_wins(void **state)
{
    CLEANUP(warehouse_closep) struct warehouse *w = open_place(*state);
    struct err err = {0};
    make_tables(w);
    struct warehouse_batch *batch = begin(w);
    for (int64_t i = 0; i < 3000; i++) {
        add_task(batch, "a", 10 + i);
        add_use(batch, i % 2 ? NULL : "z", i % 3 - 1, 1);
    }
    commit(batch, 1, 2999, 6, 2994);
    batch = begin(w);
    add_task(batch, "b", 2);
    add_task(batch, "a", 1);
    add_task(batch, "b", 1);
    add_use(batch, NULL, -1, 2);
    add_use(batch, "", -1, 2);
    add_use(batch, NULL, 7, 2);
    commit(batch, 1, 2, 2, 1);
    int64_t orders[2];
    assert_ok(warehouse_scan(w, &tasks, INT64_MIN, "id", take_order, orders, &err), &err);
    assert_int_equal(orders[0], 10);
    assert_int_equal(orders[1], 2);
}

static void a_refused_row_leaves_its_batch_going(void **state)
{
    CLEANUP(warehouse_closep) struct warehouse *w = open_place(*state);
    struct err err = {0};
    make_tables(w);
    struct warehouse_batch *batch = begin(w);
    add_task(batch, "a", 1);
    assert_int_equal(put_task(batch, "\xc3(", 2, &err), E_FORMAT);
    assert_contains(err.text, "row 2 for s.tasks: column id is not UTF-8");
    const struct span bad = span_str("\xff");
    struct cell cells[N_TASK] = {[ID] = {.text = span_str("c")}};
    for (int i = 0; i < N_TASK; i++)
        cells[i].is_null = i != ID;
    cells[ROUTES] = (struct cell){.items = &bad, .n_items = 1};
    assert_int_equal(warehouse_batch_row(batch, 0, cells, &err), E_FORMAT);
    cells[ROUTES].is_null = true;
    cells[ID].is_null = true;
    assert_int_equal(warehouse_batch_row(batch, 0, cells, &err), E_FORMAT);
    assert_contains(err.text, "column id is null");
    cells[ID].is_null = false;
    assert_ok(warehouse_batch_row(batch, 0, cells, &err), &err);
    commit(batch, 2, 0, 0, 0);
}

static uint64_t count(struct warehouse *w, const char *table)
{
    struct err err = {0};
    uint64_t n = UINT64_MAX;
    assert_ok(warehouse_count(w, table, &n, &err), &err);
    return n;
}

static void a_batch_is_stored_whole_or_not_at_all(void **state)
{
    CLEANUP(warehouse_closep) struct warehouse *w = open_place(*state);
    struct err err = {0};
    struct batch_outcome outcomes[2];
    make_tables(w);
    struct warehouse_batch *batch = begin(w), *other = NULL;
    add_task(batch, "a", 1);
    assert_int_equal(warehouse_batch_begin(&other, w, both, 2, 0, &err), E_ARG);
    assert_int_equal(count(w, "s.tasks"), 0);
    warehouse_batch_abandon(batch);
    assert_int_equal(count(w, "s.tasks"), 0);
    batch = begin(w);
    add_task(batch, "a", 1);
    add_use(batch, "z", 1, 1);
    assert_ok(warehouse_query(w, "DROP TABLE s.uses", NULL, NULL, NULL, &err), &err);
    assert_int_equal(warehouse_batch_commit(batch, outcomes, NULL, NULL, &err), E_IO);
    assert_contains(err.text, "table s.uses");
    assert_int_equal(outcomes[0].code, E_IO);
    assert_int_equal(outcomes[1].code, E_IO);
    assert_int_equal(outcomes[0].n_written, 0);
    assert_int_equal(count(w, "s.tasks"), 0);
}

static void a_batch_without_keys_is_refused(void **state)
{
    CLEANUP(warehouse_closep) struct warehouse *w = open_place(*state);
    static const char *const real_key[] = {"hours", NULL};
    struct table_schema bad = uses;
    const struct table_schema *const list[] = {&bad};
    struct err err = {0};
    struct warehouse_batch *batch = NULL;
    bad.key = NULL;
    assert_int_equal(warehouse_batch_begin(&batch, w, list, 1, 0, &err), E_ARG);
    bad.key = real_key;
    assert_int_equal(warehouse_batch_begin(&batch, w, list, 1, 0, &err), E_ARG);
    assert_contains(err.text, "hours cannot be part of the key");
    assert_int_equal(warehouse_batch_begin(&batch, w, list, 0, 0, &err), E_ARG);
}

static void run(struct warehouse *w, const char *sql)
{
    struct err err = {0};
    assert_ok(warehouse_query(w, sql, NULL, NULL, NULL, &err), &err);
}

static int take_number(void *arg, const struct cell *cells, struct err *err)
{
    (void)err;
    *(int64_t *)arg = cells[0].integer;
    return 0;
}

static int64_t ask(struct warehouse *w, const char *sql)
{
    static const struct column columns[] = {{.name = "n", .type = COLUMN_INT64}, {.name = NULL}};
    int64_t n = INT64_MIN;
    struct err err = {0};
    assert_ok(warehouse_query(w, sql, columns, take_number, &n, &err), &err);
    return n;
}

/* Rows of others have no hash: those of a table that no batch was for yet, and what SQL puts in. */
static void rows_without_a_hash_count(void **state)
{
    CLEANUP(warehouse_closep) struct warehouse *w = open_place(*state);
    make_tables(w);
    run(w, "INSERT INTO s.tasks (id) SELECT 'old' || i FROM range(5000) AS r(i)");
    struct warehouse_batch *batch = begin(w);
    add_task(batch, "old4711", 1);
    add_task(batch, "a", 1);
    add_task(batch, "old0", 1);
    commit(batch, 1, 2, 0, 0);
    run(w, "INSERT INTO s.tasks (id) VALUES ('b')");
    batch = begin(w);
    add_task(batch, "a", 2);
    add_task(batch, "b", 2);
    add_task(batch, "c", 2);
    add_task(batch, "old1", 2);
    commit(batch, 1, 3, 0, 0);
    assert_int_equal(ask(w, "SELECT count(\"row_key(id)\") AS n FROM s.tasks"), 2);
}

static void many_known_rows_are_left_out(void **state)
{
    CLEANUP(warehouse_closep) struct warehouse *w = open_place(*state);
    make_tables(w);
    for (int64_t first = 0; first < 3; first++) {
        struct warehouse_batch *batch = begin(w);
        for (int64_t i = 0; i < 9000; i += 3 - first) {
            char id[32];
            (void)snprintf(id, sizeof id, "%" PRId64, i);
            add_task(batch, id, i);
        }
        const uint64_t n = (uint64_t)(9000 / (3 - first));
        const uint64_t known = first == 0 ? 0 : first == 1 ? 1500 : 6000;
        commit(batch, n - known, known, 0, 0);
    }
}

/* Made by hand: a's row says that it has the hash of b, and b is not there. */
static void two_keys_of_one_hash_are_two_rows(void **state)
{
    CLEANUP(warehouse_closep) struct warehouse *w = open_place(*state);
    make_tables(w);
    struct warehouse_batch *batch = begin(w);
    add_task(batch, "a", 1);
    add_task(batch, "b", 1);
    commit(batch, 2, 0, 0, 0);
    run(w, "UPDATE s.tasks SET \"row_key(id)\" = (SELECT \"row_key(id)\" FROM s.tasks WHERE id = "
           "'b') WHERE id = 'a'");
    run(w, "DELETE FROM s.tasks WHERE id = 'b'");
    batch = begin(w);
    add_task(batch, "b", 2);
    commit(batch, 1, 0, 0, 0);
    batch = begin(w);
    add_task(batch, "b", 3);
    commit(batch, 0, 1, 0, 0);
    assert_int_equal(ask(w, "SELECT \"order\" AS n FROM s.tasks WHERE id = 'b'"), 2);
}

/* The hashes lie in files: a version that computes others would store every row again. */
static void a_hash_stays_what_it_is(void **state)
{
    static const struct column columns[] = {
        {.name = "id", .type = COLUMN_STRING, .required = true},
        {.name = "run", .type = COLUMN_INT64, .required = true},
        {.name = NULL},
    };
    static const char *const key[] = {"id", "run", NULL};
    static const struct table_schema schema = {.name = "t", .columns = columns, .key = key};
    static const struct table_schema *const list[] = {&schema};
    CLEANUP(warehouse_closep) struct warehouse *w = open_place(*state);
    struct err err = {0};
    struct warehouse_batch *batch = NULL;
    struct batch_outcome outcome;
    assert_ok(warehouse_ensure_table(w, &schema, &err), &err);
    assert_ok(warehouse_batch_begin(&batch, w, list, 1, 0, &err), &err);
    const struct cell cells[] = {{.text = span_str("fN1SbArXTPSVFNUvaOlinQ")}, {.integer = 1}};
    assert_ok(warehouse_batch_row(batch, 0, cells, &err), &err);
    assert_ok(warehouse_batch_commit(batch, &outcome, NULL, NULL, &err), &err);
    assert_int_equal(ask(w, "SELECT \"row_key(id, run)\" AS n FROM t"),
                     INT64_C(1213435864330610438));
    // To the schema it is no difference.
    assert_ok(warehouse_ensure_table(w, &schema, &err), &err);
}

enum { N_IDS = 400, N_ZONES = 7, N_BATCHES = 1000, BATCH_ROWS_MAX = 12 };

/* What is in the tables: a flag a key. */
struct model {
    bool tasks[N_IDS], uses[N_ZONES][N_ZONES];
    uint64_t seed;
};

static uint64_t draw(struct model *m, uint64_t n)
{
    m->seed = m->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (m->seed >> 33) % n;
}

static bool draw_task(struct model *m, struct warehouse_batch *batch)
{
    char id[32];
    const uint64_t i = draw(m, N_IDS);
    (void)snprintf(id, sizeof id, "task %" PRIu64, i);
    add_task(batch, id, (int64_t)i);
    const bool is_new = !m->tasks[i];
    m->tasks[i] = true;
    return is_new;
}

static bool draw_use(struct model *m, struct warehouse_batch *batch)
{
    static const char *const zones[N_ZONES] = {NULL, "", "a", "b", "ab", "\xc3\xa4", "a b"};
    const uint64_t zone = draw(m, N_ZONES), n = draw(m, N_ZONES);
    add_use(batch, zones[zone], (int64_t)n - 1, 1);
    const bool is_new = !m->uses[zone][n];
    m->uses[zone][n] = true;
    return is_new;
}

/* Rows go, ids of rows get gaps, hashes get lost, and once all of them. */
static void disturb(struct model *m, struct warehouse *w)
{
    char sql[160];
    const uint64_t i = draw(m, N_IDS);
    (void)snprintf(sql, sizeof sql, "DELETE FROM s.tasks WHERE id = 'task %" PRIu64 "'", i);
    run(w, sql);
    m->tasks[i] = false;
    (void)snprintf(sql, sizeof sql,
                   "UPDATE s.tasks SET \"row_key(id)\" = NULL WHERE \"order\" %% 10 = %" PRIu64,
                   draw(m, 10));
    run(w, sql);
    if (draw(m, 30) == 0)
        run(w, "ALTER TABLE s.tasks DROP COLUMN \"row_key(id)\"");
    run(w, "CHECKPOINT");
}

static void random_batches_do_as_a_set_does(void **state)
{
    const struct place *p = *state;
    CLEANUP(warehouse_closep) struct warehouse *w = NULL;
    struct err err = {0};
    struct model m = {.seed = 20};
    assert_ok(warehouse_open(&w, &(struct warehouse_config){.url = p->url, .n_threads = 1}, &err),
              &err);
    make_tables(w);
    for (int i = 0; i < N_BATCHES; i++) {
        uint64_t tasks_new = 0, uses_new = 0;
        const bool is_use = draw(&m, 10) == 0;
        const uint64_t n = draw(&m, BATCH_ROWS_MAX);
        const uint64_t n_tasks = is_use ? 0 : n, n_uses = is_use ? n : 0;
        struct warehouse_batch *batch = begin(w);
        for (uint64_t k = 0; k < n_tasks; k++)
            tasks_new += draw_task(&m, batch);
        for (uint64_t k = 0; k < n_uses; k++)
            uses_new += draw_use(&m, batch);
        commit(batch, tasks_new, n_tasks - tasks_new, uses_new, n_uses - uses_new);
        if (i % 25 == 24)
            disturb(&m, w);
    }
    uint64_t n = 0;
    for (int i = 0; i < N_IDS; i++)
        n += m.tasks[i];
    assert_int_equal(count(w, "s.tasks"), n);
}

/* In a process of its own: rows are given, and committed or not, until it is killed. */
static pid_t start_batch(const struct place *p, bool to_commit)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
        struct warehouse *w = NULL;
        struct warehouse_batch *batch = NULL;
        struct batch_outcome outcomes[2];
        int r = warehouse_open(&w, &(struct warehouse_config){.url = p->url}, NULL);
        if (r == 0)
            r = warehouse_batch_begin(&batch, w, both, 2, 0, NULL);
        for (int i = 0; i < 20000 && r == 0; i++) {
            char id[32];
            (void)snprintf(id, sizeof id, "k%d", i);
            r = put_task(batch, id, i, NULL);
        }
        if (r == 0 && to_commit)
            r = warehouse_batch_commit(batch, outcomes, NULL, NULL, NULL);
        (void)!write(ends[1], &r, sizeof r);
        (void)pause();
        _exit(1);
    }
    int r = -1;
    assert_int_equal(read(ends[0], &r, sizeof r), sizeof r);
    assert_int_equal(close(ends[0]) | close(ends[1]), 0);
    assert_int_equal(r, 0);
    return child;
}

static void a_process_that_is_killed_leaves_what_it_committed(void **state)
{
    const struct place *p = *state;
    struct warehouse *w = open_place(p);
    make_tables(w);
    warehouse_close(w);
    for (int to_commit = 0; to_commit < 2; to_commit++) {
        int status;
        const pid_t child = start_batch(p, to_commit);
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        w = open_place(p);
        assert_int_equal(count(w, "s.tasks"), to_commit * 20000);
        warehouse_close(w);
    }
}

/* Two processes that open the file again and again, as programs do for each transaction. */
static void run_batches(const struct place *p, int who)
{
    struct batch_outcome outcomes[2];
    int r = 0;
    for (int i = 0; i < 10 && r == 0; i++) {
        struct warehouse *w = NULL;
        struct warehouse_batch *batch = NULL;
        char own[32], shared[32];
        (void)snprintf(own, sizeof own, "%d of %d", i, who);
        (void)snprintf(shared, sizeof shared, "%d", i);
        r = warehouse_open(&w, &(struct warehouse_config){.url = p->url}, NULL);
        if (r == 0)
            r = warehouse_batch_begin(&batch, w, both, 2, 0, NULL);
        if (r == 0)
            r = put_task(batch, own, i, NULL);
        if (r == 0)
            r = put_task(batch, shared, i, NULL);
        if (r == 0)
            r = warehouse_batch_commit(batch, outcomes, NULL, NULL, NULL);
        warehouse_close(w);
    }
    _exit(r == 0 ? 0 : 1);
}

static void two_processes_take_turns(void **state)
{
    const struct place *p = *state;
    struct warehouse *w = open_place(p);
    make_tables(w);
    warehouse_close(w);
    pid_t children[2];
    for (int i = 0; i < 2; i++) {
        children[i] = fork();
        if (children[i] == 0)
            run_batches(p, i);
    }
    for (int i = 0; i < 2; i++) {
        int status;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    w = open_place(p);
    assert_int_equal(count(w, "s.tasks"), 30);
    warehouse_close(w);
}

/* One who comes back for the file at once does not get it before one who waits for it. */
static void who_waits_is_next(void **state)
{
    const struct place *p = *state;
    int start[2], done[2];
    assert_int_equal(pipe(start) | pipe(done), 0);
    const pid_t child = fork(); // before the file is open: a lock is a forked process's too
    if (child == 0) {
        struct warehouse *w = NULL;
        char go;
        int r = read(start[0], &go, 1) == 1 ? 0 : E_IO;
        if (r == 0)
            r = warehouse_open(&w, &(struct warehouse_config){.url = p->url}, NULL);
        (void)!write(done[1], &r, sizeof r);
        warehouse_close(w);
        _exit(0);
    }
    struct warehouse *w = open_place(p);
    assert_int_equal(write(start[1], "", 1), 1);
    (void)usleep(100000);
    warehouse_close(w);
    w = open_place(p);
    int r = -1, status;
    struct pollfd ready = {.fd = done[0], .events = POLLIN};
    assert_int_equal(poll(&ready, 1, 0), 1); // it was there before
    assert_int_equal(read(done[0], &r, sizeof r), sizeof r);
    assert_int_equal(r, 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    warehouse_close(w);
    assert_int_equal(close(start[0]) | close(start[1]) | close(done[0]) | close(done[1]), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_PLACE(rows_of_more_than_a_vector_come_back),
        WITH_PLACE(the_first_of_a_key_wins),
        WITH_PLACE(a_refused_row_leaves_its_batch_going),
        WITH_PLACE(a_batch_is_stored_whole_or_not_at_all),
        WITH_PLACE(a_batch_without_keys_is_refused),
        WITH_PLACE(rows_without_a_hash_count),
        WITH_PLACE(many_known_rows_are_left_out),
        WITH_PLACE(two_keys_of_one_hash_are_two_rows),
        WITH_PLACE(a_hash_stays_what_it_is),
        WITH_PLACE(random_batches_do_as_a_set_does),
        WITH_PLACE(a_process_that_is_killed_leaves_what_it_committed),
        WITH_PLACE(two_processes_take_turns),
        WITH_PLACE(who_waits_is_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
