/* SPDX-License-Identifier: MPL-2.0 */
/* What is special to directories. What every store does: tests/real/store_conformance.c. */
#include "base/base_test.h"
#include "base/buf.h"
#include "store/backend.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

struct fixture {
    char dir[TEST_PATH_BYTES], root[TEST_PATH_BYTES + 8];
    struct store *store;
};

static struct store *open_store(const char *url)
{
    struct store *store = NULL;
    struct err err = {0};
    const struct store_config config = {.url = url};
    if (store_open(&store, &config, &err) != 0)
        fail_msg("%s", err.text);
    return store;
}

static int set_up(void **state)
{
    static struct fixture f;
    make_temp_dir(f.dir);
    (void)snprintf(f.root, sizeof f.root, "%s/a/root", f.dir);
    f.store = open_store(f.root);
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

static const char *path_in(const struct fixture *f, const char *key)
{
    static char path[4][2 * TEST_PATH_BYTES];
    static unsigned turn;
    char *p = path[turn++ % 4];
    (void)snprintf(p, sizeof path[0], "%s/%s", f->root, key);
    return p;
}

static void put(struct fixture *f, const char *key, const char *text)
{
    struct err err = {0};
    if (store_put(f->store, key, span_str(text), NULL, NULL, &err) != 0)
        fail_msg("%s", err.text);
}

static void make_file(const char *path, const char *text)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(close(fd), 0);
}

/* NULL: there must be no such object. */
static void assert_object(struct fixture *f, const char *key, const char *text)
{
    CLEANUP(buf_deinit) struct buf got = BUF_INIT(4096);
    struct err err = {0};
    const int r = store_get_all(f->store, key, &got, NULL, &err);
    assert_int_equal(r, text ? 0 : E_ABSENT);
    if (text)
        assert_true(span_equal(buf_span(&got), span_str(text)));
}

/* The keys of a listing, joined. */
static void assert_listed(struct fixture *f, const char *prefix, const char *keys)
{
    struct store_listing listing = {0};
    struct err err = {0};
    char got[1000] = "";
    size_t len = 0;
    if (store_list(f->store, prefix, &listing, &err) != 0)
        fail_msg("%s", err.text);
    for (size_t i = 0; i < listing.n; i++)
        len += (size_t)snprintf(got + len, sizeof got - len, "%s%s", i ? " " : "",
                                listing.objects[i].key);
    store_listing_deinit(&listing);
    assert_string_equal(got, keys);
}

static bool exists(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

static void a_root_is_made_by_the_first_put(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    assert_int_equal(store_check(f->store, &err), E_ABSENT);
    assert_contains(err.text, f->root);
    assert_listed(f, "", "");
    assert_object(f, "x", NULL);
    assert_int_equal(store_delete_one(f->store, "x/y", NULL), 0);
    assert_false(exists(f->root));
    put(f, "x/y", "text");
    assert_int_equal(store_check(f->store, NULL), 0);
    assert_object(f, "x/y", "text");
}

static void urls_of_directories_are_understood(void **state)
{
    struct fixture *f = *state;
    char url[2 * TEST_PATH_BYTES];
    (void)snprintf(url, sizeof url, "file://%s/./", f->root);
    CLEANUP(store_closep) struct store *same = open_store(url);
    assert_string_equal(store_name(same), f->root);
    assert_true(store_same(f->store, same));
    assert_true(store_is_local(same));
    put(f, "x", "text");
    (void)snprintf(url, sizeof url, "%s/link", f->dir);
    assert_int_equal(symlink(f->root, url), 0);
    CLEANUP(store_closep) struct store *linked = open_store(url);
    assert_true(store_same(f->store, linked));
    CLEANUP(store_closep) struct store *other = open_store(f->dir);
    assert_false(store_same(f->store, other));
}

static void unusable_urls_are_refused(void **state)
{
    static const char *const urls[] = {"",
                                       "x",
                                       "x/y",
                                       "http://a/b",
                                       "file://x",
                                       "s3://",
                                       "s3:///x",
                                       "s3://a",
                                       "s3://ab c",
                                       "gs://a/b",
                                       "s3://abc//x",
                                       "s3://abc/x/../y",
                                       "gs://abc/\n",
                                       NULL};
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        struct store *store = NULL;
        struct err err = {0};
        const struct store_config config = {.url = urls[i]};
        if (store_open(&store, &config, &err) != E_ARG)
            fail_msg("%s was taken", urls[i]);
        assert_true(err.text[0] != '\0');
        assert_null(store);
    }
    (void)state;
}

