#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# fxci_drain.sh BUILD ROOT - `pulse drain` from recorded messages: what lies in the state, where messages
# come from and in which order they count, definitions that are late or bad, kills and full disks.
set -u
# Some fifty runs flush their files again and again, which is not what is tested here.
if [ -z "${TMPDIR:-}" ] && [ -w /dev/shm ]; then
    export TMPDIR=/dev/shm
fi
. "$2/tests/build/tap.sh"
etl=$1/fxci-etl
fault=$1/tests/tools/libfault-at.so
vectors=$2/tests/vectors/fxci
cd "$tap_dir" || exit 1
unset WEIR_STORE WEIR_WAREHOUSE XDG_CONFIG_HOME GOOGLE_APPLICATION_CREDENTIALS
for name in $(env | sed -n 's/^\(FXCI_ETL_[A-Z_]*\)=.*/\1/p'); do
    unset "$name"
done
export HOME="$tap_dir" WEIR_HOME="$tap_dir/home" WEIR_NOW=2026-08-20T04:30:00Z
# A program that was built with a sanitizer wants to be the first library.
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0"
state=$WEIR_HOME/buckets/fxci-etl

drain() {
    "$etl" pulse drain "$@" >.out 2>.log || {
        drain_status=$?
        cat .log
        return "$drain_status"
    }
}
dump() {
    "$etl" dump "$1" --format ndjson 2>.err || cat .err
}
listed() {
    "$etl" failed list 2>.err | sort
}
# say TEXT - did the last drain?
say() {
    grep -qF -- "$1" .log || {
        cat .log
        return 1
    }
}
is() {
    printf '%s\n' "$2" >.wanted && printf '%s\n' "$1" >.got && diff .wanted .got
}
begin() {
    rm -rf "$WEIR_HOME" && mkdir -p "$state"
}
ids='"schedulerId":"s","taskGroupId":"g","taskQueueId":"q"'
# body TASK [STATE] [RUN] - an event of a run that came to its end.
body() {
    printf '{"runId":%s,"status":{"taskId":"%s",%s,"runs":[' "${3:-0}" "$1" "$ids"
    run='{"state":"'${2:-completed}'","reasonCreated":"scheduled","reasonResolved":"r","scheduled":"2026-08-20T02:00:29.989Z","resolved":"2026-08-20T02:35:18.286Z"}'
    printf '%s' "$run"
    [ "${3:-0}" = 0 ] || printf ',%s' "$run"
    printf ']}}'
}
defined() {
    printf '{"status":{"taskId":"%s","state":"unscheduled"%s}}' "$1" "${2:+,\"expires\":\"$2\"}"
}
# message KIND BODY
message() {
    printf '{"exchange":"exchange/taskcluster-queue/v1/%s","routingKey":"k","payload":%s}\n' "$1" "$2"
}
# runs - "TASK RUN STATE" of each, one after another.
runs() {
    dump task_runs_v1 | sed 's/.*"run_id":\([0-9]*\).*"state":"\([a-z]*\)","task_id":"\([^"]*\)".*/\3 \1 \2/' |
        tr '\n' ';'
}

# What lies in the state.
body_row='{"submission_date":"2026-08-19","state":"failed","task_id":"R","run_id":7}'
old_state() {
    begin && message task-completed "$(body A)" >messages &&
        printf '[{"data":%s},{"data":[1,2]},{"data":"text"},{"data":%s},17,null,"x",[],{"other":1}]' \
            "$(body B)" "$(body A failed)" >"$state/failed-pulse-events-bigquery.json" &&
        printf '["P1","P2",3,{"a":1}]' >"$state/failed-pulse-task-ids-bigquery.json" &&
        printf '[{"index":0,"errors":[{"reason":"invalid"}]},null]' >"$state/failed-bq-records.tasks.json" &&
        printf '[{"index":4},%s]' "$body_row" >"$state/failed-bq-records.runs.json" &&
        printf '[]' >"$state/failed-bq-records.taskdefinitions.json" &&
        drain --source messages && say "taken=1 runs=1" && say "failed events of earlier runs, tried again tried=4" &&
        is "$(runs)" "A 0 completed;B 0 completed;"
}
promise "events of an earlier tool are tried after the new ones, the rest stays" old_state
old_again() {
    listed >before && [ "$(grep -c '"kind":"event"' before)" -ge 2 ] && grep -qF '"body":[1,2]' before &&
        [ "$(grep -c '"kind":"pending-id"' before)" -ge 2 ] && grep -qF '"index":4' before &&
        drain --source messages && is "$(runs)" "A 0 completed;B 0 completed;" &&
        listed | sed 's/"attempts":[0-9]*//' >after && sed 's/"attempts":[0-9]*//' before | diff - after
}
promise "nothing of it makes a later run fail" old_again

