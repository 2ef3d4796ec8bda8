#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# fxci_drain.sh BUILD ROOT - `pulse drain` from RabbitMQ over TLS, with definitions from a server as strict
# as Taskcluster's queue: what becomes of messages, when it ends, what it needs, two at once.
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

vectors=$root/tests/vectors/fxci
start_server taskcluster_contract /ready/log http \
    python3 "$root/tests/real/taskcluster_contract.py" PORT "$vectors/taskdefs-pages.json" || exit 1
taskcluster=$server_url
mq=$tap_dir/mq
mkdir -p "$mq"
start_rabbitmq "$mq" fxci-etl some-secret || exit 1
export PULSE_HOST=localhost PULSE_PORT="$server_plain_port" PULSE_USER=admin PULSE_PASSWORD=some-secret
kinds="completed failed exception defined"
prefix=exchange/taskcluster-queue/v1

check() {
    python3 "$root/tests/real/drain_check.py" "$@"
}
pulse() {
    timeout 120 "$build/pulse-tool" "$@"
}
publish() {
    check messages "$@" | pulse publish
}

# configure NAME [LINE...] - lines of [pulse] may be given again: the first of a key counts.
configure() {
    configure_file=$tap_dir/$1.toml
    shift
    {
        echo "[pulse]"
        {
            for configure_line; do echo "$configure_line"; done
            printf '%s\n' 'user = "fxci-etl"' 'password = "some-secret"' 'host = "localhost"' \
                "port = $server_port" "caFile = \"$mq/certs/ca.crt\""
        } | awk '!seen[$1]++'
        printf '%s\n' "[taskcluster]" "rootUrl = \"$taskcluster/plain\""
    } >"$configure_file"
}

# drain NAME HOME [OPTION...] - with the configuration NAME; its log goes to $tap_dir/HOME.log.
drain() {
    drain_name=$1 drain_home=$2
    shift 2
    timeout 300 "$build/fxci-etl" pulse drain --config "$tap_dir/$drain_name.toml" \
        --warehouse "duckdb://$tap_dir/$drain_home.duckdb" --store "$tap_dir/$drain_home" \
        --now 2026-08-20T04:30:00Z "$@" >"$tap_dir/$drain_home.out" 2>"$tap_dir/$drain_home.log" || {
        drain_status=$?
        cat "$tap_dir/$drain_home.log"
        return "$drain_status"
    }
}
# stored COMMAND WHAT HOME - a check of what lies in HOME.
stored() {
    check "$1" "$build" "$2" --warehouse "duckdb://$tap_dir/$3.duckdb" --store "$tap_dir/$3"
}
listed() {
    "$build/fxci-etl" failed list --store "$tap_dir/$1"
}
# say HOME TEXT - does the log?
say() {
    grep -qF -- "$2" "$tap_dir/$1.log" || {
        cat "$tap_dir/$1.log"
        return 1
    }
}
n_of() {
    pulse count "queue/fxci-etl/task-$1" | cut -d' ' -f2
}
# empty - all queues are.
empty() {
    for empty_kind in $kinds; do
        pulse count "queue/fxci-etl/task-$empty_kind" >"$tap_dir/count" || return 1
        grep -q ' 0 0$' "$tap_dir/count" || { sleep 0.5; pulse count "queue/fxci-etl/task-$empty_kind"; } |
            grep ' 0 0$' || return 1
    done
}

configure plain
promise "queues that are not there are made" drain plain first
bindings() {
    rabbitmqctl_in "$mq" --no-table-headers list_queues name durable auto_delete arguments |
        sort >"$tap_dir/got"
    for kind in completed defined exception failed; do
        printf 'queue/fxci-etl/task-%s\ttrue\tfalse\t[]\n' "$kind"
    done | diff - "$tap_dir/got" || return 1
    rabbitmqctl_in "$mq" --no-table-headers list_bindings source_name destination_name routing_key |
        grep "^exchange" | sort >"$tap_dir/got"
    for kind in completed defined exception failed; do
        printf '%s/task-%s\tqueue/fxci-etl/task-%s\t#\n' "$prefix" "$kind" "$kind"
    done | diff - "$tap_dir/got"
}
promise "... durable, without arguments, bound to all keys" bindings

