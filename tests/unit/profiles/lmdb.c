/* SPDX-License-Identifier: MPL-2.0 */
/* What is special to LMDB. What every backend does: tests/real/profiles_conformance.c. */
#include "base/base_test.h"
#include "base/buf.h"
#include "profiles/profiles.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

struct fixture {
    char dir[TEST_PATH_BYTES], store[TEST_PATH_BYTES + 8], url[TEST_PATH_BYTES + 16];
};

static const int64_t day_us = INT64_C(86400) * 1000000;

static int set_up(void **state)
{
    static struct fixture f;
    make_temp_dir(f.dir);
    (void)snprintf(f.store, sizeof f.store, "%s/store", f.dir);
    (void)snprintf(f.url, sizeof f.url, "lmdb://%s", f.store);
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
    const struct fixture *f = *state;
    return nftw(f->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void check(int r, const struct err *err)
{
    if (r != 0)
        fail_msg("%d: %s", r, err->text);
}

static struct profiles *open_table(const struct fixture *f, const char *instance, const char *table,
                                   bool read_only)
{
    struct profiles *p = NULL;
    struct err err = {0};
    const struct profiles_config config = {
        .url = f->url, .instance = instance, .table = table, .read_only = read_only};
    check(profiles_open(&p, &config, &err), &err);
    if (!read_only)
        check(profiles_ensure_table(p, &err), &err);
    return p;
}

static void put(struct profiles *p, const char *key, const char *value, int64_t timestamp_us)
{
    struct err err = {0};
    check(profiles_put(p, span_str(key), span_str(value), timestamp_us, &err), &err);
}

static void flush(struct profiles *p)
{
    struct err err = {0};
    check(profiles_flush(p, &err), &err);
}

static void make_table(const struct fixture *f, const char *instance, const char *table)
{
    struct profiles *p = open_table(f, instance, table, false);
    put(p, "key", table, 1000);
    flush(p);
    profiles_close(p);
}

static void assert_value(struct profiles *p, const char *key, const char *value)
{
    struct err err = {0};
    struct buf found = BUF_INIT(1024);
    check(profiles_get(p, span_str(key), &found, &err), &err);
    assert_true(span_equal(buf_span(&found), span_str(value)));
    buf_deinit(&found);
}

static int count(void *arg, struct span key, struct span value, int64_t timestamp_us,
                 struct err *err)
{
    (void)key;
    (void)value;
    (void)timestamp_us;
    (void)err;
    ++*(unsigned *)arg;
    return 0;
}

static unsigned count_rows(struct profiles *p)
{
    unsigned n = 0;
    struct err err = {0};
    check(profiles_each(p, count, &n, &err), &err);
    return n;
}

static void assert_refused(const struct fixture *f, const char *instance, const char *table,
                           int code, const char *why)
{
    struct profiles *p = NULL;
    struct err err = {0};
    const struct profiles_config config = {
        .url = f->url, .instance = instance, .table = table, .read_only = true};
    assert_int_equal(profiles_open(&p, &config, &err), code);
    assert_null(p);
    assert_contains(err.text, why);
}

static void a_reader_makes_nothing(void **state)
{
    const struct fixture *f = *state;
    struct stat st;
    assert_refused(f, "i", "t", E_ABSENT, f->store);
    assert_int_equal(stat(f->store, &st), -1);
    assert_int_equal(mkdir(f->store, 0777), 0);
    assert_refused(f, "i", "t", E_ABSENT, f->store);
    assert_int_equal(rmdir(f->store), 0); // still empty
    make_table(f, "i", "t");
    char lock[sizeof f->store + 16];
    (void)snprintf(lock, sizeof lock, "%s/lock.mdb", f->store);
    assert_int_equal(unlink(lock), 0); // a copy without its locks
    struct profiles *p = open_table(f, "i", "t", true);
    assert_value(p, "key", "t");
    profiles_close(p);
    assert_int_equal(stat(lock, &st), -1);
}

static void the_only_table_is_found(void **state)
{
    const struct fixture *f = *state;
    make_table(f, "one", "taar_profile");
    struct profiles *p = open_table(f, NULL, NULL, true);
    assert_value(p, "key", "taar_profile");
    profiles_close(p);
    make_table(f, "two", "taar_profile");
    make_table(f, "two", "other");
    assert_refused(f, NULL, NULL, E_ABSENT, "one/taar_profile, two/other, two/taar_profile");
    assert_refused(f, NULL, "taar_profile", E_ABSENT, "one/taar_profile, two/taar_profile");
    assert_refused(f, "three", NULL, E_ABSENT, "no such table");
    assert_refused(f, "one", "other", E_ABSENT, "one/other");
    p = open_table(f, "one", NULL, true);
    assert_value(p, "key", "taar_profile");
    profiles_close(p);
    p = open_table(f, NULL, "other", true);
    assert_value(p, "key", "other");
    profiles_close(p);
}

static void a_writer_names_its_table(void **state)
{
    const struct fixture *f = *state;
    struct profiles *p = NULL;
    struct err err = {0};
    struct profiles_config config = {.url = f->url, .table = "t"};
    assert_int_equal(profiles_open(&p, &config, &err), E_ARG);
    config.instance = "a/b";
    assert_int_equal(profiles_open(&p, &config, &err), E_ARG);
    config.instance = "";
    assert_int_equal(profiles_open(&p, &config, &err), E_ARG);
    config = (struct profiles_config){.url = "lmdb://relative", .instance = "i", .table = "t"};
    assert_int_equal(profiles_open(&p, &config, &err), E_ARG);
    config.url = "http://elsewhere";
    assert_int_equal(profiles_open(&p, &config, &err), E_ARG);
    assert_contains(err.text, "lmdb:///path");
}

static void old_cells_are_collected(void **state)
{
    struct profiles *p = open_table(*state, "i", "t", false);
    const int64_t now_us = 18700 * day_us;
    char key[32];
    for (int i = 0; i < 2500; i++) { // more than two batches
        (void)snprintf(key, sizeof key, "%04d", i);
        put(p, key, "x", i % 5 == 0 ? now_us - 90 * day_us : now_us - 90 * day_us - 1000);
    }
    flush(p);
    struct err err = {0};
    uint64_t n;
    check(profiles_collect(p, now_us, &n, &err), &err);
    assert_int_equal(n, 2000);
    assert_int_equal(count_rows(p), 500);
    assert_value(p, "0000", "x"); // of exactly 90 days
    check(profiles_collect(p, now_us, &n, &err), &err);
    assert_int_equal(n, 0);
    profiles_close(p);
}

static int put_again(void *arg, struct span key, struct span value, int64_t timestamp_us,
                     struct err *err)
{
    return profiles_put(arg, key, value, timestamp_us, err);
}

static void a_handle_is_not_used_within_each(void **state)
{
    struct profiles *p = open_table(*state, "i", "t", false);
    put(p, "a", "x", 1000);
    flush(p);
    struct err err = {0};
    assert_int_equal(profiles_each(p, put_again, p, &err), E_ARG);
    assert_contains(err.text, "are being read");
    profiles_close(p);
}

static void a_file_that_is_no_store_is_refused(void **state)
{
    const struct fixture *f = *state;
    char path[sizeof f->store + 16];
    assert_int_equal(mkdir(f->store, 0777), 0);
    (void)snprintf(path, sizeof path, "%s/data.mdb", f->store);
    const int fd = open(path, O_WRONLY | O_CREAT, 0666);
    char page[8192];
    memset(page, 'x', sizeof page);
    assert_int_equal(write(fd, page, sizeof page), sizeof page);
    (void)close(fd);
    assert_refused(f, "i", "t", E_FORMAT, f->store);
}

/* The other process: rows of 100 with one stamp in one batch, batch after batch; says so after
 * each. */
static void write_batches(const struct fixture *f, int said, unsigned n_batches)
{
    struct err err = {0};
    struct profiles *p = NULL;
    const struct profiles_config config = {.url = f->url, .instance = "i", .table = "t"};
    if (profiles_open(&p, &config, &err) != 0 || profiles_ensure_table(p, &err) != 0)
        _exit(1);
    static const char filler[3000];
    for (unsigned b = 1; b <= n_batches; b++) {
        for (unsigned i = 0; i < 100; i++) {
            char key[32];
            (void)snprintf(key, sizeof key, "row %03u", i);
            if (profiles_put(p, span_str(key), span_of(filler, sizeof filler), b * INT64_C(1000),
                             &err) != 0)
                _exit(1);
        }
        if (profiles_flush(p, &err) != 0 || write(said, &b, sizeof b) != sizeof b)
            _exit(1);
    }
    profiles_close(p);
    _exit(0);
}

static pid_t start_writer(const struct fixture *f, int *says, unsigned n_batches)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)close(ends[0]);
        write_batches(f, ends[1], n_batches);
    }
    (void)close(ends[1]);
    *says = ends[0];
    return pid;
}

