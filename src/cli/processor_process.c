/* SPDX-License-Identifier: MPL-2.0 */
/* process, and validate, which tells whether it would get through. */
#include "processor/process.h"

#include "base/secret.h"
#include "cli/processor.h"
#include "processor/validate.h"

#include <string.h>

struct server {
    struct processor_setup setup;
    struct processor_buckets buckets;
    struct data_config config;
    struct process_options options;
};

static void server_deinit(struct server *s)
{
    secret_wipe(s->options.private_key, sizeof s->options.private_key);
    secret_wipe(s->options.shared_secret, sizeof s->options.shared_secret);
    data_config_deinit(&s->config);
    processor_close_buckets(&s->buckets);
}

static void fill_options(struct server *s, const struct processor_args *a)
{
    s->options = (struct process_options){
        .config = &s->config,
        .app_name = a->app_name,
        .date = s->setup.date,
        .bucket_prefix = a->bucket_prefix,
        .date_given = a->submission_date != NULL,
        .role = (enum prio_role)a->server_id,
        .key_internal = a->key_internal,
        .key_external = a->key_external,
        .prg = (enum prio_prg)a->prg,
        .points = (enum prio_points)a->points,
        .ingest = s->buckets.ingest,
        .private = s->buckets.private,
        .shared = s->buckets.shared,
        .external_shared = s->buckets.external_shared,
        .n_workers = s->setup.n_workers,
        .cpu = s->setup.cpu,
        .cpu_level = a->cpu,
        .retry_limit = a->retry_limit,
        .retry_delay_s = a->retry_delay,
        .retry_multiplier = a->retry_exponent,
        .keep_state = a->keep_state,
        .again = a->again,
        .min_batch = a->min_batch,
        .sign_key = a->sign_key,
        .verify_key = a->verify_key,
        .now_us = s->setup.now_given ? s->setup.now_us : 0,
        .progress = s->setup.progress,
        .metrics_file = a->metrics_file,
        .report_file = a->report,
        .say = processor_say,
    };
}

static int read_keys(struct server *s, const struct processor_args *a, struct err *err)
{
    CLEANUP(server_keys_wipe) struct server_keys keys = {0};
    const struct key_texts texts = processor_keys(a);
    const int r = server_keys_read(&keys, &texts, err);
    if (r < 0)
        return r;
    memcpy(s->options.private_key, keys.private_key, sizeof s->options.private_key);
    memcpy(s->options.shared_secret, keys.secret, sizeof s->options.shared_secret);
    return 0;
}

/* All that touches no bucket. */
static int prepare(struct server *s, const struct processor_args *a, struct err *err)
{
    int r = processor_start(&s->setup, a, err);
    if (r == 0)
        r = processor_open_buckets(&s->buckets, &s->setup, a, err);
    if (r == 0)
        fill_options(s, a);
    return r;
}

/* What process would meet, without any change. */
static int dry_run(const struct server *s, const struct processor_args *a, struct err *err)
{
    const struct key_texts keys = processor_keys(a);
    const struct validate_options validate = {.process = &s->options,
                                              .config_path = a->data_config,
                                              .keys = &keys,
                                              .no_probe = true,
                                              .say = processor_say};
    if (validate_run(&validate) > 0)
        return err_set(err, E_FORMAT, 0, "process would fail");
    return processor_print_status(a, &s->setup, &s->buckets, err);
}

int cmd_process(void *args, struct err *err)
{
    const struct processor_args *a = args;
    CLEANUP(server_deinit) struct server s = {0};
    int r = prepare(&s, a, err);
    if (r == 0)
        r = data_config_read(&s.config, a->data_config, err);
    if (r == 0)
        r = read_keys(&s, a, err);
    if (r == 0)
        r = process_check(&s.options, err);
    if (r < 0)
        return processor_exit(r);
    r = a->dry_run ? dry_run(&s, a, err) : process_run(&s.options, err);
    return r < 0 ? EXIT_FAILED : EXIT_DONE;
}

int cmd_validate(void *args, struct err *err)
{
    const struct processor_args *a = args;
    CLEANUP(server_deinit) struct server s = {0};
    struct err unreadable = {0};
    const int r = prepare(&s, a, err);
    if (r < 0)
        return processor_exit(r);
    // What is wrong with these two, the checks say.
    if (data_config_read(&s.config, a->data_config, &unreadable) == 0)
        (void)!read_keys(&s, a, &unreadable);
    const struct key_texts keys = processor_keys(a);
    const struct validate_options options = {.process = &s.options,
                                             .config_path = a->data_config,
                                             .keys = &keys,
                                             .no_probe = a->no_probe,
                                             .say = processor_say};
    const unsigned n_failed = validate_run(&options);
    if (n_failed == 0)
        return EXIT_DONE;
    (void)err_set(err, E_FORMAT, 0, "%u of the checks failed", n_failed);
    return EXIT_FAILED;
}
