#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# batch_contract.sh BUILD ROOT - batches on BigQuery as the public reference describes it, in good and in
# bad times. Each promise has a world of its own on the contract server.
set -u
build=$1 root=$2
. "$root/tests/build/tap.sh"
. "$root/tests/real/servers.sh"

start_server bigquery_contract /ready/ http \
    python3 "$root/tests/real/bigquery_contract.py" PORT || exit 1

# step WORLD STEP
step() {
    TMPDIR=$tap_dir "$build/tests/real/batch_steps" "$2" bigquery://a-project/main "$server_url/$1"
}

# refused TEXT WORLD STEP - the step fails, and says so.
refused() {
    refused_text=$1
    shift
    step "$@" >"$tap_dir/said" && return 1
    cat "$tap_dir/said"
    grep -qF "$refused_text" "$tap_dir/said"
}

# Staging tables are gone afterwards.
no_leftovers() {
    step "$1" "$2" || return 1
    left=$(python3 -c 'import sys, urllib.request as u
print(u.build_opener(u.ProxyHandler({})).open(sys.argv[1]).read().decode())' \
        "$server_url/$1/bigquery/v2/projects/a-project/datasets/steps/tables")
    echo "$left"
    [ "$left" = '{"totalItems": 2}' ]
}

# Two programs with the same rows at once, which share staging table and jobs.
together() {
    for together_world in pair1 pair2-slow pair3; do
        step "$together_world" once >"$tap_dir/other" &
        together_pid=$!
        step "$together_world" once
        together_status=$?
        wait "$together_pid" || together_status=1
        cat "$tap_dir/other"
        [ "$together_status" = 0 ] || return 1
    done
}

promise "the first row of a key stays, from batch to batch" step plain1 first-wins
promise "rows come back as they were, lists and records too" no_leftovers plain2 content
promise "null equals null in keys" step plain3 null-equals-null
promise "rows that are refused are found by their first byte, the others stored" step plain4 refused
promise "... by their line" step lines refused
promise "... by halves, where nobody names them" step unnamed refused
promise "a refused row without a taker is its table's failure" \
    refused 'format: a row for table steps.runs is refused' plain5 refused-without-a-taker
promise "nulls that the table does not have are refused before" step plain6 stricter
promise "a row beyond 100 MB is refused, the others stored" step plain7 large
promise "one table's failure does not stop the other" refused 'absent: ' plain8 one-fails
promise "a partition of a clustered table is replaced" step plain9 replace
promise "views are made and changed, their dataset too" refused 'Syntax error: Unexpected "SELECT n' plain10 view
promise "uploads that are too large are cut" step small once
promise "rows are stored once when answers are lost" step lost once
promise "jobs that take time are waited for" step slow content
promise "what is called too often waits" step ratelimit content
promise "a service that is unavailable is tried again" step unavailable content
promise "a quota is waited for" step quotaonce content
promise "a quota that stays is an error with its reason" refused 'quotaExceeded' quota once
promise "jobs that failed by no fault of ours are run again" step backend content
promise "tables that are not known yet are waited for" step new content
promise "a staging table that ended is made anew" step expires content
promise "a merge whose answer was lost changes nothing when it is done again" step drops once
promise "statements that meet are run again" step serialize content
promise "a table that another program made is compared" step fast content
promise "jobs outside of the US are found" step in-eu content
promise "two programs with the same rows store them once" together
promise "a batch that is killed at any call and done again is stored once" \
    python3 "$root/tests/real/batch_kills.py" "$build" "$server_url"
done_promising
