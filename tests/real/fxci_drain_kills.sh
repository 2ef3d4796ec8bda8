#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# fxci_drain_kills.sh BUILD ROOT - `pulse drain` from RabbitMQ that is killed at any of its calls, whose disk is
# full, whose connections break, whose broker restarts: each message ends once as rows, id, ignored or failed.
set -u
build=$1 root=$2
. "$root/tests/build/tap.sh"
. "$root/tests/real/servers.sh"
for name in $(env | sed -n 's/^\(FXCI_ETL_[A-Z_]*\)=.*/\1/p'); do
    unset "$name"
done
unset WEIR_STORE WEIR_WAREHOUSE WEIR_HOME GOOGLE_APPLICATION_CREDENTIALS
HOME=$tap_dir/nobody
export HOME
# A program that was built with a sanitizer wants to be the first library.
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0"

start_server taskcluster_contract /ready/log http \
    python3 "$root/tests/real/taskcluster_contract.py" PORT "$root/tests/vectors/fxci/taskdefs-pages.json" || exit 1
taskcluster=$server_url
mq=$tap_dir/mq
mkdir -p "$mq"
start_rabbitmq "$mq" fxci-etl some-secret || exit 1
export PULSE_HOST=localhost PULSE_PORT="$server_plain_port" PULSE_USER=admin PULSE_PASSWORD=some-secret

worlds() {
    python3 - "$mq/definitions.json" >"$tap_dir/worlds.json" <<'PYTHON'
import json, sys
one = json.load(open(sys.argv[1]))
names = [f"w{i}" for i in range(8)]
json.dump({"vhosts": [{"name": name} for name in names],
           "permissions": [dict(each, vhost=name) for name in names for each in one["permissions"]],
           "exchanges": [dict(each, vhost=name) for name in names for each in one["exchanges"]]}, sys.stdout)
PYTHON
    rabbitmqctl_in "$mq" import_definitions "$tap_dir/worlds.json"
}
promise "worlds side by side" worlds
printf '%s\n' "[pulse]" 'user = "fxci-etl"' 'password = "some-secret"' 'host = "localhost"' "port = $server_port" \
    "caFile = \"$mq/certs/ca.crt\"" "[taskcluster]" "rootUrl = \"$taskcluster/plain\"" >"$tap_dir/config.toml"
sed 's/^user/batchMessages = 100\nuser/' "$tap_dir/config.toml" >"$tap_dir/small.toml"

promise "killed at any call, or without room, and run again, it leaves each thing once" \
    python3 "$root/tests/real/drain_kills.py" harm "$build" "$root" "$tap_dir" "$tap_dir/config.toml" 60
sed 's/^/# /' "$tap_dir/.tap"
promise "connections that break at any byte lose nothing" \
    python3 "$root/tests/real/drain_kills.py" cuts "$build" "$root" "$tap_dir" "$tap_dir/config.toml" 25
sed 's/^/# /' "$tap_dir/.tap"

check() {
    python3 "$root/tests/real/drain_check.py" "$@"
}
drain() {
    timeout 300 "$build/fxci-etl" pulse drain --config "$tap_dir/small.toml" --warehouse "duckdb://$tap_dir/$1.duckdb" \
        --store "$tap_dir/$1" >"$tap_dir/$1.log" 2>&1
}
n_left() {
    timeout 60 "$build/pulse-tool" count queue/fxci-etl/task-completed | cut -d' ' -f2
}
# amid HOME COMMAND... - 10,000 messages, and the command in the midst of their drain.
amid() {
    amid_home=$1
    shift
    [ -e "$tap_dir/queues.duckdb" ] || drain queues || return 1
    check messages task-completed 1 10000 500 | timeout 60 "$build/pulse-tool" publish || return 1
    drain "$amid_home" &
    amid_pid=$!
    for _ in $(seq 400); do
        [ "$(n_left)" -gt 8000 ] || break
        sleep 0.02
    done
    "$@" || return 1
    amid_status=0
    wait "$amid_pid" || amid_status=$?
    cat "$tap_dir/$amid_home.log"
}
# all_there HOME
all_there() {
    check rows "$build" 9980 --warehouse "duckdb://$tap_dir/$1.duckdb" --store "$tap_dir/$1" &&
        [ "$("$build/fxci-etl" failed list --store "$tap_dir/$1" | wc -l)" -eq 20 ] && [ "$(n_left)" -eq 0 ]
}
close_all() {
    amid closed rabbitmqctl_in "$mq" close_all_connections "maintenance is due" && [ "$amid_status" -eq 0 ] &&
        grep -q "the connection is made anew" "$tap_dir/closed.log" && check counts "$tap_dir/closed.log" && all_there closed
}
promise "a broker that closes the connections in mid-batch is asked again" close_all
stop_and_start() {
    stop_rabbitmq && start_rabbitmq "$mq" fxci-etl some-secret
}
restart() {
    amid restarted stop_and_start && [ "$amid_status" -eq 0 ] &&
        grep -q "the connection is made anew" "$tap_dir/restarted.log" && check counts "$tap_dir/restarted.log" &&
        all_there restarted
}
promise "a broker that restarts is waited for" restart

# The place of the state is gone for a while.
state_away() {
    mv "$tap_dir/away" "$tap_dir/away.kept" && printf x >"$tap_dir/away" && sleep 1.5 && rm "$tap_dir/away" &&
        mv "$tap_dir/away.kept" "$tap_dir/away"
}
no_state() {
    amid away state_away && [ "$amid_status" -eq 1 ] && [ "$(n_left)" -gt 0 ] && drain away && all_there away
}
promise "where the state cannot be saved nothing is acknowledged" no_state
limited() {
    check messages task-completed 1 10000 500 | timeout 60 "$build/pulse-tool" publish || return 1
    (ulimit -f 2000 && drain limited) && return 1
    cat "$tap_dir/limited.log"
    drain limited && all_there limited
}
promise "a file that may not grow is a failure that is made up for" limited
done_promising
