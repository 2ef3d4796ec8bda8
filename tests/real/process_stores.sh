#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# process_stores.sh BUILD ROOT - both servers on real stores: two versitygw, where each may only list, write and delete
# in the partner's mailbox and nothing else; MinIO; Cloud Storage's stand-in. Every answer must be the one that
# directories give, bit by bit, and nothing may be left at the end.
set -u
build=$(realpath "$1") root=$2
. "$root/tests/cli/two_servers.sh"
. "$root/tests/real/servers.sh"
new_servers 5
export no_proxy='*'
configure rain 20 sun-0 7 gone 3
cheated rain rain 20 30 1 all=1 17 && cheated sun sun-0 7 25 2 bit2=2,replay=1 10 || exit 1
for side in a b; do
    to=staged/submission_date=$SUBMISSION_DATE/server_id=$side
    from=$(echo $side | tr ab AB)
    mkdir -p "$to" && cp -r "rain/$from" "$to/batch_id=rain" && cp -r "sun/$from" "$to/batch_id=sun-0" || exit 1
done
: >staged/_SUCCESS

# admit - the shares into the ingest buckets, as the admin does it.
admit() (
    as client
    BUCKET_INTERNAL_INGEST=$(bucket A ingest) BUCKET_EXTERNAL_INGEST=$(bucket B ingest)
    export BUCKET_INTERNAL_INGEST BUCKET_EXTERNAL_INGEST
    reach admin
    "$processor" transfer --input staged --date "$SUBMISSION_DATE"
)

# look - copy all objects of the store to store/, so that they can be looked at; stores replace it.
look() {
    :
}

right_totals() {
    look && both_published rain "$(cat rain/expected)" && both_published sun-0 "$(cat sun/expected)"
}

kept() {
    both_serve --keep-state && right_totals
}

# messages - what the servers told each other and kept.
messages() {
    tree store | grep -E ' \./[^ ]*/(intermediate/[^ ]*|raw/[^ ]*)$'
}

as_on_directories() {
    messages | diff directories -
}

# empty - the servers' own buckets, each by its owner.
empty() {
    (server A && "$processor" cleanup) && (server B && "$processor" cleanup) && look &&
        ! find store -type f | grep .
}

# finished - a run to its end; then there are results, and what tells the next run of this one.
finished() {
    admit && both_serve --workers 2 && right_totals &&
        (cd store && find . -type f) | sed 's,.*/2026-03-14/,,' |
        grep -vE '^(processed/publish/(batch_id=(rain|sun-0)/(part-[^/]*|_SUCCESS)|_SUCCESS)|state/(run\.json|lock))$' >left
    [ ! -s left ] || {
        cat left
        return 1
    }
}

valid() {
    (server A && "$processor" validate >said) && ! grep -v '^ok ' said
}

# on STORE - everything, on the store that reach and look are about.
on() {
    promise "$1: shares are admitted" admit
    promise "$1: validate finds nothing wrong" valid
    promise "$1: both servers publish the right totals" kept
    [ "$1" != directories ] || messages >directories
    promise "$1: every answer is the one that directories give" as_on_directories
    promise "$1: cleanup empties the buckets" empty
    promise "$1: a run to the end leaves nothing but results" finished
}

new_buckets
on directories

# policy URL BUCKET USER - may list, write and delete, but not read.
policy() {
    cat >policy.json <<POLICY
{"Version": "2012-10-17", "Statement": [
 {"Effect": "Allow", "Principal": {"AWS": ["$3"]}, "Action": ["s3:ListBucket"], "Resource": ["arn:aws:s3:::$2"]},
 {"Effect": "Allow", "Principal": {"AWS": ["$3"]}, "Action": ["s3:PutObject", "s3:DeleteObject"],
  "Resource": ["arn:aws:s3:::$2/*"]}]}
POLICY
    curl -sSf --noproxy '*' --aws-sigv4 aws:amz:us-east-1:s3 --user root:root-secret-0123 -X PUT \
        -H "x-amz-content-sha256: $(sha256sum <policy.json | cut -d ' ' -f 1)" \
        --data-binary @policy.json "$1/$2?policy="
}

