#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# fxci_metrics.sh BUILD ROOT - `metric export` from a service that is as strict as Cloud Monitoring, in
# good and in bad times, into DuckDB. Each promise has a world of its own on the contract server, and a
# home of its own.
set -u
build=$1 root=$2
. "$root/tests/build/tap.sh"
. "$root/tests/real/servers.sh"
unset GOOGLE_APPLICATION_CREDENTIALS GCE_METADATA_HOST
HOME=$tap_dir/nobody
export HOME

vectors=$root/tests/vectors/fxci
start_server monitoring_contract /ready/log http \
    python3 "$root/tests/real/monitoring_contract.py" PORT "$vectors/timeseries-response.json" || exit 1
openssl genrsa 2048 2>/dev/null | openssl pkcs8 -topk8 -nocrypt >"$tap_dir/key.pem" || exit 1

# key_for WORLD - the text of a service account's key file.
key_for() {
    python3 -c 'import json, sys
print(json.dumps({"type": "service_account", "client_email": "robot@p.iam", "private_key_id": "k1",
                  "private_key": open(sys.argv[1]).read(), "token_uri": sys.argv[2] + "/token"}))' \
        "$tap_dir/key.pem" "$server_url/$1"
}

# configure WORLD [LINE...] - into $tap_dir/WORLD.toml.
configure() {
    configure_world=$1
    shift
    {
        echo "[monitoring]"
        echo "endpoint = \"$server_url/$configure_world\""
        case $configure_world in
        open* | machine* | file*) ;;
        *) echo "credentials = \"$(key_for "$configure_world" | base64 -w0)\"" ;;
        esac
        for configure_line; do echo "$configure_line"; done
    } >"$tap_dir/$configure_world.toml"
}

# export_day WORLD HOME [OPTION...] - messages go to $tap_dir/said.
export_day() {
    export_world=$1 export_home=$2
    shift 2
    "$build/fxci-etl" metric export --config "$tap_dir/$export_world.toml" --home "$tap_dir/$export_home" \
        --date 2026-08-19 --now 2026-08-20T04:30:00Z "$@" 2>"$tap_dir/said" || {
        export_status=$?
        cat "$tap_dir/said"
        return "$export_status"
    }
}

rows_of() {
    "$build/fxci-etl" dump "${2:-worker_metrics_v1}" --home "$tap_dir/$1" --date 2026-08-19 --format ndjson 2>/dev/null
}

log_of() {
    python3 -c 'import sys, urllib.request as u
print(u.build_opener(u.ProxyHandler({})).open(sys.argv[1]).read().decode())' "$server_url/$1/log"
}

# as_expected HOME [STEP] - the rows of the vectors; STEP is added to each value.
as_expected() {
    rows_of "$1" >"$tap_dir/rows" || return 1
    python3 - "$vectors/expected-metrics.json" "$tap_dir/rows" "${2:-0}" <<'PYTHON'
import json, sys
def key(row):
    return row["project"], row["zone"], row["instance_id"], row["interval_start_time"].replace(".000Z", "Z")
want = {key(r): r for r in json.load(open(sys.argv[1]))["worker_metrics_v1"]}
got = {key(r): r for r in map(json.loads, open(sys.argv[2]))}
assert sorted(want) == sorted(got), (len(want), len(got))
for k, row in want.items():
    assert abs(got[k]["uptime"] - row["uptime"] - float(sys.argv[3])) < 0.011, (row, got[k])
    assert got[k]["submission_date"] == row["submission_date"], got[k]
PYTHON
}

# stored WORLD - from this world come the rows of the vectors, and the service had nothing to refuse.
stored() {
    configure "$1"
    export_day "$1" "$1" && as_expected "$1" && log_of "$1" | tee "$tap_dir/log" &&
        grep -qF '"refused": []' "$tap_dir/log"
}

# Numbers are cut to whole ones there.
fine() {
    configure fine
    export_day fine fine && rows_of fine >"$tap_dir/rows" && [ "$(wc -l <"$tap_dir/rows")" -eq 28 ] &&
        log_of fine | grep -qF '"refused": []'
}

in_order() {
    stored plain && grep -qF '"projects": ["fxci-production-level1-workers", "fxci-production-level3-workers"]' \
        "$tap_dir/log"
}

# kept TEXT WORLD - the export fails and says so; the day's rows are as they were.
kept() {
    configure plain-before
    configure "$2"
    export_day plain-before "$2" || return 1
    export_day "$2" "$2" >/dev/null
    [ $? -eq 1 ] || return 1
    cat "$tap_dir/said"
    grep -qF "$1" "$tap_dir/said" && as_expected "$2"
}

replaced() {
    configure plain-first
    configure other
    export_day plain-first replaced && export_day other replaced && as_expected replaced 1 &&
        export_day other replaced && as_expected replaced 1
}

warned() {
    configure silent
    export_day silent silent && grep -qF 'a project has no series project=fxci-production-level3-workers' "$tap_dir/said"
}

dry() {
    configure dry
    export_day dry dry --dry-run >"$tap_dir/shown" || return 1
    [ "$(wc -l <"$tap_dir/shown")" -eq 29 ] && [ ! -e "$tap_dir/dry" ] &&
        python3 -c 'import json, sys
[json.loads(line)["points"] for line in sys.stdin]' <"$tap_dir/shown"
}

