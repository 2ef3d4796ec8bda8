/* SPDX-License-Identifier: MPL-2.0 */
/* taar-etl amowhitelist. Source: taar-etl.md 3.3, Y11. */
#include "base/log.h"
#include "cli/taar.h"
#include "taar/amowhitelist.h"

#include <stdio.h>
#include <time.h>

enum { MAX_RATING = 5, MAX_AGE_DAYS = 36525, US_OF_S = 1000000 };
static const int64_t day_us = INT64_C(86400) * US_OF_S;

struct amowhitelist_args {
    struct taar_args common;
    const char *input;
    double min_rating;
    uint64_t min_age;
};
static const struct amowhitelist_args defaults = {.common = TAAR_DEFAULTS,
                                                  .input = "extended_addons_database.json",
                                                  .min_rating = 3,
                                                  .min_age = 60};

static const struct opt options[] = {
    OPT_TEXT("input-filename", struct amowhitelist_args, input, NULL, "NAME",
             "The catalogue, as amodump wrote it, below the prefix."),
    OPT_REAL("min-rating", struct amowhitelist_args, min_rating, NULL, 0, MAX_RATING,
             "Average rating that an add-on must have."),
    OPT_UINT("min-age", struct amowhitelist_args, min_age, NULL, 0, MAX_AGE_DAYS,
             "Days since an add-on's first version."),
    OPT_TEXT("date", struct amowhitelist_args, common.date, NULL, "DATE",
             "Take the beginning of this day for the present, and name the dated copies by it; the "
             "default is now, in the local zone."),
    OPT_END,
};

struct local_time {
    int64_t us;   // since 1970-01-01T00:00:00 on the wall clock there
    char day[16]; // 20210315
};

/* Y11: the clock's time in the local zone (TZ), as if that were UTC. */
static void read_local(struct local_time *out, int64_t now_us)
{
    const int64_t fraction = (now_us % US_OF_S + US_OF_S) % US_OF_S;
    const time_t seconds = (time_t)((now_us - fraction) / US_OF_S);
    struct tm tm;
    tzset();
    (void)localtime_r(&seconds, &tm);
    (void)strftime(out->day, sizeof out->day, "%Y%m%d", &tm);
    out->us = (int64_t)timegm(&tm) * US_OF_S + fraction;
}

static void log_counts(const struct amo_lists *l, size_t n_records)
{
    for (size_t v = AMO_WHITELISTED + 1; v < AMO_N_VERDICTS; v++)
        if (l->n[v] > 0)
            log_event(LOG_LEVEL_INFO, "not whitelisted", LOG_S("why", amo_verdict_names[v]),
                      LOG_U("n", l->n[v]));
    log_event(LOG_LEVEL_INFO, "total", LOG_U("records", n_records),
              LOG_U("whitelist", l->n[AMO_WHITELISTED]), LOG_U("featured", l->n_featured),
              LOG_U("featured_whitelist", l->n_both));
}

static int write_lists(const struct objects *o, const struct amo_lists *l, const char *date,
                       struct err *err)
{
    int r = objects_write(o, "whitelist_addons_database", date, buf_span(&l->whitelist), err);
    if (r == 0)
        r = objects_write(o, "featured_addons_database", date, buf_span(&l->featured), err);
    if (r == 0)
        r = objects_write(o, "featured_whitelist_addons", date, buf_span(&l->both), err);
    return r;
}

static int filter(const struct taar_setup *s, const struct amowhitelist_args *a,
                  const struct objects *o, struct err *err)
{
    CLEANUP(database_deinit) struct database d = {0};
    CLEANUP(amo_lists_deinit) struct amo_lists lists = {0};
    struct local_time now;
    read_local(&now, s->now_us);
    const char *date = a->common.date;
    const struct amo_rules rules = {
        .min_rating = a->min_rating,
        .youngest_us = (date ? s->date * day_us : now.us) - (int64_t)a->min_age * day_us,
        .v3 = s->generation == GENERATION_1,
    };
    int r = database_read(&d, o, a->input, err);
    if (r == 0)
        r = amo_lists_make(&lists, &d, &rules, err);
    if (r < 0)
        return r;
    log_counts(&lists, d.guids.n);
    return a->common.dry_run ? 0 : write_lists(o, &lists, date ? date : now.day, err);
}

static int run(void *args, struct err *err)
{
    const struct amowhitelist_args *a = args;
    CLEANUP(taar_end) struct taar_setup setup = {0};
    CLEANUP(taar_objects_close) struct objects objects = {0};
    int r = taar_start(&setup, &a->common, err);
    if (r == 0)
        r = taar_open_objects(&setup, JOB_AMO, &objects, err);
    return taar_exit(r == 0 ? filter(&setup, a, &objects, err) : r);
}

const struct opt_command taar_amowhitelist_command = {
    .name = "amowhitelist",
    .summary = "Choose whitelisted and featured add-ons from the catalogue",
    .details = "Records that the rules cannot be applied to are left out of the whitelist and "
               "counted by reason.",
    .groups = TAAR_GROUPS(options, taar_amo_place_options, taar_dry_run_options),
    .defaults = &defaults,
    .args_size = sizeof defaults,
    .run = run,
};
