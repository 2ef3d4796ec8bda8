#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# prio_inspect.sh BUILD ROOT - inspect tells every kind of record apart and keeps secrets.
set -u
. "$2/tests/cli/commands.sh"
new_servers 5
make_rows 3 >rows
encode rows
pipeline rows >said || exit 1
as client
unset N_DATA BATCH_ID

# shows FILE TEXT... - each text is a line of what inspect prints, "*" for anything.
shows() {
    file=$1
    shift
    prio inspect "$file" >shown || return 1
    cat shown
    for text in "$@"; do
        grep -q "^$(echo "$text" | sed 's/\./[.]/g; s/\*/.*/g')\$" shown || return 1
    done
}
promise "a share is told" shows A/raw/rows "line 1: share" "line 3: share" "  id *\"*-*\"" "  share *"
promise "a verify1 message is shown" shows A/verify1/rows "line 2: verify1 message" \
    "  d  *[0-9a-f]*" "  e  *[0-9a-f]*"
promise "a verify2 message is shown" shows B/verify2/rows "line 2: verify2 message" "  sigma *"
promise "an aggregate is told, its sums are not shown" shows B/aggregate/rows "line 1: aggregate" \
    "  total  *3" "  error  *0" "  server id  *B" "  sums  *5 elements, not shown"
promise "a result is told" shows A/publish/rows "line 1: published totals" \
    "  payload  *5 entries, not shown"
promise "plain values are told, not shown" shows rows "line 1: plain values of a client" \
    "  payload  *5 entries, not shown"

opened() {
    for s in A B; do
        PRIVATE_KEY_HEX=$(field private_key "keys.$s")
        export PRIVATE_KEY_HEX
        shows "$s/raw/rows" "  opens  *yes" "  batch id  *\"batch\"" "  server id  *$s" || return 1
    done
    grep -q "seed  *16 bytes, not shown" shown && shows A/raw/rows "  opens  *no*" &&
        BATCH_ID=other shows B/raw/rows "*--batch-id*"
}
promise "with the private key, packets are described" opened

secret() {
    PRIVATE_KEY_HEX=$(field private_key keys.A)
    export PRIVATE_KEY_HEX
    prio inspect A/raw/rows >hidden && prio inspect --reveal A/raw/rows >revealed || return 1
    # The ephemeral key is the one long number of a hidden share.
    [ "$(grep -c '[0-9a-f]\{20\}' hidden)" -eq 3 ] && grep -q "data shares *5 elements: " revealed &&
        prio inspect --reveal rows | grep -q "5 entries: 1 0 1 0 1"
}
promise "secret values need --reveal" secret

odd_files() {
    printf 'x\n{}\n{"id": 5, "payload": "####"}\n{"id": "\\u001b[1m", "payload": "AAAA"}\n' >odd
    shows odd "line 1: neither*" "line 2: *without a payload" "line 3: unknown record" \
        "  payload  *not base64" "  id  *\"*u001b\[1m\"" "  payload  *3 bytes that are no*"
    ! grep -q "$(printf '\033')" shown
}
promise "rubbish is described and cannot steer a terminal" odd_files
promise "an unreadable file exits 1" refuses 1 "none" prio inspect none
promise "a file must be named" refuses 2 "FILE" prio inspect
packed() {
    gzip -c A/verify1/rows | prio inspect - | grep -q "line 3: verify1 message"
}
promise "gzip and standard input are fine" packed
done_promising
