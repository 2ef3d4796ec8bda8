/* SPDX-License-Identifier: MPL-2.0 */
#include "fxci/taskcluster.h"

#include "base/base_test.h"
#include "net/loopback.h"

#include <zlib.h>

#define A                 "aaaaaaaaaaaaaaaaaaaaaA"
#define B                 "bbbbbbbbbbbbbbbbbbbbbA"
#define C                 "cccccccccccccccccccccA"
#define JSON_HEAD(STATUS) "HTTP/1.1 " STATUS "\r\nContent-Type: application/json\r\n"

enum { ANSWERS = 12, ANSWER_BYTES = 1024 };

struct fixture {
    char dir[TEST_PATH_BYTES], path[TEST_PATH_BYTES + 16];
    struct loopback server;
    struct answer answers[ANSWERS];
    char texts[ANSWERS][ANSWER_BYTES];
    size_t n_answers;
    struct taskcluster *taskcluster;
    char got[1024]; // "id=task;" of each that was handed out
    int stop;       // what the receiver answers
    struct err err;
};

static int set_up(void **state)
{
    static struct fixture f;
    f = (struct fixture){0};
    make_temp_dir(f.dir);
    (void)snprintf(f.path, sizeof f.path, "%s/pages", f.dir);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    taskcluster_close(f->taskcluster);
    if (f->server.thread)
        loopback_stop(&f->server);
    (void)unlink(f->path);
    assert_int_equal(rmdir(f->dir), 0);
    return 0;
}

static int receive(void *arg, struct span task_id, struct span task, struct err *err)
{
    struct fixture *f = arg;
    const size_t len = strlen(f->got);
    (void)snprintf(f->got + len, sizeof f->got - len, "%.*s=%.*s;", (int)task_id.len,
                   (const char *)task_id.ptr, (int)(task.len < 60 ? task.len : 60),
                   task.len > 0 ? (const char *)task.ptr : "");
    return f->stop ? err_set(err, E_FORMAT, 0, "stopped") : 0;
}

