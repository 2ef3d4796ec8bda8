#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# fxci_bigquery_commands.sh BUILD ROOT - the commands of fxci-etl, one after the other, on two emulators of
# BigQuery: messages, bills where they lie, derived tables, loaded history, views, the report, the backfill.
# bigquery-emulator has Google's own analyzer and counts whole seconds between two times, but answers 500 for a
# job that it knows, so that nothing is loaded twice there; bqemulator counts the boundaries of seconds, so a run
# may be a second longer there. Neither knows partitions by decorator, which `metric export` needs: for it the
# contract server stands in, see warehouse_contract.sh.
set -u
build=$1 root=$2
. "$root/tests/build/tap.sh"
. "$root/tests/real/servers.sh"
unset GOOGLE_APPLICATION_CREDENTIALS GCE_METADATA_HOST STORAGE_EMULATOR_HOST WEIR_STORE WEIR_WAREHOUSE
HOME=$tap_dir/nobody
export HOME WEIR_HOME="$tap_dir/home"
vectors=$root/tests/vectors/fxci

# api METHOD PATH BODY
api() {
    python3 - "$server_url/bigquery/v2/projects/a-project$2" "$1" "$3" <<'PYTHON'
import sys, urllib.request as u
url, method, body = sys.argv[1:]
request = u.Request(url, data=body.encode(), method=method, headers={"Content-Type": "application/json"})
u.build_opener(u.ProxyHandler({})).open(request).close()
PYTHON
}
make_dataset() {
    api POST /datasets "{\"datasetReference\":{\"projectId\":\"a-project\",\"datasetId\":\"$1\"}}"
}
query() {
    api POST /queries "{\"useLegacySql\":false,\"query\":\"$1\"}"
}

# The exports have their managed names and columns, in a project of the emulator.
make_bills() {
    make_dataset billing &&
        query 'CREATE TABLE billing.gcp (project STRUCT<id STRING>, resource STRUCT<name STRING, global_name STRING>, usage_start_time TIMESTAMP, cost FLOAT64, credits ARRAY<STRUCT<amount FLOAT64>>)' &&
        for make_export in fxci taskcluster; do
            query "CREATE TABLE billing.${make_export}_load (sourceDataId STRING, subscriptionName STRING, date DATE, ResourceId STRING, resourceLocation STRING, costInBillingCurrency FLOAT64, quantity FLOAT64, chargeType STRING, meterCategory STRING, unitOfMeasure STRING)" &&
                query "CREATE TABLE billing.${make_export}_lookup (sourceDataId STRING)" || return 1
        done && python3 - "$vectors" >"$tap_dir/statements" <<'PYTHON' && fill_bills
import json, sys
def text(value):
    return "NULL" if value is None else "'%s'" % value.replace("'", "\\'")
def number(value):
    return "NULL" if value is None else repr(float(value))
def lines(name):
    return [json.loads(line) for line in open(f"{sys.argv[1]}/{name}")]
out = {"gcp": [], "load": {}, "lookup": {}}
for r in lines("billing-gcp.ndjson"):
    credits = ", ".join(f"STRUCT({number(c['amount'])})" for c in r.get("credits") or [])
    start = r["usage_start_time"].replace(" UTC", "+00")
    resource = r.get("resource") or {}
    out["gcp"].append(f"(STRUCT({text(r['project']['id'])}), STRUCT({text(resource.get('name'))}, "
                      f"{text(resource.get('global_name'))}), TIMESTAMP '{start}', {number(r.get('cost'))}, "
                      f"ARRAY<STRUCT<amount FLOAT64>>[{credits}])")
tables = {}
for line in lines("billing-azure.ndjson"):
    export, _, kind = line["table"].partition("_daily_actual_")
    r = line["row"]
    if kind == "lookup":
        values = text(r["sourceDataId"])
    else:
        values = ", ".join([text(r["sourceDataId"]), text(r["subscriptionName"]), f"DATE '{r['date']}'",
                            text(r["ResourceId"]), text(r["resourceLocation"]),
                            number(r["costInBillingCurrency"]), number(r["quantity"]), text(r["chargeType"]),
                            text(r["meterCategory"]), text(r["unitOfMeasure"])])
    tables.setdefault(f"{export}_{kind}", []).append(f"({values})")
tables["gcp"] = out["gcp"]
for table, rows in tables.items():
    print(f"INSERT INTO billing.{table} VALUES {', '.join(rows)}")
PYTHON
}
fill_bills() {
    while IFS= read -r fill_statement; do
        query "$fill_statement" || return 1
    done <"$tap_dir/statements"
}

