#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# adversary.sh BUILD ROOT - prio against a peer and files that mean it no good.
set -u
. "$2/tests/cli/commands.sh"
new_servers 5
make_rows 6 >rows.ndjson
encode rows.ndjson
pipeline rows.ndjson >said || exit 1

printf '{"payload": "", "error": 0, "total": 6}' >empty
mkdir A/empty
hollow_peer() {
    as A
    refuses 1 '"payload" is empty' prio publish "$@" --input-internal A/aggregate/rows.ndjson \
        --input-external empty --output A/empty && nothing_in A/empty
}
promise "a peer's aggregate without a total share ends publish" hollow_peer
promise "the same with --prec" hollow_peer --prec 5

# Each worker may be the one that meets the damage, and others come right behind it.
{
    gzip -c A/raw/rows.ndjson
    echo "no gzip member"
} >damaged.gz
mkdir A/damaged
one_cause() {
    as A
    for one_cause_run in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        if ! refuses 1 "followed by something else" prio verify1 --workers 8 \
            --input damaged.gz --output A/damaged; then
            echo "in run $one_cause_run"
            return 1
        fi
    done
    nothing_in A/damaged
}
promise "a damaged input is called by its first fault whatever the workers" one_cause

as A
beside_a_share() {
    rm -rf A/beside && {
        cat A/raw/rows.ndjson
        printf '%s\n' "$1"
    } | prio verify1 --input - --output A/beside --rejects rejected &&
        cmp A/beside/data.ndjson A/verify1/rows.ndjson && grep -qF "\"reason\": \"$2\"" rejected
}
seven=$(head -n 1 A/raw/rows.ndjson | sed 's/{"id": "[^"]*"/{"id": 7/')
promise "a ciphertext under a new id is a replay" beside_a_share "$seven" replay
promise "an id that is true is none" beside_a_share '{"id": true, "payload": ""}' no-id
promise "half a surrogate pair is no JSON" beside_a_share '{"id": "\ud800", "payload": ""}' bad-json
promise "an empty payload does not decrypt" beside_a_share '{"id": 7, "payload": ""}' decrypt
promise "white space in base64 is foreign" beside_a_share '{"id": 7, "payload": "AAAA AAAA"}' bad-base64

done_promising
