/* SPDX-License-Identifier: MPL-2.0 */
/* Source: fxci-etl.md 2.2 with the faults that it names, X1, X9; embedded.md. */
#include "fxci/config.h"

#include "base/base_test.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/weir-config-XXXXXX";
static char file[64], xdg_file[128];

static int make_dir(void **state)
{
    (void)state;
    char folder[64];
    if (!mkdtemp(dir))
        return -1;
    (void)snprintf(file, sizeof file, "%s/c.toml", dir);
    (void)snprintf(folder, sizeof folder, "%s/fxci-etl", dir);
    (void)snprintf(xdg_file, sizeof xdg_file, "%s/config.toml", folder);
    return mkdir(folder, 0700);
}

static int remove_dir(void **state)
{
    (void)state;
    char folder[64];
    (void)unlink(file);
    (void)unlink(xdg_file);
    (void)snprintf(folder, sizeof folder, "%s/fxci-etl", dir);
    return rmdir(folder) || rmdir(dir);
}

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static struct err err;

#define ENV(...) ((char *const[]){__VA_ARGS__, NULL})

/* Nothing but the environment. */
static int from_env(struct fxci_config *c, char *const *environment)
{
    err = (struct err){0};
    return fxci_config_read(c, &(struct config_inputs){.environment = environment}, &err);
}

/* --config, with an environment that must not count. */
static int from_file(struct fxci_config *c, const char *text)
{
    err = (struct err){0};
    write_file(file, text);
    const struct config_inputs in = {.path = file,
                                     .environment = ENV("FXCI_ETL_STORAGE_BUCKET=no")};
    return fxci_config_read(c, &in, &err);
}

#define REFUSED(CALL, ...) refused((CALL), (const char *const[]){__VA_ARGS__, NULL})
static void refused(int r, const char *const *why)
{
    assert_int_equal(r, E_ARG);
    for (; *why; why++)
        if (!strstr(err.text, *why))
            fail_msg("%s\n: not in: %s", *why, err.text);
}

static void everything_has_a_default(void **state)
{
    struct fxci_config c;
    assert_int_equal(from_env(&c, ENV("PATH=/bin", "FXCI=x", "fxci_etl_pulse_user=x")), 0);
    assert_null(c.bigquery.project);
    assert_string_equal(c.bigquery.tables[FXCI_TASKS], "tasks_v2");
    assert_string_equal(c.bigquery.tables[FXCI_RUNS], "task_runs_v1");
    assert_string_equal(c.bigquery.tables[FXCI_METRICS], "worker_metrics_v1");
    assert_string_equal(c.bigquery.tables[FXCI_DEFINITIONS], "task_definitions_v1");
    assert_int_equal(c.bigquery.window_days, 14);
    assert_string_equal(c.pulse.host, "pulse.mozilla.org");
    assert_int_equal(c.pulse.port, 5671);
    assert_true(c.pulse.durable && c.pulse.tls);
    assert_string_equal(c.pulse.vhost, "/");
    assert_int_equal(c.pulse.prefetch, 1000);
    assert_int_equal(c.pulse.batch_messages, 5000);
    assert_int_equal(c.pulse.batch_seconds, 30);
    assert_int_equal(c.pulse.queue_minutes, 20);
    assert_string_equal(c.monitoring.projects[0], "fxci-production-level1-workers");
    assert_string_equal(c.monitoring.projects[1], "fxci-production-level3-workers");
    assert_null(c.monitoring.projects[2]);
    assert_string_equal(c.taskcluster.root_url, "https://firefox-ci-tc.services.mozilla.com");
    assert_int_equal(c.monitoring.n_metrics, 1);
    const struct metric_config *m = &c.monitoring.metrics[0];
    assert_string_equal(m->name, "uptime");
    assert_string_equal(m->type, "compute.googleapis.com/instance/uptime");
    assert_string_equal(m->aligner, "ALIGN_SUM");
    assert_string_equal(m->reducer, "REDUCE_SUM");
    assert_string_equal(m->group_fields[0], "metric.labels.instance_name");
    assert_string_equal(m->group_fields[2], "resource.labels.zone");
    assert_null(m->group_fields[3]);
    assert_null(m->table);
    assert_string_equal(m->column, "uptime");
    assert_false(c.any_cloud);
    fxci_config_deinit(&c);
    (void)state;
}

