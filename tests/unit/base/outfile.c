/* SPDX-License-Identifier: MPL-2.0 */
#include "base/outfile.h"

#include "base_test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

struct fixture {
    char dir[TEST_PATH_BYTES];
};

static int set_up(void **state)
{
    static struct fixture f;
    make_temp_dir(f.dir);
    *state = &f;
    return 0;
}

static void remove_tree(const char *dir)
{
    DIR *d = opendir(dir);
    assert_non_null(d);
    for (const struct dirent *e; (e = readdir(d));) {
        char path[2 * TEST_PATH_BYTES];
        struct stat st;
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        (void)snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        assert_int_equal(lstat(path, &st), 0);
        if (S_ISDIR(st.st_mode))
            remove_tree(path);
        else
            assert_int_equal(unlink(path), 0);
    }
    assert_int_equal(closedir(d), 0);
    assert_int_equal(rmdir(dir), 0);
}

static int tear_down(void **state)
{
    remove_tree(((struct fixture *)*state)->dir);
    return 0;
}

static const char *path_in(const struct fixture *f, const char *name)
{
    static char path[4][2 * TEST_PATH_BYTES];
    static unsigned turn;
    char *p = path[turn++ % 4];
    (void)snprintf(p, sizeof path[0], "%s/%s", f->dir, name);
    return p;
}

/* Compare the file with text; NULL: there must be no such file. */
static void assert_file(const struct fixture *f, const char *name, const char *text)
{
    char got[256];
    const int fd = open(path_in(f, name), O_RDONLY);
    if (!text) {
        assert_int_equal(fd, -1);
        assert_int_equal(errno, ENOENT);
        return;
    }
    assert_true(fd >= 0);
    const ssize_t n = read(fd, got, sizeof got);
    assert_int_equal(close(fd), 0);
    assert_int_equal(n, strlen(text));
    assert_memory_equal(got, text, strlen(text));
}

static void put(const struct fixture *f, const char *name, const char *text)
{
    const int fd = open(path_in(f, name), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(close(fd), 0);
}

static void a_file_appears_whole_at_commit(void **state)
{
    struct fixture *f = *state;
    CLEANUP(outfile_abandon) struct outfile out = OUTFILE_INIT;
    assert_int_equal(outfile_open(&out, f->dir, "data", NULL), 0);
    assert_int_equal(outfile_write(&out, "one ", 4, NULL), 0);
    assert_int_equal(outfile_write(&out, NULL, 0, NULL), 0);
    assert_int_equal(outfile_write(&out, "two", 3, NULL), 0);
    assert_file(f, "data", NULL);
    assert_file(f, ".data.tmp", "one two");
    assert_int_equal(outfile_commit(&out, NULL), 0);
    assert_file(f, "data", "one two");
    assert_file(f, ".data.tmp", NULL);
    assert_int_equal(out.fd, -1);
}

static void an_abandoned_file_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    struct outfile out = OUTFILE_INIT;
    assert_int_equal(outfile_open(&out, f->dir, "data", NULL), 0);
    assert_int_equal(outfile_write(&out, "x", 1, NULL), 0);
    outfile_abandon(&out);
    assert_file(f, "data", NULL);
    assert_file(f, ".data.tmp", NULL);
    outfile_abandon(&out);
    assert_int_equal(out.fd, -1);
}

static void abandoning_after_a_commit_keeps_the_file(void **state)
{
    struct fixture *f = *state;
    struct outfile out = OUTFILE_INIT;
    assert_int_equal(outfile_open(&out, f->dir, "data", NULL), 0);
    assert_int_equal(outfile_commit(&out, NULL), 0);
    outfile_abandon(&out);
    assert_file(f, "data", "");
}