configure() {
    mkdir -p "$tap_dir/state-$1"
    cat >"$tap_dir/config.toml" <<TOML
[bigquery]
project = "a-project"
dataset = "fxci_derived"
endpoint = "$server_url"
[storage]
project = "a-project"
bucket = "$tap_dir/state-$1"
[billing]
gcp = "a-project.billing.gcp"
fxciLoad = "a-project.billing.fxci_load"
fxciLookup = "a-project.billing.fxci_lookup"
taskclusterLoad = "a-project.billing.taskcluster_load"
taskclusterLookup = "a-project.billing.taskcluster_lookup"
TOML
}
fxci() {
    timeout 120 "$build/fxci-etl" "$@" --config "$tap_dir/config.toml" --now 2026-08-20T04:30:00Z \
        2>"$tap_dir/said" || {
        cat "$tap_dir/said"
        return 1
    }
}

# as_expected TABLE FILE MEMBER KEY.. - the rows of a table are those of the vectors.
as_expected() {
    fxci dump "$1" >"$tap_dir/rows" || return 1
    shift
    python3 - "$tap_dir/rows" "$vectors" "${seconds_off:-0}" "$@" <<'PYTHON'
import json, math, sys
path, vectors, seconds_off, name, member, *key = sys.argv[1:]
want = json.load(open(f"{vectors}/{name}"))[member]
day = {row.get("usage_start_date") for row in want}
got = [json.loads(line) for line in open(path)]
if name.startswith("expected-worker"):
    got = [row for row in got if row["usage_start_date"] in day and row.get("name") != "h"]
def of(row):
    return json.dumps([row[k] for k in key])
def same(a, b, column):
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        off = int(seconds_off)
        if off and column == "run_duration":
            return abs(a - b) <= off
        if off and column == "run_cost":
            return True
        return math.isclose(a, b, rel_tol=1e-9)
    if isinstance(a, str) and isinstance(b, str):
        return a.replace(".000Z", "Z") == b.replace(".000Z", "Z")
    return a == b
mine = {of(row): row for row in got}
assert len(mine) == len(got) and sorted(mine) == sorted(map(of, want)), (len(got), len(want))
for row in want:
    for column, value in row.items():
        assert same(mine[of(row)][column], value, column), (row, mine[of(row)])
for row in got if "run_cost" in want[0] else []:
    share = row["run_duration"] / row["attribution_worker_uptime"]
    assert math.isclose(row["run_cost"], share * row["attribution_worker_cost"], rel_tol=1e-9), row
PYTHON
}