static void a_file_sets_every_kind(void **state)
{
    struct fxci_config c;
    const char *text = "[bigquery]\nproject = 'p'\ndataset = 'd'\ncredentials = 'eyJhIjoxfQ=='\n"
                       "[bigquery.tables]\ntasks = 'tasks_v3'\n"
                       "[storage]\nproject = 'p'\nbucket = 'b'\n"
                       "[pulse]\nuser = 'u'\npassword = 'x,y'\nport = 5672\ndurable = false\n"
                       "[monitoring]\nprojects = ['one', \"two\"]\n"
                       "[taskcluster]\nrootUrl = 'http://tc'\n";
    assert_int_equal(from_file(&c, text), 0);
    assert_string_equal(c.bigquery.project, "p");
    assert_string_equal(c.bigquery.credentials.text, "{\"a\":1}");
    assert_string_equal(c.bigquery.tables[FXCI_TASKS], "tasks_v3");
    assert_string_equal(c.bigquery.tables[FXCI_RUNS], "task_runs_v1");
    assert_string_equal(c.storage.bucket, "b");
    assert_string_equal(c.pulse.user, "u");
    assert_string_equal(c.pulse.password.text, "x,y");
    assert_int_equal(c.pulse.port, 5672);
    assert_false(c.pulse.durable);
    assert_string_equal(c.monitoring.projects[1], "two");
    assert_null(c.monitoring.projects[2]);
    assert_string_equal(c.taskcluster.root_url, "http://tc");
    assert_true(c.any_cloud && c.given[CONFIG_PULSE] && !c.given[CONFIG_BILLING]);
    fxci_config_deinit(&c);
    (void)state;
}

/* The original refused text where a number or boolean is expected. */
static void text_becomes_numbers_and_booleans(void **state)
{
    struct fxci_config c;
    assert_int_equal(
        from_env(&c, ENV("FXCI_ETL_PULSE_PORT=5672", "FXCI_ETL_PULSE_DURABLE=False",
                         "FXCI_ETL_PULSE_TLS=0", "FXCI_ETL_MONITORING_PROJECTS=a, b ,c")),
        0);
    assert_int_equal(c.pulse.port, 5672);
    assert_false(c.pulse.durable || c.pulse.tls);
    assert_string_equal(c.monitoring.projects[1], "b");
    assert_string_equal(c.monitoring.projects[2], "c");
    fxci_config_deinit(&c);
    assert_int_equal(from_file(&c, "[pulse]\nport='5673'\ndurable='true'\n"), 0);
    assert_int_equal(c.pulse.port, 5673);
    fxci_config_deinit(&c);
    REFUSED(from_env(&c, ENV("FXCI_ETL_PULSE_PORT=amqp")), "pulse.port", "FXCI_ETL_PULSE_PORT",
            "1 to 65535");
    REFUSED(from_env(&c, ENV("FXCI_ETL_PULSE_PORT=65536")), "pulse.port");
    REFUSED(from_env(&c, ENV("FXCI_ETL_PULSE_PORT=-1")), "pulse.port");
    REFUSED(from_env(&c, ENV("FXCI_ETL_PULSE_PORT=99999999999999999999")), "pulse.port");
    REFUSED(from_env(&c, ENV("FXCI_ETL_PULSE_DURABLE=maybe")), "pulse.durable",
            "FXCI_ETL_PULSE_DURABLE");
    REFUSED(from_file(&c, "\n[pulse]\nport=true\n"), "pulse.port", "c.toml:3", "number");
    REFUSED(from_file(&c, "[pulse]\nport=1.5\n"), "pulse.port");
    REFUSED(from_file(&c, "[pulse]\nuser=5\n"), "pulse.user", "text");
    REFUSED(from_file(&c, "[pulse]\ndurable=1\n"), "pulse.durable");
    REFUSED(from_file(&c, "[monitoring]\nprojects=[1]\n"), "monitoring.projects");
    REFUSED(from_file(&c, "[monitoring]\nprojects=[]\n"), "monitoring.projects");
    REFUSED(from_file(&c, "[monitoring]\nprojects=['a,b']\n"), "monitoring.projects");
    REFUSED(from_file(&c, "[pulse]\nuser=['a']\n"), "pulse.user");
    (void)state;
}

