/* SPDX-License-Identifier: MPL-2.0 */
#include "broker/broker.h"
#include "codec/testing.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

static const struct broker_binding bindings[] = {
    {.name = "done", .exchange = "x/done"},
    {.name = "failed", .exchange = "x/failed"},
    {.name = "unknown", .exchange = ""},
};

struct fixture {
    char dir[64];
    struct err err;
};

static int set_up(void **state)
{
    static struct fixture f;
    f = (struct fixture){.dir = "/tmp/weir-recorded.XXXXXX"};
    *state = &f;
    return mkdtemp(f.dir) ? 0 : -1;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    DIR *d = opendir(f->dir);
    for (const struct dirent *e; d && (e = readdir(d));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            (void)unlinkat(dirfd(d), e->d_name, e->d_type == DT_DIR ? AT_REMOVEDIR : 0);
    if (d)
        (void)closedir(d);
    return rmdir(f->dir);
}

static const char *path_of(struct fixture *f, const char *name)
{
    static char path[128];
    (void)snprintf(path, sizeof path, "%s/%s", f->dir, name);
    return path;
}

static void put(struct fixture *f, const char *name, const char *text)
{
    FILE *file = fopen(path_of(f, name), "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

static void put_packed(struct fixture *f, const char *name, const char *text)
{
    gzFile file = gzopen(path_of(f, name), "w");
    assert_non_null(file);
    assert_int_equal(gzwrite(file, text, (unsigned)strlen(text)), strlen(text));
    assert_int_equal(gzclose(file), Z_OK);
}

static struct broker *open_source(struct fixture *f, const char *name)
{
    const struct broker_config config = {.source = path_of(f, name), .temp_dir = f->dir};
    struct broker *b = NULL;
    assert_int_equal(broker_open(&b, &config, bindings, 3, &f->err), 0);
    assert_true(broker_is_recorded(b));
    return b;
}

static void open_queue(struct broker *b, size_t binding)
{
    uint64_t n_ready = 7;
    assert_int_equal(broker_queue_open(b, binding, &n_ready, NULL), 0);
    assert_int_equal(n_ready, 0);
}

/* The bodies of a queue, each with a semicolon, in parentheses where it is a whole line. */
static const char *drain(struct broker *b, size_t binding)
{
    static char said[4096];
    size_t len = 0;
    struct broker_message m;
    int r;
    open_queue(b, binding);
    said[0] = '\0';
    while ((r = broker_next(b, &m, 0, NULL)) == 1) {
        len += (size_t)snprintf(said + len, sizeof said - len, m.is_line ? "(%.*s);" : "%.*s;",
                                (int)m.body.len, m.body.ptr);
        assert_true(m.is_line == (m.reason != NULL));
    }
    assert_int_equal(r, 0);
    return said;
}

#define DONE(V)   "{\"exchange\":\"x/done\",\"routingKey\":\"k\",\"payload\":" V "}\n"
#define FAILED(V) "{\"exchange\":\"x/failed\",\"payload\":" V "}\n"
#define OTHER(V)  "{\"exchange\":\"y\",\"payload\":" V "}\n"

static void queues_come_one_after_the_other_in_file_order(void **state)
{
    struct fixture *f = *state;
    put(f, "f", OTHER("1") FAILED("2") "\n" DONE("3") FAILED("4") " \t\r\n" DONE("5") OTHER("6"));
    struct broker *b = open_source(f, "f");
    assert_string_equal(broker_name(b), path_of(f, "f"));
    assert_string_equal(drain(b, 0), "3;5;");
    assert_string_equal(drain(b, 1), "2;4;");
    assert_string_equal(drain(b, 2), "1;6;");
    assert_string_equal(drain(b, 0), "");
    broker_close(b);
}

static void lines_without_an_exchange_belong_to_the_unknown(void **state)
{
    struct fixture *f = *state;
    put(f, "f", "what\n" DONE("3") "{\"payload\":1}\n{\"exchange\":\"x/done\"}\n[]");
    struct broker *b = open_source(f, "f");
    assert_string_equal(drain(b, 0), "3;({\"exchange\":\"x/done\"});");
    assert_string_equal(drain(b, 1), "");
    assert_string_equal(drain(b, 2), "(what);1;([]);");
    broker_close(b);
}

static void texts_are_handed_out_also_of_what_waited(void **state)
{
    struct fixture *f = *state;
    put(f, "f",
        "{\"exchange\":\"x/failed\",\"routingKey\":\"a.\\u00e9\",\"payload_base64\":\"/wA=\","
        "\"content_type\":\"x/y\"}\n");
    struct broker *b = open_source(f, "f");
    assert_string_equal(drain(b, 0), "");
    open_queue(b, 1);
    struct broker_message m;
    assert_int_equal(broker_next(b, &m, 0, NULL), 1);
    assert_true(span_equal(m.exchange, span_str("x/failed")));
    assert_true(span_equal(m.routing_key, span_str("a.\xc3\xa9")));
    assert_true(span_equal(m.content_type, span_str("x/y")));
    assert_true(span_equal(m.body, span_of("\xff", 2)));
    assert_int_equal(m.tag, 1);
    assert_false(m.redelivered);
    broker_close(b);
}

static void a_directory_is_read_by_name(void **state)
{
    struct fixture *f = *state;
    put(f, "b", DONE("3"));
    put_packed(f, "a10.gz", DONE("1") DONE("2"));
    put(f, "a9", "{\"exchange\":\"x/done\",\"payload\":25}"); // no newline at its end
    put(f, ".hidden", DONE("0"));
    put(f, "Z", "");
    put(f, "\xc3\xa9", DONE("4"));
    assert_int_equal(mkdir(path_of(f, "folder"), 0700), 0);
    struct broker *b = open_source(f, "");
    assert_string_equal(drain(b, 0), "1;2;25;3;4;");
    broker_close(b);
}

static void standard_input_is_a_source(void **state)
{
    struct fixture *f = *state;
    put_packed(f, "f", DONE("1") FAILED("2"));
    const int kept = dup(STDIN_FILENO), fd = open(path_of(f, "f"), O_RDONLY);
    assert_int_equal(dup2(fd, STDIN_FILENO), STDIN_FILENO);
    assert_int_equal(close(fd), 0);
    const struct broker_config config = {.source = "-"};
    struct broker *b;
    assert_int_equal(broker_open(&b, &config, bindings, 3, NULL), 0);
    assert_string_equal(broker_name(b), "standard input");
    assert_string_equal(drain(b, 0), "1;");
    assert_string_equal(drain(b, 1), "2;");
    broker_close(b);
    assert_int_equal(dup2(kept, STDIN_FILENO), STDIN_FILENO);
    assert_int_equal(close(kept), 0);
}

static void an_absent_source_is_told_at_once(void **state)
{
    struct fixture *f = *state;
    struct broker *b;
    const struct broker_config config = {.source = path_of(f, "nothing")};
    assert_int_equal(broker_open(&b, &config, bindings, 3, &f->err), E_ABSENT);
    assert_non_null(strstr(f->err.text, "/nothing: no such file"));
    assert_null(b);
}

static void damaged_gzip_stops_with_the_name_and_stays(void **state)
{
    struct fixture *f = *state;
    put_packed(f, "f", DONE("1") DONE("2"));
    assert_int_equal(truncate(path_of(f, "f"), 40), 0);
    struct broker *b = open_source(f, "f");
    struct broker_message m;
    for (int i = 0; i < 2; i++) {
        open_queue(b, 0);
        int r;
        do
            r = broker_next(b, &m, 0, &f->err);
        while (r == 1);
        assert_int_equal(r, E_FORMAT);
        assert_non_null(strstr(f->err.text, path_of(f, "f")));
    }
    broker_close(b);
}

static void a_line_beyond_the_limit_stops_the_run(void **state)
{
    struct fixture *f = *state;
    put(f, "f", DONE("1"));
    FILE *file = fopen(path_of(f, "f"), "a");
    static char block[1 << 20];
    memset(block, 'x', sizeof block);
    for (int i = 0; i < 64; i++)
        assert_int_equal(fwrite(block, 1, sizeof block, file), sizeof block);
    (void)fprintf(file, "x\n" DONE("2"));
    assert_int_equal(fclose(file), 0);
    struct broker *b = open_source(f, "f");
    struct broker_message m;
    open_queue(b, 0);
    assert_int_equal(broker_next(b, &m, 0, NULL), 1);
    for (int i = 0; i < 2; i++) { // and what is behind it is not read as if nothing had been
        assert_int_equal(broker_next(b, &m, 0, &f->err), E_FORMAT);
        assert_non_null(strstr(f->err.text, "/f: line 2 is longer than 67108864 bytes"));
    }
    broker_close(b);
}

static void an_exchange_without_a_queue_stops_the_run(void **state)
{
    struct fixture *f = *state;
    put(f, "f", DONE("1") OTHER("2"));
    const struct broker_config config = {.source = path_of(f, "f")};
    struct broker *b;
    struct broker_message m;
    assert_int_equal(broker_open(&b, &config, bindings, 2, NULL), 0);
    open_queue(b, 0);
    assert_int_equal(broker_next(b, &m, 0, NULL), 1);
    assert_int_equal(broker_next(b, &m, 0, &f->err), E_FORMAT);
    assert_non_null(strstr(f->err.text, "/f: line 2: its exchange"));
    broker_close(b);
}

enum { MANY = 40000, FILLER = 100 };

static void put_many(struct fixture *f)
{
    FILE *file = fopen(path_of(f, "many"), "w");
    assert_non_null(file);
    for (int i = 0; i < MANY; i++)
        (void)fprintf(file, "{\"exchange\":\"x/%s\",\"payload\":\"%0*d\"}\n",
                      i % 3 == 0 ? "done" : "failed", FILLER, i);
    assert_int_equal(fclose(file), 0);
}

static void assert_body(const struct broker_message *m, int number)
{
    char want[FILLER + 3];
    (void)snprintf(want, sizeof want, "\"%0*d\"", FILLER, number);
    assert_true(span_equal(m->body, span_str(want)));
}

/* Also more than fits in memory: what waits goes through a file that nobody sees. */
static void spans_stay_until_they_are_acknowledged(void **state)
{
    enum { WINDOW = 5000 };
    struct fixture *f = *state;
    put_many(f);
    struct broker *b = open_source(f, "many");
    static struct broker_message window[WINDOW];
    for (size_t binding = 0; binding < 2; binding++) {
        int number = (int)binding, n_kept = 0, r;
        uint64_t tag = 0;
        open_queue(b, binding);
        do {
            r = broker_next(b, &window[n_kept], 0, NULL);
            n_kept += r == 1;
            if (n_kept < WINDOW && r == 1)
                continue;
            for (int i = 0; i < n_kept; i++) {
                assert_body(&window[i], number);
                assert_int_equal(window[i].tag, ++tag);
                number += binding == 0 ? 3 : number % 3 == 1 ? 1 : 2;
            }
            if (n_kept > 0)
                assert_int_equal(broker_ack(b, tag, NULL), 0);
            n_kept = 0;
        } while (r == 1);
        assert_int_equal(r, 0);
        assert_int_equal(tag, binding == 0 ? (MANY + 2) / 3 : MANY - (MANY + 2) / 3);
    }
    broker_close(b);
}

static void a_queue_that_is_left_early_loses_only_itself(void **state)
{
    struct fixture *f = *state;
    put_many(f);
    struct broker *b = open_source(f, "many");
    struct broker_message m;
    int n = 0;
    open_queue(b, 0);
    for (int i = 0; i < 5000; i++)
        assert_int_equal(broker_next(b, &m, 0, NULL), 1);
    for (size_t binding = 1; binding < 3; binding++) {
        open_queue(b, binding);
        while (broker_next(b, &m, 0, NULL) == 1)
            n++;
    }
    assert_int_equal(n, MANY - (MANY + 2) / 3);
    open_queue(b, 0);
    for (n = 5000; broker_next(b, &m, 0, NULL) == 1; n++)
        assert_body(&m, 3 * n);
    assert_int_equal(n, (MANY + 2) / 3);
    broker_close(b);
}

static void a_temporary_file_is_made_only_when_it_is_needed(void **state)
{
    struct fixture *f = *state;
    put(f, "f", DONE("1") FAILED("2"));
    struct broker_config config = {.source = path_of(f, "f"), .temp_dir = "/nowhere"};
    struct broker *b;
    assert_int_equal(broker_open(&b, &config, bindings, 3, NULL), 0);
    assert_string_equal(drain(b, 0), "1;");
    assert_string_equal(drain(b, 1), "2;");
    broker_close(b);

    put_many(f);
    config.source = path_of(f, "many");
    struct broker_message m;
    int r;
    assert_int_equal(broker_open(&b, &config, bindings, 3, NULL), 0);
    open_queue(b, 0);
    do
        r = broker_next(b, &m, 0, &f->err);
    while (r == 1);
    assert_int_equal(r, E_IO);
    assert_non_null(strstr(f->err.text, "/nowhere"));
    broker_close(b);
}

static void what_is_unacknowledged_is_bounded(void **state)
{
    enum { LINES = 5, LINE = 48 << 20 };
    struct fixture *f = *state;
    FILE *file = fopen(path_of(f, "f"), "w");
    for (int i = 0; i < LINES; i++)
        (void)fprintf(file, "{\"exchange\":\"x/%s\",\"payload\":\"%*d\"}\n",
                      i == 0 ? "failed" : "done", LINE, i);
    assert_int_equal(fclose(file), 0);
    struct broker *b = open_source(f, "f");
    struct broker_message m;
    open_queue(b, 0);
    for (uint64_t tag = 1; tag <= 3; tag++)
        assert_int_equal(broker_next(b, &m, 0, NULL), 1);
    assert_int_equal(broker_next(b, &m, 0, NULL), BROKER_IDLE);
    assert_int_equal(broker_ack(b, 3, NULL), 0);
    assert_int_equal(broker_next(b, &m, 0, NULL), 1);
    assert_int_equal(broker_next(b, &m, 0, NULL), 0);
    open_queue(b, 1); // longer than what is kept in memory or read ahead
    assert_int_equal(broker_next(b, &m, 0, NULL), 1);
    assert_int_equal(m.body.len, LINE + 2);
    assert_int_equal(m.body.ptr[LINE], '0');
    broker_close(b);
}

static void misuse_is_told(void **state)
{
    struct fixture *f = *state;
    put(f, "f", DONE("1"));
    struct broker *b = open_source(f, "f");
    struct broker_message m;
    uint64_t n_ready;
    assert_int_equal(broker_next(b, &m, 0, NULL), E_ARG);
    assert_int_equal(broker_queue_open(b, 3, &n_ready, NULL), E_ARG);
    open_queue(b, 0);
    assert_int_equal(broker_ack(b, 1, NULL), E_ARG);
    assert_int_equal(broker_next(b, &m, 0, NULL), 1);
    assert_int_equal(broker_ack(b, 1, NULL), 0);
    assert_int_equal(broker_ack(b, 1, NULL), 0);
    assert_int_equal(broker_queue_ready(b, 0, &n_ready, NULL, NULL), 0);
    broker_queue_close(b);
    broker_queue_close(b);
    broker_close(b);
    const struct broker_binding twice[] = {{.name = "a", .exchange = ""},
                                           {.name = "b", .exchange = ""}};
    const struct broker_config config = {.source = path_of(f, "f")};
    assert_int_equal(broker_open(&b, &config, twice, 2, NULL), E_ARG);
    assert_int_equal(broker_open(&b, &config, twice, 0, NULL), E_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(queues_come_one_after_the_other_in_file_order, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(lines_without_an_exchange_belong_to_the_unknown, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(texts_are_handed_out_also_of_what_waited, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_directory_is_read_by_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(standard_input_is_a_source, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_absent_source_is_told_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(damaged_gzip_stops_with_the_name_and_stays, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_line_beyond_the_limit_stops_the_run, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_exchange_without_a_queue_stops_the_run, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(spans_stay_until_they_are_acknowledged, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_queue_that_is_left_early_loses_only_itself, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_temporary_file_is_made_only_when_it_is_needed, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_unacknowledged_is_bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(misuse_is_told, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
