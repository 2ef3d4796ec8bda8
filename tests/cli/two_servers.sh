# SPDX-License-Identifier: MPL-2.0
# shellcheck shell=sh
#
# two_servers.sh - servers A and B with their buckets, for tests of prio-processor process. Source
# it with $1 and $2 as tests/cli/meson.build gives them.
#
#   . "$2/tests/cli/two_servers.sh"
#   new_servers 5                       # fresh keys, as commands.sh has it
#   configure batch 5 other 3           # the batches
#   raw batch A/raw B/raw; mark_raw     # shares into the ingest buckets
#   both_serve [OPTION]... && published batch
#
# Buckets are a-ingest, a-private, a-shared, b-..., below store/; with one_bucket=1 all are "one".

. "$2/tests/cli/commands.sh"
processor=$1/prio-processor cheat=$1/prio-cheat
one_bucket=
unset BUCKET_INTERNAL_INGEST BUCKET_EXTERNAL_INGEST BUCKET_INTERNAL_ENDPOINT BUCKET_EXTERNAL_ENDPOINT \
    WEIR_WAREHOUSE GOOGLE_APPLICATION_CREDENTIALS
export WEIR_STORE="$tap_dir/store" WEIR_HOME="$tap_dir/home" DATA_CONFIG="$tap_dir/config.json" \
    APP_NAME=app SUBMISSION_DATE=2026-03-14 BUCKET_PREFIX=data/v1 \
    RETRY_LIMIT=600 RETRY_DELAY=0.05 RETRY_BACKOFF_EXPONENT=1

# configure BATCH N_DATA...
configure() {
    configure_comma='['
    while [ $# -gt 0 ]; do
        printf '%s{"batch_id": "%s", "n_data": %s}' "$configure_comma" "$1" "$2"
        configure_comma=,
        shift 2
    done >config.json
    echo ']' >>config.json
}

# bucket A|B ingest|private|shared
bucket() {
    if [ -n "$one_bucket" ]; then
        echo one
    elif [ "$1" = A ]; then
        echo "a-$2"
    else
        echo "b-$2"
    fi
}

new_buckets() {
    rm -rf store
    for bucket_use in ingest private shared; do
        mkdir -p "store/$(bucket A $bucket_use)" "store/$(bucket B $bucket_use)"
    done
}

# own A|B - what stands before every key in that server's buckets.
own() {
    echo "$BUCKET_PREFIX/$(field public_key "keys.$(other "$1")")/$APP_NAME/$SUBMISSION_DATE"
}

# place A|B ingest|private|shared - the folder of that server's objects.
place() {
    echo "store/$(bucket "$1" "$2")/$(own "$1")"
}

# reach A|B - set what it takes to reach the buckets; nothing here, for tests on other stores to replace.
reach() {
    :
}

# server A|B - be this server, with its buckets.
server() {
    as "$1"
    BUCKET_INTERNAL_INGEST=$(bucket "$1" ingest)
    BUCKET_INTERNAL_PRIVATE=$(bucket "$1" private)
    BUCKET_INTERNAL_SHARED=$(bucket "$1" shared)
    BUCKET_EXTERNAL_SHARED=$(bucket "$(other "$1")" shared)
    export BUCKET_INTERNAL_INGEST BUCKET_INTERNAL_PRIVATE BUCKET_INTERNAL_SHARED BUCKET_EXTERNAL_SHARED
    reach "$1"
}

# raw BATCH FILES_A FILES_B - put shares of a batch into both ingest buckets, no marker yet.
raw() {
    for raw_server in A B; do
        raw_files=$2
        [ $raw_server = A ] || raw_files=$3
        raw_to=$(place $raw_server ingest)/raw/shares/batch_id=$1
        mkdir -p "$raw_to" && cp "$raw_files"/* "$raw_to" || return 1
    done
}

mark_raw() {
    : >"$(place A ingest)/raw/shares/_SUCCESS" && : >"$(place B ingest)/raw/shares/_SUCCESS"
}

# serve A|B [OPTION]... - process, in a shell of its own; what it says is in A.said and A.log.
serve() (
    serve_me=$1
    shift
    server "$serve_me"
    "$processor" process "$@" >"$serve_me.said" 2>"$serve_me.log" || {
        serve_status=$?
        echo "server $serve_me:"
        tail -n 8 "$serve_me.said" "$serve_me.log"
        exit "$serve_status"
    }
)

# both_serve [OPTION]... - A and B at once.
both_serve() {
    serve A "$@" &
    both_pid=$!
    both_status=0
    serve B "$@" || both_status=$?
    wait "$both_pid" || both_status=$?
    return "$both_status"
}

# published A|B BATCH - its numbers, errors and total: "1,2,3 0 5".
published() {
    sed -n 's/.*"payload": *\[\([^]]*\)\],"error":\([0-9]*\),"total":\([0-9]*\).*/\1 \2 \3/p' \
        "$(place "$1" private)/processed/publish/batch_id=$2"/part-*
}

# both_published BATCH TEXT - equal on both sides.
both_published() {
    for both_server in A B; do
        both_got=$(published $both_server "$1")
        [ "$both_got" = "$2" ] || {
            echo "server $both_server, batch $1: $both_got, not $2"
            return 1
        }
    done
}

# tree DIR - every file below it with its checksum.
tree() {
    (cd "$1" && find . -type f -exec cksum {} + | LC_ALL=C sort -k 3)
}

# cheated DIR BATCH N_DATA CLIENTS SEED CHEATS [LINES] - shares with cheaters into DIR/A and DIR/B, in files of so
# many lines; what both must publish into DIR/expected.
cheated() {
    as client
    "$cheat" shares --n-data "$3" --batch-id "$2" --clients "$4" --seed "$5" --cheats "$6" \
        --output-A "$1/whole.A" --output-B "$1/whole.B" --truth "$1/truth" || return 1
    for cheated_side in A B; do
        rm -rf "${1:?}/$cheated_side"
        mkdir -p "$1/$cheated_side" && split -l "${7:-1000000}" -d -a 5 --additional-suffix=.json \
            "$1/whole.$cheated_side/data.ndjson" "$1/$cheated_side/part-" || return 1
    done
    awk '$1 == "honest" { n = $2 }
        $1 == "reject" && $2 == "aggregate" && $3 == "A" && $4 == "invalid" { wrong = $5 }
        sub(/^totals \[/, "") { gsub(/[] ]/, ""); print $0, 0 + wrong, n + wrong }' \
        "$1/truth" >"$1/expected"
}