/* The original lower-cases names, so that rootUrl could not be set by a variable. */
static void case_does_not_matter(void **state)
{
    struct fxci_config c;
    assert_int_equal(from_env(&c, ENV("FXCI_ETL_TASKCLUSTER_ROOTURL=http://tc",
                                      "FXCI_ETL_Pulse_BatchMessages=7")),
                     0);
    assert_string_equal(c.taskcluster.root_url, "http://tc");
    assert_int_equal(c.pulse.batch_messages, 7);
    fxci_config_deinit(&c);
    assert_int_equal(from_file(&c, "[TaskCluster]\nrooturl='http://tc'\n"), 0);
    assert_string_equal(c.taskcluster.root_url, "http://tc");
    fxci_config_deinit(&c);
    REFUSED(from_file(&c, "[pulse]\nuser='a'\nUser='b'\n"), "pulse.user is set twice", ":2", ":3");
    REFUSED(from_env(&c, ENV("FXCI_ETL_PULSE_HOST=a", "FXCI_ETL_pulse_host=b")),
            "pulse.host is set twice");
    (void)state;
}

/* The original crashed with an obscure error. */
static void a_section_has_no_value(void **state)
{
    struct fxci_config c;
    REFUSED(from_env(&c, ENV("FXCI_ETL_PULSE=x", "FXCI_ETL_PULSE_USER=u")), "FXCI_ETL_PULSE",
            "is a section");
    REFUSED(from_env(&c, ENV("FXCI_ETL_PULSE_USER=u", "FXCI_ETL_PULSE=")), "is a section");
    REFUSED(from_env(&c, ENV("FXCI_ETL_BIGQUERY_TABLES=x")), "bigquery.tables", "is a section");
    REFUSED(from_env(&c, ENV("FXCI_ETL_PULSE_USER_NAME=x")), "FXCI_ETL_PULSE_USER_NAME",
            "is no key");
    REFUSED(from_file(&c, "pulse='x'\n"), "pulse", "c.toml:1", "is a section");
    REFUSED(from_file(&c, "[pulse.user]\nname='x'\n"), "pulse.user", "is a table");
    REFUSED(from_file(&c, "[monitoring.metrics]\nx='y'\n"), "monitoring.metrics.x", "is a section");
    (void)state;
}

static void unknown_keys_are_ignored_unknown_sections_of_variables_not(void **state)
{
    struct fxci_config c;
    assert_int_equal(from_env(&c, ENV("FXCI_ETL_PULSE_NONSENSE=x", "FXCI_ETL_PULSE__USER=x")), 0);
    assert_true(c.any_cloud); // a key of the section is set, and be it a misspelt one
    fxci_config_deinit(&c);
    assert_int_equal(from_file(&c, "x=1\n[other]\ny=2\n[other.z]\n[pulse]\n'a.b'=1\nnew=2\n"), 0);
    fxci_config_deinit(&c);
    REFUSED(from_env(&c, ENV("FXCI_ETL_BIGQERY_PROJECT=p")), "FXCI_ETL_BIGQERY_PROJECT",
            "no section");
    REFUSED(from_env(&c, ENV("FXCI_ETL_X=")), "FXCI_ETL_X", "no section");
    (void)state;
}

static void a_given_file_counts_alone(void **state)
{
    struct fxci_config c;
    const struct config_inputs in = {
        .path = file,
        .xdg_config_home = dir,
        .environment =
            ENV("FXCI_ETL_STORAGE_BUCKET=e", "FXCI_ETL_NONSENSE_X=1", "FXCI_ETL_PULSE=x")};
    write_file(file, "[storage]\nproject='p'\n");
    write_file(xdg_file, "[pulse]\nuser='u'\n");
    assert_int_equal(fxci_config_read(&c, &in, &err), 0);
    assert_string_equal(c.storage.project, "p");
    assert_null(c.storage.bucket);
    assert_false(c.given[CONFIG_PULSE]);
    fxci_config_deinit(&c);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(fxci_config_read(&c, &in, &err), E_ABSENT);
    assert_non_null(strstr(err.text, "c.toml"));
    (void)state;
}

