/* SPDX-License-Identifier: MPL-2.0 */
#include "base/progress.h"

#include "base/compiler.h"
#include "base/log.h"
#include "base/retry.h"
#include "base_test.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/ioctl.h>

static void a_line_shows_count_rates_and_eta(void **state)
{
    static const struct {
        uint64_t records, bytes, total, elapsed_ms;
        const char *want;
    } known[] = {
        {12345, 812000000, 8932000000, 1468,
         "verify1  12,345 records  8,409/s  553 MB/s  ETA 0:15"},
        {0, 0, 1000, 0, "verify1  0 records"},
        {0, 0, 1000, 5000, "verify1  0 records"},
        {1, 10, 1000, 0, "verify1  1 record"},
        {1, 10, 0, 2000, "verify1  1 record  0.5/s  5 B/s"},
        {999, 0, 1000, 1000, "verify1  999 records  999/s"},
        {1000, 1000, 1000, 1000, "verify1  1,000 records  1,000/s  1.00 kB/s  ETA 0:00"},
        {1234567, 9994, 0, 1000, "verify1  1,234,567 records  1,234,567/s  9.99 kB/s"},
        {10, 9996, 0, 1000, "verify1  10 records  10/s  10.0 kB/s"},
        {10, 99940, 0, 1000, "verify1  10 records  10/s  99.9 kB/s"},
        {10, 99960, 0, 1000, "verify1  10 records  10/s  100 kB/s"},
        {10, 999600, 0, 1000, "verify1  10 records  10/s  1.00 MB/s"},
        {100, 100, 360100, 1000, "verify1  100 records  100/s  100 B/s  ETA 1:00:00"},
        {100, 100, 59600, 1000, "verify1  100 records  100/s  100 B/s  ETA 9:55"},
        {100, 2000, 1000, 1000, "verify1  100 records  100/s  2.00 kB/s"},
    };
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        struct progress p;
        char line[128];
        progress_start(&p, "verify1", known[i].total, PROGRESS_OFF);
        progress_add(&p, known[i].records, known[i].bytes);
        progress_format(&p, p.started_ms + known[i].elapsed_ms, line, sizeof line);
        assert_string_equal(line, known[i].want);
    }
    (void)state;
}

static void extreme_numbers_still_make_a_line(void **state)
{
    static const uint64_t extremes[] = {0, 1, UINT64_MAX / 2, UINT64_MAX};
    for (size_t i = 0; i < 256; i++) {
        struct progress p;
        char line[256];
        progress_start(&p, "x", extremes[i % 4], false);
        progress_add(&p, extremes[i / 4 % 4], extremes[i / 16 % 4]);
        progress_format(&p, i / 64 == 0 ? p.started_ms + 1 : extremes[i / 64], line, sizeof line);
        assert_int_equal(strncmp(line, "x  ", 3), 0);
    }
    (void)state;
}

static void a_narrow_line_is_cut(void **state)
{
    struct progress p;
    char line[64];
    progress_start(&p, "verify1", 100000, PROGRESS_OFF);
    progress_add(&p, 500, 5000);
    for (unsigned long cap = 1; cap < sizeof line; cap++) {
        memset(line, '#', sizeof line);
        progress_format(&p, p.started_ms + 1000, line, cap);
        assert_true(strlen(line) < cap);
        for (size_t i = cap; i < sizeof line; i++)
            assert_int_equal(line[i], '#');
    }
    (void)state;
}

static int saved_stderr, pipe_end;

static void begin(void)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    (void)fflush(stderr);
    saved_stderr = dup(STDERR_FILENO);
    (void)dup2(ends[1], STDERR_FILENO);
    (void)close(ends[1]);
    pipe_end = ends[0];
}

static void end(char *text, size_t cap)
{
    (void)dup2(saved_stderr, STDERR_FILENO);
    (void)close(saved_stderr);
    const ssize_t n = read(pipe_end, text, cap - 1);
    text[n > 0 ? n : 0] = '\0';
    (void)close(pipe_end);
}

static void nothing_is_drawn_when_off(void **state)
{
    struct progress p;
    char text[256];
    begin();
    progress_start(&p, "x", 0, PROGRESS_OFF);
    p.next_ms = 0;
    progress_add(&p, 1, 1);
    progress_end(&p);
    end(text, sizeof text);
    assert_string_equal(text, "");
    assert_true(p.n_records == 1 && p.n_bytes == 1);
    (void)state;
}

static void a_short_run_draws_no_line(void **state)
{
    struct progress p;
    char text[256];
    begin();
    progress_start(&p, "x", 0, PROGRESS_LINE);
    progress_add(&p, 1, 1);
    progress_end(&p);
    progress_end(&p);
    progress_add(&p, 1, 1);
    end(text, sizeof text);
    assert_string_equal(text, "\r\033[K");
    (void)state;
}

static void the_line_is_drawn_over_itself_and_wiped(void **state)
{
    struct progress p;
    char text[256];
    begin();
    progress_start(&p, "x", 0, PROGRESS_LINE);
    p.next_ms = 0;
    progress_add(&p, 7, 0);
    progress_add(&p, 7, 0); // too early to draw again
    progress_end(&p);
    end(text, sizeof text);
    assert_int_equal(strncmp(text, "\rx  7 records", 13), 0);
    assert_lacks(text, "14 records");
    const size_t len = strlen(text);
    assert_string_equal(text + len - 7, "\033[K\r\033[K");
    (void)state;
}

static void *add_much(void *arg)
{
    for (int i = 0; i < 20000; i++)
        progress_add(arg, 1, 3);
    return NULL;
}