static void keys_and_prefixes_do_not_lead_out(void **state)
{
    struct fixture *f = *state;
    static const char *const keys[] = {"../x", "a/../../x", "..", ".", "a/./b", "/x", "a//b", ""};
    put(f, "in", "text");
    make_file(path_in(f, "../x"), "outside");
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        struct store_object object = {0};
        struct store_listing listing = {0};
        assert_int_equal(store_put(f->store, keys[i], span_str("x"), NULL, NULL, NULL), E_ARG);
        assert_int_equal(store_stat(f->store, keys[i], &object, NULL), E_ARG);
        assert_int_equal(store_delete_one(f->store, keys[i], NULL), E_ARG);
        if (strchr(keys[i], '/'))
            assert_int_equal(store_list(f->store, keys[i], &listing, NULL), E_ARG);
    }
    assert_int_equal(store_put(f->store, "a/", span_str("x"), NULL, NULL, NULL), E_ARG);
    assert_int_equal(store_put(f->store, "a\xff", span_str("x"), NULL, NULL, NULL), E_ARG);
    assert_true(exists(path_in(f, "../x")));
}

static void leftovers_are_listed_and_overwritten(void **state)
{
    struct fixture *f = *state;
    put(f, "d/other", "text");
    make_file(path_in(f, "d/.data.tmp"), "a longer text of a killed run");
    assert_listed(f, "d/", "d/.data.tmp d/other");
    assert_listed(f, "d/.", "d/.data.tmp");
    put(f, "d/data", "new");
    assert_object(f, "d/data", "new");
    assert_listed(f, "d/", "d/data d/other");
}

