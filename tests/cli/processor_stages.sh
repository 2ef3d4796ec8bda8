#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# processor_stages.sh BUILD ROOT - the stages over directories, as prio-spark had them.
set -u
spark=$1/bin/prio-spark
. "$2/tests/cli/commands.sh"
new_servers 5

spark() {
    "$spark" "$@" 2>log
}

rows() {
    rm -rf rows && mkdir rows || return 1
    make_rows 4 >rows/part-00000.json
    make_rows 3 | gzip >rows/part-00001.json
    echo '{"payload": [1, 0]}' >rows/part-00002.json
    echo 'not read' >rows/_ignored && : >rows/_SUCCESS && : >rows/.part-0.crc
}

encoded() {
    rows && as client &&
        [ "$(spark encode-shares --input rows --output-A A/raw --output-B B/raw)" = \
            "Running encode shares
writing 1 partitions" ]
}
promise "encode-shares says what it does" encoded

same_names() {
    (cd A/raw && ls -A) >a && (cd B/raw && ls -A) >b && cmp a b && [ "$(wc -l <a)" -eq 2 ] &&
        grep -qx _SUCCESS a &&
        grep -qE '^part-00000-[0-9a-f-]{36}-c000\.json$' a
}
promise "both sides have the same part names and a marker" same_names

ids() {
    sed 's/{"id":"\([^"]*\)".*/\1/' "$1"/part-*
}
bad_row() {
    ids A/raw >a && ids B/raw >b && cmp a b && [ "$(sort -u a | wc -l)" -eq 8 ] &&
        [ "$(grep -cvE '^\{"id":"[0-9a-f-]{36}","payload":"[A-Za-z0-9+/]+=*"\}$' A/raw/part-*)" = 1 ] &&
        grep -qE '^\{"id":"[0-9a-f-]{36}"\}$' B/raw/part-*
}
promise "a row that cannot be encoded comes out with its id alone" bad_row

# stage STAGE ME PEER
stage() {
    as "$2"
    case $1 in
    verify1) set -- "$1" "$2" --input "$2/raw" ;;
    verify2) set -- "$1" "$2" --input "$2/raw" --input-internal "$2/verify1" \
        --input-external "$3/verify1" ;;
    aggregate) set -- "$1" "$2" --input "$2/raw" --input-internal "$2/verify2" \
        --input-external "$3/verify2" ;;
    publish) set -- "$1" "$2" --input-internal "$2/aggregate" --input-external "$3/aggregate" ;;
    esac
    stage_name=$1 stage_me=$2
    shift 2
    [ "$(spark "$stage_name" "$@" --output "$stage_me/$stage_name")" = "Running $stage_name" ] &&
        [ -f "$stage_me/$stage_name/_SUCCESS" ]
}

both_run() {
    for s in verify1 verify2 aggregate publish; do
        stage "$s" A B && stage "$s" B A || return 1
    done
}
published() {
    for s in A B; do
        sed 's/"id":"[0-9a-f-]*"/"id":""/; s/"timestamp":"[0-9T:.-]*"/"timestamp":""/' \
            "$s"/publish/part-*
    done
}
as_published() {
    both_run && published >is && printf '%s\n%s\n' "$1" "$1" | diff - is
}
sums='{"id":"","timestamp":"","payload":[7,3,3,0,7],"error":0,"total":7}'
promise "both servers publish the totals of all parts" as_published "$sums"

compact() {
    grep -qE '^\{"payload":"[A-Za-z0-9+/=]+","error":0,"total":7\}$' A/aggregate/part-* &&
        [ "$(cat A/aggregate/part-* | wc -l)" -eq 1 ] &&
        [ "$(grep -cE '^\{"id":"[^"]*","payload":"[^"]*"\}$' A/verify1/part-*)" -eq 7 ]
}
promise "records have no spaces, and aggregate is one line" compact

replaced() {
    before=$(ls A/verify1/part-*)
    echo old >A/verify1/part-00009-old.json && mkdir A/verify1/sub && echo old >A/verify1/sub/x
    stage verify1 A B && [ ! -e "$before" ] && [ ! -e A/verify1/part-00009-old.json ] &&
        [ ! -e A/verify1/sub ] && [ "$(find A/verify1 -name 'part-*' | wc -l)" -eq 1 ]
}
promise "an output directory is replaced" replaced