static int fetch(struct fixture *f, const char *const *ids, size_t n)
{
    struct span spans[8];
    for (size_t i = 0; i < n; i++)
        spans[i] = span_str(ids[i]);
    f->got[0] = '\0';
    f->err = (struct err){0};
    return taskcluster_fetch(f->taskcluster, spans, n, receive, f, &f->err);
}
#define FETCH(F, ...)                                                                              \
    fetch((F), (const char *const[]){__VA_ARGS__},                                                 \
          sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

/* --- files --- */

static void put_file(const struct fixture *f, const char *text)
{
    FILE *file = fopen(f->path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

static int open_file(struct fixture *f)
{
    taskcluster_close(f->taskcluster);
    f->taskcluster = NULL;
    f->err = (struct err){0};
    return taskcluster_open(&f->taskcluster,
                            &(const struct taskcluster_config){.pages = f->path, .root_url = "x"},
                            &f->err);
}

static void pages_of_a_file_are_one_lookup(void **state)
{
    struct fixture *f = *state;
    put_file(f, "{\"request\": {}, \"pages\": [\n {\"tasks\": [{\"taskId\": \"" A
                "\", \"task\": {\"n\": 1}}], \"continuationToken\": \"x\"},\n {\"tasks\": "
                "[{\"taskId\": \"" B "\", \"task\": 2}, {\"taskId\": \"short\"}]}]}\n");
    assert_int_equal(open_file(f), 0);
    assert_int_equal(FETCH(f, B, C, A, "short"), 0);
    assert_string_equal(f->got, "short=;" A "={\"n\": 1};" B "=2;");
    assert_int_equal(FETCH(f, A), 0);
    assert_string_equal(f->got, A "={\"n\": 1};");
    assert_int_equal(FETCH(f, C), 0);
    assert_string_equal(f->got, "");
}

static void pages_may_stand_one_a_line(void **state)
{
    struct fixture *f = *state;
    put_file(f, "{\"tasks\":[{\"taskId\":\"" A "\",\"task\":1}]}\n\n"
                "{\"tasks\":[{\"taskId\":\"" B "\",\"task\":2}]}");
    assert_int_equal(open_file(f), 0);
    assert_int_equal(FETCH(f, A, B), 0);
    assert_string_equal(f->got, A "=1;" B "=2;");
}

static void of_an_id_that_is_repeated_the_first_counts(void **state)
{
    struct fixture *f = *state;
    put_file(f,
             "{\"tasks\":[{\"taskId\":\"" A "\",\"task\":1},{\"taskId\":\"" A "\",\"task\":2}]}\n"
             "{\"tasks\":[{\"taskId\":\"" A "\",\"task\":3}]}\n");
    assert_int_equal(open_file(f), 0);
    assert_int_equal(FETCH(f, A, A), 0);
    assert_string_equal(f->got, A "=1;");
}

static void a_file_may_be_packed_or_empty(void **state)
{
    struct fixture *f = *state;
    gzFile file = gzopen(f->path, "w");
    assert_non_null(file);
    assert_true(gzputs(file, "{\"pages\":[{\"tasks\":[{\"taskId\":\"" A "\",\"task\":1}]}]}") > 0);
    assert_int_equal(gzclose(file), Z_OK);
    assert_int_equal(open_file(f), 0);
    assert_int_equal(FETCH(f, A), 0);
    assert_string_equal(f->got, A "=1;");
    put_file(f, "");
    assert_int_equal(open_file(f), 0);
    assert_int_equal(FETCH(f, A), 0);
    assert_string_equal(f->got, "");
}

static void broken_files_are_named_with_their_line(void **state)
{
    struct fixture *f = *state;
    static const char *const broken[] = {
        "{\"tasks\":[]}\n{\"tasks\":7}\n",
        "{\"tasks\":[]}\n{\"tasks\":[]\n",
        "{\"tasks\":[]}\n{\"pages\":[{\"tasks\":[]},{}]}",
        "\n[]",
        "\n{\"pages\":[}",
    };
    for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
        put_file(f, broken[i]);
        assert_int_equal(open_file(f), E_FORMAT);
        assert_contains(f->err.text, "/pages: the page at line 2: ");
    }
    assert_int_equal(unlink(f->path), 0);
    assert_int_equal(open_file(f), E_ABSENT);
}

static void the_receiver_can_stop_it(void **state)
{
    struct fixture *f = *state;
    put_file(f,
             "{\"tasks\":[{\"taskId\":\"" A "\",\"task\":1},{\"taskId\":\"" B "\",\"task\":2}]}");
    assert_int_equal(open_file(f), 0);
    f->stop = 1;
    assert_int_equal(FETCH(f, A, B), E_FORMAT);
    assert_string_equal(f->got, A "=1;");
    assert_string_equal(f->err.text, "stopped");
}

/* --- the service --- */

static void answer(struct fixture *f, const char *head, const char *body)
{
    char *text = f->texts[f->n_answers];
    (void)snprintf(text, ANSWER_BYTES, "%sContent-Length: %zu\r\n\r\n%s", head, strlen(body), body);
    f->answers[f->n_answers++].text = text;
}

static void serve(struct fixture *f)
{
    loopback_start(&f->server, f->answers, f->n_answers);
    char root[LOOPBACK_URL_BYTES + 8];
    (void)snprintf(root, sizeof root, "%s/root/", f->server.url);
    const struct taskcluster_config config = {.root_url = root};
    assert_int_equal(taskcluster_open(&f->taskcluster, &config, &f->err), 0);
    assert_int_equal(f->server.n_requests, 0);
}

static void assert_asked(const struct fixture *f, size_t i, const char *target, const char *body)
{
    char line[256];
    (void)snprintf(line, sizeof line, "POST %s HTTP/1.1\r\n", target);
    assert_memory_equal(f->server.requests[i], line, strlen(line));
    assert_contains(f->server.requests[i], "\r\nContent-Type: application/json\r\n");
    assert_lacks(f->server.requests[i], "uthorization");
    assert_string_equal(strstr(f->server.requests[i], "\r\n\r\n") + 4, body);
}
#define TASKS "/root/api/queue/v1/tasks"

static void tokens_are_followed_with_the_same_body(void **state)
{
    struct fixture *f = *state;
    answer(f, JSON_HEAD("200 OK"),
           "{\"tasks\":[{\"taskId\":\"" A "\",\"task\":1},{\"taskId\":\"" C
           "\",\"task\":3}],\"continuationToken\":\"a&b/\\u00e9\"}");
    answer(f, JSON_HEAD("200 OK"),
           "{\"tasks\":[{\"taskId\":\"" A "\",\"task\":4},{\"taskId\":\"" B "\",\"task\":2}]}");
    serve(f);
    assert_int_equal(FETCH(f, B, A, B), 0);
    assert_string_equal(f->got, A "=1;" B "=2;");
    assert_int_equal(f->server.n_requests, 2);
    assert_asked(f, 0, TASKS, "{\"taskIds\":[\"" A "\",\"" B "\"]}");
    assert_asked(f, 1, TASKS "?continuationToken=a%26b%2F%C3%A9&limit=1000",
                 "{\"taskIds\":[\"" A "\",\"" B "\"]}");
}

static void ids_that_are_none_are_not_sent(void **state)
{
    struct fixture *f = *state;
    answer(f, JSON_HEAD("200 OK"), "{\"tasks\":[]}");
    serve(f);
    assert_int_equal(FETCH(f, "abc", "", "aaaaaaaaaaaaaaaaaaaa\"A"), 0);
    assert_int_equal(f->server.n_requests, 0);
    assert_int_equal(FETCH(f, "abc", A), 0);
    assert_asked(f, 0, TASKS, "{\"taskIds\":[\"" A "\"]}");
}

static void failures_that_pass_are_tried_again(void **state)
{
    struct fixture *f = *state;
    answer(f, JSON_HEAD("500 X"), "{\"code\":\"InternalServerError\",\"message\":\"m\"}");
    answer(f, JSON_HEAD("429 X"), "");
    answer(f, JSON_HEAD("200 OK"), "{\"tasks\":[{\"taskId\":\"" A "\",\"task\":1}]}");
    serve(f);
    assert_int_equal(FETCH(f, A), 0);
    assert_string_equal(f->got, A "=1;");
    assert_int_equal(f->server.n_requests, 3);
}

static void too_large_requests_are_halved(void **state)
{
    struct fixture *f = *state;
    answer(f, JSON_HEAD("413 X"), "{\"code\":\"InputTooLarge\",\"message\":\"m\"}");
    answer(f, JSON_HEAD("200 OK"), "{\"tasks\":[{\"taskId\":\"" A "\",\"task\":1}]}");
    answer(f, JSON_HEAD("413 X"), "<html>");
    answer(f, JSON_HEAD("413 X"), "");
    answer(f, JSON_HEAD("200 OK"), "{\"tasks\":[{\"taskId\":\"" C "\",\"task\":3}]}");
    serve(f);
    assert_int_equal(FETCH(f, A, B, C), 0); // B cannot be had, the others can
    assert_string_equal(f->got, A "=1;" C "=3;");
    assert_asked(f, 1, TASKS, "{\"taskIds\":[\"" A "\"]}");
    assert_asked(f, 2, TASKS, "{\"taskIds\":[\"" B "\",\"" C "\"]}");
    assert_asked(f, 3, TASKS, "{\"taskIds\":[\"" B "\"]}");
    assert_asked(f, 4, TASKS, "{\"taskIds\":[\"" C "\"]}");
}

static void what_cannot_be_read_is_halved_and_nothing_is_handed_out_twice(void **state)
{
    struct fixture *f = *state;
    answer(f, JSON_HEAD("200 OK"),
           "{\"tasks\":[{\"taskId\":\"" A "\",\"task\":1}],\"continuationToken\":\"t\"}");
    answer(f, JSON_HEAD("200 OK"), "{\"tasks\":[{\"taskId\":\"" B "\",\"task\":");
    answer(f, JSON_HEAD("400 X"), "{\"code\":\"InputValidationError\",\"message\":\"m\"}");
    answer(f, JSON_HEAD("200 OK"), "{\"tasks\":[{\"taskId\":\"" C "\",\"task\":3}]}");
    serve(f);
    assert_int_equal(FETCH(f, A, B, C), 0);
    assert_string_equal(f->got, A "=1;" C "=3;");
    assert_int_equal(f->server.n_requests, 5 - 1);
}

static void refusals_are_told_in_the_services_words(void **state)
{
    struct fixture *f = *state;
    answer(f, JSON_HEAD("403 X"),
           "{\"code\":\"InsufficientScopes\",\"message\":\"You lack scopes\\n----\\nmore\"}");
    answer(f, "HTTP/1.1 404 X\r\nContent-Type: text/html\r\n", "<html>");
    answer(f, "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n", "<html>");
    serve(f);
    assert_int_equal(FETCH(f, A, B), E_IO);
    assert_contains(f->err.text, "InsufficientScopes: You lack scopes: POST http");
    assert_contains(f->err.text, "status 403");
    assert_lacks(f->err.text, "more");
    assert_int_equal(FETCH(f, A, B), E_IO);
    assert_contains(f->err.text, "no answer of Taskcluster itself: POST");
    assert_contains(f->err.text, "status 404");
    assert_int_equal(FETCH(f, A, B), E_FORMAT);
    assert_contains(f->err.text, "no answer of Taskcluster itself");
    assert_int_equal(f->server.n_requests, 3);
}

static void pages_come_to_an_end(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 2; i++)
        answer(f, JSON_HEAD("200 OK"), "{\"tasks\":[],\"continuationToken\":\"t\"}");
    serve(f);
    assert_int_equal(FETCH(f, A), E_FORMAT);
    assert_contains(f->err.text, "pages for 1 ids, and no end");
    assert_int_equal(f->server.n_requests, 2);
}

static void what_the_receiver_says_is_no_broken_page(void **state)
{
    struct fixture *f = *state;
    answer(f, JSON_HEAD("200 OK"),
           "{\"tasks\":[{\"taskId\":\"" A "\",\"task\":1},{\"taskId\":\"" B "\",\"task\":2}]}");
    serve(f);
    f->stop = 1;
    assert_int_equal(FETCH(f, A, B), E_FORMAT);
    assert_string_equal(f->err.text, "stopped");
    assert_int_equal(f->server.n_requests, 1);
}

static void bad_calls_are_refused(void **state)
{
    struct fixture *f = *state;
    const struct taskcluster_config config = {.root_url = "ftp://x"};
    assert_int_equal(taskcluster_open(&f->taskcluster, &config, &f->err), E_ARG);
    assert_contains(f->err.text, "taskcluster.rootUrl");
    put_file(f, "");
    assert_int_equal(open_file(f), 0);
    static struct span many[TASKCLUSTER_MAX_IDS + 1];
    assert_int_equal(taskcluster_fetch(f->taskcluster, many, ARRAY_LEN(many), receive, f, &f->err),
                     E_ARG);
    assert_int_equal(taskcluster_fetch(f->taskcluster, NULL, 0, receive, f, &f->err), 0);
}

#define PROMISE(FN) cmocka_unit_test_setup_teardown(FN, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROMISE(pages_of_a_file_are_one_lookup),
        PROMISE(pages_may_stand_one_a_line),
        PROMISE(of_an_id_that_is_repeated_the_first_counts),
        PROMISE(a_file_may_be_packed_or_empty),
        PROMISE(broken_files_are_named_with_their_line),
        PROMISE(the_receiver_can_stop_it),
        PROMISE(tokens_are_followed_with_the_same_body),
        PROMISE(ids_that_are_none_are_not_sent),
        PROMISE(failures_that_pass_are_tried_again),
        PROMISE(too_large_requests_are_halved),
        PROMISE(what_cannot_be_read_is_halved_and_nothing_is_handed_out_twice),
        PROMISE(refusals_are_told_in_the_services_words),
        PROMISE(pages_come_to_an_end),
        PROMISE(what_the_receiver_says_is_no_broken_page),
        PROMISE(bad_calls_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
