#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# fxci_failed.sh BUILD ROOT - what drain could not store is listed, tried again and dropped.
set -u
. "$2/tests/build/tap.sh"
etl=$1/fxci-etl
cd "$tap_dir" || exit 1
export WEIR_HOME="$tap_dir/home" WEIR_NOW=2026-08-20T04:30:00Z
unset WEIR_STORE WEIR_WAREHOUSE XDG_CONFIG_HOME GOOGLE_APPLICATION_CREDENTIALS
for name in $(env | sed -n 's/^\(FXCI_ETL_[A-Z_]*\)=.*/\1/p'); do
    unset "$name"
done
export HOME="$tap_dir"
state=$WEIR_HOME/buckets/fxci-etl

failed() {
    "$etl" failed "$@"
}
# lines OPTION.. - what is listed, without ids.
lines() {
    failed list "$@" 2>.log | sed 's/"id":"[0-9a-f]\{32\}",//'
}
# id_of PART - the id of the line with PART.
id_of() {
    failed list 2>.log | grep -F "$1" | sed 's/^{"id":"\([0-9a-f]*\)".*/\1/'
}
# exits STATUS TEXT COMMAND.. - and says TEXT on standard error.
exits() {
    wanted=$1 text=$2 got=0
    shift 2
    "$@" >.out 2>.err || got=$?
    cat .out .err
    [ "$got" -eq "$wanted" ] && grep -qF -- "$text" .err
}
is() {
    printf '%s\n' "$2" >.wanted && printf '%s\n' "$1" >.got && diff .wanted .got
}

nothing_yet() {
    is "$(lines)" "" && failed retry --all && failed drop --all && [ ! -e "$state" ] &&
        [ ! -e "$WEIR_HOME/warehouse.duckdb" ]
}
promise "without a state there is nothing to list, to retry or to drop" nothing_yet

run='"runs":[{"state":"completed","reasonCreated":"scheduled","reasonResolved":"completed","scheduled":"2026-08-20T02:00:29.989Z","resolved":"2026-08-20T02:35:18.286Z"}]'
ids='"schedulerId":"s","taskGroupId":"g","taskQueueId":"q"'
row='{"submission_date":"2026-08-19","reason_created":"scheduled","reason_resolved":null,"resolved":"2026-08-19T02:35:18.286000Z","run_id":7,"scheduled":"2026-08-19T02:00:29.989000Z","started":null,"state":"failed","task_id":"R","worker_group":null,"worker_id":null}'
definition='{"created":"2026-08-20T01:00:00Z","deadline":"2026-08-21T01:00:00Z","dependencies":["x"],"expires":"2027-08-20T01:00:00Z","extra":{},"metadata":{"name":"n"},"payload":{"big":123456789012345678901},"priority":"low","projectId":"p","provisionerId":"v","requires":"all-completed","retries":5,"routes":[],"schedulerId":"s","scopes":[],"tags":{},"taskGroupId":"g","taskQueueId":"q","workerType":"w"}'

# As a tool before us, and we ourselves, may have left it: one of each is good, one is not.
begin() {
    rm -rf "$WEIR_HOME" && mkdir -p "$state" &&
        printf '[{"data": {"runId": 0, "status": {"taskId": "E", %s, %s}}},\n {"data": [1]}]' \
            "$ids" "$run" >"$state/failed-pulse-events-bigquery.json" &&
        printf '[{"table":"task_runs_v1","first_seen":"2026-08-19T05:00:00Z","reason":"refused","attempts":2,"data":%s},{"index":0,"errors":[]}]' \
            "$row" >"$state/failed-bq-records.runs.json" &&
        printf '[{"data":{"taskId":"D","task":%s}},{"data":{"taskId":"M","task":{}}},{"data":{"taskId":"G","task":null}}]' \
            "$definition" >"$state/failed-definitions.json" &&
        printf '["P"]' >"$state/failed-pulse-task-ids-bigquery.json"
}