/* The original's documentation promises the XDG file, which it never reads. */
static void variables_lie_over_the_usual_file(void **state)
{
    struct fxci_config c;
    struct config_inputs in = {.xdg_config_home = dir,
                               .user_home = "/nonexistent",
                               .environment = ENV("FXCI_ETL_PULSE_USER=e", "FXCI_ETL_PULSE_HOST=")};
    write_file(xdg_file, "[pulse]\nuser='u'\npassword='p'\nhost='h'\n");
    assert_int_equal(fxci_config_read(&c, &in, &err), 0);
    assert_string_equal(c.pulse.user, "e");
    assert_string_equal(c.pulse.password.text, "p");
    assert_string_equal(c.pulse.host, "h"); // an empty variable has no value
    fxci_config_deinit(&c);
    in.xdg_config_home = "relative"; // ignored, as the XDG specification has it
    assert_int_equal(fxci_config_read(&c, &in, &err), 0);
    assert_string_equal(c.pulse.host, "pulse.mozilla.org");
    fxci_config_deinit(&c);
    in.xdg_config_home = dir;
    write_file(xdg_file, "[pulse]\nuser=\n");
    assert_int_equal(fxci_config_read(&c, &in, &err), E_FORMAT);
    assert_non_null(strstr(err.text, "config.toml: line 2"));
    (void)state;
}

static void secrets_stay_out_of_errors(void **state)
{
    struct fxci_config c;
    char long_password[6000] = "FXCI_ETL_PULSE_PASSWORD=";
    const size_t len = strlen(long_password);
    memset(long_password + len, 's', sizeof long_password - len - 1);
    REFUSED(from_env(&c, ENV("FXCI_ETL_BIGQUERY_CREDENTIALS={\"private_key\":1}")),
            "bigquery.credentials", "base64");
    assert_null(strstr(err.text, "private_key"));
    REFUSED(from_env(&c, ENV("FXCI_ETL_STORAGE_CREDENTIALS=c2VjcmV0c2VjcmV0*")),
            "storage.credentials", "base64");
    assert_null(strstr(err.text, "c2Vj"));
    REFUSED(from_env(&c, ENV("FXCI_ETL_MONITORING_CREDENTIALS=AAAA")), "monitoring.credentials");
    REFUSED(from_env(&c, ENV(long_password)), "pulse.password", "too long");
    assert_null(strstr(err.text, "sss"));
    REFUSED(from_file(&c, "[pulse]\npassword=12345\n"), "pulse.password", "text");
    assert_null(strstr(err.text, "12345"));
    // as the base64 program prints it
    assert_int_equal(from_env(&c, ENV("FXCI_ETL_BIGQUERY_CREDENTIALS=eyJh\nIjox\r\nfQ==\n")), 0);
    assert_string_equal(c.bigquery.credentials.text, "{\"a\":1}");
    fxci_config_deinit(&c);
    assert_int_equal(c.bigquery.credentials.text[0], 0);
    (void)state;
}

static void addresses_and_texts_are_looked_at(void **state)
{
    struct fxci_config c;
    REFUSED(from_env(&c, ENV("FXCI_ETL_TASKCLUSTER_ROOTURL=tc.example")), "taskcluster.rootUrl",
            "http://");
    REFUSED(from_env(&c, ENV("FXCI_ETL_BIGQUERY_DATASET=a\nb")), "bigquery.dataset", "control");
    (void)state;
}

