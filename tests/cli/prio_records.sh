#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# prio_records.sh BUILD ROOT - bad records are counted, named and dropped, and harm nobody.
set -u
. "$2/tests/cli/commands.sh"
new_servers 5
make_rows 6 >rows
encode rows

# A file of every trouble; its honest records are those of rows.
trouble() {
    sed -n 1p "$1/raw/rows"
    echo '{"id": "a", "payload": "AAAA"}'
    echo
    echo 'not json'
    sed -n 2p "$1/raw/rows"
    echo '{"payload": "AAAA"}'
    sed -n 1p "$1/raw/rows" # duplicate-id
    sed -n 2p "$1/raw/rows" | sed 's/"id": "[^"]*"/"id": 17/' # replay
    echo '{"id": "b", "payload": "A AA"}'
    sed -n '3,6p' "$1/raw/rows"
    awk 'BEGIN { printf "{\"id\": \"c\", \"payload\": \""; for (i = 0; i < 1100000; i++) printf "A"; print "\"}" }'
    sed -n 1p "$(other "$1")/raw/rows" | sed 's/"id": "[^"]*"/"id": "d"/' # the other's share
}
trouble A >A/raw/trouble
trouble B >B/raw/trouble

dropped() {
    for points in first sequential; do
        pipeline trouble --points "$points" --workers 3 >said 2>errors || return 1
        [ "$(totals A trouble)" = "6, 3, 2, 0, 6" ] && [ "$(totals B trouble)" = "6, 3, 2, 0, 6" ] &&
            [ "$(grep -cx '8 errors out of 14 total' said)" -eq 6 ] &&
            grep -q '"error": 8, "total": 14}' B/aggregate/trouble || return 1
    done
}
promise "bad records are dropped and counted in both points modes" dropped

by_reason() {
    step verify1 A trouble -v --rejects rejected >said 2>errors || return 1
    cat >want <<END
{"line": 2, "id": "a", "reason": "decrypt"}
{"line": 4, "reason": "bad-json"}
{"line": 6, "reason": "no-id"}
END
    sed -n '1,3p' rejected | cmp - want || return 1
    sed 's/"id": "[0-9a-f-]\{36\}"/"id": "uuid"/' rejected | sed -n '4,8p' >rest
    cat >want <<END
{"line": 7, "id": "uuid", "reason": "duplicate-id"}
{"line": 8, "id": 17, "reason": "replay"}
{"line": 9, "id": "b", "reason": "bad-base64"}
{"line": 14, "reason": "too-long"}
{"line": 15, "id": "d", "reason": "decrypt"}
END
    cmp rest want || return 1
    cat errors
    for reason in decrypt=2 bad-json=1 no-id=1 duplicate-id=1 replay=1 bad-base64=1 too-long=1; do
        grep -q "reason=${reason%=*} records=${reason#*=}\$" errors || return 1
    done
}
promise "-v counts by reason and --rejects names each record" by_reason

as_json() {
    step verify1 A trouble -v --log-format json >said 2>errors &&
        grep -q '"reason":"replay","records":1' errors && ! grep -qv '^{.*}$' errors
}
promise "--log-format json makes every message an object" as_json

later_reasons() {
    both verify1 trouble >said 2>errors || return 1
    sed -n '1p;3,6p' A/verify1/trouble >own
    sed -n '1,4p' B/verify1/trouble | sed '1s/"payload": "[^"]*"/"payload": "AAAA"/' >peer
    as A
    prio verify2 --input A/raw/trouble --input-internal own --input-external peer --output v2 \
        --rejects rejected >said
    sed 's/.*"reason": "\(.*\)"}/\1/' rejected | sort | uniq -c | tr -s ' ' >reasons
    cat >want <<END
 1 bad-json
 1 bad-packet
 1 duplicate-id
 2 missing-external
 5 missing-internal
 1 no-id
 1 too-long
END
    cat reasons
    cmp reasons want && grep -qx "12 errors out of 14 total" said
}
promise "missing and malformed messages are counted apart" later_reasons

any_workers() {
    step verify1 A trouble --workers 1 --rejects one >said1 2>errors || return 1
    cp A/verify1/trouble v1
    for w in 2 7; do
        step verify1 A trouble --workers "$w" --rejects more >said2 2>errors &&
            cmp A/verify1/trouble v1 && cmp one more && cmp said1 said2 || return 1
    done
}
promise "the number of workers changes nothing" any_workers

any_cpu() {
    for cpu in c avx2 avx512; do
        step verify1 A trouble --cpu "$cpu" >said 2>errors && cmp A/verify1/trouble v1 || return 1
    done
}
promise "the SIMD level changes nothing" any_cpu

strict() {
    as A
    refuses 1 "A/raw/trouble: line 4" \
        prio verify1 --input A/raw/trouble --output strict --strict &&
        nothing_in strict &&
        refuses 1 "bad: line 2" prio verify2 --input A/raw/rows --input-internal bad \
            --input-external bad --output strict --strict && nothing_in strict
}
printf '{"id": 5}\n[]\n' >bad
promise "--strict ends at the first broken line and leaves nothing" strict

warns() {
    as A
    prio verify2 --input A/raw/rows --input-internal bad --input-external bad --output w \
        >said 2>errors
    cat errors
    grep -q 'skipped.*file=bad lines=1' errors
}
promise "broken lines of packet files are skipped with a warning" warns

# hints STAGE TEXT [OPTION...] - when nothing comes through, the usual cause is named.
hints() {
    hint_stage=$1 hint_text=$2
    shift 2
    step "$hint_stage" A rows "$@" >said 2>errors || return 1
    cat said errors
    grep -qx "6 errors out of 6 total" said && grep -qF -e "$hint_text" errors
}
promise "a wrong key is suspected when nothing decrypts" hints verify1 "--private-key-hex" \
    --input B/raw/rows
promise "a wrong batch is suspected when nothing parses" hints verify1 "--batch-id" --batch-id other
both verify1 rows >said
promise "different runs are suspected when everything is missing" hints verify2 \
    "different runs" --input-external A/raw/trouble --input-internal bad
false_points() {
    step verify1 A rows >said && step verify1 B rows --points sequential >said &&
        step verify2 A rows >said && step verify2 B rows --points sequential >said &&
        step aggregate A rows >said 2>errors || return 1
    cat said errors
    # The first record has the same point in both modes.
    grep -qx "5 errors out of 6 total" said && grep -qF -e "all but one" errors &&
        grep -qF -e "--points" errors
}
promise "points modes that differ fail all but the first record" false_points
false_prg() {
    step verify1 A rows --prg legacy >said && step verify1 B rows >said &&
        step verify2 A rows --prg legacy >said && step verify2 B rows >said || return 1
    hints aggregate "--prg"
}
promise "points and PRG are suspected when no proof holds" false_prg

members() {
    sed 's/^{/{"n": [1.50, "é"], /' A/raw/rows >A/raw/more
    step verify1 A more >said && [ "$(grep -c '^{"n": \[1.50, "\\u00e9"\], "id": "' A/verify1/more)" -eq 6 ]
}
promise "other members are carried through" members
done_promising
