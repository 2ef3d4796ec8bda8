#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# prio_encode.sh BUILD ROOT - encode-shares and publish: rows, integers, refusals.
set -u
. "$2/tests/cli/commands.sh"
new_servers 6
as client

encodes() {
    prio encode-shares --input "$1" --output-A enc/A --output-B enc/B
}
# bad_row LINE_NUMBER ROW - is refused with that number and leaves no file.
bad_row() {
    rm -rf enc
    { echo '[1,0,1,0,1,0]' && echo && echo "$2" && echo '[1]'; } >bad.ndjson
    refuses 1 "bad.ndjson: line $1: " encodes bad.ndjson && nothing_in enc/A && nothing_in enc/B
}
for row in '[1,0,1,0,1]' '[1,0,1,0,1,0,0]' '[1,0,1,0,1,2]' '[1,0,1,0,1,-1]' '[1,0,1,0,1,0.0]' \
    '[1,0,1,0,1,true]' '{"payload": "101010"}' '{"payload": null}' '{}' 'x' '{"payload": [1,0,1,0,1,0]' \
    '[1,0,1,0,1,0],' '[[1,0,1,0,1,0]]' '[1,0,1,0,1,10]' '[]'; do
    promise "the row $row is refused" bad_row 3 "$row"
done

old_stays() {
    rm -rf enc
    echo '[1,0,1,0,1,0]' >data
    encodes data && cp enc/A/data before && echo '[2]' >>data && ! encodes data 2>errors &&
        cmp enc/A/data before
}
promise "a refused file leaves an earlier result alone" old_stays

integers() {
    printf '{"payload": [5, 7]}\n\n[1,0]\n{"id": 3, "payload": [2,7]}\n' >ints
    as client
    prio encode-shares --input ints --output-A A/raw --output-B B/raw --prec 3 || return 1
    both verify1 ints >said && both verify2 ints >said && both aggregate ints >said &&
        both publish ints --prec 3 >said && [ "$(totals A ints)" = "8, 14" ] &&
        [ "$(totals B ints)" = "8, 14" ] && both publish ints >said &&
        [ "$(totals A ints)" = "1, 1, 2, 2, 2, 2" ]
}
promise "--prec makes integers of bits at encode-shares and publish" integers
too_large() {
    echo '[8,0]' >large
    as client
    refuses 1 "large: line 1: entry 1 is not an integer below 2^3" \
        prio encode-shares --input large --output-A big/A --output-B big/B --prec 3 &&
        nothing_in big/A
}
promise "an integer of too many bits is refused" too_large

stamped() {
    step publish A ints --now 2026-08-20T04:30:00.5Z >said &&
        grep -q '"timestamp": "2026-08-20T04:30:00.500000", "payload": \[1, 1' A/publish/ints &&
        step publish A ints --now yesterday >said 2>errors
    [ $? -eq 2 ]
}
promise "--now sets the timestamp" stamped

other_records() {
    sed 's/"error": 0/"error": 1/' B/aggregate/ints >less
    as A
    refuses 1 "summed" prio publish --input-internal A/aggregate/ints --input-external less \
        --output refused && [ ! -e refused ] &&
        sed 's/"error": 0, "total": 3/"error": 4, "total": 7/' B/aggregate/ints >"more" &&
        prio publish --input-internal A/aggregate/ints --input-external more --output fine >said
}
promise "publish refuses sums of different numbers of records" other_records

wrong_order() {
    as A
    refuses 1 "" prio publish --input-internal B/aggregate/ints --input-external A/aggregate/ints \
        --output refused && [ ! -e refused ] &&
        refuses 1 "" prio publish --input-internal A/aggregate/ints \
            --input-external A/aggregate/ints --output refused &&
        refuses 1 "" prio publish --input-internal A/aggregate/ints \
            --input-external B/aggregate/ints --output refused --n-data 5 &&
        refuses 1 "A/raw/ints" prio publish --input-internal A/aggregate/ints \
            --input-external A/raw/ints --output refused
}
promise "publish refuses shares that are not the own and the peer's" wrong_order
done_promising
