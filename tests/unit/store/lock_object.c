/* SPDX-License-Identifier: MPL-2.0 */
/* Lock objects over a directory, whose puts have the same preconditions, with less time. */
#include "store/lock_object.h"

#include "base/base_test.h"
#include "base/buf.h"
#include "base/retry.h"

#include <ftw.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { RENEW_MS = 60, EXPIRE_MS = 300, WAIT_MS = 150 };

struct fixture {
    char dir[TEST_PATH_BYTES];
    struct store *store;
};

static struct store *open_store(const char *dir)
{
    struct store *store = NULL;
    const struct store_config config = {.url = dir};
    assert_int_equal(store_open(&store, &config, NULL), 0);
    store->lock_times =
        (struct lock_times){.wait_ms = WAIT_MS, .renew_ms = RENEW_MS, .expire_ms = EXPIRE_MS};
    return store;
}

static int set_up(void **state)
{
    static struct fixture f;
    make_temp_dir(f.dir);
    f.store = open_store(f.dir);
    *state = &f;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    (void)st;
    (void)kind;
    (void)where;
    return remove(path);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    store_close(f->store);
    return nftw(f->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* As store_lock, which gives directories another lock. */
static int take(struct store_lock **lock, struct store *store, struct err *err)
{
    return lock_object(lock, store, "state/lock", err);
}

static void give(struct store_lock *lock)
{
    lock->ops->unlock(lock);
}

static void read_owner(struct fixture *f, struct lock_owner *owner)
{
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(LOCK_MAX_BYTES);
    assert_int_equal(store_get_all(f->store, "state/lock", &text, NULL, NULL), 0);
    lock_owner_parse(owner, buf_span(&text));
}

/* Leave a lock of somebody else. */
static void plant(struct fixture *f, const struct lock_owner *owner)
{
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(LOCK_MAX_BYTES);
    assert_int_equal(lock_owner_format(&text, owner, 0, NULL), 0);
    assert_int_equal(store_put(f->store, "state/lock", buf_span(&text), NULL, NULL, NULL), 0);
}

static struct lock_owner somebody_elsewhere(void)
{
    struct lock_owner owner;
    assert_int_equal(lock_owner_self(&owner, NULL), 0);
    (void)snprintf(owner.host, sizeof owner.host, "elsewhere");
    return owner;
}

static void an_owner_is_written_and_read(void **state)
{
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(LOCK_MAX_BYTES);
    struct lock_owner self, read;
    assert_int_equal(lock_owner_self(&self, NULL), 0);
    assert_int_equal(lock_owner_format(&text, &self, 0, NULL), 0);
    lock_owner_parse(&read, buf_span(&text));
    assert_memory_equal(&read, &self, sizeof self);
    assert_true(self.start_time > 0);
    assert_true(lock_owner_is_here(&read, &self));
    assert_false(lock_owner_is_gone(&read));
    read.start_time++;
    assert_true(lock_owner_is_gone(&read));
    read.boot_id[0] ^= 1;
    assert_false(lock_owner_is_here(&read, &self));
    (void)state;
}

static void what_is_no_lock_has_no_known_owner(void **state)
{
    static const char *const texts[] = {"", "x", "[]", "7", "{\"token\":\"a\",\"token\":\"\"}"};
    struct lock_owner owner, self;
    assert_int_equal(lock_owner_self(&self, NULL), 0);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        lock_owner_parse(&owner, span_str(texts[i]));
        assert_string_equal(owner.token, "?");
        assert_false(lock_owner_is_here(&owner, &self));
    }
    lock_owner_parse(&owner, span_str("{\"token\":\"\"}"));
    assert_string_equal(owner.token, "");
    (void)state;
}

static void a_lock_is_taken_checked_and_given_back(void **state)
{
    struct fixture *f = *state;
    struct store_lock *lock = NULL;
    struct lock_owner owner;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(take(&lock, f->store, NULL), 0);
        read_owner(f, &owner);
        assert_int_equal(owner.pid, getpid());
        assert_int_equal(lock->ops->check(lock, NULL), 0);
        give(lock);
        read_owner(f, &owner);
        assert_string_equal(owner.token, "");
    }
}

static void a_living_neighbour_keeps_it(void **state)
{
    struct fixture *f = *state;
    struct store_lock *lock = NULL, *second = NULL;
    struct err err = {0};
    char name[64];
    assert_int_equal(take(&lock, f->store, NULL), 0);
    const uint64_t began = retry_now_ms();
    assert_int_equal(take(&second, f->store, &err), E_AGAIN);
    assert_true(retry_now_ms() - began >= WAIT_MS);
    (void)snprintf(name, sizeof name, "process %ld", (long)getpid());
    assert_contains(err.text, name);
    assert_int_equal(lock->ops->check(lock, NULL), 0);
    give(lock);
}

static void a_dead_neighbours_lock_is_taken_at_once(void **state)
{
    struct fixture *f = *state;
    const pid_t child = fork();
    if (child == 0) {
        struct store_lock *lock = NULL;
        if (take(&lock, f->store, NULL) == 0)
            (void)raise(SIGKILL);
        _exit(1);
    }
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
    struct store_lock *lock = NULL;
    const uint64_t began = retry_now_ms();
    assert_int_equal(take(&lock, f->store, NULL), 0); // the child is a zombie still
    assert_true(retry_now_ms() - began < EXPIRE_MS);
    give(lock);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
}

