/* SPDX-License-Identifier: MPL-2.0 */
#include "base/metrics.h"

#include "base_test.h"

#include <math.h>
#include <pthread.h>

static const struct metric records = {"weir_records_total", "Records\nread.", METRIC_COUNTER};
static const struct metric seconds = {"weir_seconds", "Time.", METRIC_GAUGE};

struct place {
    char dir[TEST_PATH_BYTES], path[TEST_PATH_BYTES + 16];
    struct metrics *m;
};

static void open_in(struct place *p)
{
    make_temp_dir(p->dir);
    (void)snprintf(p->path, sizeof p->path, "%s/weir.prom", p->dir);
    assert_int_equal(metrics_open(&p->m, p->path, NULL), 0);
    assert_non_null(p->m);
}

static void remove_all(const struct place *p)
{
    assert_int_equal(unlink(p->path), 0);
    assert_int_equal(rmdir(p->dir), 0);
}

static void assert_file(const struct place *p, const char *want)
{
    char text[4096];
    FILE *f = fopen(p->path, "r");
    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    assert_int_equal(fclose(f), 0);
    assert_string_equal(text, want);
}

static void series_stand_below_their_metric(void **state)
{
    struct place p;
    open_in(&p);
    assert_file(&p, "");
    metrics_add(p.m, &records, METRIC_LABELS({"stage", "verify1"}, {"batch", "b"}), 3);
    metrics_set(p.m, &seconds, NULL, 1.5);
    metrics_add(p.m, &records, METRIC_LABELS({"stage", "verify2"}, {"batch", "b"}), 1);
    metrics_add(p.m, &records, METRIC_LABELS({"stage", "verify1"}, {"batch", "b"}), 4);
    metrics_set(p.m, &seconds, NULL, 2.25);
    assert_int_equal(metrics_write(p.m, NULL), 0);
    assert_file(&p, "# HELP weir_records_total Records\\nread.\n"
                    "# TYPE weir_records_total counter\n"
                    "weir_records_total{stage=\"verify1\",batch=\"b\"} 7\n"
                    "weir_records_total{stage=\"verify2\",batch=\"b\"} 1\n"
                    "# HELP weir_seconds Time.\n"
                    "# TYPE weir_seconds gauge\n"
                    "weir_seconds 2.25\n");
    assert_int_equal(metrics_close(p.m, NULL), 0);
    remove_all(&p);
    (void)state;
}

static void labels_and_values_are_escaped(void **state)
{
    struct place p;
    open_in(&p);
    metrics_set(p.m, &seconds, METRIC_LABELS({"batch", "a\"b\\c\nd"}), INFINITY);
    assert_int_equal(metrics_close(p.m, NULL), 0);
    assert_file(&p, "# HELP weir_seconds Time.\n# TYPE weir_seconds gauge\n"
                    "weir_seconds{batch=\"a\\\"b\\\\c\\nd\"} +Inf\n");
    remove_all(&p);
    (void)state;
}

static void *add_many(void *arg)
{
    for (int i = 0; i < 1000; i++)
        metrics_add(arg, &records, NULL, 1);
    return NULL;
}

static void threads_add_up(void **state)
{
    struct place p;
    pthread_t threads[4];
    open_in(&p);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, add_many, p.m), 0);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(metrics_close(p.m, NULL), 0);
    assert_file(&p, "# HELP weir_records_total Records\\nread.\n# TYPE weir_records_total counter\n"
                    "weir_records_total 4000\n");
    remove_all(&p);
    (void)state;
}

static void without_a_path_nothing_happens(void **state)
{
    struct metrics *m = (struct metrics *)state;
    assert_int_equal(metrics_open(&m, NULL, NULL), 0);
    assert_null(m);
    metrics_add(m, &records, NULL, 1);
    metrics_set(m, &seconds, NULL, 1);
    assert_int_equal(metrics_write(m, NULL), 0);
    assert_int_equal(metrics_close(m, NULL), 0);
    assert_int_equal(metrics_open(&m, "", NULL), 0);
    assert_null(m);
}

static void an_unusable_path_shows_at_once(void **state)
{
    struct metrics *m;
    struct err err = {0};
    assert_int_equal(metrics_open(&m, "/nonexistent/weir.prom", &err), E_IO);
    assert_contains(err.text, "/nonexistent");
    assert_int_equal(metrics_open(&m, "/tmp/", &err), E_ARG);
    (void)state;
}

static void a_label_without_an_end_is_dropped(void **state)
{
    struct place p;
    char name[32];
    open_in(&p);
    for (int i = 0; i < 300; i++) {
        (void)snprintf(name, sizeof name, "%d", i);
        metrics_add(p.m, &records, METRIC_LABELS({"id", name}), 1);
    }
    static char huge[8000];
    memset(huge, 'x', sizeof huge - 1);
    metrics_add(p.m, &records, METRIC_LABELS({"id", huge}), 1);
    assert_int_equal(metrics_close(p.m, NULL), 0);
    FILE *f = fopen(p.path, "r");
    assert_non_null(f);
    int n_lines = 0;
    for (int c; (c = fgetc(f)) != EOF;)
        n_lines += c == '\n';
    assert_int_equal(fclose(f), 0);
    assert_int_equal(n_lines, 302);
    remove_all(&p);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(series_stand_below_their_metric),
        cmocka_unit_test(labels_and_values_are_escaped),
        cmocka_unit_test(threads_add_up),
        cmocka_unit_test(without_a_path_nothing_happens),
        cmocka_unit_test(an_unusable_path_shows_at_once),
        cmocka_unit_test(a_label_without_an_end_is_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
