#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# processor_admin.sh BUILD ROOT - what admin's commands ask for, check and leave alone.
set -u
processor=$1/prio-processor bin=$1/bin root=$2
. "$2/tests/cli/commands.sh"
new_servers 5
as A
unset SUBMISSION_DATE BUCKET_PREFIX DATA_CONFIG ORIGIN_CONFIG BUCKET_EXTERNAL_PRIVATE
export HOME="$tap_dir/home" WEIR_STORE="$tap_dir/buckets" APP_NAME=app \
    BUCKET_INTERNAL_INGEST=a-ingest BUCKET_EXTERNAL_INGEST=b-ingest \
    BUCKET_INTERNAL_PRIVATE=a-private BUCKET_INTERNAL_SHARED=a-shared \
    BUCKET_EXTERNAL_SHARED=b-shared
config=$root/config/test-small.json origins=$root/config/origins.json

promise "generate asks for the data config, as the original's script" \
    refuses 2 "Missing option '--data-config'. Give it or set DATA_CONFIG." "$bin/generate"
export DATA_CONFIG="$config" ORIGIN_CONFIG="$origins"

shipped_config() {
    (
        unset DATA_CONFIG
        "$bin/prio-spark" generate-integration --n-rows 1 --output here &&
            [ -d here/server_id=a/batch_id=test-2 ] &&
            mkdir -p other/config && cd other && echo '{"mine-0": 2}' >config/test-small.json &&
            "$processor" generate-integration --n-rows 1 --output here &&
            [ -d here/server_id=a/batch_id=mine-0 ] && [ ! -d here/server_id=a/batch_id=test-2 ]
    )
}
promise "generate-integration takes config/test-small.json here, else the shipped one" shipped_config

# unchanged COMMAND.. - a dry run exits 0, says what would be, and changes nothing.
tree() {
    find . -mindepth 1 -name '.?*' -prune -o -printf '%p %s %T@ %i\n' | sort
}
unchanged() {
    tree >.before && "$@" --dry-run >.said && tree >.after && cmp .before .after &&
        grep -q '^would ' .said
}
dry_runs() {
    echo '[1,0,1]' >rows && echo 'ORIGIN("a", "h")' >source.inc &&
        "$processor" generate-pings --date 2026-03-14 --n-pings 2 --output pings &&
        "$processor" staging --date 2026-03-14 --input pings --output staged &&
        mkdir -p published/batch_id=test-0 &&
        echo '{"id":"u","timestamp":"2026-03-14T00:00:00","payload":[0,1,2,3,4,5,6,7,8,9]}' \
            >published/batch_id=test-0/part &&
        unchanged "$bin/prio-spark" generate --n-rows 2 --output new &&
        unchanged "$bin/prio-spark" generate-integration --output new &&
        unchanged "$bin/prio-spark" encode-shares --n-data 3 --input rows --output-A new \
            --output-B newer &&
        unchanged "$bin/prio-spark" verify1 --input here/server_id=a/batch_id=test-0 --output new &&
        unchanged "$processor" generate-pings --date 2026-03-14 --n-pings 2 --output new --truth t &&
        unchanged "$bin/staging" --date 2026-03-14 --input pings --output new &&
        unchanged "$processor" transfer --date 2026-03-14 --input staged &&
        unchanged "$bin/generate" &&
        unchanged "$processor" index --input published --output new --config "$config" \
            --origins "$origins" &&
        unchanged "$bin/integrate" --home new &&
        unchanged "$bin/fetch-origins" --url source.inc --output new.json
}
promise "--dry-run writes nothing" dry_runs

# What the real run would refuse, the dry one refuses.
dry_refusals() {
    refuses 2 "'--date'" "$processor" generate-pings --date 2026-13-01 --n-pings 1 --output new \
        --dry-run &&
        refuses 1 "nothing is published" "$processor" index --input none --output new \
            --config "$config" --origins "$origins" --dry-run &&
        refuses 1 "none: no such file" "$bin/prio-spark" encode-shares --n-data 3 --input none \
            --output-A new --output-B newer --dry-run &&
        refuses 1 "line 1" "$bin/fetch-origins" --url rows --dry-run && [ ! -e new ]
}
promise "--dry-run refuses what the run would" dry_refusals

small_memory() {
    "$bin/staging" --date 2026-03-14 --input pings --output again --memory-mb 16 &&
        diff -r staged again && refuses 2 "'--memory-mb'" "$bin/staging" --date 2026-03-14 \
        --input pings --output again --memory-mb 0
}
promise "staging keeps to the memory it is given, and writes the same" small_memory

