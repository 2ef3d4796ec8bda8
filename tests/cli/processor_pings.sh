#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# processor_pings.sh BUILD ROOT - from raw pings to rows: what is published is the sum of what was sent.
set -u
processor=$1/prio-processor
. "$2/tests/cli/commands.sh"
new_servers 5
root=$2 date=2026-03-14
unset SUBMISSION_DATE BUCKET_PREFIX BUCKET_INTERNAL_INGEST
export WEIR_STORE="$tap_dir/store" APP_NAME=app DATA_CONFIG="$root/config/test-small.json" RETRY_LIMIT=200 RETRY_DELAY=0.1 \
    RETRY_BACKOFF_EXPONENT=1

# own_buckets X - the variables of server X; the other one's mailbox is the partner's.
own_buckets() {
    as "$1"
    if [ "$1" = A ]; then mine=a theirs=b; else mine=b theirs=a; fi
    export SERVER_ID="$1" SUBMISSION_DATE="$date" BUCKET_INTERNAL_INGEST="$mine"-ingest \
        BUCKET_INTERNAL_PRIVATE="$mine"-private BUCKET_INTERNAL_SHARED="$mine"-shared \
        BUCKET_EXTERNAL_SHARED="$theirs"-shared
}

make_pings() {
    as A
    "$processor" generate-pings --date "$date" --n-pings 40 --n-duplicates 3 --seed 1 --output pings \
        --truth truth.json &&
        "$processor" staging --date "$date" --input pings --output staged >said 2>&1 &&
        cat said && grep -q 'pings=40' said && grep -q 'reason=duplicate count=3' said
}
promise "pings are staged once each" make_pings

move() (
    as A
    export BUCKET_INTERNAL_INGEST=a-ingest BUCKET_EXTERNAL_INGEST=b-ingest
    "$processor" transfer --input staged --date "$date" --dry-run >plan && [ ! -e store ] &&
        grep -q '^would mark .*b-ingest/data/v1/.*/raw/shares/_SUCCESS$' plan &&
        "$processor" transfer --input staged --date "$date" &&
        [ "$(find store -path '*/raw/shares/_SUCCESS' | wc -l)" = 2 ]
)
promise "transfer says what it would do, and does it" move

both() {
    (own_buckets B && exec "$processor" process >b.log 2>&1) &
    partner=$!
    (own_buckets A && exec "$processor" process >a.log 2>&1)
    a=$?
    wait "$partner"
    b=$?
    if [ "$a" != 0 ] || [ "$b" != 0 ]; then
        cat a.log b.log
        return 1
    fi
}
promise "both servers publish" both

# The published sums, and the counts, are those that were noted when the pings were made.
true_sums() {
    python3 - <<'PYTHON'
import glob, json
for batch in json.load(open("truth.json"))["batches"]:
    for server in "ab":
        [part] = glob.glob(f"store/{server}-private/**/publish/batch_id={batch['batch_id']}/part-*",
                           recursive=True)
        [line] = open(part).read().splitlines()
        record = json.loads(line)
        assert record["payload"] == batch["payload"], (server, batch, record)
        assert (record["error"], record["total"]) == (0, batch["records"]), (server, batch, record)
PYTHON
}
promise "what is published is the sum of what was sent" true_sums

names() {
    python3 -c 'import json
print(json.dumps([{"name": f"site-{i}", "hash": "h", "index": i} for i in range(33)]))' >origins.json
    published=$(find store/a-private -type d -name publish) &&
        "$processor" index --input "$published" --output rows --config "$DATA_CONFIG" \
            --origins origins.json >table && grep -q 'only showing top 20 rows' table &&
        [ "$(find rows -type f | wc -l)" = 2 ] && [ "$(cat rows/part-*.json | wc -l)" = 33 ] &&
        grep -q '"batch_id":"test","origin":"site-32","hash":"h","index":32,' rows/part-*.json
}
promise "index gives each element its site" names
done_promising