static void a_killed_writer_leaves_a_temporary_file_at_most(void **state)
{
    struct fixture *f = *state;
    const pid_t child = fork();
    if (child == 0) {
        struct store_writer *w = NULL;
        static const char bytes[1000000];
        if (store_put_begin(&w, f->store, "d/data", NULL, NULL) == 0 &&
            store_writer_write(w, bytes, sizeof bytes, NULL) == 0)
            (void)raise(SIGKILL);
        _exit(1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_listed(f, "", "d/.data.tmp");
    put(f, "d/data", "whole");
    assert_listed(f, "", "d/data");
    assert_object(f, "d/data", "whole");
}

static void empty_directories_go_with_their_last_object(void **state)
{
    struct fixture *f = *state;
    put(f, "a/b/c/1", "x");
    put(f, "a/b/c/2", "x");
    put(f, "a/d/1", "x");
    assert_int_equal(store_delete_one(f->store, "a/b/c/1", NULL), 0);
    assert_true(exists(path_in(f, "a/b/c")));
    assert_int_equal(store_delete_one(f->store, "a/b/c/2", NULL), 0);
    assert_false(exists(path_in(f, "a/b")));
    assert_true(exists(path_in(f, "a/d")));
    const char *const keys[] = {"a/d/1", "a", "a/d", "a/d/", "no/such", "a/d/1/x"};
    assert_int_equal(store_delete(f->store, keys, ARRAY_LEN(keys), NULL), 0);
    assert_false(exists(path_in(f, "a")));
    assert_true(exists(f->root));
}

static void an_abandoned_put_leaves_no_directory(void **state)
{
    struct fixture *f = *state;
    struct store_writer *w = NULL;
    static const char bytes[1000000];
    put(f, "x", "x");
    assert_int_equal(store_put_begin(&w, f->store, "a/b/data", NULL, NULL), 0);
    assert_int_equal(store_writer_write(w, bytes, sizeof bytes, NULL), 0);
    assert_true(exists(path_in(f, "a/b/.data.tmp")));
    store_writer_abandon(w);
    assert_false(exists(path_in(f, "a")));
}

static void links_to_files_are_read_and_never_followed_by_changes(void **state)
{
    struct fixture *f = *state;
    put(f, "data", "text");
    make_file(path_in(f, "../outside"), "outside");
    assert_int_equal(symlink("../outside", path_in(f, "link")), 0);
    assert_int_equal(symlink("../outside", path_in(f, "second")), 0);
    assert_int_equal(symlink("nowhere", path_in(f, "dangling")), 0);
    assert_listed(f, "", "data link second");
    assert_object(f, "link", "outside");
    assert_object(f, "dangling", NULL);
    assert_int_equal(store_delete_one(f->store, "link", NULL), 0);
    assert_false(exists(path_in(f, "link")));
    put(f, "second", "inside");
    assert_object(f, "second", "inside");
    CLEANUP(store_closep) struct store *above = open_store(f->dir);
    CLEANUP(buf_deinit) struct buf got = BUF_INIT(100);
    assert_int_equal(store_get_all(above, "a/outside", &got, NULL, NULL), 0);
    assert_true(span_equal(buf_span(&got), span_str("outside")));
}

static void links_to_directories_are_not_part_of_it(void **state)
{
    struct fixture *f = *state;
    put(f, "data", "text");
    assert_int_equal(mkdir(path_in(f, "../out"), 0700), 0);
    make_file(path_in(f, "../out/x"), "outside");
    assert_int_equal(symlink("../out", path_in(f, "out")), 0);
    assert_listed(f, "", "data");
    assert_object(f, "out/x", NULL);
    assert_int_equal(store_delete_one(f->store, "out/x", NULL), 0);
    struct err err = {0};
    assert_int_equal(store_put(f->store, "out/y", span_str("x"), NULL, NULL, &err), E_IO);
    assert_contains(err.text, "symbolic link");
    assert_true(exists(path_in(f, "../out/x")));
    assert_false(exists(path_in(f, "../out/y")));
}

static void what_is_no_file_is_no_object(void **state)
{
    struct fixture *f = *state;
    put(f, "data", "text");
    assert_int_equal(mkfifo(path_in(f, "pipe"), 0600), 0);
    assert_int_equal(mkdir(path_in(f, "empty"), 0700), 0);
    assert_listed(f, "", "data");
    assert_object(f, "pipe", NULL);
    assert_object(f, "empty", NULL);
    struct store_listing level = {0};
    assert_int_equal(store_list_level(f->store, "", &level, NULL), 0);
    assert_int_equal(level.n, 1);
    store_listing_deinit(&level);
}

static void a_name_that_is_not_utf8_is_reported(void **state)
{
    struct fixture *f = *state;
    put(f, "d/data", "text");
    make_file(path_in(f, "d/\xff"), "x");
    struct store_listing listing = {0};
    struct err err = {0};
    assert_int_equal(store_list(f->store, "", &listing, &err), E_FORMAT);
    assert_contains(err.text, "not UTF-8");
    assert_contains(err.text, "d/");
    assert_int_equal(store_delete_one(f->store, "d/\xff", NULL), 0);
    assert_listed(f, "", "d/data");
}

static void a_file_in_the_way_is_reported(void **state)
{
    struct fixture *f = *state;
    struct err err = {0};
    put(f, "d", "text");
    assert_int_equal(store_put(f->store, "d/x", span_str("x"), NULL, NULL, &err), E_IO);
    assert_contains(err.text, "d/x");
    put(f, "e/x", "text");
    assert_int_equal(store_put(f->store, "e", span_str("x"), NULL, NULL, &err), E_IO);
    assert_listed(f, "", "d e/x");
}

/* Quick, equal in size, with inodes used again: no two versions may be the same. */
static void every_rewrite_is_another_version(void **state)
{
    struct fixture *f = *state;
    enum { N = 200 };
    static struct store_object seen[N];
    for (size_t i = 0; i < N; i++) {
        assert_int_equal(store_put(f->store, "data", span_str("same"), NULL, &seen[i], NULL), 0);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(seen[i].version, seen[j].version);
    }
    struct store_object again = {0};
    CLEANUP(store_closep) struct store *other = open_store(f->root);
    assert_int_equal(store_stat(other, "data", &again, NULL), 0);
    assert_string_equal(again.version, seen[N - 1].version);
    assert_null(strpbrk(again.version, " \"'"));
}

static void a_file_changed_in_place_is_another_version(void **state)
{
    struct fixture *f = *state;
    struct store_object before = {0}, after = {0};
    put(f, "data", "text");
    assert_int_equal(store_stat(f->store, "data", &before, NULL), 0);
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {0}};
    struct stat st;
    assert_int_equal(stat(path_in(f, "data"), &st), 0);
    times[1] = st.st_mtim;
    (void)usleep(20000); // ctime moves in steps
    make_file(path_in(f, "data"), "TEXT");
    assert_int_equal(utimensat(AT_FDCWD, path_in(f, "data"), times, 0), 0);
    assert_int_equal(store_stat(f->store, "data", &after, NULL), 0);
    assert_string_not_equal(before.version, after.version);
}

struct crowd {
    struct fixture *f;
    unsigned seed;
};

/* Put and delete in directories that come and go. */
static void *crowd_run(void *arg)
{
    struct crowd *c = arg;
    unsigned seed = c->seed;
    for (int i = 0; i < 150; i++) {
        char key[64];
        struct err err = {0};
        (void)snprintf(key, sizeof key, "p/q%d/%d", rand_r(&seed) % 2, rand_r(&seed) % 3);
        const int r = rand_r(&seed) % 2
                          ? store_put(c->f->store, key, span_str(key), NULL, NULL, &err)
                          : store_delete_one(c->f->store, key, &err);
        struct store_listing listing = {0};
        if (r != 0 || store_list(c->f->store, "p/", &listing, &err) != 0) {
            (void)fprintf(stderr, "# %s\n", err.text);
            return c;
        }
        store_listing_deinit(&listing);
    }
    return NULL;
}

static void putting_and_deleting_do_not_disturb_each_other(void **state)
{
    struct fixture *f = *state;
    enum { THREADS = 4 };
    struct crowd crowd[THREADS];
    pthread_t threads[THREADS];
    const pid_t child = fork();
    if (child == 0) {
        struct crowd c = {.f = f, .seed = 99};
        _exit(crowd_run(&c) == NULL ? 0 : 1);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        crowd[i] = (struct crowd){.f = f, .seed = i};
        assert_int_equal(pthread_create(&threads[i], NULL, crowd_run, &crowd[i]), 0);
    }
    int bad = 0, status = 0;
    for (unsigned i = 0; i < THREADS; i++) {
        void *result = NULL;
        (void)pthread_join(threads[i], &result);
        bad += result != NULL;
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(bad, 0);
    assert_int_equal(status, 0);
    struct store_listing left = {0};
    assert_int_equal(store_list(f->store, "", &left, NULL), 0);
    for (size_t i = 0; i < left.n; i++)
        assert_object(f, left.objects[i].key, left.objects[i].key);
    store_listing_deinit(&left);
}

static void *count_up(void *arg)
{
    struct crowd *c = arg;
    for (int done = 0; done < 20;) {
        CLEANUP(buf_deinit) struct buf got = BUF_INIT(100);
        struct store_object object = {0};
        char text[24];
        if (store_get_all(c->f->store, "n", &got, &object, NULL) != 0 ||
            buf_append_byte(&got, 0, NULL) != 0)
            return c;
        (void)snprintf(text, sizeof text, "%ld", strtol((char *)got.data, NULL, 10) + 1);
        const struct store_put_options options = {.if_version = object.version};
        const int r = store_put(c->f->store, "n", span_str(text), &options, NULL, NULL);
        if (r < 0)
            return c;
        done += r == 0;
    }
    return NULL;
}

static void changes_by_version_do_not_get_lost(void **state)
{
    struct fixture *f = *state;
    enum { THREADS = 4 };
    struct crowd c = {.f = f};
    pthread_t threads[THREADS];
    put(f, "n", "0");
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_up, &c), 0);
    for (unsigned i = 0; i < THREADS; i++) {
        void *result = NULL;
        (void)pthread_join(threads[i], &result);
        assert_null(result);
    }
    assert_object(f, "n", "80");
}

