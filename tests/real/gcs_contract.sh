#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# gcs_contract.sh BUILD ROOT - the GCS backend against a strict and faulty service of our own (gcs_contract.py):
# tokens, TLS with a CA of one's own, and everything that breaks in the middle.
set -u
build=$1 root=$2
. "$root/tests/build/tap.sh"
. "$root/tests/real/servers.sh"

dir=$tap_dir/service
make_certificate "$dir/certs" || exit 1
mkdir -p "$dir/bucket-a"
cat "$dir/certs/private.key" "$dir/certs/public.crt" >"$dir/tls.pem"
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$dir/robot.key" 2>/dev/null || exit 1
openssl pkey -in "$dir/robot.key" -pubout -out "$dir/robot.pub" || exit 1
start_server gcs_contract /ready https python3 "$root/tests/real/gcs_contract.py" "$dir" PORT || exit 1

# key_file NAME PRIVATE_KEY - a service account's file.
key_file() {
    python3 - "$2" "$server_url/token" >"$dir/$1" <<'PYTHON'
import json, sys
json.dump({"type": "service_account", "client_email": "robot@test.iam", "private_key_id": "1",
           "private_key": open(sys.argv[1]).read(), "token_uri": sys.argv[2]}, sys.stdout)
PYTHON
}
key_file robot.json "$dir/robot.key"
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$dir/other.key" 2>/dev/null
key_file other.json "$dir/other.key"

export STORE_URL=gs://bucket-a/some/prefix STORE_ENDPOINT="$server_url"
export STORE_CREDENTIALS="$dir/robot.json" STORE_CA_FILE="$dir/certs/public.crt" no_proxy='*'

store() {
    timeout 60 "$build/tests/real/store_client" "$@" >"$tap_dir/out" 2>"$tap_dir/err"
    store_status=$?
    cat "$tap_dir/out" "$tap_dir/err"
    return $store_status
}

# with FAULTS CALLS COMMAND... - FAULTS (lines by ";") are met one after the other, and the calls
# that are made end with CALLS.
with() {
    echo "$1" | tr ';' '\n' >"$dir/faults"
    : >"$dir/calls"
    with_calls=$2
    shift 2
    "$@" || return 1
    with_seen=$(tr '\n' ';' <"$dir/calls")
    with_left=$(cat "$dir/faults")
    echo "calls: $with_seen left: $with_left"
    case $with_seen in *"$with_calls") ;; *) return 1 ;; esac
    [ -z "$with_left" ]
}

says() {
    grep -qF -- "$1" "$tap_dir/out" "$tap_dir/err"
}

# fails_saying TEXT COMMAND... - with exit status 1.
fails_saying() {
    fails_text=$1
    shift
    exits 1 "$@" && says "$fails_text"
}

large=40000000 # two parts and a rest

promise "a token is fetched and the bucket looked at" with "" "token 200;list 200;" store check
promise "a bucket that is not there is told" exits 4 env STORE_URL=gs://nowhere "$build/tests/real/store_client" check


wrong_key() {
    STORE_CREDENTIALS=$dir/other.json exits 1 store check && says "status 400"
}
promise "a key that is not the account's gets no token" wrong_key
key_as_text() {
    STORE_CREDENTIALS=/no/such/file STORE_KEY=$(cat "$dir/robot.json") store check
}
promise "credentials given as text stand before a file" key_as_text
no_ca() {
    STORE_CA_FILE=/etc/ssl/certs/ca-certificates.crt exits 1 store check && says "certificate"
}
promise "a certificate that nobody vouches for is refused at once" with "" "" no_ca
promise "no call is made without a token" with "" "token 400;" wrong_key

promise "a small object is written and read" store put "a=1/x y+%ä" 1000
promise "... by its escaped name" with "" "media 200;" store get "a=1/x y+%ä"
promise "an empty object is one, too" with "" "insert 200;" store put empty 0
promise "... and is read" store get empty
promise "behind the end there is nothing" with "" "media 416;stat 200;" store get "a=1/x y+%ä" 1000 5
promise "a conflict is told" exits 3 store put empty 1 absent
promise "an answer 503 is waited for" with "insert status 503" "insert 503;insert 200;" store put b 10
promise "a connection that breaks is tried again" with "stat cut" "stat cut;stat 200;" store stat b
promise "a token that is refused is renewed" \
    with "stat status 401" "token 200;stat 401;token 200;stat 200;" store stat b
