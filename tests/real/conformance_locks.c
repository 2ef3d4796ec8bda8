/* SPDX-License-Identifier: MPL-2.0 */
/* Locks between processes. The other one is this program again, for a fork has no threads. */
#include "real/conformance.h"

#include <signal.h>
#include <sys/wait.h>

int hold_lock(const char *url, const char *key)
{
    struct store *store = open_with_environment(url);
    struct store_lock *lock = NULL;
    struct err err = {0};
    if (store_lock(&lock, store, key, &err) != 0) {
        (void)fprintf(stderr, "# %s\n", err.text);
        return 1;
    }
    if (write(STDOUT_FILENO, "!", 1) != 1)
        return 1;
    for (;;)
        (void)pause();
}

static pid_t start_holder(const char *key)
{
    int ends[2];
    char byte = 0;
    assert_int_equal(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
        (void)dup2(ends[1], STDOUT_FILENO);
        (void)close(ends[0]);
        (void)close(ends[1]);
        (void)execl("/proc/self/exe", conformance.program, "--hold", conformance.url, key, NULL);
        _exit(127);
    }
    (void)close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    (void)close(ends[0]);
    return child;
}

static void stop_holder(pid_t child)
{
    int status = 0;
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
}

void a_lock_keeps_others_out(void **state)
{
    struct store_lock *lock = NULL;
    struct err err = {0};
    char pid[32];
    const pid_t child = start_holder("locks/a");
    const int r = store_lock(&lock, conformance.store, "locks/a", &err);
    stop_holder(child);
    assert_result(r, E_AGAIN, &err);
    (void)snprintf(pid, sizeof pid, "%ld", (long)child);
    assert_contains(err.text, pid);
    assert_contains(err.text, "locks/a");
    (void)state;
}

void a_lock_of_a_killed_process_is_taken_over(void **state)
{
    struct err err = {0};
    for (int i = 0; i < 2; i++) {
        struct store_lock *lock = NULL;
        stop_holder(start_holder("locks/b"));
        assert_result(store_lock(&lock, conformance.store, "locks/b", &err), 0, &err);
        assert_result(store_lock_check(lock, &err), 0, &err);
        store_unlock(lock);
    }
    struct store_object object = {0};
    assert_result(store_stat(conformance.store, "locks/b", &object, &err), 0, &err);
    (void)state;
}

void a_lock_that_was_taken_away_is_lost(void **state)
{
    struct store_lock *lock = NULL;
    struct err err = {0};
    assert_result(store_lock(&lock, conformance.store, "locks/c", &err), 0, &err);
    put_text("locks/c", "{}");
    assert_result(store_lock_check(lock, &err), E_AGAIN, &err);
    store_unlock(lock);
    assert_text("locks/c", "{}");
    assert_result(store_delete_one(conformance.store, "locks/c", &err), 0, &err);
    assert_result(store_lock(&lock, conformance.store, "locks/c", &err), 0, &err);
    assert_result(store_delete_one(conformance.store, "locks/c", &err), 0, &err);
    assert_result(store_lock_check(lock, &err), E_AGAIN, &err);
    store_unlock(lock);
    (void)state;
}
