/* SPDX-License-Identifier: MPL-2.0 */
#include "base/cpu.h"
#include "base/log.h"
#include "base/pool.h"
#include "cli/prio.h"
#include "stage/keys.h"

#include <signal.h>

int setup_exit(int code)
{
    return code == E_ARG ? EXIT_USAGE : EXIT_FAILED;
}

int setup_start(struct setup *s, const struct prio_args *a, struct err *err)
{
    log_init("prio", (enum log_format)a->log_format,
             a->verbose ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING);
    // A reader that leaves and a file that may not grow show as failed writes, with a message.
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
    unsigned mask = 0;
    const int r = cpu_parse_level(&mask, a->cpu, err);
    if (r < 0)
        return err_wrap(err, r, "--cpu");
    s->cpu = cpu_detect() & mask;
    s->n_workers = a->workers > 0 ? (unsigned)a->workers : pool_default_workers();
    return 0;
}

int setup_batch(struct prio_batch **out, const struct prio_args *a, struct err *err)
{
    return batch_from_options(out, a->batch_id, a->n_data, (enum prio_prg)a->prg, a->cpu, err);
}

int setup_check_prec(const struct prio_args *a, struct err *err)
{
    if (a->prec > 0 && a->n_data % a->prec != 0)
        return err_set(err, E_ARG, 0, "--n-data counts bits: %llu is not a multiple of --prec %llu",
                       (unsigned long long)a->n_data, (unsigned long long)a->prec);
    return 0;
}

static struct key_texts key_texts(const struct prio_args *a)
{
    return (struct key_texts){.private_key = &a->private_key,
                              .shared_secret = &a->shared_secret,
                              .public_internal = a->key_internal,
                              .public_external = a->key_external};
}

int setup_client(struct prio_client **out, const struct prio_batch *batch,
                 const struct prio_args *a, struct err *err)
{
    const struct key_texts texts = key_texts(a);
    return client_from_texts(out, batch, &texts, err);
}

int setup_check_keys(const struct prio_args *a, struct err *err)
{
    CLEANUP(server_keys_wipe) struct server_keys keys = {0};
    const struct key_texts texts = key_texts(a);
    return server_keys_read(&keys, &texts, err);
}

int setup_server(struct prio_server **out, const struct prio_batch *batch,
                 const struct prio_args *a, struct err *err)
{
    CLEANUP(server_keys_wipe) struct server_keys keys = {0};
    const struct key_texts texts = key_texts(a);
    const int r = server_keys_read(&keys, &texts, err);
    return r < 0 ? r
                 : server_from_keys(out, batch, &keys, (enum prio_role)a->server_id,
                                    (enum prio_points)a->points, err);
}