static void abandoning_keeps_the_file_of_an_earlier_run(void **state)
{
    struct fixture *f = *state;
    put(f, "data", "earlier");
    struct outfile out = OUTFILE_INIT;
    assert_int_equal(outfile_open(&out, f->dir, "data", NULL), 0);
    assert_int_equal(outfile_write(&out, "x", 1, NULL), 0);
    assert_file(f, "data", "earlier");
    outfile_abandon(&out);
    assert_file(f, "data", "earlier");
}

static void a_commit_replaces_an_older_file_and_a_leftover(void **state)
{
    struct fixture *f = *state;
    put(f, "data", "an older and longer file");
    put(f, ".data.tmp", "what a killed run left behind, longer still");
    CLEANUP(outfile_abandon) struct outfile out = OUTFILE_INIT;
    assert_int_equal(outfile_open(&out, f->dir, "data", NULL), 0);
    assert_int_equal(outfile_write(&out, "new", 3, NULL), 0);
    assert_int_equal(outfile_commit(&out, NULL), 0);
    assert_file(f, "data", "new");
    assert_file(f, ".data.tmp", NULL);
}

static void a_planted_symlink_is_not_followed(void **state)
{
    struct fixture *f = *state;
    put(f, "victim", "untouched");
    assert_int_equal(symlink("victim", path_in(f, ".data.tmp")), 0);
    CLEANUP(outfile_abandon) struct outfile out = OUTFILE_INIT;
    struct err err = {0};
    assert_int_equal(outfile_open(&out, f->dir, "data", &err), E_IO);
    assert_contains(err.text, ".data.tmp");
    assert_file(f, "victim", "untouched");
}

static void two_writers_of_a_name_do_not_touch_each_other(void **state)
{
    struct fixture *f = *state;
    CLEANUP(outfile_abandon) struct outfile first = OUTFILE_INIT;
    CLEANUP(outfile_abandon) struct outfile second = OUTFILE_INIT;
    assert_int_equal(outfile_open(&first, f->dir, "data", NULL), 0);
    assert_int_equal(outfile_write(&first, "first", 5, NULL), 0);
    assert_int_equal(outfile_open(&second, f->dir, "data", NULL), 0);
    assert_int_equal(outfile_write(&second, "2nd", 3, NULL), 0);
    assert_file(f, ".data.2.tmp", "2nd");
    assert_int_equal(outfile_commit(&first, NULL), 0);
    assert_file(f, "data", "first");
    struct outfile third = OUTFILE_INIT;
    assert_int_equal(outfile_open(&third, f->dir, "data", NULL), 0);
    outfile_abandon(&third);
    assert_file(f, ".data.2.tmp", "2nd");
    assert_int_equal(outfile_commit(&second, NULL), 0);
    assert_file(f, "data", "2nd");
    assert_file(f, ".data.tmp", NULL);
    assert_file(f, ".data.2.tmp", NULL);
}

static void a_new_file_leaves_an_older_one_alone(void **state)
{
    struct fixture *f = *state;
    struct stat st = {0};
    for (int i = 0; i < 2; i++) {
        CLEANUP(outfile_abandon) struct outfile out = OUTFILE_INIT;
        assert_int_equal(outfile_open(&out, f->dir, "data", NULL), 0);
        assert_int_equal(outfile_write(&out, i == 0 ? "first" : "2nd", i == 0 ? 5 : 3, NULL), 0);
        assert_int_equal(outfile_commit_as(&out, OUTFILE_NEW, &st, NULL),
                         i == 0 ? 0 : OUTFILE_EXISTS);
        assert_file(f, "data", "first");
        assert_file(f, ".data.tmp", NULL);
    }
    assert_int_equal(st.st_size, 5);
}

static void a_leftover_that_is_also_the_file_is_not_emptied(void **state)
{
    struct fixture *f = *state;
    put(f, "data", "visible");
    assert_int_equal(link(path_in(f, "data"), path_in(f, ".data.tmp")), 0);
    CLEANUP(outfile_abandon) struct outfile out = OUTFILE_INIT;
    assert_int_equal(outfile_open(&out, f->dir, "data", NULL), 0);
    assert_int_equal(outfile_write(&out, "new", 3, NULL), 0);
    assert_file(f, "data", "visible");
    assert_int_equal(outfile_commit(&out, NULL), 0);
    assert_file(f, "data", "new");
}

