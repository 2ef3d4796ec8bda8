#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# processor_chain.sh BUILD ROOT - every command of the chain once, on directories: pings, staging,
# transfer, both servers, index, insert, dump; and what process says of options and variables.
set -u
processor=$1/prio-processor bin=$1/bin
. "$2/tests/cli/commands.sh"
new_servers 5
unset BUCKET_PREFIX BATCH_ID N_DATA
export WEIR_HOME="$tap_dir/home" APP_NAME=app SUBMISSION_DATE=2026-03-14 WEIR_WORKERS=1 \
    DATA_CONFIG="$2/config/test-small.json" ORIGIN_CONFIG="$2/config/origins.json" \
    RETRY_LIMIT=40 RETRY_DELAY=0.05 RETRY_BACKOFF_EXPONENT=1.2

server() {
    as "$1"
    own=$(echo "$1" | tr AB ab) peer=$(echo "$1" | tr AB ba)
    export BUCKET_INTERNAL_INGEST="$own-ingest" BUCKET_INTERNAL_PRIVATE="$own-private" \
        BUCKET_INTERNAL_SHARED="$own-shared" BUCKET_EXTERNAL_SHARED="$peer-shared" \
        BUCKET_EXTERNAL_INGEST="$peer-ingest"
}
for b in a-ingest a-private a-shared b-ingest b-private b-shared; do
    mkdir -p "home/buckets/$b"
done
server A

pings() {
    "$processor" generate-pings --date 2026-03-14 --n-pings 20 --n-duplicates 3 --seed 1 \
        --output pings --truth truth && [ -d pings/2026-03-14/00/telemetry/prio/4 ] && [ -s truth ]
}
promise "generate-pings writes pings and what they must lead to" pings

staged() {
    "$bin/staging" --date 2026-03-14 --input pings --output staged && [ -f staged/_SUCCESS ] &&
        [ -d "staged/submission_date=2026-03-14/server_id=b/batch_id=test-0" ]
}
promise "staging makes share records of them" staged

prefix=data/v1/$PUBLIC_KEY_HEX_EXTERNAL/app/2026-03-14
transferred() {
    "$processor" transfer --dry-run --input staged --date 2026-03-14 >said && grep -q '^would ' said &&
        [ -z "$(find home/buckets -type f)" ] &&
        "$processor" transfer --only b --input staged --date 2026-03-14 &&
        [ -z "$(find home/buckets/a-ingest -type f)" ] &&
        "$processor" transfer --input staged --date 2026-03-14 &&
        [ -f "home/buckets/a-ingest/$prefix/raw/shares/_SUCCESS" ]
}
promise "transfer brings them to both servers, or to one" transferred

valid() {
    "$processor" validate >said && ! grep -v '^ok ' said && [ "$(grep -c 'can be written' said)" -eq 4 ] &&
        "$processor" validate --no-probe >said && ! grep -q 'can be written' said &&
        [ -z "$(find home/buckets -name '_probe*')" ]
}
promise "validate finds nothing wrong, and leaves nothing" valid

invalid() {
    mv home/buckets/b-shared away && exits 1 "$processor" validate >said 2>&1
    kept=$?
    mv away home/buckets/b-shared
    [ "$kept" -eq 0 ] && grep -q '^FAILED BUCKET_EXTERNAL_SHARED: ' said &&
        SHARED_SECRET=short exits 1 "$processor" validate >said 2>&1 &&
        grep -q '^FAILED keys.*--shared-secret' said && ! grep -q short said &&
        echo '[]' >none.json && DATA_CONFIG=none.json exits 1 "$processor" validate >said 2>&1 &&
        grep -q '^FAILED data config none.json' said &&
        exits 1 "$processor" validate --metrics-file /nonexistent/m >said 2>&1 &&
        grep -q '^FAILED metrics file' said
}
promise "validate names what process would fail on" invalid

dry() {
    find home -type f | sort >before && "$bin/process" --dry-run >said &&
        grep -q '^app 2026-03-14: verify1 is next$' said && find home -type f | sort | cmp - before
}
promise "process --dry-run changes nothing" dry

both() {
    (server A && exec "$bin/process" >A.out 2>A.err) &
    a=$!
    (server B && "$bin/process" --metrics-file B.prom --report B.json >B.out 2>B.err)
    b=$?
    wait "$a" && [ "$b" -eq 0 ] && [ "$(grep -c '^Running ' A.out)" -eq 4 ] &&
        grep -q '^weir_' B.prom && grep -q '"stages"' B.json
}
promise "both servers go through" both