drained() {
    fxci pulse drain --source "$vectors/messages-small.ndjson" --taskdefs-from "$vectors/taskdefs-pages.json" &&
        as_expected tasks_v2 expected-small.json tasks_v2 task_id &&
        as_expected task_runs_v1 expected-small.json task_runs_v1 task_id run_id &&
        as_expected task_definitions_v1 expected-taskdefs.json task_definitions_v1 taskId
}
drained_again() {
    drained && fxci pulse drain --source "$vectors/messages-small.ndjson" &&
        grep -qF 'tasks_written=0 ' "$tap_dir/said" && grep -qF 'runs_written=0 ' "$tap_dir/said"
}
derived() {
    python3 -c 'import json, sys
for row in json.load(open(sys.argv[1]))["worker_metrics_v1"]: print(json.dumps(row))' \
        "$vectors/expected-metrics.json" >"$tap_dir/metrics" &&
        fxci load worker_metrics_v1 "$tap_dir/metrics" && fxci derive --date 2026-08-19 &&
        as_expected worker_costs_v1 expected-worker-costs.json worker_costs_v1 \
            cloud_provider project name zone instance_id &&
        as_expected worker_usage_v1 expected-worker-usage.json worker_usage_v1 \
            cloud_provider project zone instance_id attribution_method
}
derived_again() {
    fxci derive --date 2026-08-19 &&
        as_expected worker_costs_v1 expected-worker-costs.json worker_costs_v1 \
            cloud_provider project name zone instance_id
}
history() {
    for history_kind in costs usage; do
        fxci load "worker_${history_kind}_v1" "$vectors/history-worker-$history_kind.ndjson" || return 1
        [ "$repeating" = yes ] || continue
        fxci load "worker_${history_kind}_v1" "$vectors/history-worker-$history_kind.ndjson" &&
            grep -qF 'written=0 ' "$tap_dir/said" || return 1
    done
}
run_costs() {
    fxci derive --date 2026-08-20 --table task_run_costs_v1 &&
        as_expected task_run_costs_v1 expected-task-run-costs.json task_run_costs_v1 \
            task_id run_id worker_zone worker_instance_id &&
        fxci dump task_run_costs >"$tap_dir/view" && python3 - "$tap_dir/rows" "$tap_dir/view" <<'PYTHON'
import json, sys
rows, view = ([json.loads(line) for line in open(path)] for path in sys.argv[1:])
best = {}
for row in rows:
    key = row["task_id"], row["run_id"]
    rank = -row["attribution_worker_uptime"], row["cloud_provider"], row["worker_zone"], row["worker_instance_id"]
    if key not in best or rank < best[key][0]:
        best[key] = rank, row
assert len(best) < len(rows) and len(view) == len(best), (len(rows), len(best), len(view))
assert all(best[row["task_id"], row["run_id"]][1] == row for row in view), view
PYTHON
}
# Each run once: 31 runs of the vectors, and those without costs are counted, too.
reported() {
    for report_key in task-group worker-type project provider; do
        fxci report costs --by "$report_key" --date 2026-08-20 --format csv >"$tap_dir/report" &&
            tail -n 1 "$tap_dir/report" | grep -q '^total,31,' || return 1
    done
    cat "$tap_dir/report"
    grep -q '^gcp,' "$tap_dir/report" && grep -q '^azure,' "$tap_dir/report"
}
# A run whose task was never seen, and whose definition is there.
backfilled() {
    backfill_id=$(python3 -c 'import json, sys
print(json.load(open(sys.argv[1]))["task_definitions_v1"][0]["taskId"])' "$vectors/expected-taskdefs.json") &&
        printf '{"submission_date":"2026-08-20","task_id":"%s","run_id":3,"state":"completed",' "$backfill_id" \
            >"$tap_dir/orphan" &&
        echo '"resolved":"2026-08-20T01:00:00Z","scheduled":"2026-08-20T00:00:00Z"}' >>"$tap_dir/orphan" &&
        fxci load task_runs_v1 "$tap_dir/orphan" && fxci backfill tasks && cat "$tap_dir/said" &&
        grep -qF 'rows=1' "$tap_dir/said" && fxci dump tasks | grep -qF "\"task_id\":\"$backfill_id\"" &&
        fxci backfill tasks && grep -qF 'rows=0' "$tap_dir/said"
}
refused_bills() {
    ! fxci load-billing --gcp "$vectors/billing-gcp.ndjson" >/dev/null && grep -qF 'where they are' "$tap_dir/said"
}

# all NAME - every command, one after the other.
all() {
    if ! make_dataset fxci_derived || ! make_bills || ! configure "$1"; then
        promise "$1: bills can be laid out" false
        return
    fi
    promise "$1: messages and definitions become the rows of the vectors" drained
    [ "$repeating" = no ] || promise "$1: again, nothing becomes more" drained_again
    promise "$1: costs and usage are derived from the exports where they lie" derived
    promise "$1: deriving again replaces them" derived_again
    promise "$1: history is loaded, and each row once" history
    promise "$1: costs of runs are derived, and their view has them" run_costs
    promise "$1: the report counts each run once" reported
    promise "$1: tasks that were never seen are made from definitions" backfilled
    promise "$1: bills are not loaded there" refused_bills
}

repeating=no seconds_off=0
start_bigquery_emulator a-project || exit 1
all bigquery-emulator
stop_server "$server_pid"
repeating=yes seconds_off=1
start_bqemulator a-project "$tap_dir/buckets" || exit 1
all bqemulator
done_promising
