/* SPDX-License-Identifier: MPL-2.0 */
#include "base/cpu.h"
#include "base/log.h"
#include "base/pool.h"
#include "base/utc.h"
#include "cli/processor.h"
#include "processor/layout.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

int processor_exit(int code)
{
    return code == 0 ? EXIT_DONE : code == E_ARG ? EXIT_USAGE : EXIT_FAILED;
}

void processor_say(void *arg, const char *line)
{
    (void)arg;
    log_wipe_live_line();
    (void)puts(line);
    (void)fflush(stdout); // a failure shows in opts_main
}

struct key_texts processor_keys(const struct processor_args *a)
{
    return (struct key_texts){.private_key = &a->private_key,
                              .shared_secret = &a->shared_secret,
                              .public_internal = a->key_internal,
                              .public_external = a->key_external};
}

static int read_clock(struct processor_setup *s, const struct processor_args *a, struct err *err)
{
    s->now_us = utc_now_us();
    s->now_given = a->now != NULL;
    const int r = a->now ? utc_parse(&s->now_us, a->now, err) : 0;
    return r < 0 ? err_wrap(err, r, "--now") : 0;
}

static int read_date(struct processor_setup *s, const struct processor_args *a, struct err *err)
{
    layout_today(s->date, s->now_us);
    if (!a->submission_date)
        return 0;
    if (!layout_is_date(a->submission_date))
        return err_set(err, E_ARG, 0,
                       "Invalid value for '--submission-date': '%.100s' is no day like 2026-03-14.",
                       a->submission_date);
    memcpy(s->date, a->submission_date, sizeof s->date);
    return 0;
}

static void read_common(struct processor_setup *s, const struct processor_args *a)
{
    s->common = (struct bucket_common){
        .home = a->home,
        .store_root = a->store,
        .google_credentials = a->google_credentials,
        .storage_emulator = getenv("STORAGE_EMULATOR_HOST"),
        .xdg_data_home = getenv("XDG_DATA_HOME"),
        .user_home = getenv("HOME"),
    };
}

static enum progress_mode progress_mode(const struct processor_args *a)
{
    if (a->no_progress)
        return PROGRESS_OFF;
    return progress_wanted() ? PROGRESS_LINE : PROGRESS_LOG;
}

int processor_start(struct processor_setup *s, const struct processor_args *a, struct err *err)
{
    log_init("prio-processor", (enum log_format)a->log_format,
             a->verbose ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
    // A reader that leaves and a file that may not grow show as failed writes, with a message.
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
    *s = (struct processor_setup){.progress = progress_mode(a)};
    unsigned mask = 0;
    int r = cpu_parse_level(&mask, a->cpu, err);
    if (r < 0)
        return err_wrap(err, r, "--cpu");
    s->cpu = cpu_detect() & mask;
    s->n_workers = a->workers > 0 ? (unsigned)a->workers : pool_default_workers();
    read_common(s, a);
    r = read_clock(s, a, err);
    return r < 0 ? r : read_date(s, a, err);
}