static void a_lock_names_its_holder(void **state)
{
    struct fixture *f = *state;
    struct store_lock *lock = NULL, *second = NULL;
    struct err err = {0};
    char pid[32];
    f->store->lock_times.wait_ms = 200;
    (void)snprintf(pid, sizeof pid, "process %ld ", (long)getpid());
    assert_int_equal(store_lock(&lock, f->store, "own/state/lock", NULL), 0);
    assert_int_equal(store_lock(&second, f->store, "own/state/lock", &err), E_AGAIN);
    assert_contains(err.text, pid);
    assert_contains(err.text, "own/state/lock");
    assert_int_equal(store_lock_check(lock, NULL), 0);
    store_unlock(lock);
    assert_object(f, "own/state/lock", "");
    assert_int_equal(store_lock(&second, f->store, "own/state/lock", NULL), 0);
    store_unlock(second);
}

static void a_lock_whose_file_is_replaced_is_lost(void **state)
{
    struct fixture *f = *state;
    CLEANUP(store_unlockp) struct store_lock *lock = NULL;
    struct err err = {0};
    assert_int_equal(store_lock(&lock, f->store, "lock", NULL), 0);
    assert_int_equal(store_delete_one(f->store, "lock", NULL), 0);
    assert_int_equal(store_lock_check(lock, &err), E_AGAIN);
    assert_contains(err.text, "lock");
    put(f, "lock", "x");
    assert_int_equal(store_lock_check(lock, NULL), E_AGAIN);
}