forms() {
    as A
    file=$(ls A/raw/part-*)
    for place in "$file" 'A/raw/part-*' 'A/r?w' "file://$tap_dir/A/raw" "$tap_dir/A/raw/" \
        'A/raw/*c000.json'; do
        spark verify1 --input "$place" --output formed && cat formed/part-* >is || return 1
        cat A/verify1/part-* | cmp - is || return 1
    done
}
promise "an input is a directory, a file, a glob or a URL" forms

# The same record in two parts counts once, in the first part by name.
duplicates() {
    rm -rf D && for s in A B; do
        mkdir -p "D/$s/raw" && head -n 3 "$s"/raw/part-* >"D/$s/raw/part-00001.json" &&
            head -n 5 "$s"/raw/part-* >"D/$s/raw/part-00000.json" || return 1
    done
    (cd D && ln -s ../keys.A ../keys.B . && both_run && published >is && head -n 1 is)
}
once() {
    [ "$(duplicates)" = '{"id":"","timestamp":"","payload":[5,2,3,0,5],"error":0,"total":5}' ]
}
promise "a record that is in two parts counts once" once

survivors() {
    rm -rf Z && for s in A B; do
        mkdir -p "Z/$s/raw" && echo '{"id":1}' >"Z/$s/raw/part-0.json" || return 1
    done
    (cd Z && ln -s ../keys.A ../keys.B . && both_run && published | head -n 1)
}
no_survivors() {
    [ "$(survivors)" = '{"id":"","timestamp":"","payload":[0,0,0,0,0],"error":0,"total":0}' ]
}
promise "a batch without survivors is published as zeros" no_survivors

empty_directory() {
    mkdir -p E && : >E/_SUCCESS && as A && spark verify1 --input E --output E1 &&
        [ "$(cat E1/part-* | wc -c)" -eq 0 ]
}
promise "a directory with nothing but a marker gives an empty part" empty_directory

nothing() {
    as A
    refuses 1 "--input: " "$spark" verify1 --input nowhere --output out &&
        refuses 1 "--input-external: " "$spark" publish \
            --input-internal A/aggregate --input-external 'no/*' --output out && [ ! -e out ]
}
promise "an input that is not there is named, and nothing is written" nothing

aggregates() {
    as A
    cp -r A/aggregate two && cp two/part-* two/part-00001.json &&
        refuses 1 "--input-internal: 2 aggregates, where there must be one" "$spark" publish --input-internal two \
            --input-external B/aggregate --output out && [ ! -e out ]
}
promise "two aggregates of a batch are an error" aggregates

within() {
    as A
    refuses 2 "--output is replaced, and --input lies in it." \
        "$spark" verify1 --input A/raw --output A &&
        refuses 2 "Invalid value for '--output': 'seed' is a file; it needs a directory." \
            "$spark" verify1 --input A/raw --output seed &&
        refuses 2 "--output-A and --output-B must be different places." \
            "$spark" encode-shares --input rows --output-A X --output-B X && [ -f A/raw/_SUCCESS ]
}
promise "an output that would destroy an input is refused" within

dry() {
    as A
    spark verify1 --dry-run --input A/raw --output dry && [ ! -e dry ] && as client &&
        spark encode-shares --dry-run --input rows --output-A dryA --output-B dryB &&
        [ ! -e dryA ] && [ ! -e dryB ]
}
promise "--dry-run writes nothing" dry

bad_keys() {
    as A
    PUBLIC_KEY_HEX_INTERNAL=$PUBLIC_KEY_HEX_EXTERNAL refuses 1 "not the public half" \
        "$spark" verify1 --input A/raw --output out &&
        SHARED_SECRET=short refuses 1 "--shared-secret" "$spark" verify1 --input A/raw \
            --output out && [ ! -e out ]
}
promise "bad keys are an error before anything is written" bad_keys

by_prio() {
    as A
    mkdir -p P && prio verify1 --input "$(ls A/raw/part-*)" --output P >/dev/null &&
        tr -d ' ' <"$(ls P/part-*)" | cmp - "$(ls A/verify1/part-*)"
}
promise "the records are those of prio, but for the spaces" by_prio

same_workers() {
    as A
    spark verify1 --input A/raw --output W1 --workers 1 &&
        spark verify1 --input A/raw --output W3 --workers 3 && cat W1/part-* >one &&
        cat W3/part-* | cmp - one
}
promise "results do not depend on the number of workers" same_workers
done_promising