# The time budget: a queue of somebody else that is read slowly, beside all that follows.
configure slow 'user = "admin"' 'batchMessages = 1' 'queueMinutes = 1'
begin_slow() {
    pulse queue queue/admin/task-completed durable &&
        pulse bind queue/admin/task-completed "$prefix/task-completed" && publish task-completed 0 3000 &&
        pulse purge queue/fxci-etl/task-completed
}
promise "a queue with too much for its time" begin_slow
timeout 150 "$build/fxci-etl" pulse drain --config "$tap_dir/slow.toml" --warehouse "duckdb://$tap_dir/slow.duckdb" \
    --store "$tap_dir/slow" >"$tap_dir/slow.out" 2>"$tap_dir/slow.log" &
slow_pid=$!
slow_begun=$(date +%s)

# A day.
day() {
    pulse publish "$vectors/messages-small.ndjson" && drain plain first && check counts "$tap_dir/first.log" &&
        say first "total taken=61 " && stored vectors "$root" first && empty
}
promise "a day of all four queues becomes the rows of the vectors" day
again() {
    pulse publish "$vectors/messages-small.ndjson" 2 && drain plain first && check counts "$tap_dir/first.log" &&
        say first "total taken=122 " && say first "tasks_written=0" && say first "runs_written=0" &&
        say first "definitions_written=0" && stored vectors "$root" first && empty
}
promise "the same messages again, and twice, change nothing" again
bodies() {
    printf '\377\376{"a' | pulse raw "$prefix/task-failed" bytes application/octet-stream &&
        printf '{"status":' | pulse raw "$prefix/task-completed" cut application/json &&
        printf '' | pulse raw "$prefix/task-exception" none '' &&
        check messages task-completed 5 1 | sed 's/.*"payload":\(.*\)}$/\1/' | pulse raw "$prefix/task-completed" typeless '' &&
        drain plain bodies && check counts "$tap_dir/bodies.log" && say bodies "total taken=4 runs=1 ids=0 ignored=0 failed=3" &&
        listed bodies >"$tap_dir/list" && cat "$tap_dir/list" && [ "$(wc -l <"$tap_dir/list")" -eq 3 ] &&
        grep -qF '"routing_key":"bytes","table":null' "$tap_dir/list" &&
        grep -qF '"body":{"base64":"//57ImE=","content_type":"application/octet-stream"}' "$tap_dir/list" &&
        grep -qF '"base64":"eyJzdGF0dXMiOg=="' "$tap_dir/list" && grep -qF '"base64":""' "$tap_dir/list" &&
        stored rows 1 bodies && empty && drain plain bodies && say bodies "tried=3 failed_again=3"
}
promise "bodies that are no JSON or no text are kept, one without a type is read" bodies

several() {
    publish task-completed 7 1 && publish task-failed 7 1 && publish task-exception 7 1 && publish task-completed 8 30 &&
        PULSE_USER=fxci-etl PULSE_PORT=$server_port PULSE_CA_FILE=$mq/certs/ca.crt \
            "$build/tests/real/broker_steps" open take 20 close && drain plain twice &&
        say twice "runs_written=31 runs_duplicate=2" && grep -q "redelivered=[1-9]" "$tap_dir/twice.log" &&
        stored rows 31 twice
}
promise "messages on several queues, and delivered before, are stored once" several

