/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Memory of a server (prio-processor.md D15): 64 MiB, 4 MiB a worker, 128 bytes a record. What
 * counts is what 50 times as many records add; a process has its share of both limits long before.
 */
#include "pair_steps.h"

#include <signal.h>
#include <unistd.h>

enum { FEW = 100, TIMES = 50, BATCHES = 2 };

static long peak_kib(const char *path)
{
    char *text = pair_read_file(path);
    const long kib = strtol(text, NULL, 10);
    free(text);
    assert_true(kib > 0);
    return kib;
}

/* How both servers are driven over staged data; the peaks of A's steps go to a file. */
typedef long drive_fn(struct pair *p, unsigned workers);

static long in_one_process(struct pair *p, unsigned workers)
{
    char file[2][512];
    long most = 0;
    int pids[2];
    for (int role = 0; role < 2; role++) {
        (void)snprintf(file[role], sizeof file[0], "%s/peak-%d", p->root, role);
        const struct pair_how how = {
            .n_workers = workers, .keep_state = true, .peak_file = file[role]};
        pids[role] = pair_spawn(p, role, &how, 0);
    }
    for (int role = 0; role < 2; role++) {
        assert_int_equal(pair_wait(pids[role]), 0);
        const long kib = peak_kib(file[role]);
        most = kib > most ? kib : most;
    }
    return most;
}

static long in_turns(struct pair *p, unsigned workers)
{
    long most = 0;
    char file[512];
    int status[2] = {1, 1};
    (void)snprintf(file, sizeof file, "%s/peak", p->root);
    for (int i = 0; i < 6; i++)
        for (int role = 0; role < 2; role++) {
            const struct pair_how how = {
                .n_workers = workers, .keep_state = true, .peak_file = file};
            if (status[role] == 0)
                continue;
            status[role] = pair_step(p, role, &how);
            const long kib = peak_kib(file);
            most = kib > most ? kib : most;
        }
    assert_int_equal(status[0] + status[1], 0);
    return most;
}

/* B withholds its verify2 of everything: each record that A has summed must be taken back. */
static long nothing_is_proved(struct pair *p, unsigned workers)
{
    char file[512], *key;
    (void)snprintf(file, sizeof file, "%s/peak", p->root);
    const struct pair_how kept = {.keep_state = true};
    struct pair_how a = {.n_workers = workers,
                         .keep_state = true,
                         .quiet = true,
                         .peak_file = file,
                         .retry_limit = 10};
    assert_int_equal(pair_step(p, 1, &kept), 1);
    a.fate.at = "put b-shared/*/verify2/_SUCCESS";
    a.fate.signal = SIGSTOP;
    const int pid = pair_spawn(p, 0, &a, 0);
    pair_await_stop(pid);
    assert_int_equal(pair_step(p, 1, &kept), 1);
    int emptied = 0;
    while ((key = pair_find(p, 0, "shared", "intermediate/external/verify2/*/part-*.json"))) {
        pair_remove(p, 0, "shared", key);
        free(key);
        emptied++;
    }
    assert_true(emptied > 0);
    pair_go_on(pid);
    (void)pair_wait(pid); // its sum fits to nothing of B's
    return peak_kib(file);
}

/* In a child, whose own memory is nobody's afterwards. */
static void stage(struct pair *p, size_t n)
{
    const struct pair_data data = {.n = n, .seed = 1};
    const int pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        pair_stage(p, &data);
        _exit(0);
    }
    assert_int_equal(pair_wait(pid), 0);
}

static const struct {
    const char *what;
    drive_fn *drive;
    unsigned workers;
} cases[] = {{"in one process", in_one_process, 1},
             {"in one process", in_one_process, 4},
             {"in turns", in_turns, 2},
             {"nothing proved", nothing_is_proved, 1}};

static void measure(size_t n, long kib[ARRAY_LEN(cases)])
{
    struct pair *p = pair_new(false);
    stage(p, n);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        kib[i] = cases[i].drive(p, cases[i].workers);
        pair_forget(p);
    }
    pair_free(p);
}

static void records_cost_128_bytes(void **state)
{
    const long more = BATCHES * FEW * (TIMES - 1);
    long few[ARRAY_LEN(cases)], many[ARRAY_LEN(cases)];
    (void)state;
#ifdef __SANITIZE_ADDRESS__
    skip();
#endif
    measure(FEW, few);
    measure(FEW * TIMES, many);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const long workers = (long)cases[i].workers;
        print_message("%s, %ld workers: %ld KiB, with %d times the records %ld KiB\n",
                      cases[i].what, workers, few[i], TIMES, many[i]);
        // Buffers that a few records do not fill yet are a worker's.
        assert_true(many[i] - few[i] <= more * 128 / 1024 + 512 + 512 * workers);
        assert_true(many[i] <= 65536 + 4096 * workers + (more + BATCHES * FEW) * 128 / 1024);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_cost_128_bytes),
    };
    return cmocka_run_group_tests_name("process_memory", tests, NULL, NULL);
}
