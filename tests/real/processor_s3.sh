#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# processor_s3.sh BUILD ROOT - prio-processor with the variables of the original's guide, on two S3 servers
# with credentials of their own; then the commands that look, check and clean.
set -u
processor=$1/prio-processor bin=$1/bin
root=$2
. "$root/tests/cli/commands.sh"
. "$root/tests/real/servers.sh"
new_servers 5

start_versitygw "$tap_dir/s3-a" account-a secret-of-a-0123 || exit 1
echo "$server_url" >url-a
start_versitygw "$tap_dir/s3-b" account-b secret-of-b-0123 || exit 1
echo "$server_url" >url-b
salt=d70d758a4b28a791
mkdir "s3-a/a-ingest-$salt" "s3-a/a-private-$salt" "s3-a/a-shared-$salt" "s3-b/b-ingest-$salt" \
    "s3-b/b-private-$salt" "s3-b/b-shared-$salt" || exit 1
export no_proxy='*' APP_NAME=test-app BUCKET_PREFIX=test-app/v1 SUBMISSION_DATE=2021-04-27 WEIR_WORKERS=1 \
    DATA_CONFIG="$root/config/test-small.json" RETRY_LIMIT=90 RETRY_DELAY=0.2 RETRY_BACKOFF_EXPONENT=1
unset WEIR_HOME WEIR_STORE BATCH_ID N_DATA

# server A|B - as the compose files of the original set it up.
server() {
    as "$1"
    own=$(echo "$1" | tr AB ab) peer=$(echo "$1" | tr AB ba)
    BUCKET_INTERNAL_ENDPOINT=$(cat "url-$own") BUCKET_EXTERNAL_ENDPOINT=$(cat "url-$peer")
    export BUCKET_INTERNAL_ENDPOINT BUCKET_EXTERNAL_ENDPOINT \
        BUCKET_INTERNAL_ACCESS_KEY="account-$own" BUCKET_INTERNAL_SECRET_KEY="secret-of-$own-0123" \
        BUCKET_EXTERNAL_ACCESS_KEY="account-$peer" BUCKET_EXTERNAL_SECRET_KEY="secret-of-$peer-0123" \
        BUCKET_INTERNAL_INGEST="$own-ingest-$salt" BUCKET_INTERNAL_PRIVATE="gs://$own-private-$salt" \
        BUCKET_INTERNAL_SHARED="s3a://$own-shared-$salt" BUCKET_EXTERNAL_SHARED="$peer-shared-$salt" \
        BUCKET_EXTERNAL_INGEST="$peer-ingest-$salt"
}

server A
promise "generate puts shares at both servers" "$bin/generate" --n-rows 6

valid() {
    "$processor" validate >said && ! grep -v '^ok ' said && [ "$(grep -c 'can be written' said)" -eq 4 ] &&
        [ -z "$(find s3-a s3-b -name '_probe*')" ]
}
promise "validate finds everything in order, and leaves nothing" valid

invalid() {
    BUCKET_EXTERNAL_SECRET_KEY=wrong-secret-0123 exits 1 "$processor" validate >said 2>&1 &&
        grep -q '^FAILED BUCKET_EXTERNAL_SHARED' said && ! grep -q wrong-secret said &&
        BUCKET_INTERNAL_PRIVATE=nowhere exits 1 "$processor" validate >said 2>&1 &&
        grep -q '^FAILED BUCKET_INTERNAL_PRIVATE: s3://nowhere' said &&
        BUCKET_EXTERNAL_ENDPOINT=http://127.0.0.1:1 exits 1 "$processor" validate >said 2>&1 &&
        grep -q '^FAILED BUCKET_EXTERNAL_SHARED' said
}
promise "validate names a wrong key, a missing bucket and a server that is down" invalid

both() {
    (server A && exec "$bin/process" --keep-state >A.out 2>A.err) &
    a=$!
    (server B && "$bin/process" --keep-state >B.out 2>B.err)
    b=$?
    cat A.err B.err
    wait "$a" && [ "$b" -eq 0 ]
}
promise "both servers go through" both

own=test-app/v1/$PUBLIC_KEY_HEX_EXTERNAL/test-app/2021-04-27
tree() {
    for d in a-private-$salt/$own/processed/publish/batch_id=test-0 \
        a-private-$salt/$own/intermediate/internal/verify1/batch_id=test-0 \
        a-shared-$salt/$own/intermediate/external/aggregate/batch_id=test-1 \
        a-ingest-$salt/$own/raw/shares/batch_id=bad-id; do
        [ -d "s3-a/$d" ] || { echo "no $d"; return 1; }
    done
    grep -q '"payload":\[5,0,0,5,0,5,5,0,0,5\],"error":0,"total":5}' \
        "s3-a/a-private-$salt/$own/processed/publish/batch_id=test-0"/part-*
}
promise "what is kept lies where the guide shows it" tree

looked() {
    "$processor" status >said && cat said && grep -q '^test-app 2021-04-27: finished$' said &&
        grep -qE '^verify1 +sent +[0-9]+ s ago +2 +455 +5  "test-0"$' said
}
promise "status looks at both sides" looked

by_hand() {
    "$bin/prio-spark" verify1 --batch-id test-0 --n-data 10 \
        --input "s3://a-ingest-$salt/$own/raw/shares/batch_id=test-0" --output "s3a://a-private-$salt/hand" &&
        cat "s3-a/a-private-$salt/hand/"part-* | sort >is &&
        sort "s3-a/a-private-$salt/$own/intermediate/internal/verify1/batch_id=test-0/"part-* | cmp - is
}
promise "prio-spark reads and writes objects" by_hand

cleaned() {
    "$bin/cleanup" --dry-run >said && grep -q "^would delete s3://a-private-$salt/hand/_SUCCESS$" said &&
        "$bin/cleanup" >said && [ -z "$(find s3-a/a-* -type f)" ] &&
        [ -n "$(find "s3-b/b-shared-$salt" -type f)" ] && "$bin/cleanup" >said &&
        [ "$(grep -c '^nothing to delete$' said)" -eq 3 ]
}
promise "cleanup empties the own buckets, and no other" cleaned

secrets() {
    ! grep -rqE 'secret-of-[ab]-0123' A.out A.err B.out B.err said
}
promise "no secret key is in what they say" secrets
done_promising