# What is refused.
wrong_password() {
    configure wrong 'password = "a-wrong-secret"' && publish task-completed 1 3 && ! drain wrong refused &&
        say refused "log in" && ! grep -q "a-wrong-secret" "$tap_dir/refused.log" && [ "$(n_of completed)" -eq 3 ]
}
promise "a wrong password is an error, and is not told" wrong_password
wrong_ca() {
    make_certificate "$tap_dir/other" && configure other "caFile = \"$tap_dir/other/public.crt\"" &&
        ! drain other refused && say refused "not trusted" && [ "$(n_of completed)" -eq 3 ]
}
promise "a certificate of another CA is an error" wrong_ca
unreadable() {
    mkdir -p "$tap_dir/blocked.duckdb" && ! drain plain blocked && [ "$(n_of completed)" -eq 3 ] &&
        head -c 20000 /dev/urandom >"$tap_dir/noise.duckdb" && ! drain plain noise && [ "$(n_of completed)" -eq 3 ] &&
        ! grep -q "draining" "$tap_dir/noise.log"
}
promise "a warehouse that is none leaves the queues alone" unreadable
read_only_state() {
    printf x >"$tap_dir/nostate" && ! drain plain nostate && [ "$(n_of completed)" -eq 3 ]
}
promise "so does a state that is out of reach" read_only_state
promise "nothing was lost" drain plain refused
promise "... and each is there once" stored rows 3 refused

# Ends.
terminated() {
    publish task-completed 1 20000 || return 1
    configure small 'batchMessages = 200'
    drain small term &
    terminated_pid=$!
    for _ in $(seq 200); do
        [ "$(n_of completed)" -lt 19000 ] && break
        sleep 0.05
    done
    terminated_child=$(pgrep -f -- "fxci-etl pulse drain --config $tap_dir/small.toml" | tail -n 1)
    kill -TERM "$terminated_child" && wait "$terminated_pid" || return 1
    check counts "$tap_dir/term.log" && terminated_left=$(n_of completed) &&
        terminated_taken=$(sed -n 's/.*total taken=\([0-9]*\) .*/\1/p' "$tap_dir/term.log") &&
        echo "$terminated_taken taken, $terminated_left left" && [ "$terminated_left" -gt 0 ] &&
        [ $((terminated_taken + terminated_left)) -eq 20000 ] && stored rows "$terminated_taken" term &&
        say term "left=$terminated_left"
}
promise "TERM: the batch is finished, the rest stays, exit 0" terminated
goes_on() {
    drain plain term && check counts "$tap_dir/term.log" && stored rows 20000 term && empty
}
promise "... and the next run takes it" goes_on

# inflow HOME - 50 messages a second arrive while it drains; it must end, with few left.
inflow() {
    python3 -c 'import subprocess, sys, time
lines = subprocess.run([sys.executable, *sys.argv[1:]], stdout=subprocess.PIPE, check=True).stdout.splitlines(True)
try:
    for line in lines:
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()
        time.sleep(0.02)
except BrokenPipeError:
    pass' "$root/tests/real/drain_check.py" messages task-completed 1000 1500 | pulse publish >/dev/null 2>&1 &
    inflow_pid=$!
    inflow_begun=$(date +%s)
    drain plain "$1"
    inflow_status=$?
    inflow_took=$(($(date +%s) - inflow_begun))
    inflow_left=$(n_of completed)
    kill "$inflow_pid" 2>/dev/null
    wait "$inflow_pid"
    cat "$tap_dir/$1.log"
    echo "$inflow_took s, $inflow_left left"
    pulse purge queue/fxci-etl/task-completed
    [ "$inflow_status" -eq 0 ] && [ "$inflow_took" -le 20 ] && [ "$inflow_left" -lt 500 ]
}
inflow_goal() {
    publish task-completed 1 500 && inflow flow && say flow "ready=5"
}
promise "a steady inflow ends, at 1.1 times what was there" inflow_goal
promise "... also where nothing was there" inflow flow0

flood() {
    publish task-completed 1 10 && check messages task-completed 100 6000 >"$tap_dir/flood.messages" || return 1
    pulse publish "$tap_dir/flood.messages" &
    drain plain flood && wait $! && cat "$tap_dir/flood.log" &&
        flood_taken=$(sed -n 's/.*total taken=\([0-9]*\) .*/\1/p' "$tap_dir/flood.log") && drain plain flood &&
        stored rows 6010 flood && [ "$flood_taken" -gt 5 ]
}
promise "what arrives meanwhile is not lost" flood