small_partitions() {
    "$bin/staging" --date 2026-03-14 --input pings --output small --partition-size-mb 0.001 \
        >said 2>&1 && cat said && grep -q ' records=6 .* partitions=4 ' said &&
        refuses 2 "'--partition-size-mb'" "$bin/staging" --date 2026-03-14 --input pings \
            --output small --partition-size-mb 0
}
promise "a partition may be a fraction of a megabyte" small_partitions

# By whatever name the folder goes, what is read is not replaced.
kept_input() {
    mkdir -p nest && cp -r published nest/ && cp rows nest/ && ln -s nest link || return 1
    for output in nest link ./link/../nest "$tap_dir/nest/published" nest/published/batch_id=test-0; do
        refuses 2 "--output" "$processor" index --input nest/published --output "$output" \
            --config "$config" --origins "$origins" || return 1
    done
    for output in nest link .; do
        refuses 2 "output is replaced, and --input lies in it" "$bin/prio-spark" encode-shares \
            --n-data 3 --input nest/rows --output-A "$output" --output-B new || return 1
    done
    diff -r published nest/published && cmp rows nest/rows &&
        "$processor" index --input link/published --output nest/index --config "$config" \
            --origins "$origins"
}
promise "no command replaces what it reads" kept_input

packed() {
    cp -r published packed && gzip packed/batch_id=test-0/part &&
        for from in published packed; do
            "$processor" index --input "$from" --output "rows.$from" --config "$config" \
                --origins "$origins" || return 1
        done && diff -r rows.published rows.packed
}
promise "published records may be gzip" packed

reports() {
    mkdir -p buckets/a-ingest buckets/a-private buckets/a-shared buckets/b-shared &&
        "$processor" validate --report report.json --metrics-file metrics >said &&
        [ ! -e report.json ] && exits 1 "$processor" validate --report buckets >said &&
        grep -q '^FAILED report buckets: it is a directory' said
}
promise "validate looks at the places of reports" reports

may_delete() {
    "$bin/generate" --n-rows 2 && shares=$(find buckets/a-ingest -type d -name shares) &&
        "$processor" validate >said && grep -q 'raw/ can be cleaned up' said &&
        chmod a-w "$shares" &&
        exits 1 "$processor" validate >said && grep -q '^FAILED .*raw/ can be cleaned up' said &&
        "$processor" validate --keep-state && "$processor" validate --no-probe
    may_delete_status=$?
    chmod u+w "$shares"
    return "$may_delete_status"
}
if [ "$(id -u)" = 0 ]; then
    skip_promise "validate tells what the clean-up could not delete" "root may always"
else
    promise "validate tells what the clean-up could not delete" may_delete
fi

# Without the raw marker nothing leaves; here one server has answered, and its partner has not.
other_parameters() {
    "$bin/generate" --n-rows 2 && "$processor" validate --prg legacy &&
        exits 1 "$bin/process" --retry-limit 0 --retry-delay 0 && "$processor" validate &&
        exits 1 "$processor" validate --prg legacy >said &&
        grep -q '^FAILED .*begun with another PRIO_PRG' said &&
        exits 1 "$processor" validate --shared-secret AAAAAAAAAAAAAAAAAAAAAA== >said &&
        grep -q '^FAILED .*begun with another SHARED_SECRET' said &&
        exits 1 "$bin/process" --dry-run --prg legacy >said && "$bin/generate" --n-rows 2 &&
        "$processor" validate --prg legacy
}
promise "validate tells of an unfinished run of other parameters" other_parameters

unreadable() {
    "$processor" status --bucket-internal-private "$tap_dir/rows" >said 2>log &&
        head -n 1 said | grep -q 'not known, as an own bucket is not readable' &&
        [ "$(grep -c 'warning: not readable bucket=' log)" = 1 ]
}
promise "status says that it cannot look, and why" unreadable

nothing_to_insert() {
    echo '[{"batch_id": "unknown-0", "n_data": 1}]' >unknown.json &&
        refuses 1 "nothing is published" "$bin/insert" --dry-run &&
        run=$(dirname "$(find buckets/a-private -type d -name state)") &&
        mkdir "$run/processed" && cp -r published "$run/processed/publish" &&
        "$bin/insert" --dry-run >said && grep -q '^would insert 10 rows of ' said || return 1
    for dry in --dry-run --verbose; do
        refuses 1 "no published row of a known batch" "$bin/insert" --data-config unknown.json \
            "$dry" || return 1
    done
}
promise "insert does not take nothing for a day's rows" nothing_to_insert
done_promising