struct stamps {
    int64_t lowest, highest;
    unsigned n;
};

static int see_stamp(void *arg, struct span key, struct span value, int64_t timestamp_us,
                     struct err *err)
{
    struct stamps *s = arg;
    (void)key;
    (void)err;
    assert_int_equal(value.len, 3000);
    s->lowest = s->n == 0 || timestamp_us < s->lowest ? timestamp_us : s->lowest;
    s->highest = s->n == 0 || timestamp_us > s->highest ? timestamp_us : s->highest;
    s->n++;
    return 0;
}

/* Every batch wrote all hundred rows: a mix of stamps would be half a batch. */
static int64_t assert_one_batch(struct profiles *p)
{
    struct stamps s = {0};
    struct err err = {0};
    check(profiles_each(p, see_stamp, &s, &err), &err);
    assert_int_equal(s.n, 100);
    assert_int_equal(s.lowest, s.highest);
    return s.lowest / 1000;
}

static void what_was_flushed_outlives_a_kill(void **state)
{
    const struct fixture *f = *state;
    for (int round = 0; round < 5; round++) {
        int says;
        unsigned last = 0, b;
        const pid_t pid = start_writer(f, &says, UINT32_MAX / 2);
        while (last < 3 + (unsigned)round && read(says, &b, sizeof b) == sizeof b)
            last = b;
        (void)usleep(300 * (unsigned)round);
        (void)kill(pid, SIGKILL);
        while (read(says, &b, sizeof b) == sizeof b)
            last = b;
        int status;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        (void)close(says);
        struct profiles *p = open_table(f, "i", "t", false);
        const int64_t found = assert_one_batch(p);
        assert_true(found == last || found == last + 1);
        struct err err = {0};
        uint64_t n;
        check(profiles_collect(p, 100 * day_us, &n, &err), &err); // the writer's lock is free again
        assert_int_equal(n, 100);
        profiles_close(p);
    }
}