# Two at once, one of which finds the warehouse held.
two_at_once() {
    publish task-completed 1 6000 97 && publish task-exception 4000 3000 89 || return 1
    check hold "$tap_dir/pair.duckdb" 3 >/dev/null &
    hold_pid=$!
    sleep 0.5
    drain small pair &
    two_pid=$!
    timeout 300 "$build/fxci-etl" pulse drain --config "$tap_dir/plain.toml" \
        --warehouse "duckdb://$tap_dir/pair.duckdb" --store "$tap_dir/pair" --now 2026-08-20T04:30:00Z \
        2>"$tap_dir/other.log" || { cat "$tap_dir/other.log"; return 1; }
    wait "$two_pid" && wait "$hold_pid" || return 1
    check counts "$tap_dir/pair.log" && check counts "$tap_dir/other.log" && cat "$tap_dir/pair.log" "$tap_dir/other.log"
}
promise "two at once end well, also when the warehouse was held" two_at_once
pair_stored() {
    empty && drain plain pair && check messages task-completed 1 6000 97 >"$tap_dir/sent" &&
        check messages task-exception 4000 3000 89 >>"$tap_dir/sent" && listed pair >"$tap_dir/list" &&
        python3 - "$tap_dir/sent" "$tap_dir/list" >"$tap_dir/n" <<'PYTHON' || return 1
import json, sys
sent = [json.loads(line) for line in open(sys.argv[1])]
failing = sorted(m["routingKey"] + m["exchange"] for m in sent if m["payload"]["status"]["runs"] == 17)
kept = sorted(e["routing_key"] + e["exchange"] for e in map(json.loads, open(sys.argv[2])))
assert kept == failing, (len(kept), len(failing))
print(len({m["payload"]["status"]["taskId"] for m in sent if m["payload"]["status"]["runs"] != 17}))
PYTHON
    stored rows "$(cat "$tap_dir/n")" pair
}
promise "... each row and each failed event is there once" pair_stored

# Much.
much() {
    check messages task-completed 1 100000 >"$tap_dir/much.messages" && pulse publish "$tap_dir/much.messages" || return 1
    check run 300 "$build/fxci-etl" pulse drain --config "$tap_dir/plain.toml" \
            --warehouse "duckdb://$tap_dir/much.duckdb" --store "$tap_dir/much.state" \
            2>"$tap_dir/much.log"
    much_status=$?
    tail -n 1 "$tap_dir/much.log" && [ "$much_status" -eq 0 ] && grep "drained queue=task-completed" "$tap_dir/much.log" &&
        grep -q "near its limit" "$tap_dir/much.log" && check counts "$tap_dir/much.log" && stored rows 100000 much && empty
}
promise "100,000 messages are drained in less than 300 MiB" much
sed 's/^/# /' "$tap_dir/.tap"

budget() {
    wait "$slow_pid" || { cat "$tap_dir/slow.log"; return 1; }
    budget_took=$(($(date +%s) - slow_begun))
    cat "$tap_dir/slow.log"
    grep -q "the time for a queue is used up queue=task-completed left=[1-9]" "$tap_dir/slow.log" &&
        [ "$budget_took" -ge 55 ] && check counts "$tap_dir/slow.log"
}
promise "a queue that takes too long is left for the next run" budget

# Other queues go on.
transient() {
    configure short 'durable = false' && ! drain short short && say short "durable" &&
        for kind in $kinds; do pulse delete "queue/fxci-etl/task-$kind" || return 1; done &&
        drain short short && sleep 0.5 && exits 4 pulse count queue/fxci-etl/task-completed
}
promise "queues that are not durable go with the run" transient
no_exchange() {
    rabbitmqctl_in "$mq" eval "rabbit_exchange:delete(rabbit_misc:r(<<\"/\">>, exchange, <<\"$prefix/task-failed\">>), false, <<\"test\">>)." &&
        drain plain missing
    publish task-exception 1 5 && ! drain plain missing && say missing "$prefix/task-failed" && stored rows 5 missing
}
promise "an exchange that is missing is told, and stops no other queue" no_exchange
done_promising