promise "... once" with "stat status 401;stat status 401" "stat 401;token 200;stat 401;" exits 1 store stat b
promise "a put whose answer was lost is no conflict with itself" \
    with "insert lose" "insert cut;insert 412;stat 200;" store put once 100 absent
promise "... but with others it is" exits 3 store put once 100 absent

promise "a large object goes in parts" \
    with "" "session 200;chunk 308;chunk 308;chunk 200;" store put big $large
promise "... and comes back" with "" "media 200;" store get big
promise "a part that breaks in its middle goes on where it broke" \
    with "chunk break 5000000" "session 200;chunk cut;ask 308;chunk 308;chunk 308;chunk 200;" store put big $large
promise "... also before a single byte was kept" \
    with "chunk break 1000" "session 200;chunk cut;ask 308;chunk 308;chunk 308;chunk 200;" store put big $large
promise "... and when asking breaks" \
    with "chunk break 9999999;ask cut;ask status 503" \
    "chunk cut;ask cut;ask 503;ask 308;chunk 308;chunk 308;chunk 200;" store put big $large
promise "a part whose answer was lost is not sent again" \
    with "chunk lose" "session 200;chunk cut;ask 308;chunk 308;chunk 200;" store put big $large
promise "... not even the last" \
    with "chunk status 503;ask status 503" "chunk 503;ask 503;ask 308;chunk 308;chunk 308;chunk 200;" store put big $large
promise "it is the same in the end" store get big
promise "a condition holds for large objects: at their beginning" \
    with "" "session 412;" exits 3 store put big $large absent
promise "an upload that the service forgot fails" \
    with "chunk status 404" "chunk 404;cancel 499;" exits 1 store put big $large
promise "a service that takes nothing is left, and its session closed" \
    with "chunk cut;ask cut;ask cut;ask cut;ask cut;ask cut" "ask cut;cancel 499;" exits 1 store put big $large
promise "the old object is still there" store get big

promise "a body that ends early is resumed" \
    with "media truncate 1234567;media truncate 100" "media 200;media 206;media 206;" store get big
promise "... within a range" with "media truncate 10" "media 206;media 206;" store get big 100 5000000
replaced() {
    fails_saying "changed" store get big
}
promise "... but not on another version" with "media replace 1000000" "media 200;media 412;" replaced

many() {
    for i in 1 2 3 4 5 6 7 8; do
        store put "many/$i/x" 1 || return 1
    done
}
promise "objects to list" many
listed() {
    store list many/ && [ "$(wc -l <"$tap_dir/out")" -eq 8 ] && says "many/8/x 1 "
}
promise "a listing goes over pages" with "" "list 200;list 200;list 200;" listed
level() {
    store level "" && says "many/ 0" && says "empty 0" && ! says "many/1"
}
promise "a level names what lies below it" level
promise "many are deleted, absent ones too" store delete many/1/x many/2/x many/3/x many/4/x many/9/x
promise "the others stay" with "" "stat 200;" store stat many/5/x
version() {
    store stat empty >/dev/null && cut -d ' ' -f 3 "$tap_dir/out"
}
promise "another version is not deleted" exits 3 store delete-version empty 12345
promise "this one is" store delete-version empty "$(version)"
promise "... and is gone" exits 4 store stat empty
promise "what is gone may be deleted" store delete-version empty 12345

# Everything that a store must do, with tokens that end after a few calls, and with short pages.
conformance() {
    WEIR_TEST_ENDPOINT=$server_url WEIR_TEST_CA_FILE=$STORE_CA_FILE \
        WEIR_TEST_GOOGLE_CREDENTIALS=$STORE_CREDENTIALS CMOCKA_MESSAGE_OUTPUT=TAP \
        "$build/tests/real/store_conformance" gs://bucket-a/all
}
promise "the backend does what every store must" conformance
done_promising
