/* SPDX-License-Identifier: MPL-2.0 */
#include "base/source.h"

#include "base/buf.h"
#include "base_test.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

struct fixture {
    char dir[TEST_PATH_BYTES];
    char path[TEST_PATH_BYTES + 16];
};

static int set_up(void **state)
{
    static struct fixture f;
    make_temp_dir(f.dir);
    (void)snprintf(f.path, sizeof f.path, "%s/file", f.dir);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    (void)unlink(f->path);
    return rmdir(f->dir);
}

static void write_file(const char *path, const char *text, size_t len)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, len), len);
    assert_int_equal(close(fd), 0);
}

static void a_file_is_read_to_its_end(void **state)
{
    struct fixture *f = *state;
    write_file(f->path, "hello\0world", 11);
    struct file_source file;
    assert_int_equal(file_source_open(&file, f->path, NULL), 0);
    assert_int_equal(file.size_bytes, 11);
    assert_string_equal(file.name, f->path);
    const struct source s = file_source(&file);
    char got[32];
    assert_int_equal(s.read(s.arg, got, 5, NULL), 5);
    assert_int_equal(s.read(s.arg, got + 5, sizeof got - 5, NULL), 6);
    assert_memory_equal(got, "hello\0world", 11);
    assert_int_equal(s.read(s.arg, got, sizeof got, NULL), 0);
    assert_int_equal(s.read(s.arg, got, sizeof got, NULL), 0);
    file_source_close(&file);
    file_source_close(&file);
}

static void a_missing_file_is_absent_and_named(void **state)
{
    struct fixture *f = *state;
    struct file_source file;
    struct err err = {0};
    assert_int_equal(file_source_open(&file, f->path, &err), E_ABSENT);
    assert_contains(err.text, f->path);
    assert_int_equal(err.native, ENOENT);
    assert_int_equal(file_source_open(&file, "", &err), E_ABSENT);
}

static void a_directory_is_an_error(void **state)
{
    struct fixture *f = *state;
    struct file_source file;
    struct err err = {0};
    assert_int_equal(file_source_open(&file, f->dir, &err), E_IO);
    assert_contains(err.text, f->dir);
    assert_contains(err.text, "Is a directory");
}

static void a_failed_open_leaks_no_descriptor(void **state)
{
    struct fixture *f = *state;
    const int before = dup(0);
    assert_int_equal(close(before), 0);
    struct file_source file;
    assert_int_equal(file_source_open(&file, f->dir, NULL), E_IO);
    const int after = dup(0);
    assert_int_equal(close(after), 0);
    assert_int_equal(after, before);
}

static void a_path_through_a_file_is_an_io_error(void **state)
{
    struct fixture *f = *state;
    write_file(f->path, "x", 1);
    char below[TEST_PATH_BYTES + 32];
    (void)snprintf(below, sizeof below, "%s/y", f->path);
    struct file_source file;
    struct err err = {0};
    assert_int_equal(file_source_open(&file, below, &err), E_IO);
    assert_int_equal(err.native, ENOTDIR);
}

static void a_read_error_names_the_file(void **state)
{
    struct fixture *f = *state;
    struct file_source file = {.fd = open(f->dir, O_RDONLY), .owned = true, .name = "the name"};
    const struct source s = file_source(&file);
    struct err err = {0};
    char byte;
    assert_int_equal(s.read(s.arg, &byte, 1, &err), E_IO);
    assert_contains(err.text, "the name");
    file_source_close(&file);
}

static void a_pipe_has_no_size_and_ends(void **state)
{
    struct fixture *f = *state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "abc", 3), 3);
    assert_int_equal(close(ends[1]), 0);
    char path[64];
    (void)snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    struct file_source file;
    assert_int_equal(file_source_open(&file, path, NULL), 0);
    assert_int_equal(file.size_bytes, 0);
    const struct source s = file_source(&file);
    char got[8];
    assert_int_equal(s.read(s.arg, got, sizeof got, NULL), 3);
    assert_int_equal(s.read(s.arg, got, sizeof got, NULL), 0);
    file_source_close(&file);
    assert_int_equal(close(ends[0]), 0);
    (void)f;
}

