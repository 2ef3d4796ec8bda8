#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# admin.sh BUILD ROOT - pings, staging and transfer on S3 and GCS, and staging from BigQuery. What comes out
# has to be what comes out of a directory.
set -u
steps=$1/tests/real/admin_steps
root=$2
. "$root/tests/build/tap.sh"
. "$root/tests/real/servers.sh"

export STORE_ACCESS_KEY=access STORE_SECRET_KEY=a-long-secret no_proxy='*'
here=$tap_dir/here
mkdir -p "$here"

# says TEXT STEP... - the step succeeds and prints it.
says() {
    said_text=$1
    shift
    TMPDIR=$tap_dir "$steps" "$@" >"$tap_dir/said" 2>&1
    said_status=$?
    cat "$tap_dir/said"
    [ "$said_status" = 0 ] && grep -qxF "$said_text" "$tap_dir/said"
}

# staged_both_ways STORE - from the store to the store and to a directory.
staged_both_ways() {
    rm -rf "$here/out"
    "$steps" stage "$1" "$1" && "$steps" stage "$1" "$here" &&
        (cd "$here/out" && find . -type f | LC_ALL=C sort) >"$tap_dir/must" &&
        [ "$(wc -l <"$tap_dir/must")" -gt 8 ]
}

# same FOLDER - a server's folder of objects is the directory.
same() {
    diff -r "$here/out" "$1"
}

start_versitygw "$tap_dir/s3" access a-long-secret || exit 1
mkdir "$tap_dir/s3/bucket"
s3="s3://bucket/p,$server_url"
promise "S3: pings are written" says 'lines=210 files=8' pings "$s3"
promise "S3: they are staged there and to a directory" staged_both_ways "$s3"
promise "S3: both have the same files" same "$tap_dir/s3/bucket/p/out"
promise "S3: staging again drops the same duplicates" says \
    "objects=8 pings=200 duplicates=10 files=$(find "$here/out" -path '*server_id=a*' -type f | wc -l)" \
    stage "$s3" "$s3"
copies=$(find "$here/out" -name 'part-*' -type f | wc -l)
promise "S3: shares are transferred" says "copied=$copies kept=0 deleted=0" transfer "$s3"
promise "S3: what is there with the same contents is kept" says "copied=0 kept=$copies deleted=0" transfer "$s3"
stop_server "$server_pid"

start_fake_gcs "$tap_dir/gcs" || exit 1
mkdir "$tap_dir/gcs/bucket"
gcs="gs://bucket/p,${server_url#http://}"
promise "GCS: pings are written" says 'lines=210 files=8' pings "$gcs"
promise "GCS: they are staged there and to a directory" staged_both_ways "$gcs"
promise "GCS: both have the same files" same "$tap_dir/gcs/bucket/p/out"
promise "GCS: shares are transferred" says "copied=$(find "$here/out" -name 'part-*' -type f | wc -l) kept=0 deleted=0" transfer "$gcs"
stop_server "$server_pid"

rm -rf "$here"
mkdir "$here"
start_bigquery_emulator a-project || exit 1
promise "BigQuery: a day's rows are staged" says 'objects=0 pings=1 duplicates=1 files=1' \
    table bigquery://a-project "$server_url" "$here"
stop_server "$server_pid"

start_bqemulator a-project "$tap_dir/buckets" || exit 1
mkdir -p "$tap_dir/buckets/bucket"
promise "BigQuery: a large day is exported, staged and cleared away" says \
    'objects=1 pings=1 duplicates=1 files=1' \
    table bigquery://a-project "$server_url" "$here" "$tap_dir/buckets/bucket" gs://bucket/export
promise "BigQuery: nothing of the export is left" [ ! -e "$tap_dir/buckets/bucket/export" ]
stop_server "$server_pid"

mkdir "$tap_dir/files"
printf '// comment\nORIGIN("a.example", "hash=")\n' >"$tap_dir/files/list.inc"
start_server http-files / http python3 -m http.server PORT --bind 127.0.0.1 --directory "$tap_dir/files" || exit 1
promise "HTTP: a list of origins is fetched" says 'origins=2' origins "$server_url/list.inc"
absent() {
    "$steps" origins "$server_url/none.inc" >"$tap_dir/said" 2>&1 && return 1
    grep -F 'absent: fetching origins from' "$tap_dir/said"
}
promise "HTTP: a list that is not there is said to be absent" absent
done_promising
