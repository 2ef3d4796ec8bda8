#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# fxci_derive.sh BUILD ROOT - bills into tables, tables from tables, and what is asked of them.
set -u
fxci=$1/fxci-etl vectors=$2/tests/vectors/fxci
. "$2/tests/build/tap.sh"
cd "$tap_dir" || exit 1
unset WEIR_STORE WEIR_WAREHOUSE XDG_DATA_HOME XDG_CONFIG_HOME TMPDIR
export HOME="$tap_dir/home" WEIR_HOME="$tap_dir/weir" WEIR_NOW=2026-08-20T04:30:00Z

# refuses STATUS TEXT COMMAND.. - does it exit so, with this in its message?
refuses() {
    refused_status=$1 refused_text=$2
    shift 2
    exits "$refused_status" "$@" 2>message
    refused=$?
    cat message
    [ "$refused" -eq 0 ] && grep -qF -- "$refused_text" message
}
# says TEXT.. - are these in the log of the last command?
says() {
    for text; do
        grep -qF -- "$text" message || {
            echo "not said: $text"
            cat message
            return 1
        }
    done
}

promise "load-billing asks for a file" refuses 2 "Give '--gcp', '--azure' or both." \
    "$fxci" load-billing
promise "--azure-table alone makes no sense" refuses 2 "'--azure-table' needs '--azure'" \
    "$fxci" load-billing --gcp "$vectors/billing-gcp.ndjson" --azure-table fxci_daily_actual_load

bills() {
    "$fxci" load-billing --gcp "$vectors/billing-gcp.ndjson" \
        --azure "$vectors/billing-azure.ndjson" 2>message && says "gcp=31" "azure=15" "azure_lookup=2"
}
promise "bills are loaded, and counted" bills
promise "and again" bills

bad_line() {
    { cat "$vectors/billing-gcp.ndjson" && echo '{"cost":1}'; } >bad
    refuses 1 "bad, line 32: usage_start_time" "$fxci" load-billing --gcp bad \
        --azure "$vectors/billing-azure.ndjson" && "$fxci" dump gcp_billing >rows && [ "$(wc -l <rows)" -ge 31 ]
}
promise "a bad line is named, and changes nothing" bad_line

yesterday() {
    "$fxci" metric export -q --date 2026-08-19 \
        --timeseries-from "$vectors/timeseries-response.json" && "$fxci" derive 2>message &&
        says "worker_costs_v1 date=2026-08-19 rows=17" "worker_usage_v1 date=2026-08-19 rows=33" \
            "task_run_costs_v1 date=2026-08-19 rows=0"
}
promise "derive computes yesterday, in order, and says what" yesterday

promise "an unknown table is refused" refuses 1 "is none of worker_costs_v1" \
    "$fxci" derive --table tasks_v2
promise "half of a list is refused, too" refuses 1 "is none of worker_costs_v1" \
    "$fxci" derive --table worker_costs_v1,x
promise "--to needs --from" refuses 1 "'--to' needs '--from'" "$fxci" derive --to 2026-08-19
promise "--date and --from exclude each other" refuses 1 "not both" \
    "$fxci" derive --from 2026-08-19 --date 2026-08-19
promise "days backwards are refused" refuses 1 "'--from' is later" \
    "$fxci" derive --from 2026-08-19 --to 2026-08-18
promise "an impossible day is refused" refuses 1 "2026-02-30" "$fxci" derive --date 2026-02-30

drained() {
    "$fxci" pulse drain -q --source "$vectors/messages-small.ndjson" \
        --taskdefs-from "$vectors/taskdefs-pages.json" &&
        "$fxci" derive -q --date 2026-08-20 --table task_run_costs_v1
}
promise "runs get their costs" drained

report() {
    "$fxci" report costs -q --by provider --date 2026-08-20 --format csv >got &&
        tr -d '\r' <got | sed 's/\(0*[0-9]*\.[0-9]\{1,6\}\)[0-9]*/\1/' >plain && cat >want <<'WANT' && diff want plain
key,runs,run_seconds,cost,runs_without_cost
gcp,15,17941,2.349333,0
azure,6,13714,1.280385,0
,10,4362,0.0,10
total,31,36017,3.629719,10
WANT
    "$fxci" report costs -q --by task-group --from 2026-08-01 --to 2026-08-20 --format json >got &&
        tail -n 1 got | grep -q '^{"key":"total","runs":31,"run_seconds":36017,"cost":3.629719' &&
        "$fxci" report costs -q --by project --date 2026-08-20 >got && tail -n 1 got | grep -q '^total  *31 ' &&
        "$fxci" report costs -q --by worker-type >got && [ "$(wc -l <got)" -eq 2 ]
}
promise "report costs adds up, in each format" report
promise "report costs asks by what" refuses 2 "Missing option '--by'" "$fxci" report costs

days() {
    "$fxci" derive --from 2026-08-18 --to=2026-8-20 --table worker_usage_v1,worker_costs_v1 2>message &&
        grep -o 'table=.*' message >got && cat >want <<'WANT' && diff want got
table=fxci_derived.worker_costs_v1 date=2026-08-18 rows=2
table=fxci_derived.worker_usage_v1 date=2026-08-18 rows=1
table=fxci_derived.worker_costs_v1 date=2026-08-19 rows=17
table=fxci_derived.worker_usage_v1 date=2026-08-19 rows=33
table=fxci_derived.worker_costs_v1 date=2026-08-20 rows=1
table=fxci_derived.worker_usage_v1 date=2026-08-20 rows=0
WANT
}
promise "days are computed one by one, tables in the order of what they need" days

backfill() {
    id=$("$fxci" dump task_definitions_v1 -q --format ndjson | sed -n '1s/.*"taskId":"\([^"]*\)".*/\1/p')
    printf '{"submission_date":"2026-08-20","task_id":"%s","run_id":7,"state":"completed",%s}\n' "$id" \
        '"resolved":"2026-08-20T00:00:01Z","scheduled":"2026-08-20T00:00:00Z"' >run
    "$fxci" dump tasks_v2 -q --format ndjson | grep -cF "$id"
    "$fxci" load -q task_runs_v1 run && "$fxci" backfill tasks --to 2026-08-19 2>message &&
        says "rows=0" && "$fxci" backfill tasks 2>message && says "rows=1" &&
        "$fxci" backfill tasks 2>message && says "rows=0" &&
        "$fxci" dump tasks_v2 -q --format ndjson | grep -F "$id" | grep -q '"submission_date":"2026-08-20"'
}
promise "backfill makes a row for a task that has only later runs" backfill
done_promising