silent() {
    for s in A B; do
        ! grep -qF "$(field private_key "keys.$s")" A.out A.err B.out B.err B.prom B.json || return 1
    done
    ! grep -qF "$(field shared_seed seed)" A.out A.err B.out B.err B.prom B.json
}
promise "no secret is in what they say" silent

inserted() {
    "$processor" index --input "home/buckets/a-private/$prefix/processed/publish" --output indexed \
        --config "$DATA_CONFIG" --origins "$ORIGIN_CONFIG" >said && grep -q PAGELOAD said &&
        [ -f indexed/_SUCCESS ] && "$bin/insert" --dry-run >said &&
        grep -q '^would insert 33 rows of 2026-03-14$' said && [ ! -e home/warehouse.duckdb ] &&
        "$bin/insert" && "$bin/insert" --bq-replace true >said && [ "$(tail -n 1 said)" = 33 ] &&
        "$processor" dump --format csv >said && [ "$(wc -l <said)" -eq 34 ]
}
promise "the sums become rows of a table" inserted

# The published sums against those that the pings were made of.
true_sums() {
    tr -d '\n' <truth | grep -o '"payload": *\[[0-9, ]*\]' | tr -d ' ' | sort >must
    cat "home/buckets/a-private/$prefix"/processed/publish/batch_id=*/part-* |
        grep -o '"payload":\[[0-9,]*\]' | sort >is
    [ "$(wc -l <is)" -eq 3 ] && cmp is must
}
promise "what is published is what the pings said" true_sums

named() {
    for variable in APP_NAME DATA_CONFIG SERVER_ID PRIVATE_KEY_HEX SHARED_SECRET \
        PUBLIC_KEY_HEX_INTERNAL PUBLIC_KEY_HEX_EXTERNAL BUCKET_INTERNAL_PRIVATE \
        BUCKET_INTERNAL_SHARED BUCKET_EXTERNAL_SHARED; do
        option=--$(echo "$variable" | tr 'A-Z_' 'a-z-')
        (unset "$variable" && refuses 2 "Missing option '$option'" "$bin/process") || return 1
        (export "$variable=" && refuses 2 "$variable" "$bin/process") || return 1
    done
}
promise "process names every variable that it lacks, unset or empty" named

bad() {
    for o in --retry-delay=-1 --retry-delay=2s --retry-limit=1.5 --retry-backoff-exponent=x \
        --submission-date=2026-13-01 --data-config=nowhere --sign-key=nowhere --min-batch=x; do
        refuses 2 "${o%%=*}" "$bin/process" "$o" || return 1
    done
}
promise "bad values are usage errors" bad

origins() {
    printf '// a comment\n\nORIGIN("PAGELOAD", "PAGELOAD")\nORIGIN("a.example", "aGFzaA==")\n' >list &&
        "$bin/fetch-origins" --url list >said && "$bin/fetch-origins" --url "file://$tap_dir/list" \
        --output out/origins.json && cmp said out/origins.json && grep -q '__UNKNOWN__' said &&
        echo 'system("x")' >list && refuses 1 "" "$bin/fetch-origins" --url list
}
promise "fetch-origins reads the source list, and nothing else" origins

generated() {
    (
        server A
        export APP_NAME=gen
        "$bin/generate" --dry-run | grep -q '^would replace ' &&
            [ -z "$(find home/buckets -path '*/gen/*')" ] && "$bin/generate" --n-rows 3 &&
            [ "$(find home/buckets -path '*/gen/*' -name _SUCCESS | wc -l)" -eq 2 ] &&
            [ -z "$(find home/buckets -path '*/gen/*' -name 'batch_id=test-2')" ] &&
            "$bin/prio-spark" generate-integration --n-rows 3 --output made &&
            [ -d made/server_id=a/batch_id=test-2 ] &&
            "$bin/prio-spark" generate --batch-id x --n-data 5 --n-rows 4 --output random |
            grep -qx 'writing 1 partitions' && [ -f random/_SUCCESS ] &&
            refuses 2 "Missing option '--n-rows'" "$bin/prio-spark" generate --batch-id x --n-data 5 \
                --output random
    )
}
promise "each generate makes what its name says" generated
done_promising
