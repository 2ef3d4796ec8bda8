/* SPDX-License-Identifier: MPL-2.0 */
#include "base/cpu.h"
#include "base/log.h"
#include "base/pool.h"
#include "base/utc.h"
#include "cli/taar.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum { MS_OF_S = 1000 };
static const int64_t day_us = INT64_C(86400) * 1000000;

int taar_exit(int code)
{
    return code == 0 ? EXIT_DONE : code == E_ARG ? EXIT_USAGE : EXIT_FAILED;
}

int taar_print(void *arg, const void *bytes, size_t len, struct err *err)
{
    (void)arg;
    return fwrite(bytes, 1, len, stdout) == len
               ? 0
               : err_set(err, E_IO, errno, "write to standard output");
}

static bool is_eight_digits(const char *text)
{
    return strlen(text) == 8 && strspn(text, "0123456789") == 8;
}

int taar_read_date(int64_t *days, const char *text, const char *option, struct err *err)
{
    char day[sizeof "2020-06-01"] = "";
    if (is_eight_digits(text))
        (void)snprintf(day, sizeof day, "%.4s-%.2s-%.2s", text, text + 4, text + 6);
    if (utc_parse_date(days, span_str(is_eight_digits(text) ? day : text)))
        return 0;
    return err_set(err, E_ARG, 0,
                   "Invalid value for '%s': '%.100s' is no day like 2020-06-01 or 20200601.",
                   option, text);
}

static int read_clock(struct taar_setup *s, struct err *err)
{
    s->now_us = utc_now_us();
    const int r = s->args->now ? utc_parse(&s->now_us, s->args->now, err) : 0;
    if (r < 0)
        return err_wrap(err, r, "--now");
    s->today = s->now_us / day_us - (s->now_us % day_us < 0);
    s->date = s->today;
    return s->args->date ? taar_read_date(&s->date, s->args->date, "--date", err) : 0;
}

static int read_seed(struct taar_setup *s, struct err *err)
{
    const char *text = s->args->seed;
    s->seed_given = text != NULL;
    if (!text)
        return getrandom(&s->seed, sizeof s->seed, 0) == (ssize_t)sizeof s->seed
                   ? 0
                   : err_set(err, E_IO, errno, "randomness of the system");
    char *end;
    errno = 0;
    s->seed = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0' || strspn(text, "0123456789") != strlen(text))
        return err_set(err, E_ARG, 0, "Invalid value for '--seed': '%.100s' is no 64-bit number.",
                       text);
    return 0;
}

static int read_machine(struct taar_setup *s, struct err *err)
{
    unsigned mask = 0;
    const int r = cpu_parse_level(&mask, s->args->cpu, err);
    if (r < 0)
        return err_wrap(err, r, "--cpu");
    s->cpu = cpu_detect() & mask;
    s->n_workers = s->args->workers > 0 ? (unsigned)s->args->workers : pool_default_workers();
    return 0;
}

static int set_text(char **out, int n, struct err *err)
{
    if (n >= 0)
        return 0;
    *out = NULL; // asprintf leaves it undefined
    return err_set(err, E_NOMEM, 0, "no memory for a place");
}

/* As Google's own libraries do where no key is named. */
static int find_credentials(struct taar_setup *s, struct err *err)
{
    s->google_credentials = s->args->google_credentials;
    const char *home = getenv("HOME");
    if (s->google_credentials || !home)
        return 0;
    const int r = set_text(&s->own_credentials,
                           asprintf(&s->own_credentials,
                                    "%s/.config/gcloud/application_default_credentials.json", home),
                           err);
    if (r == 0 && access(s->own_credentials, F_OK) == 0)
        s->google_credentials = s->own_credentials;
    return r;
}

static void read_common(struct taar_setup *s)
{
    s->common = (struct bucket_common){
        .home = s->args->home,
        .store_root = s->args->store,
        .google_credentials = s->google_credentials,
        .metadata_host = getenv("GCE_METADATA_HOST"),
        .storage_emulator = getenv("STORAGE_EMULATOR_HOST"),
        .xdg_data_home = getenv("XDG_DATA_HOME"),
        .user_home = getenv("HOME"),
    };
}

/* given, else one below --home, which is only asked for then. */
static int name_place(const struct taar_setup *s, char **out, const char *given, const char *scheme,
                      const char *name, struct err *err)
{
    if (given)
        return set_text(out, asprintf(out, "%s", given), err);
    char *home = NULL;
    int r = bucket_home(&home, &s->common, err);
    if (r == 0)
        r = set_text(out, asprintf(out, "%s://%s/%s", scheme, home, name), err);
    free(home);
    return r;
}

int taar_start(struct taar_setup *s, const struct taar_args *a, struct err *err)
{
    log_init("taar-etl", (enum log_format)a->log_format,
             a->quiet         ? LOG_LEVEL_ERROR
             : a->verbose > 0 ? LOG_LEVEL_DEBUG
                              : LOG_LEVEL_INFO);
    // A reader that leaves and a file that may not grow show as failed writes, with a message.
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
    *s = (struct taar_setup){.args = a, .generation = (enum generation)a->generation};
    int r = read_clock(s, err);
    if (r == 0)
        r = read_seed(s, err);
    if (r == 0)
        r = read_machine(s, err);
    if (r == 0)
        r = find_credentials(s, err);
    read_common(s);
    if (r == 0)
        r = name_place(s, &s->warehouse_url, a->warehouse, "duckdb", "warehouse.duckdb", err);
    if (r == 0)
        r = name_place(s, &s->profiles_url, a->profiles, "lmdb", "profiles", err);
    return r;
}

void taar_end(struct taar_setup *s)
{
    free(s->warehouse_url);
    free(s->profiles_url);
    free(s->own_credentials);
}

struct warehouse_config taar_warehouse_config(const struct taar_setup *s, bool read_only)
{
    return (struct warehouse_config){
        .url = s->warehouse_url,
        .read_only = read_only,
        .n_threads = (unsigned)s->args->workers,
        // 0 would mean the warehouse's own default
        .lock_wait_ms = s->args->lock_timeout_s > 0 ? s->args->lock_timeout_s * MS_OF_S : 1,
        .google_credentials = s->google_credentials,
        .metadata_host = s->common.metadata_host,
        .endpoint = s->args->bigquery_endpoint,
        .location = s->args->bigquery_location,
        .temp_dir = s->args->temp_dir,
    };
}

int taar_open_warehouse(const struct taar_setup *s, struct warehouse **out, bool read_only,
                        struct err *err)
{
    const struct warehouse_config config = taar_warehouse_config(s, read_only);
    return warehouse_open(out, &config, err);
}

struct profiles_config taar_profiles_config(const struct taar_setup *s)
{
    return (struct profiles_config){
        .url = s->profiles_url,
        .google_credentials = s->google_credentials,
        .metadata_host = s->common.metadata_host,
        .emulator = getenv("BIGTABLE_EMULATOR_HOST"),
    };
}
