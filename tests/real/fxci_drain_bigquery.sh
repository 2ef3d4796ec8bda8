#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# fxci_drain_bigquery.sh BUILD ROOT - `pulse drain` of recorded messages into BigQuery: on bqemulator, and on a
# server as strict as BigQuery in good and in bad times, where each promise has a world of its own; and with its
# state in Cloud Storage, on fake-gcs-server.
set -u
build=$1 root=$2
. "$root/tests/build/tap.sh"
. "$root/tests/real/servers.sh"
for name in $(env | sed -n 's/^\(FXCI_ETL_[A-Z_]*\)=.*/\1/p'); do
    unset "$name"
done
unset WEIR_STORE WEIR_WAREHOUSE WEIR_HOME GOOGLE_APPLICATION_CREDENTIALS GCE_METADATA_HOST STORAGE_EMULATOR_HOST
HOME=$tap_dir/nobody
export HOME no_proxy='*'
vectors=$root/tests/vectors/fxci

install_fake_gcs || exit 1
start_server fake-gcs-server /storage/v1/b http "$server_program" -scheme http -host 127.0.0.1 \
    -port PORT -backend memory -public-host 127.0.0.1:PORT || exit 1
gcs=$server_url
start_server bigquery_contract /ready/ http python3 "$root/tests/real/bigquery_contract.py" PORT || exit 1
contract=$server_url

check() {
    python3 "$root/tests/real/drain_check.py" "$@"
}
post() {
    python3 -c 'import sys, urllib.request as u
u.build_opener(u.ProxyHandler({})).open(u.Request(sys.argv[1], sys.argv[2].encode(),
                                                  {"Content-Type": "application/json"})).close()' "$@"
}
# configure NAME ENDPOINT
configure() {
    printf '%s\n' "[bigquery]" 'project = "a-project"' 'dataset = "main"' "endpoint = \"$2\"" \
        "[storage]" 'project = "a-project"' "bucket = \"$1\"" "endpoint = \"$gcs\"" >"$tap_dir/$1.toml"
}
# etl NAME WORD... - a command; where it writes no state to Cloud Storage, it has a directory of its own.
etl() {
    etl_name=$1
    shift
    timeout 200 "$build/fxci-etl" "$@" --config "$tap_dir/$etl_name.toml" --store "$tap_dir/$etl_name" \
        --now 2026-08-20T04:30:00Z
}
drain() {
    drain_name=$1
    shift
    etl "$drain_name" pulse drain --source "${1:-$vectors/messages-small.ndjson}" \
        --taskdefs-from "$vectors/taskdefs-pages.json" >"$tap_dir/out" 2>"$tap_dir/$drain_name.log" || {
        drain_status=$?
        cat "$tap_dir/$drain_name.log"
        return "$drain_status"
    }
}
say() {
    grep -qF -- "$2" "$tap_dir/$1.log" || {
        cat "$tap_dir/$1.log"
        return 1
    }
}
stored() {
    check vectors "$build" "$root" --config "$tap_dir/$1.toml" --store "$tap_dir/$1"
}

# twice NAME ENDPOINT - the rows of the vectors, and a second run changes nothing.
twice() {
    configure "$1" "$2" && drain "$1" && check counts "$tap_dir/$1.log" && stored "$1" && drain "$1" &&
        say "$1" "tasks_written=0" && say "$1" "runs_written=0" && stored "$1"
}
promise "messages become the rows of the vectors, a second time changes nothing" twice plain "$contract/plain"

# Bad times take time: all at once, and looked at later.
once() {
    configure "$1" "$contract/$1" && drain "$1" && check counts "$tap_dir/$1.log" && stored "$1"
}
troubles="unavailable ratelimit lost backend serialize drops expires small slow quotaonce"
for world in $troubles; do
    { once "$world" >"$tap_dir/$world.said" 2>&1 && : >"$tap_dir/$world.ok"; } &
    troubled="${troubled:-} $!"
done

# One label cannot be stored: its task is kept as a record.
refused() {
    configure refused "$contract/refused" &&
        check messages task-completed 1 50 | sed 's/opt-17"/refuse me"/' >"$tap_dir/messages" &&
        drain refused "$tap_dir/messages" && say refused "records_kept=1" && say refused "tasks_written=49" &&
        say refused "runs_written=50" && etl refused failed list >"$tap_dir/list" && [ "$(wc -l <"$tap_dir/list")" -eq 1 ] &&
        grep -qF '"kind":"record"' "$tap_dir/list" && grep -qF '"table":"tasks_v2"' "$tap_dir/list" &&
        grep -qF "refuse me" "$tap_dir/list" && etl refused dump tasks_v2 --format ndjson >"$tap_dir/rows" 2>/dev/null &&
        [ "$(wc -l <"$tap_dir/rows")" -eq 49 ] && drain refused "$tap_dir/messages" && say refused "records_kept=1"
}
promise "a row that is refused is kept, the others are stored, and the run is no failure" refused