static void a_lock_does_not_reach_programs_that_are_started(void **state)
{
    struct fixture *f = *state;
    CLEANUP(store_unlockp) struct store_lock *lock = NULL;
    enum { FDS = 64 };
    bool was_open[FDS];
    for (int fd = 0; fd < FDS; fd++)
        was_open[fd] = fcntl(fd, F_GETFD) != -1;
    assert_int_equal(store_lock(&lock, f->store, "lock", NULL), 0);
    for (int fd = 0; fd < FDS; fd++)
        assert_true(was_open[fd] || fcntl(fd, F_GETFD) == -1 || (fcntl(fd, F_GETFD) & FD_CLOEXEC));
}

int main(void)
{
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_STORE(a_root_is_made_by_the_first_put),
        WITH_STORE(urls_of_directories_are_understood),
        cmocka_unit_test(unusable_urls_are_refused),
        WITH_STORE(keys_and_prefixes_do_not_lead_out),
        WITH_STORE(leftovers_are_listed_and_overwritten),
        WITH_STORE(a_killed_writer_leaves_a_temporary_file_at_most),
        WITH_STORE(empty_directories_go_with_their_last_object),
        WITH_STORE(an_abandoned_put_leaves_no_directory),
        WITH_STORE(links_to_files_are_read_and_never_followed_by_changes),
        WITH_STORE(links_to_directories_are_not_part_of_it),
        WITH_STORE(what_is_no_file_is_no_object),
        WITH_STORE(a_name_that_is_not_utf8_is_reported),
        WITH_STORE(a_file_in_the_way_is_reported),
        WITH_STORE(every_rewrite_is_another_version),
        WITH_STORE(a_file_changed_in_place_is_another_version),
        WITH_STORE(putting_and_deleting_do_not_disturb_each_other),
        WITH_STORE(changes_by_version_do_not_get_lost),
        WITH_STORE(a_lock_names_its_holder),
        WITH_STORE(a_lock_whose_file_is_replaced_is_lost),
        WITH_STORE(a_lock_does_not_reach_programs_that_are_started),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