# malformed TEXT - in every object; each is moved aside where something is to be saved.
malformed() {
    begin || return 1
    for object in pulse-events-bigquery pulse-task-ids-bigquery bq-records.tasks bq-records.runs \
        bq-records.taskdefinitions definitions; do
        printf '%s' "$1" >"$state/failed-$object.json"
    done
    { message task-completed "$(body A)" && message task-failed 5 && message task-defined "$(defined D)"; } >messages
    drain --source messages && is "$(runs)" "A 0 completed;" &&
        is "$(listed | sed 's/.*"kind":"\([a-z-]*\)".*/\1/' | sort | tr '\n' ' ')" "event pending-id " &&
        drain --source messages && is "$(runs)" "A 0 completed;"
}
malformed_objects() {
    malformed '{"data":' && [ "$(find "$state" -name '*.unreadable-*' | wc -l)" -eq 6 ] && malformed ''
}
promise "objects that are no lists are moved aside" malformed_objects
promise "empty ones are empty" malformed '[]'

# An event that became mappable, and one of the same key among the new: the new one is first.
mappable() {
    begin && message task-completed "$(body A)" >messages &&
        printf '[{"exchange":"x","routing_key":"y","attempts":3,"first_seen":"2026-08-01T00:00:00Z","reason":"?","data":%s},{"data":%s},{"data":%s}]' \
            "$(body A failed)" "$(body C failed 1)" "$(defined D)" >"$state/failed-pulse-events-bigquery.json" &&
        drain --source messages && say "tried=3 failed_again=0" &&
        is "$(runs)" "A 0 completed;C 1 failed;" &&
        is "$(listed | sed 's/"id":"[0-9a-f]*",//;s/"exchange.*"body"/"body"/')" '{"kind":"pending-id","body":"D"}' &&
        is "$(cat "$state/failed-pulse-events-bigquery.json")" "[]"
}
promise "events that can be mapped now leave the failed ones, and count last" mappable

# Order and places of messages.
queues_in_order() {
    begin && {
        printf '{"exchange":"somewhere/else","routingKey":"k","payload":%s}\n' "$(body A else)"
        message task-exception "$(body A exception)"
        message task-failed "$(body A failed)"
        message task-completed "$(body A second)"
        message task-exception "$(body B exception)"
        printf '{"exchange":"somewhere/else","payload":%s}\n' "$(body B else)"
        message task-completed "$(body A third)"
        printf '{"payload":%s}\n' "$(body C none)"
    } >messages && drain --source messages && say "taken=8 runs=8" &&
        is "$(runs)" "A 0 second;B 0 exception;C 0 none;"
}
promise "messages count in the order of their queues, then of others, then of the file" queues_in_order

directory() {
    begin && rm -rf files && mkdir files && message task-completed "$(body A second)" >files/b.ndjson &&
        message task-completed "$(body A first)" | gzip -c >files/a && message task-completed "$(body B)" >files/c &&
        drain --source files && is "$(runs)" "A 0 first;B 0 completed;"
}
promise "files of a directory count by name, compressed ones too" directory