failing_table() {
    configure noruns "$contract/noruns" && exits 1 drain noruns && say noruns "a table took nothing of a batch table=task_runs_v1" &&
        etl noruns dump tasks_v2 --format ndjson >"$tap_dir/rows" 2>/dev/null && [ "$(wc -l <"$tap_dir/rows")" -eq 24 ] &&
        etl noruns dump task_runs_v1 --format ndjson >"$tap_dir/rows" 2>/dev/null && [ ! -s "$tap_dir/rows" ] &&
        etl noruns dump task_definitions_v1 --format ndjson >"$tap_dir/rows" 2>/dev/null && [ -s "$tap_dir/rows" ] &&
        post "$contract/noruns/allow" "" && drain noruns && say noruns "tasks_written=0" && stored noruns
}
promise "a table that fails stops no other, and the next run completes it" failing_table

kills() {
    configure killed WORLD && python3 - "$build" "$root" "$tap_dir" "$contract" <<'PYTHON'
import concurrent.futures, json, pathlib, subprocess, sys, time, urllib.request
build, root, work, url = sys.argv[1:]
sys.path.insert(0, f"{root}/tests/real")
import drain_check
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
template = pathlib.Path(f"{work}/killed.toml").read_text("utf-8")

def ask(world, what, post=False):
    return json.load(opener.open(urllib.request.Request(f"{url}/{world}/{what}", b"" if post else None)))

def start(options):
    vectors = f"{root}/tests/vectors/fxci"
    return subprocess.Popen([f"{build}/fxci-etl", "pulse", "drain", "--source", f"{vectors}/messages-small.ndjson",
                             "--taskdefs-from", f"{vectors}/taskdefs-pages.json", "--now", drain_check.NOW, *options],
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, encoding="utf-8")

def killed(number):
    """@return False: it ended before."""
    world, before = f"stopped-{number}", number % 2
    place = pathlib.Path(f"{work}/kills/{number}")
    place.mkdir(parents=True)
    (place / "config.toml").write_text(template.replace("WORLD", f"{url}/{world}"), "utf-8")
    options = ("--config", f"{place}/config.toml", "--store", f"{place}/store")
    ask(world, f"stop?at={number}&before={before}", post=True)
    program = start(options)
    while program.poll() is None and not ask(world, "stopped")["hanging"]:
        time.sleep(0.01)
    reached = program.poll() is None
    program.kill()
    program.communicate()
    ask(world, "go", post=True)
    again = start(options)
    said = again.communicate()[1]
    if again.returncode != 0:
        raise SystemExit(f"killed at call {number}: {said}")
    try:
        drain_check.vectors_hold(build, root, *options)
    except AssertionError as error:
        raise SystemExit(f"killed at call {number}: {error}") from error
    return reached

with concurrent.futures.ThreadPoolExecutor(3) as pool:
    reached = list(pool.map(killed, range(1, 200, 3)))
print(sum(reached), "kills")
sys.exit(sum(reached) < 20)
PYTHON
}
promise "killed at its calls and run again, it leaves each thing once" kills
sed 's/^/# /' "$tap_dir/.tap"

# State in Cloud Storage.
cloud() {
    cloud_name=$1
    shift
    timeout 200 "$build/fxci-etl" "$@" --config "$tap_dir/$cloud_name.toml" --now 2026-08-20T04:30:00Z
}
in_cloud() {
    configure cloud "$contract/cloud" && post "$gcs/storage/v1/b" '{"name": "cloud"}' || return 1
    check messages task-completed 1 400 7 >"$tap_dir/one" && check messages task-failed 401 400 7 >"$tap_dir/other" || return 1
    cloud cloud pulse drain --source "$tap_dir/one" 2>"$tap_dir/one.log" &
    in_cloud_pid=$!
    cloud cloud pulse drain --source "$tap_dir/other" 2>"$tap_dir/other.log" || { cat "$tap_dir/other.log"; return 1; }
    wait "$in_cloud_pid" || { cat "$tap_dir/one.log"; return 1; }
    cloud cloud failed list >"$tap_dir/list" && [ "$(wc -l <"$tap_dir/list")" -eq 114 ] &&
        [ "$(cut -c1-40 "$tap_dir/list" | sort -u | wc -l)" -eq 114 ] &&
        cloud cloud dump task_runs_v1 --format ndjson >"$tap_dir/rows" && [ "$(wc -l <"$tap_dir/rows")" -eq 686 ]
}
promise "two runs at once with their state in Cloud Storage keep what both have" in_cloud
cloud_again() {
    cloud cloud pulse drain --source "$vectors/messages-small.ndjson" --taskdefs-from "$vectors/taskdefs-pages.json" \
        2>"$tap_dir/cloud.log" && grep -q "tried=114 failed_again=114" "$tap_dir/cloud.log" &&
        cloud cloud failed drop --all && [ -z "$(cloud cloud failed list)" ]
}
promise "... and read what is there" cloud_again

start_bqemulator a-project "$tap_dir/buckets" || exit 1
promise "bqemulator: messages become the rows of the vectors, a second time changes nothing" \
    twice emulated "$server_url"
went_well() {
    cat "$tap_dir/$1.said"
    [ -e "$tap_dir/$1.ok" ]
}
# shellcheck disable=SC2086
wait $troubled
for world in $troubles; do
    promise "... also where the service is in trouble: $world" went_well "$world"
done
done_promising
