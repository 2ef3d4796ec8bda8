/* SPDX-License-Identifier: MPL-2.0 */
/* The fxci-etl program: its commands, and nothing else. */
#include "cli/fxci.h"
#include "cli/version.h"

#define GROUPS(...) ((const struct opt *const[]){__VA_ARGS__, NULL})
#define COMMON      fxci_common_options
#define ARGS        .defaults = &fxci_defaults, .args_size = sizeof(struct fxci_args)
/* {"FILE", offsetof(struct fxci_args, file)}, ...: words that are no options. */
#define WORDS(...) .positionals = ((const struct opt_positional[]){__VA_ARGS__, {0}})
#define TABLE_WORD                                                                                 \
    {                                                                                              \
        .metavar = "TABLE", .offset = offsetof(struct fxci_args, table_word)                       \
    }

static const struct opt_command commands[] = {
    {.name = "pulse drain",
     .summary = "Store what waits in the pulse queues: tasks, runs, definitions",
     .groups = GROUPS(fxci_drain_options, COMMON),
     ARGS,
     .run = cmd_pulse_drain},
    {.name = "metric export",
     .summary = "Store one day of the workers' metrics: what Cloud Monitoring has of them",
     .details =
         "The day's rows are replaced as a whole, once all projects have answered; when one fails, "
         "or nothing comes back, they stay as they were. A day is final ten minutes after its end, "
         "and refused before.",
     .groups = GROUPS(fxci_metric_options, COMMON),
     ARGS,
     .run = cmd_metric_export},
    {.name = "config show",
     .summary = "Show each setting and where it comes from; secrets are masked",
     .details = "The first two lines say where data goes after all: flags stand over the settings.",
     .groups = GROUPS(fxci_show_options, COMMON),
     ARGS,
     .run = cmd_config_show},
    {.name = "validate",
     .summary = "Would the commands get through? Check the configuration, and all it names",
     .details = "Prints a line for each check; exit status 1 where one fails.",
     .groups = GROUPS(fxci_validate_options, COMMON),
     ARGS,
     .run = cmd_fxci_validate},
    {.name = "failed list",
     .summary = "Show what could not be stored, and ids whose definitions are wanted",
     .details = "One JSON object a line, with its id, kind, reason and body.",
     .groups = GROUPS(fxci_failed_list_options, COMMON),
     ARGS,
     .run = cmd_failed_list},
    {.name = "failed retry",
     .summary = "Try to store some of them again",
     .details = "What is stored leaves the list, what fails again counts one attempt more. Ids "
                "whose definition was never returned are asked for by the next pulse drain.",
     .groups = GROUPS(fxci_failed_options, COMMON),
     WORDS({"ID", offsetof(struct fxci_args, words), .optional = true, .many = true}),
     ARGS,
     .run = cmd_failed_retry},
    {.name = "failed drop",
     .summary = "Take some of them out for good",
     .groups = GROUPS(fxci_failed_options, COMMON),
     WORDS({"ID", offsetof(struct fxci_args, words), .optional = true, .many = true}),
     ARGS,
     .run = cmd_failed_drop},
    {.name = "load-billing",
     .summary = "Load Cloud Billing and Azure exports into the embedded warehouse",
     .details =
         "The days of a file take the place of what was there of them, so a later, fuller export "
         "may be loaded over an earlier one. Of Azure's tables, snapshots of a file take the place "
         "of the same snapshots too. Either all of both files is stored or nothing.",
     .groups = GROUPS(fxci_load_billing_options, COMMON),
     ARGS,
     .run = cmd_load_billing},
    {.name = "derive",
     .summary = "Compute costs and use of workers, and costs of task runs, for days",
     .details = "Each table's partition of a day is replaced, in the order of what they are made "
                "from: worker_costs_v1, worker_usage_v1, task_run_costs_v1.",
     .groups = GROUPS(fxci_derive_options, COMMON),
     ARGS,
     .run = cmd_derive},
    {.name = "report costs",
     .summary = "Show what task runs cost, by one of their properties",
     .details =
         "For each key: runs, their seconds, their cost, and how many of them have no costs (yet, "
         "or because of their kind of worker). The key \"total\" in the last line is all of them "
         "together. Days are those of task_runs_v1.",
     .groups = GROUPS(fxci_report_options, COMMON),
     ARGS,
     .run = cmd_report_costs},
    {.name = "report queues",
     .summary = "Show how many messages wait in the pulse queues, and how many programs read them",
     .details =
         "Nothing is taken: what was looked at would come again as a redelivered message, so "
         "the age of messages is not known.",
     .groups = GROUPS(fxci_queues_options, COMMON),
     ARGS,
     .run = cmd_report_queues},
    {.name = "backfill tasks",
     .summary = "Make rows for tasks that have runs but no row, from their definitions",
     .details = "Such tasks are there where the message of a first run was never seen.",
     .groups = GROUPS(fxci_backfill_options, COMMON),
     ARGS,
     .run = cmd_backfill_tasks},
    {.name = "load",
     .summary = "Load rows of a file into a table; rows whose key is stored already are left out",
     .details =
         "FILE is NDJSON, CSV (both gzip too) or Parquet, with the table's columns by name; absent "
         "ones are null, others are ignored with a warning. Where a row has a fault, nothing is "
         "stored. Rows go in batches, so what fails in the middle is to be loaded again.",
     .groups = GROUPS(COMMON),
     WORDS(TABLE_WORD, {.metavar = "FILE", .offset = offsetof(struct fxci_args, file)}),
     ARGS,
     .run = cmd_load},
    {.name = "dump",
     .summary = "Print the rows of a table or view, sorted by key",
     .groups = GROUPS(fxci_dump_options, COMMON),
     WORDS(TABLE_WORD),
     ARGS,
     .run = cmd_dump},
    {.name = "list",
     .summary = "List the commands",
     .groups = GROUPS(COMMON),
     ARGS,
     .run = cmd_fxci_list},
    {.name = "help",
     .summary = "Show what a command does, and its options",
     .groups = GROUPS(COMMON),
     WORDS({"COMMAND", offsetof(struct fxci_args, words), .optional = true, .many = true}),
     ARGS,
     .run = cmd_fxci_help},
    {.name = NULL},
};

static const struct opt_program program = {
    .name = "fxci-etl",
    .summary = "Firefox-CI: task events from pulse, metrics of workers and bills into tables. "
               "Without any configuration everything lies below --home.",
    .version = WEIR_VERSION,
    .commands = commands,
    .epilog = "Exit status: 0 done; 1 failed, with a message; 2 wrong use of the command line.",
    .groups = GROUPS(COMMON),
    ARGS,
};

int cmd_fxci_list(void *args, struct err *err)
{
    (void)args;
    return opts_print_help(&program, &(const struct opt_words){0}, err);
}

int cmd_fxci_help(void *args, struct err *err)
{
    const struct fxci_args *a = args;
    return opts_print_help(&program, &a->words, err);
}

int main(int argc, char **argv)
{
    return opts_main(&program, argc, argv);
}
