#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# fxci_load_dump.sh BUILD ROOT - rows of files into tables, and of tables to standard output.
set -u
fxci=$1/fxci-etl vectors=$2/tests/vectors/fxci
. "$2/tests/build/tap.sh"
cd "$tap_dir" || exit 1
unset WEIR_STORE WEIR_WAREHOUSE XDG_DATA_HOME XDG_CONFIG_HOME TMPDIR
export HOME="$tap_dir/home" WEIR_HOME="$tap_dir/weir" WEIR_NOW=2026-08-20T04:30:00Z

# prints WANT COMMAND.. - is this all that it prints?
prints() {
    printf '%s\n' "$1" >want
    shift
    "$@" >got && diff want got
}
# refuses STATUS TEXT COMMAND.. - does it exit so, with this in its message?
refuses() {
    refused_status=$1 refused_text=$2
    shift 2
    exits "$refused_status" "$@" 2>message
    refused=$?
    cat message
    [ "$refused" -eq 0 ] && grep -qF -- "$refused_text" message
}
# says TEXT COMMAND.. - does it succeed, and log this?
says() {
    said=$1
    shift
    "$@" 2>message || {
        cat message
        return 1
    }
    cat message
    grep -qF -- "$said" message
}

promise "dump of a warehouse that is not there says what makes it" \
    refuses 1 'it is made by the first pulse drain' "$fxci" dump tasks_v2
promise "and makes none" test ! -e weir

run() { # TASK RUN_ID RESOLVED
    printf '{"submission_date":"2026-08-20","task_id":"%s","run_id":%s,"resolved":"%s",' "$@"
    echo '"scheduled":"2026-08-20 01:00:00.25 UTC","state":"completed"}'
}
{
    run b 2 2026-08-20T01:02:03Z
    run b 10 2026-08-20T01:02:03.9999999Z
    run B 0 2026-08-20T03:02:03.1239+02:00
    echo
    run b 2 2026-08-20T09:00:00Z
} >runs.ndjson
promise "load stores rows, the first of a key" \
    says 'rows=4 written=3 duplicate=1' "$fxci" load task_runs_v1 runs.ndjson
row() { # DATE RESOLVED RUN TASK
    printf '{"submission_date":"%s","reason_created":null,"reason_resolved":null,' "$1"
    printf '"resolved":"%s","run_id":%s,"scheduled":"2026-08-20T01:00:00.250Z",' "$2" "$3"
    printf '"started":null,"state":"completed","task_id":"%s","worker_group":null,' "$4"
    echo '"worker_id":null}'
}
rows=$(
    row 2026-08-20 2026-08-20T01:02:03.123Z 0 B
    row 2026-08-20 2026-08-20T01:02:03.000Z 2 b
    row 2026-08-20 2026-08-20T01:02:03.999Z 10 b
)
promise "dump sorts by key, numbers by value, texts by bytes, and cuts times to milliseconds" \
    prints "$rows" "$fxci" dump task_runs_v1
promise "a table may be named with its dataset" prints "$rows" "$fxci" dump fxci_derived.task_runs_v1
promise "a view has the same rows" prints "$rows" "$fxci" dump task_runs
promise "a view may be named with its dataset" prints "$rows" "$fxci" dump fxci.task_runs
again() {
    says 'written=0 duplicate=4' "$fxci" load fxci_derived.task_runs_v1 runs.ndjson &&
        prints "$rows" "$fxci" dump task_runs_v1
}
promise "loading again changes nothing" again
days() {
    run c 0 2026-08-19T00:00:00Z | sed 's/2026-08-20/2026-08-19/' >day &&
        "$fxci" load task_runs_v1 day && prints "$rows" "$fxci" dump task_runs --date 2026-08-20 &&
        [ "$("$fxci" dump task_runs_v1 --date 2026-08-19 | wc -l)" -eq 1 ] &&
        [ "$("$fxci" dump task_runs_v1 --date 2026-08-18 | wc -l)" -eq 0 ]
}
promise "--date picks a partition" days
promise "--date must be a day" refuses 1 "'--date'" "$fxci" dump tasks_v2 --date 2026-02-30
promise "a table that there is not is refused, with the names of all" \
    refuses 1 'tasks_v2, task_runs_v1' "$fxci" dump nothing
promise "so it is by load, which loads no views" refuses 1 'there is no table tasks' \
    "$fxci" load tasks runs.ndjson
promise "bills are for load-billing" refuses 1 load-billing "$fxci" load gcp_billing runs.ndjson
promise "load needs both words" refuses 2 FILE "$fxci" load tasks_v2
promise "a file that is not there is named" refuses 1 none.ndjson \
    "$fxci" load tasks_v2 none.ndjson

