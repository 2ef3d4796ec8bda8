/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Each piece of work here runs again and again with its 1st, 2nd, 3rd ... fallible call failing,
 * until it gets through without a failure. A failure must come back as an error, leave nothing
 * behind and touch no result. The linker sends the calls of the code under test to the __wrap_
 * functions below.
 */
#include "base/buf.h"
#include "base/opts.h"
#include "base/outfile.h"
#include "base/pool.h"
#include "base/source.h"
#include "base_test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>

static struct {
    long countdown; // the call that takes it from 1 to 0 fails; 0: none
    bool failed;
} fault;

static bool strikes(void)
{
    if (fault.countdown == 0 || --fault.countdown > 0)
        return false;
    fault.failed = true;
    return true;
}

#define WRAPPED(type, name, params, args, failure, cause)                                          \
    type __real_##name params;                                                                     \
    type __wrap_##name params;                                                                     \
    type __wrap_##name params                                                                      \
    {                                                                                              \
        if (strikes()) {                                                                           \
            errno = cause;                                                                         \
            return failure;                                                                        \
        }                                                                                          \
        return __real_##name args;                                                                 \
    }

WRAPPED(void *, malloc, (size_t n), (n), NULL, ENOMEM)
WRAPPED(void *, calloc, (size_t n, size_t size), (n, size), NULL, ENOMEM)
WRAPPED(void *, realloc, (void *p, size_t n), (p, n), NULL, ENOMEM)
WRAPPED(char *, strdup, (const char *s), (s), NULL, ENOMEM)
WRAPPED(ssize_t, write, (int fd, const void *bytes, size_t n), (fd, bytes, n), -1, ENOSPC)
WRAPPED(ssize_t, read, (int fd, void *bytes, size_t n), (fd, bytes, n), -1, EIO)
WRAPPED(int, fsync, (int fd), (fd), -1, EIO)
WRAPPED(int, renameat, (int from_fd, const char *from, int to_fd, const char *to),
        (from_fd, from, to_fd, to), -1, EACCES)
WRAPPED(int, pthread_create,
        (pthread_t * thread, const pthread_attr_t *attributes, void *(*start)(void *), void *arg),
        (thread, attributes, start, arg), EAGAIN, EAGAIN)

/* asprintf cannot be forwarded; with memory short its pointer is undefined, here a trap. */
int __wrap_asprintf(char **out, const char *fmt, ...) PRINTF_LIKE(2, 3);
int __wrap_asprintf(char **out, const char *fmt, ...)
{
    if (strikes()) {
        *out = (char *)1;
        return -1;
    }
    va_list args;
    va_start(args, fmt);
    const int len = vasprintf(out, fmt, args);
    va_end(args);
    return len;
}

static char dir[TEST_PATH_BYTES];

/* Run work with every fault in turn. @return how many faults there were to try. */
static long with_every_fault(int (*work)(struct err *err))
{
    for (long n = 1;; n++) {
        struct err err = {0};
        fault.countdown = n;
        fault.failed = false;
        const int r = work(&err);
        const bool failed = fault.failed;
        fault.countdown = 0;
        if (!failed) {
            assert_int_equal(r, 0);
            return n - 1;
        }
        assert_true(r < 0);
        assert_int_equal(err.code, r);
        assert_int_not_equal(err.text[0], '\0');
    }
}

static int fill_bufs(struct err *err)
{
    CLEANUP(buf_deinit) struct buf plain = BUF_INIT(1000);
    CLEANUP(buf_deinit) struct buf secret = BUF_INIT_SECRET(1000);
    int r = 0;
    for (size_t i = 0; i < 900 && r == 0; i++) {
        const struct buf before = i % 2 ? plain : secret;
        struct buf *b = i % 2 ? &plain : &secret;
        r = i % 3 ? buf_append_byte(b, (uint8_t)i, err) : buf_printf(b, err, "%c", 'x');
        if (r < 0)
            assert_memory_equal(b, &before, sizeof before);
    }
    return r;
}