static void workers_add_up_and_draw_rarely(void **state)
{
    enum { N_THREADS = 4 };
    static char text[1 << 16];
    struct progress p;
    pthread_t threads[N_THREADS];
    begin();
    progress_start(&p, "x", 0, PROGRESS_LINE);
    p.next_ms = 0;
    const uint64_t before = retry_now_ms();
    for (size_t i = 0; i < N_THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, add_much, &p), 0);
    for (size_t i = 0; i < N_THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    const uint64_t spent_ms = retry_now_ms() - before;
    progress_end(&p);
    end(text, sizeof text);
    assert_true(p.n_records == 80000 && p.n_bytes == 240000);
    size_t n_drawn = 0;
    for (const char *c = text; (c = strchr(c, '\r')); c++)
        n_drawn++;
    assert_in_range(n_drawn, 1, 1 + spent_ms / 200 + 2); // and the final wipe
    (void)state;
}

static void a_pipe_or_a_dumb_terminal_wants_no_progress(void **state)
{
    char text[16];
    begin();
    (void)setenv("TERM", "xterm", 1);
    const bool into_pipe = progress_wanted();
    end(text, sizeof text);
    assert_false(into_pipe);

    const int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0)
        skip();
    const int terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
    if (terminal < 0)
        skip();
    const int saved = dup(STDERR_FILENO);
    (void)dup2(terminal, STDERR_FILENO);
    const bool xterm = progress_wanted();
    (void)setenv("TERM", "dumb", 1);
    const bool dumb = progress_wanted();
    (void)setenv("TERM", "", 1);
    const bool empty = progress_wanted();
    (void)unsetenv("TERM");
    const bool unset = progress_wanted();
    (void)dup2(saved, STDERR_FILENO);
    (void)close(saved);
    (void)close(terminal);
    (void)close(master);
    assert_true(xterm);
    assert_false(dumb || empty || unset);
    (void)state;
}

static void the_line_fits_the_terminal(void **state)
{
    const int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0)
        skip();
    const int terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
    if (terminal < 0)
        skip();
    const struct winsize size = {.ws_col = 12, .ws_row = 5};
    assert_int_equal(ioctl(terminal, TIOCSWINSZ, &size), 0);
    const int saved = dup(STDERR_FILENO);
    (void)dup2(terminal, STDERR_FILENO);
    struct progress p;
    progress_start(&p, "verify1", 0, PROGRESS_LINE);
    p.next_ms = 0;
    progress_add(&p, 123456, 0);
    progress_end(&p);
    (void)dup2(saved, STDERR_FILENO);
    (void)close(saved);
    static const char wanted[] = "\rverify1  12\033[K\r\033[K";
    char text[64] = "";
    // A terminal may hand out what two writes brought in two pieces.
    for (size_t len = 0; len < sizeof wanted - 1;) {
        const ssize_t n = read(master, text + len, sizeof wanted - 1 - len);
        assert_true(n > 0);
        len += (size_t)n;
    }
    assert_string_equal(text, wanted);
    (void)close(terminal);
    (void)close(master);
    (void)state;
}

static void rejected_records_are_shown(void **state)
{
    struct progress p;
    char line[128];
    progress_start(&p, "verify1", 0, PROGRESS_OFF);
    progress_add(&p, 5000, 0);
    progress_reject(&p, 1234);
    progress_format(&p, p.started_ms + 1000, line, sizeof line);
    assert_string_equal(line, "verify1  5,000 records, 1,234 rejected  5,000/s");
    (void)state;
}

static void the_log_gets_a_line_with_fields(void **state)
{
    struct progress p;
    char text[512];
    begin();
    progress_start(&p, "verify1", 4000000, PROGRESS_LOG);
    progress_log(&p, p.started_ms);
    progress_add(&p, 500, 1000000);
    progress_reject(&p, 2);
    progress_log(&p, p.started_ms + 2000);
    progress_end(&p);
    progress_end(&p);
    end(text, sizeof text);
    assert_string_equal(text, "still at work stage=verify1 records=0 rejected=0 records_per_s=0 "
                              "mb_per_s=0 seconds=0\n"
                              "still at work stage=verify1 records=500 rejected=2 "
                              "records_per_s=250 mb_per_s=0.5 seconds=2 eta_s=6\n");
    (void)state;
}

static void a_log_line_wipes_the_live_line_first(void **state)
{
    struct progress p;
    char text[256];
    begin();
    progress_start(&p, "x", 0, PROGRESS_LINE);
    p.next_ms = 0;
    progress_add(&p, 7, 0);
    log_warning("hello");
    progress_end(&p);
    log_warning("bye");
    end(text, sizeof text);
    assert_contains(text, "\033[K\r\033[Kwarning: hello\n\r\033[Kwarning: bye\n");
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_shows_count_rates_and_eta),
        cmocka_unit_test(extreme_numbers_still_make_a_line),
        cmocka_unit_test(a_narrow_line_is_cut),
        cmocka_unit_test(nothing_is_drawn_when_off),
        cmocka_unit_test(a_short_run_draws_no_line),
        cmocka_unit_test(the_line_is_drawn_over_itself_and_wiped),
        cmocka_unit_test(workers_add_up_and_draw_rarely),
        cmocka_unit_test(a_pipe_or_a_dumb_terminal_wants_no_progress),
        cmocka_unit_test(the_line_fits_the_terminal),
        cmocka_unit_test(rejected_records_are_shown),
        cmocka_unit_test(the_log_gets_a_line_with_fields),
        cmocka_unit_test(a_log_line_wipes_the_live_line_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