/* X9 */
static void a_second_metric_is_configuration_alone(void **state)
{
    struct fxci_config c;
    assert_int_equal(from_file(&c, "[monitoring.metrics.cpu]\ntype='t/cpu'\naligner='ALIGN_MEAN'\n"
                                   "reducer='REDUCE_NONE'\ngroupFields=['resource.labels.zone']\n"
                                   "table='worker_cpu_v1'\ncolumn='load'\n"
                                   "[monitoring.metrics.UPTIME]\naligner='ALIGN_MAX'\n"),
                     0);
    assert_int_equal(c.monitoring.n_metrics, 2);
    const struct metric_config *m = &c.monitoring.metrics[1];
    assert_string_equal(c.monitoring.metrics[0].aligner, "ALIGN_MAX");
    assert_string_equal(m->name, "cpu");
    assert_string_equal(m->type, "t/cpu");
    assert_string_equal(m->aligner, "ALIGN_MEAN");
    assert_string_equal(m->reducer, "REDUCE_NONE");
    assert_string_equal(m->group_fields[0], "resource.labels.zone");
    assert_null(m->group_fields[1]);
    assert_string_equal(m->table, "worker_cpu_v1");
    assert_string_equal(m->column, "load");
    assert_false(c.any_cloud);
    fxci_config_deinit(&c);
    assert_int_equal(from_env(&c, ENV("FXCI_ETL_MONITORING_METRICS_DISK_TYPE=t/disk")), 0);
    assert_string_equal(c.monitoring.metrics[1].type, "t/disk");
    assert_string_equal(c.monitoring.metrics[1].column, "disk");
    assert_string_equal(c.monitoring.metrics[1].reducer, "REDUCE_SUM");
    fxci_config_deinit(&c);
    REFUSED(from_file(&c, "[monitoring.metrics.cpu]\ncolumn='x'\n"), "monitoring.metrics.cpu.type",
            "missing");
    REFUSED(from_file(&c, "[monitoring.metrics.cpu]\ntype='t'\ncolumn='a b'\n"),
            "monitoring.metrics.cpu.column", "a b");
    (void)state;
}

static void too_many_metrics_are_refused(void **state)
{
    struct fxci_config c;
    char text[4096] = "";
    for (int i = 0; i < CONFIG_MAX_METRICS; i++)
        (void)snprintf(text + strlen(text), sizeof text - strlen(text),
                       "[monitoring.metrics.m%d]\ntype='t'\n", i);
    REFUSED(from_file(&c, text), "more than 32 metrics");
    (void)state;
}

static int require(char *const *environment, struct config_use use)
{
    struct fxci_config c;
    assert_int_equal(from_env(&c, environment), 0);
    const int r = fxci_config_require(&c, &use, &err);
    fxci_config_deinit(&c);
    return r;
}
#define USE(...) ((struct config_use){__VA_ARGS__})

/* X1 */
static void what_a_command_uses_must_be_configured(void **state)
{
    // none: the embedded parts
    assert_int_equal(require(ENV("X=1"), USE(.bigquery = true, .storage = true)), 0);
    assert_int_equal(
        require(ENV("FXCI_ETL_TASKCLUSTER_ROOTURL=http://x", "FXCI_ETL_MONITORING_PROJECTS=p"),
                USE(.bigquery = true, .storage = true)),
        0);
    // the original: an obscure error of `pulse drain` without a section
    REFUSED(require(ENV("X=1"), USE(.bigquery = true, .storage = true, .pulse = true)),
            "pulse.user", "FXCI_ETL_PULSE_USER", "pulse.password", "--source");
    assert_int_equal(
        require(ENV("X=1"), USE(.bigquery = true, .pulse = true, .source_given = true)), 0);
    // any key: all that is used
    REFUSED(require(ENV("FXCI_ETL_PULSE_USER=u", "FXCI_ETL_PULSE_PASSWORD=p"),
                    USE(.bigquery = true, .storage = true, .pulse = true)),
            "bigquery.project", "bigquery.dataset", "FXCI_ETL_STORAGE_PROJECT", "storage.bucket");
    REFUSED(require(ENV("FXCI_ETL_STORAGE_BUCKET=b"), USE(.bigquery = true)), "bigquery.project");
    REFUSED(require(ENV("FXCI_ETL_BIGQUERY_PROJECT="), USE(.bigquery = true)), "bigquery.project");
    assert_int_equal(require(ENV("FXCI_ETL_BIGQUERY_PROJECT=p", "FXCI_ETL_BIGQUERY_DATASET=d"),
                             USE(.bigquery = true)),
                     0);
    REFUSED(require(ENV("FXCI_ETL_BIGQUERY_PROJECT=p", "FXCI_ETL_BIGQUERY_DATASET=d"),
                    USE(.bigquery = true, .storage = true)),
            "storage.project");
    // flags settle a part
    assert_int_equal(require(ENV("FXCI_ETL_STORAGE_BUCKET=b", "FXCI_ETL_STORAGE_PROJECT=p"),
                             USE(.bigquery = true, .storage = true, .warehouse_given = true)),
                     0);
    assert_int_equal(require(ENV("FXCI_ETL_BIGQUERY_PROJECT=p", "FXCI_ETL_BIGQUERY_DATASET=d"),
                             USE(.bigquery = true, .storage = true, .store_given = true)),
                     0);
    // user and password also where any other key of pulse is given
    REFUSED(require(ENV("FXCI_ETL_PULSE_HOST=h"), USE(.warehouse_given = true)), "pulse.user");
    (void)state;
}

