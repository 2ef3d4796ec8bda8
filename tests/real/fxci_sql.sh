#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# fxci_sql.sh BUILD ROOT - each text of SQL gives the same rows in BigQuery, as Google's own analyzer
# reads it, and in DuckDB: on rows of every kind, from a generator with fixed seeds.
set -u
build=$1 root=$2
. "$root/tests/build/tap.sh"
. "$root/tests/real/servers.sh"
cd "$tap_dir" || exit 1
unset WEIR_STORE WEIR_WAREHOUSE
export WEIR_NOW=2026-02-01T18:00:00Z XDG_CONFIG_HOME="$tap_dir/none"
data="python3 $root/tests/real/fxci_sql.py"
derived='worker_costs_v1 worker_usage_v1 task_run_costs_v1'
views='tasks task_runs worker_metrics worker_costs worker_usage task_run_costs'

# in_duckdb|in_bigquery COMMAND... - fxci-etl on DuckDB; on the emulator that runs.
in_duckdb() {
    timeout 30 "$build/fxci-etl" -q "$@" --home "$place/home"
}
in_bigquery() {
    timeout 30 "$build/fxci-etl" -q "$@" --config "$place/config.toml"
}

write_config() {
    cat >"$place/config.toml" <<TOML
[bigquery]
project = "a-project"
dataset = "fxci_derived"
endpoint = "$server_url"
[billing]
gcp = "a-project.billing.gcp"
fxciLoad = "a-project.billing.fxci_daily_actual_load"
fxciLookup = "a-project.billing.fxci_daily_actual_lookup"
taskclusterLoad = "a-project.billing.taskcluster_daily_actual_load"
taskclusterLookup = "a-project.billing.taskcluster_daily_actual_lookup"
TOML
}

fill_local() {
    in_duckdb load-billing --gcp "$place/gcp" --azure "$place/azure" || return 1
    for table in worker_metrics_v1 task_runs_v1 tasks_v2 worker_costs_v1 worker_usage_v1; do
        in_duckdb load "$table" "$place/$table" || return 1
    done
}

# The report makes the tables.
fill_remote() {
    in_bigquery report costs --by provider && $data serve "$server_url" "$place"
}

derive_both() {
    in_duckdb derive --from 2026-01-30 --to 2026-01-31 && in_bigquery derive --from 2026-01-30 --to 2026-01-31
}

same_rows() {
    in_duckdb dump "$1" --format ndjson >"$place/local" && in_bigquery dump "$1" --format ndjson >"$place/remote" &&
        $data same "$place/local" "$place/remote"
}

same_report() {
    in_duckdb report costs --by "$1" --from 2025-12-31 --to 2026-02-01 --format json >"$place/local" &&
        in_bigquery report costs --by "$1" --from 2025-12-31 --to 2026-02-01 --format json >"$place/remote" &&
        $data same "$place/local" "$place/remote"
}

# compare NAME - the data of $place.
compare() {
    start_bigquery_emulator a-project || exit 1
    write_config
    promise "$1: rows go into both" fill_both
    promise "$1: both derive two days" derive_both
    for table in $derived; do
        promise "$1: $table is the same" same_rows "$table"
    done
}
fill_both() {
    fill_local && fill_remote
}

for seed in 1 2; do
    place=$tap_dir/random-$seed
    $data make "$place" "$seed" || exit 1
    compare "seed $seed"
    for view in $views; do
        promise "seed $seed: the view $view is the same" same_rows "$view"
    done
    for by in task-group worker-type project provider; do
        promise "seed $seed: the report by $by is the same" same_report "$by"
    done
    stop_server "$server_pid"
done

# Two providers that are one, a path without the part, seconds that are not whole (fxci-etl.md 5.5).
place=$tap_dir/small
$data small "$place" || exit 1
differences() {
    in_duckdb dump task_run_costs_v1 --format ndjson && in_duckdb dump worker_costs_v1 --format ndjson
    in_duckdb dump task_run_costs_v1 --format csv | grep -q ',T,0,0.018,gcp,.*,z,i,2.0,1000.0,9,m' &&
        [ "$(in_duckdb dump task_run_costs_v1 --format ndjson | wc -l)" = 1 ] &&
        in_duckdb dump worker_costs_v1 --date 2026-01-31 --format ndjson | grep -q '"zone":null'
}
same_derived() {
    same_rows worker_costs_v1 && same_rows task_run_costs_v1
}
start_bigquery_emulator a-project || exit 1
write_config
promise "where both differ by nature: rows go into both" fill_both
promise "where both differ by nature: both derive two days" derive_both
promise "where both differ by nature: the rows are the same" same_derived
promise "where both differ by nature: the rows are right" differences
done_promising
