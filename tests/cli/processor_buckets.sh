#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# processor_buckets.sh BUILD ROOT - status and cleanup on directories.
set -u
processor=$1/prio-processor cleanup=$1/bin/cleanup
. "$2/tests/cli/commands.sh"
new_servers 5
as A
unset SUBMISSION_DATE BUCKET_PREFIX BUCKET_INTERNAL_INGEST
export WEIR_STORE="$tap_dir/store" APP_NAME=app SUBMISSION_DATE=2026-03-14 \
    BUCKET_INTERNAL_PRIVATE=a-private BUCKET_INTERNAL_SHARED=a-shared BUCKET_EXTERNAL_SHARED=b-shared
own=data/v1/$PUBLIC_KEY_HEX_EXTERNAL/app/2026-03-14
partner=data/v1/$PUBLIC_KEY_HEX_INTERNAL/app/2026-03-14

# put PATH [TEXT] - an object below the store.
put() {
    mkdir -p "store/${1%/*}" && printf '%s' "${2-}" >"store/$1"
}

fresh() {
    rm -rf store && mkdir -p store/a-ingest store/a-private store/a-shared store/b-shared
}

state_is() {
    [ "$("$processor" status | head -n 1)" = "app 2026-03-14: $1" ]
}

states() {
    fresh && state_is "waiting for raw shares" &&
        put "a-private/$own/raw/shares/batch_id=b/part-0.json" "{}" &&
        state_is "waiting for raw shares" &&
        put "a-private/$own/raw/shares/_SUCCESS" && state_is "verify1 is next" &&
        put "a-private/$own/intermediate/internal/verify1/batch_id=b/part-0.json" "{}" &&
        state_is "verify1 is next" &&
        put "b-shared/$partner/intermediate/external/verify1/_SUCCESS" &&
        state_is "waiting for the partner's verify1" &&
        put "a-shared/$own/intermediate/external/verify1/_SUCCESS" && state_is "verify2 is next" &&
        put "a-private/$own/processed/publish/_SUCCESS" && state_is "finished"
}
promise "status says what is next and what is waited for" states

without_mailbox() {
    fresh && put "a-private/$own/intermediate/internal/verify1/batch_id=b/part-0.json" "{}" &&
        (unset BUCKET_EXTERNAL_SHARED && state_is "waiting for the partner's verify1")
}
promise "status makes do without a look into the partner's mailbox" without_mailbox

listed() {
    fresh && put "a-private/$own/raw/shares/batch_id=x%3Ay/part-0.json" '{"a":1}
{"a":2}
' && put "a-private/$own/raw/shares/batch_id=x%3Ay/part-1.json" '{"a":3}' &&
        put "a-private/$own/raw/shares/batch_id=x%3Ay/_SUCCESS" &&
        put "a-private/$own/raw/shares/_SUCCESS" &&
        touch -d 2026-03-14T00:00:00Z "store/a-private/$own/raw/shares/_SUCCESS" &&
        "$processor" status --now 2026-03-14T00:05:00Z >table &&
        grep -qE '^raw +own +5 min ago +2 +23 +3  "x:y"$' table &&
        grep -qE '^verify1 +received +- +- +- +-$' table &&
        "$processor" status --format json --now 2026-03-14T00:05:00Z >said &&
        [ "$(wc -l <said)" -eq 1 ] &&
        grep -qF '{"stage":"raw","side":"own","readable":true,"marker":true,"marker_age_s":300,"batches":[{"batch_id":"x:y","parts":2,"bytes":23,"records":3}]}' said
}
promise "status counts parts, bytes and records, as a table and as JSON" listed

whole_store() {
    (cd store && find . ! -name . | LC_ALL=C sort)
}

unchanged_by_status() {
    whole_store >before && "$processor" status >/dev/null && whole_store | cmp - before
}
promise "status changes nothing" unchanged_by_status

filled() {
    fresh && put "a-private/$own/processed/publish/batch_id=b/part-0.json" "{}" &&
        put "a-private/$own/processed/publish/_SUCCESS" && put "a-private/other" 1 &&
        put "b-shared/$partner/intermediate/external/verify1/_SUCCESS"
}

emptied() {
    filled && "$cleanup" >said && printf 'Running cleanup...\nnothing to delete\n' | cmp - said &&
        [ -z "$(find store/a-private store/a-shared -type f)" ] && [ -d store/a-private ] &&
        [ -f "store/b-shared/$partner/intermediate/external/verify1/_SUCCESS" ] &&
        "$cleanup" >said && printf 'Running cleanup...\nnothing to delete\nnothing to delete\n' |
        cmp - said
}
promise "cleanup empties the own buckets, and no other" emptied

dry() {
    filled && whole_store >before && "$cleanup" --dry-run >said && whole_store | cmp - before &&
        grep -qxF "would delete $tap_dir/store/a-private/other" said &&
        [ "$(grep -c '^would delete ' said)" -eq 3 ]
}
promise "cleanup --dry-run names what would go" dry

missing() {
    filled && rm -r store/a-shared && whole_store >before &&
        refuses 1 "there is no bucket $tap_dir/store/a-shared" "$cleanup" &&
        whole_store | cmp - before
}
promise "cleanup deletes nothing when a bucket is missing" missing

shared_bucket() {
    fresh && put "one/$own/raw/shares/_SUCCESS" && put "one/$partner/raw/shares/_SUCCESS" || return 1
    whole_store >before
    (
        export BUCKET_INTERNAL_PRIVATE=one BUCKET_INTERNAL_SHARED=one
        refuses 1 "one holds another party's objects too, such as $partner/raw/shares/_SUCCESS" \
            "$cleanup" && whole_store | cmp - before &&
            (unset PUBLIC_KEY_HEX_INTERNAL && refuses 1 "--force" "$cleanup") &&
            whole_store | cmp - before && "$cleanup" --force && [ -z "$(find store/one -type f)" ]
    )
}
promise "cleanup refuses a bucket with the partner's objects, unless forced" shared_bucket
done_promising