old='"exchange":null,"routing_key":null'
first='"first_seen":"2026-08-20T04:30:00.000000Z"'
unknown='"reason":"failed in an earlier tool, which kept no reason","attempts":1'
listing() {
    begin && is "$(lines --kind event | sort)" \
        "{\"kind\":\"event\",$old,\"table\":null,$unknown,$first,\"body\":[1]}
{\"kind\":\"event\",$old,\"table\":null,$unknown,$first,\"body\":{\"runId\": 0, \"status\": {\"taskId\": \"E\", $ids, $run}}}" &&
        is "$(lines --kind record)" \
            "{\"kind\":\"record\",$old,\"table\":\"task_runs_v1\",\"reason\":\"refused\",\"attempts\":2,\"first_seen\":\"2026-08-19T05:00:00.000000Z\",\"body\":$row}
{\"kind\":\"record\",$old,\"table\":\"task_runs_v1\",\"reason\":\"an error description of an earlier tool, not a row: it cannot be retried, only dropped\",\"attempts\":1,$first,\"body\":{\"index\":0,\"errors\":[]}}" &&
        is "$(lines --kind pending-id)" \
            "{\"kind\":\"pending-id\",$old,\"table\":null,\"reason\":\"its definition was not asked for yet\",\"attempts\":0,$first,\"body\":\"P\"}" &&
        is "$(lines | sed 's/.*"kind":"\([a-z-]*\)".*/\1/' | tr '\n' ' ')" \
            "event event record record definition definition definition pending-id " &&
        [ ! -e "$WEIR_HOME/warehouse.duckdb" ]
}
promise "list shows one object a line, by kind, and changes nothing" listing

ids_stay() {
    failed list >.first && WEIR_NOW=2026-08-22T00:00:00Z failed list >.second &&
        cut -c1-40 .first | sort >.a && cut -c1-40 .second | sort >.b && diff .a .b &&
        [ "$(sort -u .a | wc -l)" -eq 8 ]
}
promise "ids are stable, and one an entry" ids_stay

retry_all() {
    begin && exits 0 "done=3 failed_again=2" failed retry --all &&
        grep -qF "ids=2" .err && grep -qF "can only be dropped" .err &&
        is "$(lines | sed 's/.*"reason":"\([^"]*\)","attempts":\([0-9]*\).*/\2 \1/')" \
            "2 the body is no object
1 an error description of an earlier tool, not a row: it cannot be retried, only dropped
2 $(lines --kind definition | sed 's/.*"reason":"\([^"]*\)".*/\1/')
0 its definition was not asked for yet
0 its definition was not asked for yet" &&
        lines --kind pending-id | grep -qF '"body":"G"' &&
        lines --kind definition | grep -qF '"taskId":"M"'
}
promise "retry stores what can be stored; what fails again counts one attempt more" retry_all

# The rows are there: as messages, they are duplicates now.
rows_are_stored() {
    printf '{"exchange":"x","routingKey":"r","payload":{"runId":0,"status":{"taskId":"E",%s,%s}}}\n' \
        "$ids" "$run" >messages &&
        exits 0 "tasks_duplicate=1 runs_written=0 runs_duplicate=1" "$etl" pulse drain \
            --source messages
}
promise "what was retried is in the tables" rows_are_stored

retry_one() {
    begin && id=$(id_of '"taskId": "E"') && exits 0 "done=1 failed_again=0" failed retry "$id" &&
        [ "$(lines --kind event | wc -l)" -eq 1 ] && [ "$(lines | wc -l)" -eq 7 ]
}
promise "retry of one id leaves the others alone" retry_one

twice_the_same() {
    begin && exits 0 "done=1 failed_again=0" failed retry --kind record &&
        begin_kept=$(cat "$state/failed-bq-records.runs.json") &&
        exits 0 "done=0 failed_again=0" failed retry --kind record &&
        is "$(cat "$state/failed-bq-records.runs.json")" "$begin_kept"
}
promise "a retry without anything to do changes nothing" twice_the_same

# The second run finds what the first would have found.
killed_between() {
    begin && cp -r "$state" saved && failed retry --all && rm -r "$state" && mv saved "$state" &&
        exits 0 "done=3 failed_again=2" failed retry --all && [ "$(lines | wc -l)" -eq 5 ]
}
promise "a retry killed before the state was saved is made up for" killed_between

no_warehouse() {
    begin && failed list >.before && mkdir "$WEIR_HOME/warehouse.duckdb" &&
        exits 1 "Error:" failed retry --all && failed list >.after && diff .before .after
}
promise "without a warehouse nothing counts as tried" no_warehouse

drop_some() {
    begin && id=$(id_of '"errors":[]') && exits 0 "entries=1" failed drop "$id" "$id" &&
        ! lines | grep -qF '"errors":[]' && exits 0 "entries=2" failed drop --kind event --all &&
        is "$(cat "$state/failed-pulse-events-bigquery.json")" "[]" &&
        [ "$(lines | wc -l)" -eq 5 ] && exits 0 "entries=5" failed drop --all && is "$(lines)" ""
}
promise "drop takes out what is named, and says how many" drop_some

unknown_ids() {
    begin && id=$(id_of '"taskId": "E"') && other=00000000000000000000000000000000 &&
        exits 1 "no entry has the id $other" failed drop "$id" "$other" &&
        exits 1 "no entry has the id $other" failed retry "$id" "$other" &&
        exits 1 "no entry has the id nonsense" failed drop nonsense &&
        exits 1 "no record has the id $id" failed drop --kind record "$id" &&
        [ "$(lines | wc -l)" -eq 8 ] && lines | grep -qF '"attempts":1'
}
promise "an unknown id is an error that names it, before anything changes" unknown_ids

usage() {
    exits 2 "'--all'" failed drop && exits 2 "'--all'" failed retry &&
        exits 2 "not both" failed drop --all x && exits 2 "'--kind'" failed list --kind nothing
}
promise "drop and retry want to be told what" usage

damaged() {
    begin && printf 'oops' >"$state/failed-definitions.json" &&
        exits 0 "is no list of entries" failed list && exits 0 "done=2" failed retry --all &&
        is "$(cat "$state"/failed-definitions.json.unreadable-*)" oops &&
        is "$(cat "$state/failed-definitions.json")" "[]"
}
promise "an unreadable object is moved aside" damaged

done_promising
