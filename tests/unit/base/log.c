/* SPDX-License-Identifier: MPL-2.0 */
#include "base/log.h"

#include "base_test.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <pthread.h>

enum { OUTPUT_BYTES = 1 << 20 };

static char output[OUTPUT_BYTES];
static int saved_stderr;
static FILE *sink;

static void begin(void)
{
    sink = tmpfile();
    assert_non_null(sink);
    (void)fflush(stderr);
    saved_stderr = dup(STDERR_FILENO);
    (void)dup2(fileno(sink), STDERR_FILENO);
}

/* What has been logged since begin(). */
static const char *end(void)
{
    (void)dup2(saved_stderr, STDERR_FILENO);
    (void)close(saved_stderr);
    const ssize_t n = pread(fileno(sink), output, sizeof output - 1, 0);
    assert_true(n >= 0);
    output[n] = '\0';
    (void)fclose(sink);
    return output;
}

static json_t *end_json(void)
{
    const char *line = end();
    assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
    json_error_t problem;
    json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, &problem);
    if (!object)
        fail_msg("%s: %s", problem.text, line);
    return object;
}

static const char *json_text(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static void text_lines_name_program_and_level(void **state)
{
    log_init("prog", LOG_FORMAT_TEXT, LOG_LEVEL_DEBUG);
    begin();
    log_debug("a %d", 1);
    log_info("b %s", "x");
    log_warning("c");
    log_error("d");
    assert_string_equal(end(), "prog: debug: a 1\nprog: b x\nprog: warning: c\nprog: error: d\n");
    (void)state;
}

static void lines_below_the_level_are_dropped(void **state)
{
    log_init("prog", LOG_FORMAT_TEXT, LOG_LEVEL_WARNING);
    begin();
    log_debug("no");
    log_info("no");
    log_warning("yes");
    assert_string_equal(end(), "prog: warning: yes\n");
    (void)state;
}

static void text_fields_are_quoted_where_needed(void **state)
{
    log_init("prog", LOG_FORMAT_TEXT, LOG_LEVEL_INFO);
    begin();
    log_event(LOG_LEVEL_INFO, "done", LOG_S("a", "plain"), LOG_S("b", "two words"), LOG_S("c", ""),
              LOG_S("d", "q\"\\"), LOG_S("e", "x=y"), LOG_S("f", NULL), LOG_U("n", UINT64_MAX),
              LOG_R("r", 0.25), LOG_B("t", true), LOG_B("u", false));
    assert_string_equal(end(),
                        "prog: done a=plain b=\"two words\" c=\"\" d=\"q\\\"\\\\\" e=\"x=y\" "
                        "f=- n=18446744073709551615 r=0.25 t=true u=false\n");
    (void)state;
}

static void foreign_bytes_never_break_a_text_line(void **state)
{
    log_init("prog", LOG_FORMAT_TEXT, LOG_LEVEL_INFO);
    begin();
    log_event(LOG_LEVEL_INFO, "one\ntwo\r\x1b[31m\x7f", LOG_S("k", "a\nb\xff\xc3\xa9\xc2\x9b"),
              LOG_S("l", "\xed\xa0\x80\xc0\xaf\xf4\x90\x80\x80\xe2\x82"));
    assert_string_equal(end(), "prog: one\\ntwo\\u000d\\u001b[31m\\u007f "
                               "k=\"a\\nb\\xff\xc3\xa9\\u009b\" "
                               "l=\"\\xed\\xa0\\x80\\xc0\\xaf\\xf4\\x90\\x80\\x80\\xe2\\x82\"\n");
    (void)state;
}

static void json_lines_are_objects(void **state)
{
    log_init("prog", LOG_FORMAT_JSON, LOG_LEVEL_INFO);
    begin();
    log_event(LOG_LEVEL_WARNING, "two words", LOG_S("a", "x"), LOG_S("none", NULL),
              LOG_U("n", 1234567890123), LOG_R("r", 0.1), LOG_B("t", true), LOG_R("inf", INFINITY),
              LOG_R("nan", (double)NAN));
    json_t *o = end_json();
    assert_string_equal(json_text(o, "level"), "warning");
    assert_string_equal(json_text(o, "program"), "prog");
    assert_string_equal(json_text(o, "message"), "two words");
    assert_string_equal(json_text(o, "a"), "x");
    assert_int_equal(json_integer_value(json_object_get(o, "n")), 1234567890123);
    assert_true(json_real_value(json_object_get(o, "r")) == 0.1);
    assert_true(json_is_true(json_object_get(o, "t")));
    assert_true(json_is_null(json_object_get(o, "none")));
    assert_true(json_is_null(json_object_get(o, "inf")));
    assert_true(json_is_null(json_object_get(o, "nan")));
    const char *time = json_text(o, "time");
    assert_int_equal(strlen(time), strlen("2026-08-20T04:30:00.123456Z"));
    assert_int_equal(time[26], 'Z');
    json_decref(o);
    (void)state;
}

static void json_reals_read_back_exactly(void **state)
{
    static const double reals[] = {1.0 / 3, 1e300, 5e-324, -2.5, 123456789.123456789, 0.1 + 0.2};
    log_init("prog", LOG_FORMAT_JSON, LOG_LEVEL_INFO);
    for (size_t i = 0; i < ARRAY_LEN(reals); i++) {
        begin();
        log_event(LOG_LEVEL_INFO, "m", LOG_R("r", reals[i]));
        json_t *o = end_json();
        assert_true(json_number_value(json_object_get(o, "r")) == reals[i]);
        json_decref(o);
    }
    (void)state;
}

static void every_byte_survives_into_valid_json(void **state)
{
    log_init("prog", LOG_FORMAT_JSON, LOG_LEVEL_INFO);
    for (int a = 1; a < 256; a++) {
        const char text[] = {(char)a, 'x', (char)a, (char)(a ^ 0x40), '"', '\0'};
        begin();
        log_event(LOG_LEVEL_INFO, text, LOG_S("k", text));
        json_t *o = end_json();
        assert_string_equal(json_text(o, "message"), json_text(o, "k"));
        assert_non_null(strchr(json_text(o, "k"), 'x'));
        json_decref(o);
    }
    begin();
    log_event(LOG_LEVEL_INFO, "\\ \" \n \x01 \xff \xf0\x9f\x8c\x8a", LOG_END);
    json_t *o = end_json();
    assert_string_equal(json_text(o, "message"), "\\ \" \n \x01 \\xff \xf0\x9f\x8c\x8a");
    json_decref(o);
    (void)state;
}

static void long_parts_are_cut_and_stay_valid(void **state)
{
    static char text[20000];
    static const char *const fills[] = {
        "x", "\x01", "\xff", "\xe2\x82\xac", "\"", "\xf0\x9f\x8c\x8a"};
    for (size_t f = 0; f < ARRAY_LEN(fills); f++) {
        const size_t n = strlen(fills[f]);
        for (size_t shift = 0; shift < 4; shift++) {
            memset(text, 'a', shift);
            for (size_t i = shift; i + n < sizeof text; i += n)
                memcpy(text + i, fills[f], n);
            text[sizeof text - 5] = '\0';
            log_init("prog", LOG_FORMAT_JSON, LOG_LEVEL_INFO);
            begin();
            log_event(LOG_LEVEL_INFO, text, LOG_S("a", text), LOG_S("b", text), LOG_S("c", text),
                      LOG_S("d", text), LOG_S("e", text), LOG_S("f", text), LOG_S("g", text),
                      LOG_S("h", text), LOG_S("last", text));
            json_t *o = end_json();
            const char *message = json_text(o, "message");
            assert_string_equal(message + strlen(message) - 3, "...");
            assert_lacks(message + strlen(message) - 7, "\\x8c");
            assert_non_null(json_text(o, "a"));
            json_decref(o);
            log_init("prog", LOG_FORMAT_TEXT, LOG_LEVEL_INFO);
            begin();
            log_event(LOG_LEVEL_INFO, text, LOG_S("a", text));
            const char *line = end();
            assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
        }
    }
    (void)state;
}

static void errno_is_left_alone(void **state)
{
    log_init("prog", LOG_FORMAT_JSON, LOG_LEVEL_INFO);
    begin();
    const int keep = dup(STDERR_FILENO);
    (void)close(STDERR_FILENO);
    errno = ENOTTY;
    log_info("nobody reads this");
    const int after = errno;
    (void)dup2(keep, STDERR_FILENO);
    (void)close(keep);
    (void)end();
    assert_int_equal(after, ENOTTY);
    (void)state;
}

enum { N_THREADS = 4, LINES_PER_THREAD = 500 };

static void *log_much(void *arg)
{
    const char *word = arg;
    for (int i = 0; i < LINES_PER_THREAD; i++)
        log_event(LOG_LEVEL_INFO, word, LOG_S("again", word));
    return NULL;
}

static void lines_of_threads_do_not_mix(void **state)
{
    static char *const words[N_THREADS] = {"aaaaaaaaaaaaaaaaaaaaa", "bbbbbb", "c",
                                           "ddddddddddddddddddddddddddddddddddddddddddddd"};
    log_init("p", LOG_FORMAT_TEXT, LOG_LEVEL_INFO);
    pthread_t threads[N_THREADS];
    begin();
    for (size_t i = 0; i < N_THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, log_much, words[i]), 0);
    for (size_t i = 0; i < N_THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    char *rest = output;
    (void)end();
    size_t counts[N_THREADS] = {0};
    for (char *line; (line = strsep(&rest, "\n")) && *line;) {
        const size_t who = (size_t)(line[3] - 'a');
        assert_true(who < N_THREADS);
        char want[200];
        (void)snprintf(want, sizeof want, "p: %s again=%s", words[who], words[who]);
        assert_string_equal(line, want);
        counts[who]++;
    }
    for (size_t i = 0; i < N_THREADS; i++)
        assert_int_equal(counts[i], LINES_PER_THREAD);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_lines_name_program_and_level),
        cmocka_unit_test(lines_below_the_level_are_dropped),
        cmocka_unit_test(text_fields_are_quoted_where_needed),
        cmocka_unit_test(foreign_bytes_never_break_a_text_line),
        cmocka_unit_test(json_lines_are_objects),
        cmocka_unit_test(json_reals_read_back_exactly),
        cmocka_unit_test(every_byte_survives_into_valid_json),
        cmocka_unit_test(long_parts_are_cut_and_stay_valid),
        cmocka_unit_test(errno_is_left_alone),
        cmocka_unit_test(lines_of_threads_do_not_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
