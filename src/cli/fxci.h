/*
 * fxci.h - the inside of the fxci-etl program: its arguments, and what its commands share.
 *
 * A command is one line of the table in fxci_etl.c, a group of options of its own in
 * fxci_options.c, its arguments in struct fxci_args, and a function in a file of its own:
 *
 *   int cmd_derive(void *args, struct err *err)
 *   {
 *       const struct fxci_args *a = args;
 *       CLEANUP(fxci_end) struct fxci_setup setup = {0};
 *       CLEANUP(warehouse_closep) struct warehouse *w = NULL;
 *       int r = fxci_start(&setup, a, &(const struct config_use){.bigquery = true}, err);
 *       if (r == 0)
 *           r = fxci_open_warehouse(&setup, &w, false, err);
 *       ...
 *       return fxci_exit(r);
 *   }
 *
 * Results go to standard output, all else to the log.
 */
#pragma once

#include "base/opts.h"
#include "broker/broker.h"
#include "fxci/config.h"
#include "fxci/tables.h"
#include "store/store.h"
#include "warehouse/warehouse.h"

/* Every command fills the fields that its option groups name; the others stay at their defaults. */
struct fxci_args {
    // every command
    const char *config; // --config
    const char *home, *store, *warehouse;
    const char *google_credentials;
    const char *now, *cpu;
    uint64_t workers;        // 0: all cores
    uint64_t lock_timeout_s; // for the DuckDB file
    uint64_t verbose;        // how often
    bool quiet, ansi, no_ansi, no_interaction;
    int log_format; // enum log_format

    // some
    const char *date; // fxci_read_date
    bool dry_run;
    bool all;                              // failed
    int kind;                              // failed: 0 any, else 1 + enum state_kind
    int format;                            // of the answer: an index into the command's choices
    struct opt_words words;                // list, help
    const char *from, *to;                 // derive, report costs, backfill tasks: fxci_read_days
    const char *table;                     // derive
    int by;                                // report costs: enum report_by
    const char *gcp, *azure, *azure_table; // load-billing
    const char *table_word, *file;         // load, dump: words
    const char *source, *taskdefs;         // pulse drain
    const char *timeseries;                // metric export
    bool online;                           // validate
};

/* fxci_options.c: the groups of options that commands are made of, each ended by OPT_END */
extern const struct opt fxci_common_options[]; // everywhere
extern const struct opt fxci_failed_list_options[], fxci_failed_options[];
extern const struct opt fxci_derive_options[], fxci_load_billing_options[], fxci_report_options[],
    fxci_backfill_options[], fxci_queues_options[];
extern const struct opt fxci_drain_options[], fxci_metric_options[];
extern const struct opt fxci_dump_options[];
extern const struct opt fxci_show_options[], fxci_validate_options[];
extern const struct fxci_args fxci_defaults;

/* The commands. Each returns an exit status and fills err as opts.h says. */
int cmd_fxci_list(void *args, struct err *err);
int cmd_fxci_help(void *args, struct err *err);
int cmd_failed_list(void *args, struct err *err);
int cmd_failed_retry(void *args, struct err *err);
int cmd_failed_drop(void *args, struct err *err);
int cmd_derive(void *args, struct err *err);
int cmd_load_billing(void *args, struct err *err);
int cmd_report_costs(void *args, struct err *err);
int cmd_report_queues(void *args, struct err *err);
int cmd_backfill_tasks(void *args, struct err *err);
int cmd_pulse_drain(void *args, struct err *err);
int cmd_metric_export(void *args, struct err *err);
int cmd_load(void *args, struct err *err);
int cmd_dump(void *args, struct err *err);
int cmd_config_show(void *args, struct err *err);
int cmd_fxci_validate(void *args, struct err *err);

/* fxci_setup.c: from arguments to what the parts take */

struct fxci_setup {
    const struct fxci_args *args;
    unsigned cpu;       // cpu_feature bits
    unsigned n_workers; // at least 1
    int64_t now_us;     // UTC: --now, else the real clock
    int64_t today;      // the same as days since 1970-01-01
    struct fxci_config config;
    struct fxci_tables tables; // as the configuration names them, of the warehouse's kind
    struct bucket_common common;
    char *warehouse_url;
    const char *bucket;             // of the state: a name or a URL, as bucket_open takes it
    char *bucket_url;               // owned; bucket points here or elsewhere
    bool tables_made;               // fxci_open_tables
    const char *google_credentials; // a file, or NULL
    char *own_credentials;          // owned; the former may point here
};

/**
 * Start the logger, read the configuration and what is everywhere (clock, places), and check that
 * what the command uses is configured. NULL: it uses nothing. Nobody is contacted. On failure
 * fxci_end is still due. setup must stay where it is.
 * @return 0 or E_*.
 */
MUST_CHECK int fxci_start(struct fxci_setup *setup, const struct fxci_args *a,
                          const struct config_use *use, struct err *err);
void fxci_end(struct fxci_setup *setup); // wipes; zeroed is fine
/** The exit status that goes with a function's result. */
int fxci_exit(int code);

/** Held open no longer than a transaction takes: others wait for it. @return 0 or E_*. */
MUST_CHECK int fxci_open_warehouse(const struct fxci_setup *setup, struct warehouse **out,
                                   bool read_only, struct err *err);
/** The same for writing, with all tables and views there. */
MUST_CHECK int fxci_open_tables(struct fxci_setup *setup, struct warehouse **out, struct err *err);
/** The configured broker, or --source. */
struct broker_config fxci_broker_config(const struct fxci_setup *setup);
/** As net/google.h takes it. */
const char *fxci_metadata_host(const struct fxci_setup *setup);
/** The bucket of state.h. @return 0 or E_*. */
MUST_CHECK int fxci_open_store(const struct fxci_setup *setup, struct store **out, struct err *err);
/** --date, also "2024-8-1", as days since 1970-01-01. @return 0 or E_ARG. */
MUST_CHECK int fxci_read_date(int64_t *days, const char *text, struct err *err);
/* fxci_days.c */

struct fxci_days {
    int64_t first, last; // days since 1970-01-01
};
enum { FXCI_MAX_DAYS = 36525 };
/** --date, or --from and --to; without them yesterday. @return 0 or E_ARG. */
MUST_CHECK int fxci_read_days(struct fxci_days *days, const struct fxci_setup *setup,
                              struct err *err);
/** --from and --to; without them every day up to today. @return 0 or E_ARG. */
MUST_CHECK int fxci_read_any_days(struct fxci_days *days, const struct fxci_setup *setup,
                                  struct err *err);
/** Write bytes to standard output, for functions that take where to write. arg: nothing. @return 0
 * or E_IO. */
int fxci_print(void *arg, const void *bytes, size_t len, struct err *err);
/** Print a line on standard output. arg: nothing. */
void fxci_say(void *arg, const char *line);