dry_of_nothing() {
    configure empty-dry
    export_day empty-dry empty-dry --dry-run >"$tap_dir/shown" && [ ! -s "$tap_dir/shown" ]
}

too_early() {
    configure early
    export_day early early --now 2026-08-20T00:09:59.999Z --dry-run
    [ $? -eq 1 ] && grep -qF '10 minutes' "$tap_dir/said" && log_of early | grep -qF '"calls": 0, "tokens": 0'
}

refreshed() {
    configure expired-page5
    export_day expired-page5 refreshed && as_expected refreshed && log_of expired-page5 | grep -qF '"tokens": 2'
}

without_key() {
    configure open
    export_day open open && as_expected open
}

machine() {
    configure machine
    GCE_METADATA_HOST=${server_url#http://} export_day machine machine && as_expected machine
}

key_file() {
    configure file
    key_for file >"$tap_dir/key.json"
    GOOGLE_APPLICATION_CREDENTIALS=$tap_dir/key.json export_day file file && as_expected file
}

users_file() {
    configure file2
    mkdir -p "$tap_dir/somebody/.config/gcloud"
    echo "{\"type\": \"authorized_user\", \"client_id\": \"i\", \"client_secret\": \"s\", \"refresh_token\": \"r\",
           \"token_uri\": \"$server_url/file2/token\"}" >"$tap_dir/somebody/.config/gcloud/application_default_credentials.json"
    HOME=$tap_dir/somebody export_day file2 file2 && as_expected file2
}

second_metric() {
    configure second "[monitoring.metrics.cpu]" 'type = "compute.googleapis.com/instance/cpu/usage_time"' \
        'aligner = "ALIGN_MEAN"' 'table = "worker_cpu_v1"' 'column = "cpu_seconds"'
    export_day second second && return 1 # the fixture has none of it
    grep -qF 'metric cpu: no records' "$tap_dir/said" && as_expected second && log_of second | grep -qF '"refused": []'
}

# killed - whenever the program dies, the day's rows are those before or those after.
killed() {
    python3 - "$tap_dir" <<'PYTHON' || return 1
import json, sys
def series(i, value):
    return {"metric": {"type": "compute.googleapis.com/instance/uptime"},
            "resource": {"labels": {"project_id": "fxci-production-level1-workers", "zone": "z", "instance_id": str(i)}},
            "points": [{"value": {"doubleValue": value}}]}
for value in (1, 2):
    with open(f"{sys.argv[1]}/day{value}", "w") as out:
        out.write(json.dumps({"timeSeries": [series(i, value) for i in range(40000)]}))
PYTHON
    configure open-kill
    killed_began=$(date +%s%N)
    export_day open-kill kill --timeseries-from "$tap_dir/day1" || return 1
    killed_took=$((($(date +%s%N) - killed_began) / 1000))
    for killed_share in 20 50 60 70 75 80 85 90 95 100; do
        killed_after=$(awk "BEGIN { print $killed_took * $killed_share / 1e8 }")
        timeout -s KILL "$killed_after" "$build/fxci-etl" metric export --config "$tap_dir/open-kill.toml" -q \
            --home "$tap_dir/kill" --date 2026-08-19 --now 2026-08-20T04:30:00Z --timeseries-from "$tap_dir/day2"
        rows_of kill >"$tap_dir/rows" || return 1
        python3 -c 'import json, sys
values = [json.loads(line)["uptime"] for line in open(sys.argv[1])]
print(len(values), set(values))
assert len(values) == 40000 and len(set(values)) == 1' "$tap_dir/rows" || return 1
    done
    export_day open-kill kill --timeseries-from "$tap_dir/day2"
}

promise "both projects are asked in their order, and the rows are as in the vectors" in_order
promise "pages are followed" stored page5
promise "times with a fraction, numbers as text" fine
promise "quotas pass" stored ratelimit
promise "a service that is away comes back" stored unavailable
promise "a failure of the service's own passes" stored backend
promise "an answer that ends early is asked for again" stored breaks
promise "a token that died is replaced" refreshed
promise "a stand-in that wants no token gets none" without_key
promise "the machine's own account" machine
promise "a key file" key_file
promise "the user's own credentials" users_file
promise "a later export takes the place of an earlier one, and again" replaced
promise "a project that has nothing is warned of" warned
promise "a project that is denied leaves the day as it was" kept 'status 403 PERMISSION_DENIED' denied
promise "a project that is not there leaves the day as it was" kept 'status 404 NOT_FOUND' missing
promise "an answer that is not whole leaves the day as it was" kept 'a shard timed out' partial
promise "no records leave the day as it was" kept 'no records' empty
promise "a proxy's page leaves the day as it was" kept 'no JSON' html
promise "a revoked key leaves the day as it was, and is named" kept 'invalid_grant' revoked
promise "a dry run shows series and makes nothing" dry
promise "a dry run of nothing is fine" dry_of_nothing
promise "before the day is final nobody is asked" too_early
promise "a second metric by configuration alone is asked for, and does not keep the first back" second_metric
promise "killed at any time, the day is as before or as after" killed
done_promising