static void a_dash_is_standard_input_and_stays_open(void **state)
{
    struct fixture *f = *state;
    write_file(f->path, "stdin", 5);
    const int saved = dup(STDIN_FILENO);
    const int fd = open(f->path, O_RDONLY);
    assert_int_equal(dup2(fd, STDIN_FILENO), STDIN_FILENO);
    assert_int_equal(close(fd), 0);

    struct file_source file;
    assert_int_equal(file_source_open(&file, "-", NULL), 0);
    assert_string_equal(file.name, "standard input");
    assert_int_equal(file.size_bytes, 5);
    const struct source s = file_source(&file);
    char got[8];
    assert_int_equal(s.read(s.arg, got, sizeof got, NULL), 5);
    file_source_close(&file);
    assert_true(fcntl(STDIN_FILENO, F_GETFD) >= 0);

    if (saved >= 0)
        assert_int_equal(dup2(saved, STDIN_FILENO), STDIN_FILENO);
    (void)close(saved);
}

static void a_long_path_keeps_its_end_in_messages(void **state)
{
    char path[1000];
    memset(path, 'a', sizeof path);
    memcpy(path + sizeof path - 9, "/the-end", 9);
    path[200] = '/';
    path[400] = '/';
    path[600] = '/';
    path[800] = '/';
    struct file_source file;
    struct err err = {0};
    assert_int_equal(file_source_open(&file, path, &err), E_ABSENT);
    assert_int_equal(strncmp(err.text, "...", 3), 0);
    assert_contains(err.text, "/the-end: no such file");
    (void)state;
}

static void memory_is_handed_out_in_steps(void **state)
{
    for (size_t step = 0; step < 8; step++) {
        struct memory_source m = {span_str("abcdef"), step};
        const struct source s = memory_source(&m);
        char got[8] = "";
        size_t len = 0;
        ssize_t n;
        while ((n = s.read(s.arg, got + len, sizeof got - len, NULL)) > 0) {
            assert_true(step == 0 || (size_t)n <= step);
            len += (size_t)n;
        }
        assert_int_equal(n, 0);
        assert_string_equal(got, "abcdef");
    }
    struct memory_source m = {span_str("abcdef"), 4};
    const struct source s = memory_source(&m);
    char two[3] = "";
    assert_int_equal(s.read(s.arg, two, 2, NULL), 2);
    assert_string_equal(two, "ab");
    struct memory_source nothing = {0};
    const struct source empty = memory_source(&nothing);
    assert_int_equal(empty.read(empty.arg, two, 2, NULL), 0);
    (void)state;
}

static void all_of_a_source_goes_into_a_buffer(void **state)
{
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(8);
    struct err err = {0};
    assert_int_equal(buf_append(&text, "x", 1, NULL), 0);
    struct memory_source m = {span_str("abcdef"), 4};
    assert_int_equal(source_read_all(memory_source(&m), &text, &err), 0);
    assert_true(span_equal(buf_span(&text), span_str("xabcdef")));
    m.rest = span_str("g");
    assert_int_equal(source_read_all(memory_source(&m), &text, &err), E_FORMAT);
    assert_string_equal(err.text, "longer than 8 bytes");
    (void)state;
}

int main(void)
{
#define WITH_DIR(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_DIR(a_file_is_read_to_its_end),
        WITH_DIR(a_missing_file_is_absent_and_named),
        WITH_DIR(a_directory_is_an_error),
        WITH_DIR(a_failed_open_leaks_no_descriptor),
        WITH_DIR(a_path_through_a_file_is_an_io_error),
        WITH_DIR(a_read_error_names_the_file),
        WITH_DIR(a_pipe_has_no_size_and_ends),
        WITH_DIR(a_dash_is_standard_input_and_stays_open),
        cmocka_unit_test(a_long_path_keeps_its_end_in_messages),
        cmocka_unit_test(memory_is_handed_out_in_steps),
        cmocka_unit_test(all_of_a_source_goes_into_a_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
