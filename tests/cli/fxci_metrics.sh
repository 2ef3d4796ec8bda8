#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# fxci_metrics.sh BUILD ROOT - `metric export` on recorded answers.
set -u
build=$1 root=$2
. "$root/tests/build/tap.sh"
unset GOOGLE_APPLICATION_CREDENTIALS GCE_METADATA_HOST XDG_CONFIG_HOME XDG_DATA_HOME
HOME=$tap_dir
export HOME

vectors=$root/tests/vectors/fxci
answers=$vectors/timeseries-response.json
noon=2026-08-20T12:00:00Z
level1=fxci-production-level1-workers
level3=fxci-production-level3-workers

# export_day HOME [OPTION...] - messages go to $tap_dir/said.
export_day() {
    export_home=$1
    shift
    "$build/fxci-etl" metric export --home "$tap_dir/$export_home" --now "$noon" "$@" 2>"$tap_dir/said"
}

# refused TEXT HOME [OPTION...] - exit status 1, and the text.
refused() {
    refused_text=$1
    shift
    exits 1 export_day "$@" && cat "$tap_dir/said" && grep -qF -e "$refused_text" "$tap_dir/said"
}

# rows_of HOME [TABLE [OPTION...]]
rows_of() {
    rows_home=$1 rows_table=${2:-worker_metrics_v1}
    [ $# -lt 2 ] || shift
    shift
    "$build/fxci-etl" dump "$rows_table" --home "$tap_dir/$rows_home" --format ndjson "$@" 2>/dev/null
}

# series PROJECT ID VALUE [TYPE] - one as the service has it.
series() {
    printf '{"metric":{"type":"%s"},"resource":{"labels":{"project_id":"%s","zone":"z","instance_id":"%s"}},' \
        "${4:-compute.googleapis.com/instance/uptime}" "$1" "$2"
    printf '"points":[{"interval":{"startTime":"2026-08-19T00:00:00Z","endTime":"2026-08-19T23:59:59Z"},'
    printf '"value":{"doubleValue":%s}}]}' "$3"
}
answer() { printf '{"timeSeries":[%s]}\n' "$(series "$@")"; }

# as_expected HOME - the rows of the vectors, and no other.
as_expected() {
    rows_of "$1" >"$tap_dir/rows" && python3 - "$vectors/expected-metrics.json" "$tap_dir/rows" <<'PYTHON'
import json, sys
def plain(row):
    return {k: v.replace(".000Z", "Z") if isinstance(v, str) else v for k, v in row.items()}
def key(row):
    return sorted(row.items())
want = sorted((plain(r) for r in json.load(open(sys.argv[1]))["worker_metrics_v1"]), key=key)
got = sorted((plain(json.loads(line)) for line in open(sys.argv[2])), key=key)
assert got == want, [(g, w) for g, w in zip(got, want) if g != w][:3] or (len(got), len(want))
PYTHON
}

vectors_twice() {
    export_day v --date 2026-08-19 --timeseries-from "$answers" && as_expected v &&
        export_day v --date=2026-8-19 --timeseries-from="$answers" -vv && as_expected v &&
        grep -qF 'a second series of an instance is left out' "$tap_dir/said" &&
        grep -qF 'series=29 rows=28 duplicates=1' "$tap_dir/said"
}

packed() {
    gzip -c "$answers" >"$tap_dir/packed.gz"
    export_day packed --timeseries-from "$tap_dir/packed.gz" && as_expected packed # yesterday is the default
}

# at NOW DATE - a dry run at that time.
at() {
    noon_before=$noon
    noon=$1
    at_status=0
    export_day at --dry-run --date "$2" --timeseries-from "$answers" >"$tap_dir/shown" || at_status=$?
    noon=$noon_before
    return "$at_status"
}

too_early() {
    exits 1 at 2026-08-20T00:09:59.999Z 2026-08-19 || return 1
    cat "$tap_dir/said"
    grep -F '2026-08-19T23:59:59Z' "$tap_dir/said" | grep -qF '10 minutes' && [ ! -s "$tap_dir/shown" ] &&
        exits 1 at 2026-08-20T12:00:00Z 2026-08-20 && exits 1 at 2026-08-20T12:00:00Z 2027-01-01
}

in_time() {
    at 2026-08-20T00:10:00Z 2026-08-19 && at 2027-08-20T00:10:00Z 2026-8-19
}

early_by_default() {
    noon=2026-08-20T00:05:00Z refused '2026-08-19T23:59:59Z' early --timeseries-from "$answers"
}

no_dates() {
    for date in 2024-02-30 2024-13-01 2024-00-10 20240801 2024-8 yesterday '' 2024-08-01T00:00:00Z; do
        exits 1 export_day dates --date "$date" --timeseries-from "$answers" ||
            exits 2 export_day dates --date "$date" --timeseries-from "$answers" || return 1
    done
    [ ! -e "$tap_dir/dates" ]
}

dry() {
    export_day dry --dry-run --timeseries-from "$answers" >"$tap_dir/shown" && [ "$(wc -l <"$tap_dir/shown")" -eq 29 ] &&
        [ ! -e "$tap_dir/dry" ] && python3 - "$answers" "$tap_dir/shown" <<'PYTHON'
import json, sys
requests = json.load(open(sys.argv[1]))["requests"]
want = [s for request in requests for page in request["pages"] for s in page.get("timeSeries", [])]
assert [json.loads(line) for line in open(sys.argv[2])] == want
PYTHON
}

nothing() {
    answer "$level1" 1 10 >"$tap_dir/one"
    echo '{"requests":[]}' >"$tap_dir/none"
    export_day nothing --timeseries-from "$tap_dir/one" &&
        refused 'no records' nothing --timeseries-from "$tap_dir/none" && [ "$(rows_of nothing | wc -l)" -eq 1 ] &&
        export_day nothing --dry-run --timeseries-from "$tap_dir/none" >"$tap_dir/shown" && [ ! -s "$tap_dir/shown" ]
}

others() {
    { answer somebody-else 7 1; answer "$level3" 3 3; answer "$level1" 1 1; } >"$tap_dir/others"
    export_day others --dry-run --timeseries-from "$tap_dir/others" >"$tap_dir/shown" || return 1
    grep -o '"instance_id":"."' "$tap_dir/shown" | tr '\n' ' ' >"$tap_dir/order"
    [ "$(cat "$tap_dir/order")" = '"instance_id":"1" "instance_id":"3" ' ] &&
        grep -qF 'not monitored is ignored project=somebody-else' "$tap_dir/said"
}

silent() {
    export_day silent --timeseries-from "$tap_dir/one" &&
        grep -qF "a project has no series project=$level3" "$tap_dir/said"
}

broken_series() {
    printf '{"timeSeries":[%s,{"resource":{"labels":{}}},{"points":[]}]}' "$(series "$level1" 1 0.125)" >"$tap_dir/some"
    printf '{"project":"%s","pages":[{"timeSeries":[{},[]]}]}' "$level1" >"$tap_dir/all"
    export_day broken --timeseries-from "$tap_dir/some" && [ "$(grep -c 'a series is skipped' "$tap_dir/said")" -eq 2 ] &&
        rows_of broken | grep -qF '"uptime":0.12' &&
        refused 'none of 2 series can be read' broken --timeseries-from "$tap_dir/all" &&
        [ "$(rows_of broken | wc -l)" -eq 1 ]
}

partial() {
    printf '{"project":"%s","pages":[%s,{"executionErrors":[{"code":4,"message":"a shard timed out"}]}]}' "$level1" \
        "$(answer "$level1" 1 1)" >"$tap_dir/partial.json"
    refused 'a shard timed out' partial --timeseries-from "$tap_dir/partial.json" && [ ! -e "$tap_dir/partial/warehouse.duckdb" ]
}

second_metric() {
    cat >"$tap_dir/second.toml" <<TOML
[monitoring]
projects = ["p-one", "p-two"]
[monitoring.metrics.cpu]
type = "compute.googleapis.com/instance/cpu/usage_time"
aligner = "ALIGN_SUM"
table = "worker_cpu_v1"
column = "cpu_seconds"
TOML
    cpu=compute.googleapis.com/instance/cpu/usage_time
    { answer p-one 1 10; answer p-one 1 2.5 "$cpu"; answer p-two 2 3.5 "$cpu"; answer "$level1" 9 9; } >"$tap_dir/two"
    export_day second --config "$tap_dir/second.toml" --timeseries-from "$tap_dir/two" || {
        cat "$tap_dir/said"
        return 1
    }
    [ "$(rows_of second | wc -l)" -eq 1 ] && grep -qF 'metric=uptime' "$tap_dir/said" &&
        rows_of second worker_cpu_v1 --config "$tap_dir/second.toml" >"$tap_dir/rows" &&
        grep -o '"cpu_seconds":[0-9.]*' "$tap_dir/rows" | tr '\n' ' ' | grep -qxF '"cpu_seconds":2.5 "cpu_seconds":3.5 '
}

unreadable() {
    echo '{"requests":[' >"$tap_dir/broken.json"
    refused "$tap_dir/broken.json: line 1: no JSON" unreadable --timeseries-from "$tap_dir/broken.json" &&
        [ ! -e "$tap_dir/unreadable" ]
}

promise "the rows are those of the vectors, also the second time" vectors_twice
promise "answers may be packed, and the day is yesterday" packed
promise "a day is refused until ten minutes after its end" too_early
promise "a day is taken from then on, padded with zeros or not" in_time
promise "yesterday, too, is refused while it is not final" early_by_default
promise "days that are none are refused" no_dates
promise "a dry run prints each series and makes nothing" dry
promise "no records are an error that leaves the table alone" nothing
promise "projects are taken in their order, others ignored with a warning" others
promise "a project without series is warned of" silent
promise "broken series are skipped, unless all are" broken_series
promise "a partial answer is an error" partial
promise "a second metric, and other projects, by configuration alone" second_metric
promise "an unreadable file is named" unreadable
done_promising