static void processes_share_a_store(void **state)
{
    const struct fixture *f = *state;
    int says;
    unsigned b;
    const pid_t pid = start_writer(f, &says, 60);
    assert_int_equal(read(says, &b, sizeof b), sizeof b);
    struct profiles *reader = open_table(f, "i", "t", true);
    int64_t last = 0;
    while (read(says, &b, sizeof b) == sizeof b) { // while the other's map grows
        const int64_t found = assert_one_batch(reader);
        assert_true(found >= last && found >= b);
        last = found;
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    (void)close(says);
    assert_int_equal(assert_one_batch(reader), 60);
    profiles_close(reader);
}

static void two_writers_take_turns(void **state)
{
    const struct fixture *f = *state;
    make_table(f, "i", "u");
    int says;
    unsigned b;
    const pid_t pid = start_writer(f, &says, 30);
    struct profiles *p = open_table(f, "i", "u", false);
    static char filler[200001];
    memset(filler, 'f', sizeof filler - 1);
    for (int i = 0; i < 200; i++) {
        char key[32];
        (void)snprintf(key, sizeof key, "mine %03d", i);
        put(p, key, filler, 1000);
        if (i % 10 == 0)
            flush(p);
    }
    flush(p);
    while (read(says, &b, sizeof b) == sizeof b)
        ;
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    (void)close(says);
    assert_int_equal(count_rows(p), 201);
    profiles_close(p);
    p = open_table(f, "i", "t", true);
    assert_int_equal(assert_one_batch(p), 30);
    profiles_close(p);
}

static void a_map_grows_with_its_rows(void **state)
{
    const struct fixture *f = *state;
    struct profiles *p = open_table(f, "i", "t", false);
    struct err err = {0};
    char *value = calloc(1, PROFILES_MAX_VALUE);
    assert_non_null(value);
    for (int i = 0; i < 8; i++) { // 80 MiB
        char key[32];
        (void)snprintf(key, sizeof key, "%d", i);
        check(profiles_put(p, span_str(key), span_of(value, PROFILES_MAX_VALUE), 1000, &err), &err);
    }
    flush(p);
    free(value);
    struct stat st;
    char path[sizeof f->store + 16];
    (void)snprintf(path, sizeof path, "%s/data.mdb", f->store);
    assert_int_equal(stat(path, &st), 0);
    assert_true(st.st_size > 80 << 20);
    assert_int_equal(count_rows(p), 8);
    profiles_close(p);
    p = open_table(f, "i", "t", true);
    assert_int_equal(count_rows(p), 8);
    profiles_close(p);
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(a_reader_makes_nothing),
        IN_A_FOLDER(the_only_table_is_found),
        IN_A_FOLDER(a_writer_names_its_table),
        IN_A_FOLDER(old_cells_are_collected),
        IN_A_FOLDER(a_handle_is_not_used_within_each),
        IN_A_FOLDER(a_file_that_is_no_store_is_refused),
        IN_A_FOLDER(what_was_flushed_outlives_a_kill),
        IN_A_FOLDER(processes_share_a_store),
        IN_A_FOLDER(two_writers_take_turns),
        IN_A_FOLDER(a_map_grows_with_its_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