static void a_rename_that_fails_leaves_no_temporary_file(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(mkdir(path_in(f, "data"), 0700), 0);
    CLEANUP(outfile_abandon) struct outfile out = OUTFILE_INIT;
    struct err err = {0};
    assert_int_equal(outfile_open(&out, f->dir, "data", NULL), 0);
    assert_int_equal(outfile_commit(&out, &err), E_IO);
    assert_contains(err.text, "/data");
    assert_int_equal(err.native, EISDIR);
    assert_int_equal(out.fd, -1);
    assert_file(f, ".data.tmp", NULL);
}

static void a_full_disk_is_reported_with_the_name(void **state)
{
    struct fixture *f = *state;
    struct rlimit old, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = 4096;
    void (*old_action)(int) = signal(SIGXFSZ, SIG_IGN);
    CLEANUP(outfile_abandon) struct outfile out = OUTFILE_INIT;
    assert_int_equal(outfile_open(&out, f->dir, "data", NULL), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    static char bytes[10000];
    struct err err = {0};
    const int r = outfile_write(&out, bytes, sizeof bytes, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    (void)signal(SIGXFSZ, old_action);
    assert_int_equal(r, E_IO);
    assert_int_equal(err.native, EFBIG);
    assert_contains(err.text, "/data");
    outfile_abandon(&out);
    assert_file(f, "data", NULL);
    assert_file(f, ".data.tmp", NULL);
}

static void the_mode_respects_the_umask(void **state)
{
    struct fixture *f = *state;
    static const mode_t masks[] = {0, 022, 027, 077};
    const mode_t old = umask(0);
    for (size_t i = 0; i < ARRAY_LEN(masks); i++) {
        (void)umask(masks[i]);
        CLEANUP(outfile_abandon) struct outfile out = OUTFILE_INIT;
        assert_int_equal(outfile_open(&out, f->dir, "data", NULL), 0);
        assert_int_equal(outfile_commit(&out, NULL), 0);
        struct stat st;
        assert_int_equal(stat(path_in(f, "data"), &st), 0);
        assert_int_equal(st.st_mode & 0777, 0666 & ~masks[i]);
    }
    (void)umask(old);
}

static void unusable_names_are_refused(void **state)
{
    struct fixture *f = *state;
    static const char *const names[] = {"", ".", "..", "a/b", "../x", "/"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct outfile out = OUTFILE_INIT;
        assert_int_equal(outfile_open(&out, f->dir, names[i], NULL), E_ARG);
        assert_int_equal(out.fd, -1);
    }
    struct outfile out = OUTFILE_INIT;
    struct err err = {0};
    assert_int_equal(outfile_open(&out, "", "data", &err), E_ARG);
    assert_int_equal(outfile_open(&out, path_in(f, "nowhere"), "data", &err), E_IO);
    assert_contains(err.text, "nowhere");
    assert_null(out.path);
}

static void a_dash_is_standard_output_and_stays_open(void **state)
{
    struct fixture *f = *state;
    (void)fflush(stdout);
    const int saved = dup(STDOUT_FILENO);
    const int fd = open(path_in(f, "stdout"), O_RDWR | O_CREAT, 0600);
    assert_int_equal(dup2(fd, STDOUT_FILENO), STDOUT_FILENO);
    struct outfile out = OUTFILE_INIT;
    const int opened = outfile_open(&out, "-", "ignored", NULL);
    const int written = outfile_write(&out, "to stdout", 9, NULL);
    const int committed = outfile_commit(&out, NULL);
    outfile_abandon(&out);
    const int still_open = fcntl(STDOUT_FILENO, F_GETFD);
    assert_int_equal(dup2(saved, STDOUT_FILENO), STDOUT_FILENO);
    assert_int_equal(close(saved), 0);
    assert_int_equal(close(fd), 0);
    assert_int_equal(opened, 0);
    assert_int_equal(written, 0);
    assert_int_equal(committed, 0);
    assert_true(still_open >= 0);
    assert_file(f, "stdout", "to stdout");
}

static void a_write_into_a_pipe_goes_on_until_all_is_out(void **state)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
        (void)close(ends[1]);
        char chunk[1000];
        size_t total = 0;
        for (ssize_t n; (n = read(ends[0], chunk, sizeof chunk)) > 0;)
            total += (size_t)n;
        _exit(total == 1000000 ? 0 : 1);
    }
    (void)close(ends[0]);
    static char bytes[1000000];
    struct outfile out = {.fd = ends[1], .dir_fd = -1, .is_stdout = true};
    assert_int_equal(outfile_write(&out, bytes, sizeof bytes, NULL), 0);
    (void)close(ends[1]);
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    (void)state;
}