struct seen {
    char text[16384];
};

static int see(void *arg, const char *key, const char *value, const char *origin, struct err *e)
{
    struct seen *s = arg;
    (void)e;
    const size_t len = strlen(s->text);
    (void)snprintf(s->text + len, sizeof s->text - len, "%s=%s|%s\n", key, value, origin);
    return 0;
}

static void each_value_and_its_origin_can_be_seen(void **state)
{
    struct fxci_config c;
    static struct seen s;
    write_file(xdg_file, "[pulse]\npassword='s3cret'\nport=5672\n");
    const struct config_inputs in = {
        .xdg_config_home = dir,
        .environment = ENV("FXCI_ETL_PULSE_USER=u", "FXCI_ETL_BIGQUERY_CREDENTIALS=eyJhIjoxfQ==",
                           "FXCI_ETL_MONITORING_METRICS_CPU_TYPE=t")};
    assert_int_equal(fxci_config_read(&c, &in, &err), 0);
    assert_int_equal(fxci_config_each(&c, see, &s, &err), 0);
    fxci_config_deinit(&c);
    const char *const lines[] = {
        "pulse.user=u|FXCI_ETL_PULSE_USER\n",
        "pulse.password=********|/",
        "/fxci-etl/config.toml:2\n",
        "pulse.port=5672|/",
        "pulse.host=pulse.mozilla.org|default\n",
        "bigquery.credentials=********|FXCI_ETL_BIGQUERY_CREDENTIALS\n",
        "storage.credentials=|default\n",
        "uptime.type=compute.googleapis.com/instance/uptime|default\n",
        "monitoring.metrics.cpu.type=t|FXCI_ETL_MONITORING_METRICS_CPU_TYPE\n",
        "monitoring.metrics.cpu.column=cpu|default\n"};
    for (size_t i = 0; i < ARRAY_LEN(lines); i++)
        if (!strstr(s.text, lines[i]))
            fail_msg("%s\n: not in\n%s", lines[i], s.text);
    assert_null(strstr(s.text, "s3cret"));
    assert_null(strstr(s.text, "eyJ"));
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_has_a_default),
        cmocka_unit_test(a_file_sets_every_kind),
        cmocka_unit_test(text_becomes_numbers_and_booleans),
        cmocka_unit_test(case_does_not_matter),
        cmocka_unit_test(a_section_has_no_value),
        cmocka_unit_test(unknown_keys_are_ignored_unknown_sections_of_variables_not),
        cmocka_unit_test(a_given_file_counts_alone),
        cmocka_unit_test(variables_lie_over_the_usual_file),
        cmocka_unit_test(secrets_stay_out_of_errors),
        cmocka_unit_test(addresses_and_texts_are_looked_at),
        cmocka_unit_test(a_second_metric_is_configuration_alone),
        cmocka_unit_test(too_many_metrics_are_refused),
        cmocka_unit_test(what_a_command_uses_must_be_configured),
        cmocka_unit_test(each_value_and_its_origin_can_be_seen),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