# Faults: file, line and column are told, and nothing is stored.
fault() { # TEXT ROW
    run new 0 2026-08-20T01:02:03Z >faulty && printf '%s\n' "$2" >>faulty &&
        refuses 1 "faulty, line 2: $1" "$fxci" load task_runs_v1 faulty &&
        ! "$fxci" dump task_runs_v1 | grep -q '"new"'
}
promise "integers are integers" fault 'run_id is not an integer' '{"task_id":"x","run_id":1.5}'
promise "integers are of 64 bits" fault 'run_id is not an integer' \
    '{"task_id":"x","run_id":9223372036854775808}'
promise "texts are texts" fault 'state is not text' '{"task_id":"x","run_id":0,"state":5}'
promise "times are times" fault 'resolved is not a time' \
    '{"task_id":"x","run_id":0,"resolved":"2026-08-20"}'
promise "dates are dates" fault 'submission_date is not a date' \
    '{"task_id":"x","run_id":0,"submission_date":"2026-02-29"}'
promise "lines are objects" fault 'it is no JSON object' '["x"]'
promise "lines are JSON" fault 'it is no JSON object' '{"task_id":"x","run_id":0'

unknown_columns() {
    printf '%s\n' '{"task_id":"u","more":1,"tags":{"os":"linux","OS":"x"}}' \
        '{"task_id":"v","more":2}' >unknown.ndjson &&
        "$fxci" load tasks_v2 unknown.ndjson 2>message && cat message &&
        [ "$(grep -c 'no column more' message)" -eq 1 ] &&
        [ "$(grep -c 'no column tags.OS' message)" -eq 1 ] &&
        prints "$(
            printf '{"submission_date":null,"scheduler_id":null,"task_group_id":null,'
            printf '"task_id":"u","task_queue_id":null,"tags":{"created_for_user":null,'
            printf '"kind":null,"label":null,"os":"linux","owned_by":null,"project":null,'
            printf '"trust_domain":null,"worker_implementation":null,"test_suite":null,'
            printf '"test_platform":null,"test_variant":null}}\n'
            printf '{"submission_date":null,"scheduler_id":null,"task_group_id":null,'
            printf '"task_id":"v","task_queue_id":null,"tags":{"created_for_user":null,'
            printf '"kind":null,"label":null,"os":null,"owned_by":null,"project":null,'
            printf '"trust_domain":null,"worker_implementation":null,"test_suite":null,'
            printf '"test_platform":null,"test_variant":null}}\n'
        )" "$fxci" dump tasks_v2
}
promise "unknown columns are warned of once; tags that are absent are null" unknown_columns
promise "fields of tags are texts" refuses 1 'tags.os is not text' \
    sh -c "echo '{\"task_id\":\"w\",\"tags\":{\"os\":1}}' >tags; '$fxci' load tasks_v2 tags"

json_columns() {
    printf '%s\n' '{"taskId":"j","extra":{"big":123456789012345678901234567890,"x":1.50E-400},
        ' | tr -d '\n' >definitions &&
        printf '%s\n' '"metadata":"text","payload":[1, 2],"tags":null,"routes":["a","é"]}' \
            >>definitions &&
        "$fxci" load task_definitions_v1 definitions && "$fxci" dump task_definitions >got &&
        grep -qF '"extra":{"big":123456789012345678901234567890,"x":1.50E-400}' got &&
        grep -qF '"metadata":"text","payload":[1,2]' got && grep -qF '"tags":null' got &&
        grep -qF '"routes":["a","\u00e9"]' got && grep -qF '"dependencies":[]' got
}
promise "JSON columns keep what they hold, lists that are absent are empty" json_columns

costs() {
    "$fxci" load worker_costs_v1 "$vectors/history-worker-costs.ndjson" &&
        "$fxci" load worker_usage_v1 "$vectors/history-worker-usage.ndjson" &&
        says 'written=0 duplicate=8' "$fxci" load worker_costs_v1 \
            "$vectors/history-worker-costs.ndjson" &&
        "$fxci" dump worker_costs_v1 >got && [ "$(wc -l <got)" -eq 8 ] &&
        sed -n 's/.*usage_start_date":"\([^"]*\)","cloud_provider":\(null\|"aws\|"azure\).*/\1 \2/p' \
            got >order && sort got | cut -c1-32 >sorted && cut -c1-32 got | diff - sorted
}
promise "keys with null are keys" costs

