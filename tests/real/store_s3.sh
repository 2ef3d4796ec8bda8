#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# store_s3.sh BUILD ROOT - the S3 store on servers that check signatures: what it says of wrong
# credentials, TLS, and what it does when answers are late, cut, lost or refused.
set -u
tool=$1/store-tool
conformance=$1/tests/real/store_conformance
root=$2
. "$root/tests/build/tap.sh"
. "$root/tests/real/servers.sh"

export STORE_ENDPOINT STORE_ACCESS_KEY=access STORE_SECRET_KEY=a-long-secret
export STORE_SESSION_TOKEN='' STORE_REGION='' STORE_CA_FILE='' STORE_READ_TIMEOUT_S=''

# s3 COMMAND... - on the bucket's prefix that most tests use.
s3() {
    "$tool" s3://bucket/some/prefix "$@"
}

# says STATUS TEXT COMMAND... - it exits so, and its error holds the text.
says() {
    said_status=$1 said_text=$2
    shift 2
    exits "$said_status" "$@" 2>"$tap_dir/said" || { cat "$tap_dir/said"; return 1; }
    cat "$tap_dir/said"
    grep -q -e "$said_text" "$tap_dir/said"
}

# version KEY - the object's.
version() {
    s3 stat "$1" | cut -d ' ' -f 2
}

# put TEXT KEY [CONDITION]
put() {
    put_text=$1
    shift
    printf '%s' "$put_text" >"$tap_dir/text"
    s3 put "$@" <"$tap_dir/text"
}

# put_file FILE KEY [CONDITION]
put_file() {
    put_name=$1
    shift
    s3 put "$@" <"$put_name"
}

# fill PREFIX - five objects by one process, none of which is there.
fill() {
    printf '%s\n' "$1"1 "$1"2 "$1"3 "$1"4 "$1"5 >"$tap_dir/five"
    s3 fill absent <"$tap_dir/five"
}

# holds KEY TEXT
holds() {
    [ "$(s3 get "$1")" = "$2" ]
}

# same KEY FILE
same() {
    s3 get "$1" >"$tap_dir/got" && cmp "$tap_dir/got" "$2"
}

no_secret_is_told() {
    ! grep -rF -e "$STORE_SECRET_KEY" -e wrong-secret "$tap_dir/said"
}

head -c 40000000 /dev/urandom >"$tap_dir/big" # three parts
head -c 3000000 /dev/urandom >"$tap_dir/medium"

# 2,300 objects are three pages of a listing and three batches of a deletion.
pages() {
    seq -f 'pages/%05g' 2300 >"$tap_dir/keys"
    s3 fill <"$tap_dir/keys" && s3 ls pages/ | cut -d ' ' -f 4 | cmp - "$tap_dir/keys" &&
        xargs "$tool" s3://bucket/some/prefix rm <"$tap_dir/keys" && [ -z "$(s3 ls pages/)" ]
}

# Every sentence of store.h.
conforms() {
    adopt "$1" env WEIR_TEST_ENDPOINT="$STORE_ENDPOINT" WEIR_TEST_ACCESS_KEY="$STORE_ACCESS_KEY" \
        WEIR_TEST_SECRET_KEY="$STORE_SECRET_KEY" WEIR_TEST_CA_FILE="$STORE_CA_FILE" \
        CMOCKA_MESSAGE_OUTPUT=TAP "$conformance" s3://bucket/conformance
}

refuses() {
    promise "$1: a wrong secret is refused and explained" \
        says 1 '403 SignatureDoesNotMatch.*the secret key is wrong' \
        env STORE_SECRET_KEY=wrong-secret "$tool" s3://bucket get x
    promise "$1: a HEAD is explained, too" \
        says 1 'SignatureDoesNotMatch' env STORE_SECRET_KEY=wrong-secret "$tool" s3://bucket stat x
    promise "$1: errors tell no secret" no_secret_is_told
    promise "$1: an unknown user is no absent object" \
        says 1 'does not know the access key' env STORE_ACCESS_KEY=nobody "$tool" s3://bucket stat x
    promise "$1: a request without a signature is refused" \
        says 1 'no access key is set' env STORE_ACCESS_KEY= STORE_SECRET_KEY= "$tool" s3://bucket ls
}

# rules LINE... - for the proxy.
rules() {
    printf '%s\n' "$@" >"$proxy_rules"
}