static void directories_are_made_with_their_parents(void **state)
{
    struct fixture *f = *state;
    static const char *const names[] = {"a/b/c", "a/b/c", "d", "e//f/", "e/./g/../h"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        assert_int_equal(make_directories(path_in(f, names[i]), NULL), 0);
        struct stat st;
        assert_int_equal(stat(path_in(f, names[i]), &st), 0);
        assert_true(S_ISDIR(st.st_mode));
    }
    assert_int_equal(make_directories("/", NULL), 0);
    assert_int_equal(make_directories(".", NULL), 0);
}

static void a_plain_file_in_the_way_is_the_users_mistake(void **state)
{
    struct fixture *f = *state;
    put(f, "file", "x");
    struct err err = {0};
    assert_int_equal(make_directories(path_in(f, "file"), &err), E_ARG);
    assert_contains(err.text, "/file is a file, not a directory");
    assert_int_equal(make_directories(path_in(f, "file/below"), &err), E_ARG);
    assert_int_equal(make_directories("", &err), E_ARG);
    assert_file(f, "file", "x");
}

static void a_directory_that_cannot_be_made_is_an_io_error(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(symlink("nowhere", path_in(f, "dangling")), 0);
    struct err err = {0};
    assert_int_equal(make_directories(path_in(f, "dangling"), &err), E_IO);
    assert_int_equal(make_directories("/proc/no/such", &err), E_IO);
    assert_contains(err.text, "/proc/no");
}

int main(void)
{
#define WITH_DIR(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_DIR(a_file_appears_whole_at_commit),
        WITH_DIR(an_abandoned_file_leaves_nothing),
        WITH_DIR(abandoning_after_a_commit_keeps_the_file),
        WITH_DIR(abandoning_keeps_the_file_of_an_earlier_run),
        WITH_DIR(a_commit_replaces_an_older_file_and_a_leftover),
        WITH_DIR(a_planted_symlink_is_not_followed),
        WITH_DIR(two_writers_of_a_name_do_not_touch_each_other),
        WITH_DIR(a_new_file_leaves_an_older_one_alone),
        WITH_DIR(a_leftover_that_is_also_the_file_is_not_emptied),
        WITH_DIR(a_rename_that_fails_leaves_no_temporary_file),
        WITH_DIR(a_full_disk_is_reported_with_the_name),
        WITH_DIR(the_mode_respects_the_umask),
        WITH_DIR(unusable_names_are_refused),
        WITH_DIR(a_dash_is_standard_output_and_stays_open),
        cmocka_unit_test(a_write_into_a_pipe_goes_on_until_all_is_out),
        WITH_DIR(directories_are_made_with_their_parents),
        WITH_DIR(a_plain_file_in_the_way_is_the_users_mistake),
        WITH_DIR(a_directory_that_cannot_be_made_is_an_io_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