static void bufs_stay_as_they_were(void **state)
{
    assert_true(with_every_fault(fill_bufs) >= 8);
    (void)state;
}

static void path_in_dir(char out[TEST_PATH_BYTES + 16], const char *name)
{
    (void)snprintf(out, TEST_PATH_BYTES + 16, "%s/%s", dir, name);
}

static int write_a_file(struct err *err)
{
    CLEANUP(outfile_abandon) struct outfile f = OUTFILE_INIT;
    int r = make_directories(dir, err);
    if (r == 0)
        r = outfile_open(&f, dir, "data", err);
    if (r == 0)
        r = outfile_write(&f, "whole", 5, err);
    if (r == 0)
        r = outfile_commit(&f, err);
    return r;
}

/* Only the flush of the directory, the last call of all, may fail with the file in place. */
static void files_appear_whole_or_not_at_all(void **state)
{
    char path[TEST_PATH_BYTES + 16], tmp_path[TEST_PATH_BYTES + 16];
    path_in_dir(path, "data");
    path_in_dir(tmp_path, ".data.tmp");
    long n_in_place = 0;
    for (long n = 1;; n++) {
        struct err err = {0};
        fault.countdown = n;
        fault.failed = false;
        const int r = write_a_file(&err);
        fault.countdown = 0;
        assert_int_equal(access(tmp_path, F_OK), -1);
        const bool in_place = access(path, F_OK) == 0;
        if (in_place)
            assert_int_equal(unlink(path), 0);
        if (!fault.failed) {
            assert_int_equal(r, 0);
            assert_true(in_place);
            assert_true(n >= 7);
            break;
        }
        assert_true(r < 0);
        n_in_place += in_place;
        if (in_place)
            assert_contains(err.text, "flush the directory");
    }
    assert_int_equal(n_in_place, 1);
    (void)state;
}

static atomic_uint n_ran;

static int count_run(unsigned index, void *arg, struct err *err)
{
    n_ran++;
    (void)index;
    (void)arg;
    (void)err;
    return 0;
}

static void fewer_threads_are_enough(void **state)
{
    for (long n = 2; n <= 4; n++) { // the first call is the pool's calloc
        struct err err = {0};
        n_ran = 0;
        fault.countdown = n;
        assert_int_equal(pool_run(4, count_run, NULL, &err), 0);
        fault.countdown = 0;
        assert_int_equal(n_ran, n - 1);
    }
    struct err err = {0};
    n_ran = 0;
    fault.countdown = 1;
    assert_int_equal(pool_run(4, count_run, NULL, &err), E_NOMEM);
    assert_int_equal(n_ran, 0);
    (void)state;
}

struct args {
    struct opt_secret key;
};

static int read_a_secret(struct err *err)
{
    static const struct opt options[] = {
        OPT_SECRET_REQUIRED("key", struct args, key, NULL, NULL, ""),
        OPT_END,
    };
    static const struct opt *const groups[] = {options, NULL};
    static const struct opt_command command = {.name = "x", .groups = groups};
    char path[TEST_PATH_BYTES + 16], option[] = "--key-file";
    path_in_dir(path, "key");
    struct args args = {0};
    const int r = opts_parse(&command, &args, 2, (char *[]){option, path, NULL}, err);
    assert_int_equal(args.key.len, r == 0 ? 3 : 0);
    return r;
}

static void unreadable_secrets_are_errors(void **state)
{
    char path[TEST_PATH_BYTES + 16];
    path_in_dir(path, "key");
    const int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(fd, "k3y\n", 4), 4);
    assert_int_equal(close(fd), 0);
    assert_int_equal(with_every_fault(read_a_secret), 2); // the content, and the end behind it
    assert_int_equal(unlink(path), 0);
    (void)state;
}

static int set_up(void **state)
{
    make_temp_dir(dir);
    (void)state;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bufs_stay_as_they_were),
        cmocka_unit_test(files_appear_whole_or_not_at_all),
        cmocka_unit_test(fewer_threads_are_enough),
        cmocka_unit_test(unreadable_secrets_are_errors),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