# Any column may be absent, a key's too, and absent equals null.
absent_keys() {
    printf '%s\n' '{"submission_date":"2026-08-19","project":"p","zone":"z","instance_id":"1","uptime":7}' \
        '{"submission_date":"2026-08-19","project":"p","zone":"z","instance_id":"2"}' \
        '{"instance_id":"1","zone":"z","project":"p","interval_start_time":null,"uptime":8}' >metrics &&
        WEIR_HOME="$tap_dir/absent" says 'rows=3 written=2 duplicate=1' "$fxci" load worker_metrics_v1 metrics &&
        WEIR_HOME="$tap_dir/absent" says 'worker_usage_v1 date=2026-08-19 rows=2' \
            "$fxci" derive --date 2026-08-19 &&
        WEIR_HOME="$tap_dir/absent" "$fxci" dump worker_usage_v1 | grep -q '"instance_id":"1",.*"uptime":7.0,' &&
        echo '{"state":"x"}' >runs && WEIR_HOME="$tap_dir/absent" "$fxci" load task_runs_v1 runs &&
        WEIR_HOME="$tap_dir/absent" says 'rows=1 written=0 duplicate=1' "$fxci" load task_runs_v1 runs
}
promise "a key may lack columns" absent_keys

# What DuckDB lays out for a new file is larger than this.
full_disk() {
    (
        ulimit -f 8
        export WEIR_HOME="$tap_dir/full"
        refuses 1 'create' "$fxci" load task_runs_v1 runs.ndjson
    ) && [ ! -e full/warehouse.duckdb ] && [ ! -e full/warehouse.duckdb.new ] &&
        WEIR_HOME="$tap_dir/full" says 'written=3' "$fxci" load task_runs_v1 runs.ndjson
}
promise "a full disk leaves no warehouse that never opens" full_disk

formats() {
    printf '%s\n' '{"usage_start_date":"2026-08-19","name":"a,\"b\"\n","zone":"","total_cost":0.1}' \
        '{"usage_start_date":"2026-08-19","name":"é","total_cost":1e20}' >quoted &&
        WEIR_HOME=$tap_dir/csv "$fxci" load worker_costs_v1 quoted &&
        WEIR_HOME=$tap_dir/csv "$fxci" dump worker_costs_v1 --format csv >out.csv &&
        {
            printf 'usage_start_date,cloud_provider,project,name,zone,instance_id,total_cost\r\n'
            printf '2026-08-19,,,"a,""b""\n","",,0.1\r\n2026-08-19,,,é,,,1e+20\r\n'
        } | diff - out.csv
}
promise "CSV is quoted where it must be, null is nothing" formats
round_trip() {
    for table in worker_costs_v1 worker_usage_v1 task_runs_v1 tasks_v2; do
        "$fxci" dump "$table" --format csv >all.csv && gzip -c all.csv >packed &&
            WEIR_HOME=$tap_dir/second "$fxci" load "$table" packed &&
            WEIR_HOME=$tap_dir/second "$fxci" dump "$table" --format csv | diff all.csv - || return 1
    done
}
promise "what dump wrote as CSV, load reads, packed or not, by its content" round_trip
long_csv() {
    { printf 'task_id,run_id,state\r\n' && printf 'long,0,"a\n""%03000000d"\r\n' 0; } >long.csv &&
        echo task_id,run_id >head.csv &&
        WEIR_HOME=$tap_dir/long says 'rows=0' "$fxci" load task_runs_v1 head.csv &&
        WEIR_HOME=$tap_dir/long "$fxci" load task_runs_v1 long.csv &&
        WEIR_HOME=$tap_dir/long "$fxci" dump task_runs_v1 | grep -q '"state":"a\\n\\"000*","task_id"'
}
promise "CSV may have long lines with newlines in them, or none behind its header" long_csv
bad_csv() {
    printf 'task_id,run_id\na,0\nb,x\n' >bad.csv &&
        refuses 1 'bad.csv, row 2: run_id is not an integer' "$fxci" load task_runs_v1 bad.csv
}
promise "a fault in CSV is told by its row" bad_csv
people() {
    "$fxci" dump worker_usage --format table >got && head -n 1 got | grep -q '^usage_start_date  ' &&
        ! grep -q ' $' got && "$fxci" dump tasks --format table | grep -q '…$'
}
promise "a table is for people: aligned, wide values cut" people
empty() {
    prints "usage_start_date  cloud_provider  project  zone  instance_id  uptime  attribution_method" \
        "$fxci" dump worker_usage_v1 --format table --date 2000-01-01 &&
        "$fxci" dump worker_usage_v1 --date 2000-01-01 >got && [ ! -s got ]
}
promise "no rows are no rows" empty
nothing_left() {
    mkdir temp && TMPDIR=temp "$fxci" load tasks_v2 all.csv && [ -z "$(ls temp)" ]
}
promise "nothing is left in the temporary folder" nothing_left

done_promising
