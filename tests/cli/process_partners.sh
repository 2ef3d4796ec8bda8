#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# process_partners.sh BUILD ROOT - partners that run something else: the file commands of prio, or the
# directory commands, moved about by hand. And the original's example of batches without process.
set -u
. "$2/tests/cli/two_servers.sh"
new_servers 5
configure rain 20 sun-0 7 gone 3
cheated rain rain 20 30 1 all=2 17 && cheated sun sun-0 7 25 2 bit2=2,mismatch=1 || exit 1
# Staged records have integers for ids.
for side in A B; do
    awk '{ sub(/"id": "[^"]*"/, "\"id\": " FNR) } 1' sun/whole.$side/data.ndjson >sun/$side/part-00000.json
done

# wait_for FILE
wait_for() {
    for _ in $(seq 600); do
        [ ! -e "$1" ] || return 0
        sleep 0.05
    done
    echo "no $1"
    return 1
}

# by_files STAGE ME BATCH INTERNAL EXTERNAL - one stage of prio, which takes one file each.
by_files() {
    BATCH_ID=$3 N_DATA=$(sed -n "s/.*\"$3\", \"n_data\": \([0-9]*\).*/\1/p" config.json | tail -n 1)
    export BATCH_ID N_DATA
    bf_out=hand/$2/$1/batch_id=$3
    cat "$(place "$2" ingest)/raw/shares/batch_id=$3"/part-* >"hand/$2/data.ndjson"
    [ "$1" = verify1 ] || cat "$5"/[!_]* >"hand/$2/peer.ndjson"
    set -- "$1" "$2" "$4/data.ndjson"
    case $1 in
    verify1) set -- "$1" "$2" --input "hand/$2/data.ndjson" ;;
    publish) set -- "$1" "$2" --input-internal "$3" --input-external "hand/$2/peer.ndjson" ;;
    *) set -- "$1" "$2" --input "hand/$2/data.ndjson" --input-internal "$3" --input-external "hand/$2/peer.ndjson" ;;
    esac
    bf_stage=$1
    shift 2
    prio "$bf_stage" "$@" --output "$bf_out"
}

# by_directories STAGE ME BATCH INTERNAL EXTERNAL - the same of prio-processor.
by_directories() {
    BATCH_ID=$3 N_DATA=$(sed -n "s/.*\"$3\", \"n_data\": \([0-9]*\).*/\1/p" config.json | tail -n 1)
    export BATCH_ID N_DATA
    bd_raw="$(place "$2" ingest)/raw/shares/batch_id=$3"
    bd_out=hand/$2/$1/batch_id=$3
    case $1 in
    verify1) set -- "$1" --input "$bd_raw" ;;
    publish) set -- "$1" --input-internal "$4" --input-external "$5" ;;
    *) set -- "$1" --input "$bd_raw" --input-internal "$4" --input-external "$5" ;;
    esac
    "$processor" "$@" --output "$bd_out"
}

# play HOW ME - a server by hand: each batch of each stage, then into the partner's mailbox, marker last.
play() (
    how=$1 me=$2 before=
    server "$me"
    mail=$(place "$me" shared)/intermediate/external
    out=$(place "$(other "$me")" shared)/intermediate/external
    mkdir -p "hand/$me"
    for stage in verify1 verify2 aggregate publish; do
        [ -z "$before" ] || wait_for "$mail/$before/_SUCCESS" || exit 1
        for batch in rain sun-0; do
            "by_$how" "$stage" "$me" "$batch" "hand/$me/$before/batch_id=$batch" "$mail/$before/batch_id=$batch" ||
                exit 1
        done
        before=$stage
        [ "$stage" != publish ] || continue
        mkdir -p "$out" && cp -r "hand/$me/$stage" "$out" && : >"$out/$stage/_SUCCESS" || exit 1
    done
)

fill_buckets() {
    rm -rf hand && new_buckets && raw rain rain/A rain/B && raw sun-0 sun/A sun/B && mark_raw
}

# numbers FILE - of one published object, of either program.
numbers() {
    sed -n 's/.*"payload": *\[\([^]]*\)\].*/\1/p' "$@" | tr -d ' '
}