text_of_all() {
    begin && {
        printf '\n  \n{"exchange":"e","routingKey":"k","payload_base64":"%s","contentType":"text/plain"}\n' \
            "$(body A | base64 -w0)"
        printf '{"exchange":"e","routingKey":"k","payload_base64":"%s"}\n' "$(printf '\377\000{' | base64)"
        printf 'no json\n{"exchange":"e","routingKey":"k"}\n{"payload_base64":"%%"}\n[]\n{"payload":null}'
    } >messages && drain --source - <messages && say "taken=7 runs=1 ids=0 ignored=0 failed=6" &&
        is "$(runs)" "A 0 completed;" && listed >list && [ "$(wc -l <list)" -eq 6 ] &&
        grep -qF '"body":{"base64":"/wB7"' list && grep -qF '"body":{"base64":"bm8ganNvbg=="' list &&
        grep -qF 'event","exchange":null,"routing_key":null,"table":null,"reason":"the body is no object","attempts":1' list && drain --source messages && say "taken=7 runs=1 ids=0 ignored=0 failed=6" &&
        listed >again && sed 's/"attempts":1/"attempts":2/' list | diff - again
}
promise "lines that are no messages are kept, and not lost on the way" text_of_all
nothing() {
    begin && : >messages && drain --source messages && say "taken=0 runs=0" && is "$(runs)" "" && exits 1 drain --source none
}
promise "no messages are no failure, a file that is missing is" nothing
cut_gzip() {
    begin && seq 2000 | while read -r n; do message task-completed "$(body "T$n")"; done | gzip -c >whole.gz &&
        head -c $(($(wc -c <whole.gz) / 2)) whole.gz >messages && exits 1 drain --source messages &&
        [ "$(dump task_runs_v1 | wc -l)" -lt 2000 ] && drain --source whole.gz && [ "$(dump task_runs_v1 | wc -l)" -eq 2000 ]
}
promise "a file that is cut off fails, and the whole one makes up for it" cut_gzip

# Definitions.
task() {
    printf '{"taskId":"%s","task":{"created":"2026-08-20T01:00:00Z","deadline":"2026-08-21T01:00:00Z","dependencies":[],"expires":"2027-08-20T01:00:00Z","extra":{},"metadata":{"name":"n"},"payload":%s,"priority":"%s","projectId":"p","provisionerId":"v","requires":"all-completed","retries":5,"routes":[],"schedulerId":"s","scopes":[],"tags":{},"taskGroupId":"g","taskQueueId":"q","workerType":"w"}}' \
        "$1" "${3:-0}" "${2:-low}"
}
large() {
    head -c 2000000 /dev/zero | tr '\0' x
}
three_pages() {
    begin && for id in A B C D E; do message task-defined "$(defined "$id")"; done >messages && {
        printf '{"tasks":[%s,%s],"continuationToken":"t"}\n' "$(task A)" "$(task B low "\"$(large)\"")"
        printf '{"tasks":[%s,{"taskId":"C","task":{"created":null}}],"continuationToken":"u"}\n' "$(task A high)"
        printf '{"tasks":[%s,%s,%s]}\n' "$(task C)" "$(task D)" "$(task Z)"
    } >pages && drain --source messages --taskdefs-from pages && say "ids=5" &&
        dump task_definitions_v1 >rows && [ "$(wc -c <rows)" -gt 2000000 ] &&
        is "$(sed 's/.*"taskId":"\([^"]*\)".*/\1/' rows | tr '\n' ' ')" "A B D " &&
        head -n 1 rows | grep -qF '"priority":"low"' && listed >list &&
        is "$(sed 's/.*"kind":"\([a-z-]*\)".*"body":/\1 /' list | sort)" \
            'definition {"taskId":"C","task":{"created":null}}}
pending-id "E"}'
}
promise "pages are one look-up, in which the first counts; a malformed one is kept" three_pages

