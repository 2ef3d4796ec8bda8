#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# warehouse_contract.sh BUILD ROOT - the warehouse on BigQuery as the public reference describes it,
# in good and in bad times. Each promise has a world of its own on the contract server.
set -u
build=$1 root=$2
. "$root/tests/build/tap.sh"
. "$root/tests/real/servers.sh"

start_server bigquery_contract /ready/ http \
    python3 "$root/tests/real/bigquery_contract.py" PORT || exit 1

# step WORLD STEP [CREDENTIALS]
step() {
    world=$1 step=$2
    shift 2
    TMPDIR=$tap_dir "$build/tests/real/warehouse_steps" "$step" bigquery://a-project/main "$server_url/$world" "$@"
}

# refused TEXT WORLD STEP - the step fails, and says so.
refused() {
    refused_text=$1
    shift
    step "$@" >"$tap_dir/said" && return 1
    cat "$tap_dir/said"
    grep -qF "$refused_text" "$tap_dir/said"
}

with_token() {
    cat >"$tap_dir/user.json" <<JSON
{"type": "authorized_user", "client_id": "id", "client_secret": "hush", "refresh_token": "hush",
 "token_uri": "$server_url/$1/token"}
JSON
    step "$1" "$2" "$tap_dir/user.json"
}

# An answer's own table is gone afterwards.
huge_answer() {
    step huge-short pages || return 1
    left=$(python3 -c 'import sys, urllib.request as u
print(u.build_opener(u.ProxyHandler({})).open(sys.argv[1]).read().decode())' \
        "$server_url/huge-short/bigquery/v2/projects/a-project/datasets/main/tables")
    echo "$left"
    [ "$left" = '{"totalItems": 0}' ]
}

promise "rows of every type come back, and a table is replaced" step plain rows
promise "a date is replaced, and no other" step plain2 partitions
promise "answers are read page by page" step short pages
promise "an answer beyond BigQuery's own limit goes through a table" huge_answer
promise "an upload of several chunks arrives whole" step plain3 many
promise "chunks that arrive in part are continued" step halfway many
promise "a connection that breaks in an upload is no harm" step breaks many
promise "a session that is forgotten is begun anew" step gone partitions
promise "rows are loaded once when the answer is lost" step lost append
promise "jobs that take time are waited for" step slow rows
promise "what is called too often waits" step ratelimit append
promise "a job that failed by no fault of ours is run again" step backend append
promise "jobs outside of the US are found" step in-eu append
promise "a token that died is replaced" with_token token rows
promise "missing columns are added, others left alone" step plain4 columns-added
promise "other types are refused" refused 'column index is INTEGER, not STRING' plain5 columns-refused
promise "a table without partitions is refused" refused 'is not partitioned by day on day' plain6 partitions-refused
promise "long quotas are an error with their reason" refused 'quotaExceeded: Quota exceeded: your table' quota append
promise "uploads that are too large are an error" refused 'status 413, uploadTooLarge' large append
promise "rows are sent to no other server" refused 'another server' elsewhere append
promise "broken SQL is an error with its place" refused 'invalidQuery: Syntax error' plain7 broken-sql
promise "a table that is not there is absent" refused 'absent: ' plain8 absent
promise "a call without a token is refused" refused 'status 401, authError' token2-token append
done_promising
