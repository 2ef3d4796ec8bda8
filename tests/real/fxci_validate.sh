#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# fxci_validate.sh BUILD ROOT - `fxci-etl validate --online` against a broker, a bucket, BigQuery and stand-ins
# for Taskcluster and Cloud Monitoring: all there, and then each of them missing.
set -u
build=$1 root=$2
. "$root/tests/build/tap.sh"
. "$root/tests/real/servers.sh"
unset GOOGLE_APPLICATION_CREDENTIALS GCE_METADATA_HOST STORAGE_EMULATOR_HOST WEIR_STORE WEIR_WAREHOUSE
HOME=$tap_dir/nobody
export HOME WEIR_HOME="$tap_dir/home"
vectors=$root/tests/vectors/fxci

start_server taskcluster_contract /ready/log http \
    python3 "$root/tests/real/taskcluster_contract.py" PORT "$vectors/taskdefs-pages.json" || exit 1
taskcluster=$server_url/validate
start_server monitoring_contract /ready/log http \
    python3 "$root/tests/real/monitoring_contract.py" PORT "$vectors/timeseries-response.json" || exit 1
monitoring=$server_url/open-validate
mkdir -p "$tap_dir/gcs/state-bucket"
start_fake_gcs "$tap_dir/gcs" || exit 1
storage=$server_url
start_bigquery_emulator a-project || exit 1
bigquery=$server_url
mkdir -p "$tap_dir/mq"
start_rabbitmq "$tap_dir/mq" fxci-etl some-secret || exit 1
pulse=$server_port
nowhere=http://127.0.0.1:$(free_port) || exit 1

cat >"$tap_dir/good.toml" <<TOML
[bigquery]
project = "a-project"
dataset = "fxci_derived"
endpoint = "$bigquery"
[storage]
project = "a-project"
bucket = "state-bucket"
endpoint = "$storage"
[pulse]
user = "fxci-etl"
password = "some-secret"
host = "localhost"
port = $pulse
caFile = "$tap_dir/mq/certs/ca.crt"
[monitoring]
endpoint = "$monitoring"
[taskcluster]
rootUrl = "$taskcluster"
TOML

# validate CONFIG [OPTION...]
validate() {
    validate_config=$1
    shift
    timeout 300 "$build/fxci-etl" validate --online --config "$tap_dir/$validate_config.toml" "$@" \
        >"$tap_dir/out" 2>"$tap_dir/err"
    validate_status=$?
    cat "$tap_dir/out" "$tap_dir/err"
    return "$validate_status"
}
has() {
    grep -q -- "$1" "$tap_dir/out"
}

all_there() {
    validate good && ! has FAILED && has '^ok  *warehouse bigquery://a-project/fxci_derived$' &&
        has '^ok  *table fxci_derived.tasks_v2: not there yet$' && has '^ok  *state gs://state-bucket: ' &&
        has '^ok  *queue queue/fxci-etl/task-defined: not there yet$' &&
        has "^ok  *Taskcluster $taskcluster\$" && has '^ok  *Cloud Monitoring: ' && ! grep -r secret "$tap_dir/out" "$tap_dir/err"
}
promise "where everything is there, all is ok" all_there
nothing_left() {
    ! find "$tap_dir/gcs/state-bucket" -name '*probe*' | grep .
}
promise "the state bucket is as it was" nothing_left

# queues FORMAT - what report queues says.
queues() {
    "$build/fxci-etl" -q report queues --config "$tap_dir/good.toml" --format "$1"
}
no_queues() {
    queues csv >"$tap_dir/out" && printf '%s\r\n' queue,ready,consumers queue/fxci-etl/task-completed,, \
        queue/fxci-etl/task-failed,, queue/fxci-etl/task-exception,, queue/fxci-etl/task-defined,, |
        tr -d '\r' >"$tap_dir/want" && tr -d '\r' <"$tap_dir/out" | diff "$tap_dir/want" -
}
promise "queues that nobody made yet have no numbers" no_queues

with_queues() {
    "$build/fxci-etl" -q pulse drain --config "$tap_dir/good.toml" --warehouse "duckdb://$tap_dir/w.duckdb" &&
        "$build/fxci-etl" -q derive --config "$tap_dir/good.toml" --warehouse "duckdb://$tap_dir/w.duckdb" &&
        validate good --warehouse "duckdb://$tap_dir/w.duckdb" &&
        has '^ok  *queue queue/fxci-etl/task-completed: 0 ready, 0 consumers$' &&
        has '^ok  *table fxci_derived.tasks_v2: there, with its columns$'
}
promise "after runs the queues and tables are there" with_queues

counted_queues() {
    PULSE_PORT=$pulse PULSE_USER=fxci-etl PULSE_PASSWORD=some-secret PULSE_CA_FILE=$tap_dir/mq/certs/ca.crt
    export PULSE_PORT PULSE_USER PULSE_PASSWORD PULSE_CA_FILE
    printf '%s' '{}' | env "PULSE_USER=admin" "$build/pulse-tool" raw exchange/taskcluster-queue/v1/task-failed k application/json 3 &&
        queues json >"$tap_dir/out" && has '^{"queue":"queue/fxci-etl/task-completed","ready":0,"consumers":0}$' &&
        has '^{"queue":"queue/fxci-etl/task-failed","ready":3,"consumers":0}$' &&
        queues json | diff "$tap_dir/out" - && queues table | grep -q '^queue/fxci-etl/task-failed  *3  *0$'
}
promise "report queues counts what waits, and takes nothing" counted_queues

# broken NAME SED-SCRIPT LINE - with this change, exactly this line has failed.
broken() {
    sed "$2" "$tap_dir/good.toml" >"$tap_dir/$1.toml"
    ! validate "$1" --warehouse "duckdb://$tap_dir/w.duckdb" && has "^FAILED $3" &&
        ! grep -v "^FAILED $3" "$tap_dir/out" | grep FAILED && ! grep some-secret "$tap_dir/out"
}
promise "a wrong password is told" broken password 's/some-secret/other/' 'queue queue/fxci-etl/task-'
promise "a broker nobody vouches for is told" broken ca '/^caFile/d' 'queue queue/fxci-etl/task-'
promise "a bucket that is not there is told" broken bucket 's/"state-bucket"/"no-such-bucket"/' 'state gs://no-such-bucket'
promise "a root URL where nobody answers is told" broken root "s|^rootUrl.*|rootUrl = \"$nowhere\"|" 'Taskcluster '

promise "a table with other columns is told" broken columns \
    's/^\[storage\]/[bigquery.tables]\ntasks = "task_runs_v1"\n[storage]/' 'table fxci_derived.task_runs_v1: '
done_promising