# The 5th run is on a day before the task expires; two more come after it.
given_up() {
    begin && message task-defined "$(defined L 2026-08-24T00:00:00Z)" >messages && : >nothing &&
        printf '{"tasks":[]}' >none && drain --source messages || return 1
    for day in 20 21 22 23 23; do
        WEIR_NOW=2026-08-${day}T04:30:00Z drain --source nothing --taskdefs-from none || return 1
    done
    listed | grep -qF '"kind":"pending-id"' && listed | grep -qF '"attempts":5' &&
        WEIR_NOW=2026-08-24T00:00:00Z drain --source nothing --taskdefs-from none &&
        listed >list && [ "$(wc -l <list)" -eq 1 ] && grep -qF '"kind":"definition"' list &&
        grep -qF '"body":{"taskId":"L","task":null}' list && drain --source nothing --taskdefs-from none &&
        listed | diff list -
}
promise "an id that nobody knows is given up after five runs and its time" given_up

# Kills: what a whole run leaves, but for attempts.
left() {
    for table in tasks_v2 task_runs_v1 task_definitions_v1; do dump "$table"; done
    listed | sed 's/"attempts":[0-9]*//;s/"reason":"[^"]*"//'
}
drain_all() {
    drain --source "$vectors/messages-small.ndjson" --taskdefs-from "$vectors/taskdefs-pages.json"
}
# drain_hurt HOW K
drain_hurt() {
    FAULT=$1 FAULT_AT=$2 FAULT_COUNT="$tap_dir/calls" LD_PRELOAD="${LD_PRELOAD:+$LD_PRELOAD:}$fault" \
        "$etl" pulse drain --source "$vectors/messages-small.ndjson" --taskdefs-from "$vectors/taskdefs-pages.json" \
        >.out 2>.log
}
whole() {
    begin && drain_hurt kill 0 && left >whole && [ "$(wc -l <whole)" -gt 60 ] && [ "$(cat calls)" -gt 50 ]
}
promise "a whole run" whole
n_calls=$(cat calls)

killed() {
    for part in 2 5 8; do
        begin
        drain_hurt kill $((n_calls * part / 10 + 1)) 2>.killed
        [ $? -eq 137 ] || return 1
        { drain_all && left | diff whole -; } || {
            echo "killed before call $((n_calls * part / 10 + 1)) of $n_calls"
            return 1
        }
    done
}
promise "a run that is killed and done again leaves the same" killed

# Where it says that all went well, all is there.
full_disk() {
    for part in 3 7; do
        begin
        status=0
        drain_hurt full $((n_calls * part / 10 + 1)) || status=$?
        [ "$status" -eq 1 ] || { [ "$status" -eq 0 ] && left | diff whole -; } || return 1
        { drain_all && left | diff whole -; } || {
            echo "full at call $((n_calls * part / 10 + 1)) of $n_calls"
            return 1
        }
    done
}
promise "so does one that finds the disk full" full_disk

two_at_once() {
    begin
    drain_hurt kill 0 &
    drain_all && wait $! && left | diff whole -
}
promise "two at once end well, each row is there once" two_at_once

# Somebody else takes the file when the tables were made, and keeps it.
not_stored() {
    begin && message task-completed "$(body A)" >messages && mkfifo feed held || return 1
    "$etl" pulse drain --lock-timeout 1 --source - <feed >.out 2>.log &
    pid=$!
    exec 8>feed
    for _ in $(seq 100); do
        [ ! -s "$WEIR_HOME/warehouse.duckdb" ] || break
        sleep 0.05
    done
    python3 -c 'import fcntl, sys
with open(sys.argv[1], "r+") as lock:
    fcntl.lockf(lock, fcntl.LOCK_EX)
    open("held", "w").close()
    open("held").close()' "$WEIR_HOME/warehouse.duckdb.lock" 8>&- &
    read -r _ <held
    cat messages >&8
    exec 8>&-
    status=0
    wait "$pid" || status=$?
    : >held
    wait
    cat .log
    [ "$status" -eq 1 ] && is "$(runs)" "" && drain --source messages && is "$(runs)" "A 0 completed;"
}
promise "what the warehouse does not take is a failure, and comes again" not_stored
done_promising