# s3_server A|B - its own server, where the partner has an account.
s3_server() {
    s3_low=$(echo "$1" | tr AB ab)
    mkdir -p "iam-$1"
    start_versitygw "$tap_dir/s3-$1" root root-secret-0123 --iam-dir "$tap_dir/iam-$1" || exit 1
    echo "$server_url" >"url.$1"
    mkdir "s3-$1/$s3_low-ingest" "s3-$1/$s3_low-private" "s3-$1/$s3_low-shared" || exit 1
    "$server_program" admin --access root --secret root-secret-0123 --endpoint-url "$server_url" \
        create-user --access partner --secret partner-secret-0123 --role user &&
        policy "$server_url" "$s3_low-shared" partner || exit 1
}
s3_server A
pid_a=$server_pid
s3_server B
pid_b=$server_pid

reach() {
    case $1 in
    A | admin) set -- "$1" A B ;;
    B) set -- "$1" B A ;;
    esac
    BUCKET_INTERNAL_ENDPOINT=$(cat "url.$2") BUCKET_EXTERNAL_ENDPOINT=$(cat "url.$3")
    export BUCKET_INTERNAL_ENDPOINT BUCKET_EXTERNAL_ENDPOINT BUCKET_INTERNAL_ACCESS_KEY=root \
        BUCKET_INTERNAL_SECRET_KEY=root-secret-0123 BUCKET_EXTERNAL_ACCESS_KEY=partner \
        BUCKET_EXTERNAL_SECRET_KEY=partner-secret-0123
    [ "$1" != admin ] || export BUCKET_EXTERNAL_ACCESS_KEY=root BUCKET_EXTERNAL_SECRET_KEY=root-secret-0123
}
look() {
    rm -rf store && mkdir store && cp -r s3-A/a-* s3-B/b-* store && find store -name .sgwtmp -exec rm -rf {} +
}
on "S3 with the least rights"

# What the rights above are worth: A's account at B reads nothing, neither the private bucket nor the mailbox.
forbidden() {
    export STORE_ENDPOINT STORE_ACCESS_KEY=partner STORE_SECRET_KEY=partner-secret-0123
    STORE_ENDPOINT=$(cat url.B)
    for bucket in b-private b-ingest; do
        refuses 1 AccessDenied "$build/store-tool" "s3://$bucket" ls || return 1
    done
    key=$(cd s3-B/b-private && find . -name run.json | sed 's,^\./,,')
    refuses 1 AccessDenied "$build/store-tool" s3://b-private get "$key" &&
        echo x | "$build/store-tool" s3://b-shared put probe >/dev/null &&
        refuses 1 AccessDenied "$build/store-tool" s3://b-shared get probe && "$build/store-tool" s3://b-shared rm probe
}
promise "S3 with the least rights: the partner's account reads nothing" forbidden
stop_server "$pid_a"
stop_server "$pid_b"

start_minio "$tap_dir/minio" access a-long-secret || exit 1
for name in a-ingest a-private a-shared b-ingest b-private b-shared; do
    mkdir "minio/$name" || exit 1
done
reach() {
    export BUCKET_INTERNAL_ENDPOINT="$server_url" BUCKET_INTERNAL_ACCESS_KEY=access \
        BUCKET_INTERNAL_SECRET_KEY=a-long-secret BUCKET_EXTERNAL_ENDPOINT="$server_url" \
        BUCKET_EXTERNAL_ACCESS_KEY=access BUCKET_EXTERNAL_SECRET_KEY=a-long-secret
}
look() (
    export STORE_ENDPOINT="$server_url" STORE_ACCESS_KEY=access STORE_SECRET_KEY=a-long-secret
    rm -rf store
    for name in a-ingest a-private a-shared b-ingest b-private b-shared; do
        "$build/store-tool" "s3://$name" ls >listing || exit 1
        while read -r _ _ _ key; do
            mkdir -p "store/$name/${key%/*}" &&
                "$build/store-tool" "s3://$name" get "$key" >"store/$name/$key" || exit 1
        done <listing
    done
)
on MinIO
stop_server "$server_pid"

start_fake_gcs "$tap_dir/gcs" || exit 1
for name in a-ingest a-private a-shared b-ingest b-private b-shared; do
    mkdir "gcs/$name" || exit 1
done
reach() {
    unset BUCKET_INTERNAL_ENDPOINT BUCKET_EXTERNAL_ENDPOINT
    export STORAGE_EMULATOR_HOST="${server_url#http://}" WEIR_STORE=gs://
}
look() {
    rm -rf store && mkdir store && cp -r gcs/*/ store
}
on "Cloud Storage"
done_promising
