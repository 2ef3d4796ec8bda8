#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# warehouse_bigquery.sh BUILD ROOT - the warehouse on two emulators of BigQuery. What neither knows
# (partition decorators, chosen job ids, trouble) is in warehouse_contract.sh.
set -u
build=$1 root=$2
. "$root/tests/build/tap.sh"
. "$root/tests/real/servers.sh"

step() {
    TMPDIR=$tap_dir "$build/tests/real/warehouse_steps" "$1" bigquery://a-project/main "$server_url"
}

# refused TEXT STEP - the step fails, and says so.
refused() {
    step "$2" >"$tap_dir/said" && return 1
    cat "$tap_dir/said"
    grep -qF "$1" "$tap_dir/said"
}

start_bigquery_emulator a-project || exit 1
promise "bigquery-emulator: rows come back, and a table is replaced" step rows
promise "bigquery-emulator: broken SQL is an error" refused 'frm' broken-sql
promise "bigquery-emulator: a table that is not there is absent" refused 'absent: ' absent
promise "bigquery-emulator: other types are refused" refused 'column index is' columns-refused
stop_server "$server_pid"

start_bqemulator a-project "$tap_dir/buckets" || exit 1
promise "bqemulator: rows come back, and a table is replaced" step rows
promise "bqemulator: an answer of a thousand rows comes whole" step pages
promise "bqemulator: broken SQL is an error" refused 'frm' broken-sql
promise "bqemulator: a table that is not there is absent" refused 'absent: ' absent
promise "bqemulator: other types are refused" refused 'column index is' columns-refused
done_promising