# beside HOW ME - that server by hand, the other by process.
beside() {
    fill_buckets || return 1
    play "$1" "$2" >hand.said 2>&1 &
    beside_pid=$!
    beside_status=0
    serve "$(other "$2")" || beside_status=$?
    wait "$beside_pid" || { cat hand.said; return 1; }
    [ "$beside_status" -eq 0 ] || return 1
    for pair in "rain rain" "sun-0 sun"; do
        # shellcheck disable=SC2086
        set -- "$1" "$2" $pair
        is=$(published "$(other "$2")" "$3")
        must=$(cat "$4/expected")
        by_hand=$(numbers hand/"$2"/publish/batch_id="$3"/[!_]*)
        if [ "$is" != "$must" ] || [ "$by_hand" != "${must%% *}" ]; then
            echo "batch $3: $is and $by_hand, not $must"
            return 1
        fi
    done
    [ ! -e "$(place "$(other "$2")" private)/processed/publish/batch_id=gone" ]
}

by_process() {
    fill_buckets && both_serve --workers 2 && both_published rain "$(cat rain/expected)" &&
        both_published sun-0 "$(cat sun/expected)"
}
promise "both by process" by_process
for me in B A; do
    promise "server $me by the file commands, its partner by process" beside files $me
    promise "server $me by the directory commands, its partner by process" beside directories $me
done

# Integer ids stay integers, strings stay strings, in what the partner gets.
ids() {
    fill_buckets && both_serve --keep-state || return 1
    for s in A B; do
        external=$(place "$s" shared)/intermediate/external
        grep -qE '^\{"id":[0-9]+,"payload":"[^"]*"\}$' "$external"/verify1/batch_id=sun-0/part-* &&
            ! grep -vE '^\{"id":"[0-9a-f-]{36}","payload":"[^"]*"\}$' "$external"/verify2/batch_id=rain/part-* ||
            return 1
    done
}
promise "ids keep their type" ids

# The original's examples/batched-processing: a bucket a server, three files, the file commands in loops.
N_DATA=3 BATCH_ID=test
# batch_server ME
batch_server() (
    me=$1 peer=$(other "$1") before=raw
    as "$me"
    for stage in verify1 verify2 aggregate publish; do
        if [ "$before" = raw ]; then seen=server-$me/raw; else seen=server-$me/intermediate/external/$before; fi
        wait_for "$seen/_SUCCESS" || exit 1
        out=server-$me/intermediate/internal/$stage
        [ "$stage" != publish ] || out=server-$me/processed
        for file in part-0.ndjson part-1.ndjson part-2.ndjson; do
            set --
            [ "$stage" = publish ] || set -- --input "server-$me/raw/$file"
            [ "$before" = raw ] || set -- "$@" --input-internal "server-$me/intermediate/internal/$before/$file" \
                --input-external "server-$me/intermediate/external/$before/$file"
            prio "$stage" "$@" --output "$out" || exit 1
        done
        before=$stage
        [ "$stage" = publish ] || {
            mkdir -p "server-$peer/intermediate/external/$stage" &&
                cp "$out"/* "server-$peer/intermediate/external/$stage" &&
                : >"server-$peer/intermediate/external/$stage/_SUCCESS"
        } || exit 1
    done
)

batched() {
    mkdir client
    for rows in '0 100 110 111' '1 101 111 101 111' '2 100 100 100 100 110 110 111'; do
        # shellcheck disable=SC2086
        set -- $rows
        file=client/part-$1.ndjson
        shift
        for row; do
            echo "$row" | sed 's/\(.\)\(.\)\(.\)/{"payload": [\1, \2, \3]}/'
        done >"$file"
    done
    batch_server A >A.said 2>&1 &
    a=$!
    batch_server B >B.said 2>&1 &
    b=$!
    as client
    for file in client/*; do
        prio encode-shares --input "$file" --output-A server-A/raw --output-B server-B/raw || return 1
    done
    : >server-A/raw/_SUCCESS && : >server-B/raw/_SUCCESS
    if ! wait "$a" || ! wait "$b"; then
        cat A.said B.said
        return 1
    fi
    for s in A B; do
        [ "$(numbers server-"$s"/processed/part-0.ndjson)" = 3,2,1 ] &&
            [ "$(numbers server-"$s"/processed/part-1.ndjson)" = 4,2,4 ] &&
            [ "$(numbers server-"$s"/processed/part-2.ndjson)" = 7,3,1 ] || return 1
    done
}
promise "the example of batches: [3,2,1], [4,2,4], [7,3,1]" batched
done_promising