survives() {
    rules 'status=503 times=2'
    promise "503 twice is tried again" put a faults/a
    rules 'status=503 times=0'
    promise "503 for ever ends, and says so" says 1 'status 503 (after 6 tries)' \
        put never faults/never
    rules
    promise "a write that failed is not there" exits 4 s3 stat faults/never
    rules 'reset on=PUT'
    promise "a reset before a write" put b faults/b
    rules 'reset-after on=PUT'
    promise "a conditional write whose answer was lost is ours" put c faults/c absent
    rules
    promise "and holds what was written" holds faults/c c
    rules 'swallow=500 on=PUT'
    promise "500 behind an upload that was done" put d faults/c "$(version faults/c)"
    rules 'swallow=500 on=PUT'
    promise "but another's object stays a conflict" exits 3 put e faults/c absent
    rules 'reset-after on=PUT nth=3'
    promise "an answer lost on a connection that was used before" fill faults/fill/
    rules 'status=500 on=PUT path=partNumber=2' 'swallow=503 on=POST path=uploadId='
    promise "faults in the middle and at the end of a large upload" \
        put_file "$tap_dir/big" faults/large absent
    rules
    promise "it is whole" same faults/large "$tap_dir/big"
    rules 'status=403 on=PUT path=partNumber=3'
    promise "an upload that is refused in the middle fails" says 1 403 \
        put_file "$tap_dir/big" faults/half
    rules
    promise "and leaves nothing" exits 4 s3 stat faults/half
    promise "and was aborted" grep -q '^DELETE .*faults/half?uploadId=.* 204 ' "$proxy_log"
    rules 'truncate=1000000 on=GET times=3'
    promise "a body that is cut three times is resumed" same faults/large "$tap_dir/big"
    rules 'truncate=0 on=GET'
    promise "a body that is cut at its first byte" same faults/large "$tap_dir/big"
    rules 'drip=20 on=GET'
    promise "slow bodies" same medium "$tap_dir/medium"
    rules 'slow=3000 on=GET'
    export STORE_READ_TIMEOUT_S=1
    promise "an answer that does not come in time is asked for again" same medium "$tap_dir/medium"
    export STORE_READ_TIMEOUT_S=
    rules 'swallow=503 on=DELETE'
    promise "a conditional deletion whose answer was lost" s3 rm-version faults/b "$(version faults/b)"
    rules 'swallow=500 on=POST path=delete'
    promise "a batch of deletions whose answer was lost" s3 rm faults/a faults/c faults/large faults/fill/1 \
        faults/fill/2 faults/fill/3 faults/fill/4 faults/fill/5
    rules
    promise "nothing is left" [ -z "$(s3 ls faults/)" ]
}

# A change between two reads of one object must not be glued together.
changes_while_read() {
    s3 put changing <"$tap_dir/big" >/dev/null || return 1
    rules 'truncate=5000000 on=GET' 'slow=2000 on=GET nth=2'
    s3 get changing >"$tap_dir/got" 2>"$tap_dir/said" &
    reader=$!
    sleep 1
    put other changing >/dev/null || return 1
    if wait "$reader"; then
        echo "two versions in one stream"
        return 1
    fi
    rules
    grep -q 'changed while it was read' "$tap_dir/said"
}

kills() {
    sleep 60 &
    victim=$!
    echo "$victim" >"$tap_dir/victim"
    rules "kill=$tap_dir/victim on=changing nth=2"
    put one kills/one >/dev/null && put two kills/two >/dev/null || return 1
    rules
    ! wait "$victim" 2>/dev/null && holds kills/two two && s3 rm kills/one kills/two
}

start_versitygw "$tap_dir/versitygw" "$STORE_ACCESS_KEY" "$STORE_SECRET_KEY" || exit 1
STORE_ENDPOINT=$server_url
mkdir "$tap_dir/versitygw/bucket"
conforms versitygw
promise "versitygw: pages of listings and batches of deletions" pages
refuses versitygw
promise "versitygw: a wrong region is explained" says 1 'in region "us-east-1", not "mars"' \
    env STORE_REGION=mars "$tool" s3://bucket ls

s3 put medium <"$tap_dir/medium" >/dev/null
start_fault_proxy "$root" || exit 1
STORE_ENDPOINT=$server_url
survives
promise "an object that changes while it is read is an error" changes_while_read
promise "the proxy kills before the k-th change" kills

all_faults_happened() {
    for fault in status swallow reset reset-after truncate drip slow kill; do
        grep -q " $fault\$" "$proxy_log" || { echo "$fault did not"; return 1; }
    done
}
promise "the proxy did all of its faults" all_faults_happened

start_minio "$tap_dir/minio" "$STORE_ACCESS_KEY" "$STORE_SECRET_KEY" || exit 1
STORE_ENDPOINT=$server_url
mkdir "$tap_dir/minio/bucket"
conforms minio
refuses minio

make_certificate "$tap_dir/certs" || exit 1
server_certs=$tap_dir/certs
for server in versitygw minio; do
    "start_$server" "$tap_dir/$server-tls" "$STORE_ACCESS_KEY" "$STORE_SECRET_KEY" || exit 1
    mkdir "$tap_dir/$server-tls/bucket"
    STORE_ENDPOINT=$server_url
    promise "$server: an unknown certificate is refused" says 1 'certificate' s3 check
    STORE_CA_FILE=$tap_dir/certs/public.crt
    promise "$server: large objects go up over TLS" put_file "$tap_dir/big" large
    promise "$server: and come back" same large "$tap_dir/big"
    STORE_ENDPOINT=https://localhost:$server_port
    promise "$server: a name is as good as an address" s3 stat large
    STORE_CA_FILE=''
done
done_promising
