#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# profiles_contract.sh BUILD_DIR ROOT - Bigtable as bigtable_contract.py plays it: TLS, tokens, statuses of
# single rows, and answers that break.
set -u
build=$1 root=$2
. "$root/tests/build/tap.sh"
. "$root/tests/real/servers.sh"

make_ca_certificate "$tap_dir/certs" && install_h2 || exit 1
token_port=$(free_port) || exit 1
start_server bigtable-contract '' tcp "$server_home/bin/python" \
    "$root/tests/real/bigtable_contract.py" PORT "$tap_dir/certs" "$token_port" || exit 1
export WEIR_TEST_ENDPOINT="https://localhost:$server_port" WEIR_TEST_CA_FILE="$tap_dir/certs/ca.crt"

# steps PROJECT [TOKENS_OF] STEP... - with the tokens of the project.
steps() {
    steps_project=$1
    shift
    cat >"$tap_dir/$steps_project.json" <<JSON
{"type": "authorized_user", "client_id": "id", "client_secret": "hush", "refresh_token": "hush",
 "token_uri": "http://127.0.0.1:$token_port/${tokens_of:-$steps_project}"}
JSON
    WEIR_TEST_GOOGLE_CREDENTIALS=$tap_dir/$steps_project.json \
        "$build/tests/real/profiles_steps" "bigtable://$steps_project/instance" "$@"
}

# says TEXT PROJECT STEP... - fails with the text, and without a secret.
says() {
    says_text=$1
    shift
    if steps "$@" 2>"$tap_dir/said"; then
        return 1
    fi
    cat "$tap_dir/said"
    grep -qF -- "$says_text" "$tap_dir/said" && ! grep -q 'hush\|token-' "$tap_dir/said"
}

promise "a table is made, rows are put, read and deleted" \
    steps plain ensure ensure put=2500 rows=2500 get=7 get=2499 delete=100 rows=2500 get=100
promise "a row that was deleted is absent" says 'no such row' plain get=5
promise "ten thousand rows are more than a page" steps pages ensure put=10000 rows=10000 put=25001 rows=25001
promise "a table that another made is fine" steps race ensure put=10 rows=10
promise "a table that is missing is named" says 'projects/missing/instances/instance/tables/taar_profile' missing put=5
promise "rows that may pass are sent again, and only those" steps flaky ensure put=3000 rows=3000
promise "a row that is refused is counted, the others are there" \
    says '300 rows could not be written; the first: PERMISSION_DENIED: not this row' denied ensure put=3000
promise "rows beside a refused one can be read" steps denied get=3 get=2999
never() { WEIR_TEST_DEADLINE_MS=1500 says '10 rows could not be written; the first: UNAVAILABLE: come again (after' never ensure put=10; }
promise "patience ends at the deadline" never
promise "rows that the answer leaves out are sent again" steps omits ensure put=2500 rows=2500
promise "a refusal of the whole request is not repeated row by row" \
    says 'PERMISSION_DENIED: Access denied: 100 % sûr' forbidden ensure put=20000
promise "a stream that was cut goes on behind the last whole row" steps cutread ensure put=100 rows=100
promise "a batch whose answer was cut is sent again" steps cutwrite ensure put=2500 rows=2500
promise "rows that are taken back and cells in chunks are read" steps resets ensure put=100 rows=100 get=50
promise "frames may be split anywhere" steps pieces ensure put=300 rows=300
promise "all of that at once" steps pieces-resets-cutread-cutwrite-http503 ensure put=200 rows=200
promise "a compressed message is refused" says 'is compressed' compressed ensure put=3
promise "an answer that ends within a message is refused" says 'ends within a message' truncated ensure put=3
promise "an answer without a status is an error" says 'UNKNOWN: the answer ends without a grpc-status' bare ensure
promise "a proxy that is busy is asked again" steps http503 ensure put=30 rows=30
silent() { WEIR_TEST_DEADLINE_MS=1200 says 'DEADLINE_EXCEEDED' silent ensure; }
promise "a server that says nothing is waited for until the deadline" silent
promise "a token that died is replaced, UNAUTHENTICATED" steps expires ensure put=5000 rows=5000 get=4
promise "a token that died is replaced, HTTP status 401" steps expires401 ensure put=5000 rows=5000 get=4
wrong() { tokens_of=wrong says 'UNAUTHENTICATED' plain2 ensure; }
promise "a wrong token is refused" wrong
stranger() { WEIR_TEST_CA_FILE=/etc/ssl/certs/ca-certificates.crt says 'certificate' plain get=200; }
promise "a server with a stranger's certificate gets nothing" stranger
other_name() { WEIR_TEST_ENDPOINT=https://127.0.0.1:$server_port says '127.0.0.1' plain get=200; }
promise "a certificate is for one name" other_name
clear() { WEIR_TEST_ENDPOINT=http://localhost:$server_port says 'begins with https://' plain get=200; }
promise "no token goes over a connection without TLS" clear
gone() {
    gone_port=$(free_port) &&
        WEIR_TEST_ENDPOINT=https://localhost:$gone_port WEIR_TEST_DEADLINE_MS=800 says UNAVAILABLE plain get=200
}
promise "a server that is gone is UNAVAILABLE" gone
done_promising