static void a_distant_lock_is_waited_for(void **state)
{
    struct fixture *f = *state;
    struct store_lock *lock = NULL;
    const struct lock_owner owner = somebody_elsewhere();
    plant(f, &owner);
    const uint64_t began = retry_now_ms();
    assert_int_equal(take(&lock, f->store, NULL), 0);
    assert_true(retry_now_ms() - began >= EXPIRE_MS);
    give(lock);
}

static void something_unreadable_is_waited_for_too(void **state)
{
    struct fixture *f = *state;
    struct store_lock *lock = NULL;
    static char text[2 * LOCK_MAX_BYTES];
    memset(text, 'x', sizeof text);
    for (size_t len = 1; len <= sizeof text; len += sizeof text - 1) {
        assert_int_equal(store_put(f->store, "state/lock", span_of(text, len), NULL, NULL, NULL),
                         0);
        const uint64_t began = retry_now_ms();
        assert_int_equal(take(&lock, f->store, NULL), 0);
        assert_true(retry_now_ms() - began >= EXPIRE_MS);
        give(lock);
    }
}

static void a_distant_owner_that_renews_keeps_it(void **state)
{
    struct fixture *f = *state;
    const struct lock_owner owner = somebody_elsewhere();
    plant(f, &owner);
    const pid_t child = fork();
    if (child == 0) {
        retry_sleep_ms(EXPIRE_MS / 2);
        plant(f, &owner);
        _exit(0);
    }
    struct store_lock *lock = NULL;
    struct err err = {0};
    const int r = take(&lock, f->store, &err);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(r, E_AGAIN);
    assert_contains(err.text, "on host elsewhere");
}

static void a_lock_is_renewed(void **state)
{
    struct fixture *f = *state;
    struct store_lock *lock = NULL;
    struct store_object first = {0}, later = {0};
    assert_int_equal(take(&lock, f->store, NULL), 0);
    assert_int_equal(store_stat(f->store, "state/lock", &first, NULL), 0);
    retry_sleep_ms(3 * RENEW_MS);
    assert_int_equal(store_stat(f->store, "state/lock", &later, NULL), 0);
    assert_string_not_equal(first.version, later.version);
    assert_int_equal(lock->ops->check(lock, NULL), 0);
    give(lock);
}

static void a_lock_that_was_taken_over_is_lost_and_left_alone(void **state)
{
    struct fixture *f = *state;
    struct store_lock *lock = NULL;
    struct err err = {0};
    const struct lock_owner other = somebody_elsewhere();
    assert_int_equal(take(&lock, f->store, NULL), 0);
    plant(f, &other);
    assert_int_equal(lock->ops->check(lock, &err), E_AGAIN);
    assert_contains(err.text, "elsewhere");
    retry_sleep_ms(3 * RENEW_MS);
    assert_int_equal(lock->ops->check(lock, &err), E_AGAIN);
    give(lock);
    struct lock_owner owner;
    read_owner(f, &owner);
    assert_string_equal(owner.token, other.token);
}

static void a_deleted_lock_is_lost(void **state)
{
    struct fixture *f = *state;
    struct store_lock *lock = NULL;
    struct err err = {0};
    assert_int_equal(take(&lock, f->store, NULL), 0);
    assert_int_equal(store_delete_one(f->store, "state/lock", NULL), 0);
    assert_int_equal(lock->ops->check(lock, &err), E_AGAIN);
    give(lock);
    struct store_object object = {0};
    assert_int_equal(store_stat(f->store, "state/lock", &object, NULL), E_ABSENT);
}

static void check_renews_what_nobody_renewed(void **state)
{
    struct fixture *f = *state;
    struct store_lock *lock = NULL;
    struct store_object first = {0}, later = {0};
    f->store->lock_times.renew_ms = 60 * 1000;
    assert_int_equal(take(&lock, f->store, NULL), 0);
    assert_int_equal(store_stat(f->store, "state/lock", &first, NULL), 0);
    assert_int_equal(lock->ops->check(lock, NULL), 0);
    assert_int_equal(store_stat(f->store, "state/lock", &later, NULL), 0);
    assert_string_equal(first.version, later.version);
    retry_sleep_ms(EXPIRE_MS / 2 + 50);
    assert_int_equal(lock->ops->check(lock, NULL), 0);
    assert_int_equal(store_stat(f->store, "state/lock", &later, NULL), 0);
    assert_string_not_equal(first.version, later.version);
    give(lock);
}

int main(void)
{
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_owner_is_written_and_read),
        cmocka_unit_test(what_is_no_lock_has_no_known_owner),
        WITH_STORE(a_lock_is_taken_checked_and_given_back),
        WITH_STORE(a_living_neighbour_keeps_it),
        WITH_STORE(a_dead_neighbours_lock_is_taken_at_once),
        WITH_STORE(a_distant_lock_is_waited_for),
        WITH_STORE(something_unreadable_is_waited_for_too),
        WITH_STORE(a_distant_owner_that_renews_keeps_it),
        WITH_STORE(a_lock_is_renewed),
        WITH_STORE(a_lock_that_was_taken_over_is_lost_and_left_alone),
        WITH_STORE(a_deleted_lock_is_lost),
        WITH_STORE(check_renews_what_nobody_renewed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
