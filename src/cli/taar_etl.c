/* SPDX-License-Identifier: MPL-2.0 */
/* The taar-etl program: its commands, their other names, and nothing else. */
#include "cli/taar.h"
#include "cli/version.h"

/* As the jobs are called in the DAGs that ran them; build/bin and libexec/weir/bin hold links of
 * these names. Source: taar-etl.md 1.2. */
static const struct opt_alias aliases[] = {
    {.name = "taar_amodump", .command = "amodump"},
    {.name = "taar_etl.taar_amodump", .command = "amodump"},
    {.name = "taar_amowhitelist", .command = "amowhitelist"},
    {.name = "taar_etl.taar_amowhitelist", .command = "amowhitelist"},
    {.name = "taar_update_whitelist", .command = "update-whitelist"},
    {.name = "taar_etl.taar_update_whitelist", .command = "update-whitelist"},
    {.name = "taar_similarity", .command = "similarity"},
    {.name = "taar_etl.taar_similarity", .command = "similarity"},
    {.name = "taar_locale", .command = "locale"},
    {.name = "taar_etl.taar_locale", .command = "locale"},
    {.name = "taar_lite", .command = "lite"},
    {.name = "taar_etl.taar_lite", .command = "lite"},
    {.name = "taar_lite_guidguid", .command = "lite"},
    {.name = "taar_etl.taar_lite_guidguid", .command = "lite"},
    {.name = "taar_lite_guid_ranking", .command = "guid-ranking"},
    {.name = "taar_etl.taar_lite_guid_ranking", .command = "guid-ranking"},
    {.name = "wait_for_clients_daily_export", .command = "wait_for_clients_daily_export"},
    {.name = "wait_for_main_summary_export", .command = "wait_for_main_summary_export"},
    {.name = "wait_for_clients_last_seen", .command = "wait_for_clients_last_seen"},
    {.name = "taar_profile_bigtable", .command = "profile"},
    {.name = "taar_etl.taar_profile_bigtable", .command = "profile"},
    {.name = NULL},
};

int main(int argc, char **argv)
{
    const struct opt_command commands[] = {
        taar_amodump_command,
        taar_amowhitelist_command,
        taar_update_whitelist_command,
        taar_locale_command,
        taar_lite_command,
        taar_ranking_command,
        taar_plot_curves_command,
        taar_plot_coinstallation_command,
        taar_plot_locale_command,
        taar_profile_command,
        taar_profile_get_command,
        taar_profile_dump_command,
        taar_show_command,
        taar_similarity_command,
        taar_wait_command,
        taar_wait_daily_command,
        taar_wait_summary_command,
        taar_wait_last_seen_command,
        {.name = NULL},
    };
    static const struct taar_args defaults = TAAR_DEFAULTS;
    const struct opt_program program = {
        .name = "taar-etl",
        .summary = "Add-on recommendations: the catalogue, whitelists, models and profiles that "
                   "the recommender reads. Without any URL everything lies below --home.",
        .version = WEIR_VERSION,
        .commands = commands,
        .epilog = "Exit status: 0 done; 1 failed, with a message; 2 wrong use of the command line; "
                  "3 what was waited for is not there.",
        .groups = (const struct opt *const[]){taar_common_options, NULL},
        .defaults = &defaults,
        .args_size = sizeof defaults,
        .aliases = aliases,
    };
    return opts_main(&program, argc, argv);
}
