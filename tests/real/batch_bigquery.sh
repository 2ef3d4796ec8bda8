#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# batch_bigquery.sh BUILD ROOT - batches, views and computed dates on two emulators of BigQuery: the SQL is
# right, and rows come back. bigquery-emulator has Google's own analyzer, but counts no rows that a statement
# wrote, undoes no script that failed, and answers 500 for a job that it knows; bqemulator counts and undoes,
# but has its own analyzer and ignores job ids. What neither knows is in batch_contract.sh.
set -u
build=$1 root=$2
. "$root/tests/build/tap.sh"
. "$root/tests/real/servers.sh"

step() {
    TMPDIR=$tap_dir "$build/tests/real/batch_steps" "$1" bigquery://a-project/main "$server_url"
}

# refused TEXT STEP - the step fails, and says so.
refused() {
    step "$2" >"$tap_dir/said" && return 1
    cat "$tap_dir/said"
    grep -qF "$1" "$tap_dir/said"
}

# Each step on tables of its own.
on_bigquery_emulator() {
    start_bigquery_emulator a-project || return 1
    "$@"
    on_status=$?
    stop_server "$server_pid"
    return "$on_status"
}
on_bqemulator() {
    start_bqemulator a-project "$tap_dir/buckets" || return 1
    "$@"
    on_status=$?
    stop_server "$server_pid"
    return "$on_status"
}

promise "bigquery-emulator: a batch is stored, and comes back as it was" on_bigquery_emulator step once
promise "bigquery-emulator: null equals null in keys" on_bigquery_emulator step null-equals-null
promise "bigquery-emulator: views are made and changed" on_bigquery_emulator step view
promise "bigquery-emulator: a date is computed, and computed anew" on_bigquery_emulator step computed

promise "bqemulator: a batch is stored, and comes back as it was" on_bqemulator step content
promise "bqemulator: the first row of a key stays, from batch to batch" on_bqemulator step first-wins
promise "bqemulator: null equals null in keys" on_bqemulator step null-equals-null
promise "bqemulator: nulls that the table does not have are refused before" on_bqemulator step stricter
promise "bqemulator: one table's failure does not stop the other" on_bqemulator refused 'absent: ' one-fails
promise "bqemulator: views are made and changed" on_bqemulator step view
promise "bqemulator: a date is computed, and computed anew" on_bqemulator step computed
promise "bqemulator: a computation that fails changes nothing" on_bqemulator step computed-in-vain
done_promising
