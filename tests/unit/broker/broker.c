/* SPDX-License-Identifier: MPL-2.0 */
/* What broker_open says to settings. Nobody is contacted. */
#include "broker/broker.h"

#include "codec/testing.h"

static const struct broker_binding good = {
    .name = "done", .exchange = "exchange/x", .routing_key = "#", .queue = "queue/me/done"};

static struct opt_secret password = {.text = "hush", .len = 4};

static struct broker_config settings(void)
{
    return (struct broker_config){
        .host = "localhost", .port = 5671, .user = "me", .password = &password, .tls = true};
}

static void assert_refused(struct broker_config config, struct broker_binding binding,
                           const char *why)
{
    struct broker *b;
    struct err err = {0};
    assert_int_equal(broker_open(&b, &config, &binding, 1, &err), E_ARG);
    assert_null(b);
    assert_non_null(strstr(err.text, why));
    assert_null(strstr(err.text, "hush"));
}

static void the_name_has_no_password(void **state)
{
    (void)state;
    struct broker *b;
    struct broker_config config = settings();
    assert_int_equal(broker_open(&b, &config, &good, 1, NULL), 0);
    assert_string_equal(broker_name(b), "amqps://me@localhost:5671/");
    assert_false(broker_is_recorded(b));
    broker_close(b);
    config.tls = false;
    config.vhost = "tests";
    assert_int_equal(broker_open(&b, &config, &good, 1, NULL), 0);
    assert_string_equal(broker_name(b), "amqp://me@localhost:5671/tests");
    broker_close(b);
    broker_close(NULL);
}

static void settings_that_cannot_be_are_refused(void **state)
{
    (void)state;
    struct broker_config config = settings();
    config.host = "";
    assert_refused(config, good, "host and user");
    config = settings();
    config.user = NULL;
    assert_refused(config, good, "host and user");
    config = settings();
    config.port = 65536;
    assert_refused(config, good, "65536");
    config = settings();
    config.prefetch = 65536;
    assert_refused(config, good, "prefetch");
    config = settings();
    config.heartbeat_s = 3601;
    assert_refused(config, good, "heartbeat");
    config = settings();
    config.password = NULL;
    assert_refused(config, good, "password is needed");
    struct opt_secret cut = {.text = "hu\0sh", .len = 5};
    config.password = &cut;
    assert_refused(config, good, "zero byte");
}

static void names_that_cannot_be_are_refused(void **state)
{
    (void)state;
    char name[300];
    memset(name, 'q', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    struct broker_binding binding = good;
    binding.queue = name;
    assert_refused(settings(), binding, "binding done: ");
    binding = good;
    binding.exchange = ""; // of recorded messages only
    assert_refused(settings(), binding, "binding done: ");
    binding = good;
    binding.routing_key = NULL;
    assert_refused(settings(), binding, "binding done: ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_name_has_no_password),
        cmocka_unit_test(settings_that_cannot_be_are_refused),
        cmocka_unit_test(names_that_cannot_be_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
