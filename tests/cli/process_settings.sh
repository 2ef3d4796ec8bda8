#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# process_settings.sh BUILD ROOT - variables as people have them in their jobs, exit statuses, what is said
# when something is missing, and --dry-run.
set -u
. "$2/tests/cli/two_servers.sh"
new_servers 5
bin=$1/bin
configure rain 20 sun 7
cheated rain rain 20 12 1 all=1 && cheated sun sun 7 9 2 bit2=2 || exit 1

fill_buckets() {
    new_buckets && raw rain rain/A rain/B && raw sun sun/A sun/B && mark_raw
}

right_totals() {
    both_published rain "$(cat rain/expected)" && both_published sun "$(cat sun/expected)"
}

# files NAME - as the tree below store/ is now.
files() {
    tree store >"$1"
}

nothing_changed() {
    files now && diff before now
}

# The variables as the seed prints them, but for RETRY_DELAY=10, which would take half a minute here.
printed() (
    as "$1"
    export APP_NAME=test-app BUCKET_PREFIX=test-app/v1 SUBMISSION_DATE=2021-04-27
    export RETRY_LIMIT=90 RETRY_DELAY=0.1 RETRY_BACKOFF_EXPONENT=1
    me=a partner=b
    [ "$1" = A ] || me=b partner=a
    env BUCKET_INTERNAL_INGEST="$me-ingest-d70d758a4b28a791" \
        BUCKET_INTERNAL_PRIVATE="$me-private-d70d758a4b28a791" \
        BUCKET_INTERNAL_SHARED="$me-shared-d70d758a4b28a791" \
        BUCKET_EXTERNAL_SHARED="$partner-shared-d70d758a4b28a791" \
        "$bin/process" --keep-state
)

as_printed() {
    rm -rf store
    for s in A B; do
        lower=$(echo "$s" | tr AB ab)
        prefix=test-app/v1/$(field public_key "keys.$(other "$s")")/test-app/2021-04-27
        shares=store/$lower-ingest-d70d758a4b28a791/$prefix/raw/shares
        mkdir -p "$shares" "store/$lower-private-d70d758a4b28a791" "store/$lower-shared-d70d758a4b28a791"
        cp -r "rain/$s" "$shares/batch_id=rain" && : >"$shares/_SUCCESS" || return 1
    done
    printed A >A.said 2>A.log &
    a=$!
    printed B >B.said 2>B.log
    b_status=$?
    if ! wait "$a" || [ "$b_status" -ne 0 ]; then
        cat A.log B.log
        return 1
    fi
    for s in a b; do
        published_text "store/$s-private-d70d758a4b28a791" | grep -qxF "$(cat rain/expected)" || return 1
    done
    # What is where in the seed's listing.
    for place in a-private/intermediate/internal/aggregate a-private/intermediate/internal/verify1 \
        a-private/intermediate/internal/verify2 a-private/processed/publish a-ingest/raw/shares \
        a-shared/intermediate/external/aggregate a-shared/intermediate/external/verify1 \
        a-shared/intermediate/external/verify2 b-shared/intermediate/external/verify1 \
        b-shared/intermediate/external/verify2 b-shared/intermediate/external/aggregate; do
        key=$(field public_key keys.B)
        case $place in b-*) key=$(field public_key keys.A) ;; esac
        [ -d "store/${place%%/*}-d70d758a4b28a791/test-app/v1/$key/test-app/2021-04-27/${place#*/}/batch_id=rain" ] || {
            echo "no $place"
            return 1
        }
    done
}
# published_text DIR - of all publish files below it, as published prints them.
published_text() {
    find "$1" -path '*/processed/publish/*' -name 'part-*' -exec cat {} + |
        sed -n 's/.*"payload": *\[\([^]]*\)\],"error":\([0-9]*\),"total":\([0-9]*\).*/\1 \2 \3/p'
}
promise "the variables as printed: bare names lie under WEIR_STORE" as_printed

misspelled() {
    (
        server A
        unset BUCKET_EXTERNAL_SHARED
        export BUCKET_EXTERNAL_SHARE=b-shared
        refuses 2 BUCKET_EXTERNAL_SHARED "$processor" process
    )
}
promise "the seed's misspelled name is answered with the right one" misspelled

# serve_without_ingest ME
serve_without_ingest() (
    server "$1"
    unset BUCKET_INTERNAL_INGEST
    "$processor" process >"$1.said" 2>"$1.log" || { cat "$1.log"; exit 1; }
)
first_set() {
    new_buckets
    for s in A B; do
        shares=$(place "$s" private)/raw/shares
        mkdir -p "$shares" && cp -r rain/"$s" "$shares/batch_id=rain" && cp -r sun/"$s" "$shares/batch_id=sun" &&
            : >"$shares/_SUCCESS" || return 1
    done
    serve_without_ingest A &
    a=$!
    serve_without_ingest B && wait "$a" && right_totals && ! find store -path '*/raw/*' -type f | grep .
}
promise "without a bucket for ingestion, raw data lie in the private one" first_set

one_for_all() {
    one_bucket=1
    fill_buckets && both_serve && right_totals &&
        ! find store -type f | grep -vE '/(processed/publish/.*|state/run\.json|state/lock)$'
    one_status=$?
    one_bucket=
    return "$one_status"
}
promise "all buckets of both servers may be one" one_for_all

elsewhere() {
    fill_buckets
    (
        server A
        here=$tap_dir/store
        env BUCKET_INTERNAL_INGEST="file://$here/a-ingest" BUCKET_INTERNAL_PRIVATE="$here/a-private" \
            BUCKET_INTERNAL_SHARED="$here/a-shared" BUCKET_EXTERNAL_SHARED="file://$here/b-shared" \
            WEIR_STORE=/nonexistent "$processor" process 2>A.log || { cat A.log; exit 1; }
    ) &
    a=$!
    serve B && wait "$a" && right_totals
}
promise "paths and file:// are taken as written" elsewhere

by_flags() {
    fill_buckets
    serve B &
    b=$!
    (
        as A
        private=$PRIVATE_KEY_HEX secret=$SHARED_SECRET
        internal=$PUBLIC_KEY_HEX_INTERNAL external=$PUBLIC_KEY_HEX_EXTERNAL
        env -i "$processor" process --server-id A --private-key-hex "$private" --shared-secret "$secret" \
            --public-key-hex-internal "$internal" --public-key-hex-external "$external" --app-name app \
            --submission-date 2026-03-14 --bucket-prefix data/v1 --data-config config.json \
            --store "$tap_dir/store" --bucket-internal-ingest a-ingest --bucket-internal-private a-private \
            --bucket-internal-shared a-shared --bucket-external-shared b-shared --retry-limit 600 \
            --retry-delay 0.05 --retry-backoff-exponent 1 2>A.log || { cat A.log; exit 1; }
    ) && wait "$b" && right_totals
}
promise "every variable is a flag, too" by_flags

# gives_up ME TEXT - process exits 1, says so on standard output, and names what it waited for.
gives_up() {
    RETRY_LIMIT=2 RETRY_DELAY=0.01 RETRY_BACKOFF_EXPONENT=2 exits 1 serve "$1" &&
        [ "$(tail -n 1 "$1.said")" = "Reached the maximum number of retries." ] && grep -F "$2" "$1.log" &&
        [ "$(grep -c ' waiting ' "$1.log")" -eq 1 ] # it says so once in 5 s
}
no_raw() {
    new_buckets && raw rain rain/A rain/B && gives_up A raw/shares/_SUCCESS
}
promise "no marker of raw data: the limit is said on standard output, exit 1" no_raw

no_partner() {
    fill_buckets && gives_up B verify1 && [ "$(head -n 1 B.said)" = "Running verify1" ] &&
        both_serve && right_totals
}
promise "no partner: the same, and the next start goes on" no_partner

# bad_config TEXT MESSAGE - exit 1, before anything was done.
bad_config() {
    echo "$1" >bad.json
    (
        server A
        exits "${3:-1}" "$processor" process --data-config bad.json >said 2>&1
    ) && grep -F "$2" said && grep -F bad.json said && ! grep Running said && nothing_changed
}
bad_configs() {
    fill_buckets && files before &&
        bad_config '[{"batch_id": "rain", "n_data": 20}, {"batch_id": "sun"}]' 'batch "sun" has no n_data' &&
        bad_config '[{"batch_id": "rain", "n_data": 20}, {"batch_id": "rain", "n_data": 20}]' \
            'batch "rain" is there more than once' &&
        bad_config '{"rain": 20, "rain": 20}' rain && bad_config '{"rain": 0}' rain &&
        bad_config '{"rain": 262144}' rain && bad_config '[' line && bad_config '[]' batches &&
        bad_config '{"": 3}' empty
}
promise "what is wrong in the configuration is said before the first stage" bad_configs

object_config() {
    echo '{"rain": 20, "sun": 7}' >config.json
    fill_buckets && both_serve && right_totals
}
promise "a configuration may be an object, as it was in the first version" object_config
configure rain 20 sun 7

wrong_keys() {
    fill_buckets && files before
    (
        server A
        PUBLIC_KEY_HEX_INTERNAL=$PUBLIC_KEY_HEX_EXTERNAL refuses 1 "not the public half" "$processor" process &&
            SERVER_ID=a refuses 2 SERVER_ID "$processor" process &&
            SHARED_SECRET=AAAA refuses 1 "shared-secret" "$processor" process &&
            PRIVATE_KEY_HEX=12 refuses 1 "private-key-hex" "$processor" process &&
            RETRY_LIMIT=1.5 refuses 2 RETRY_LIMIT "$processor" process
    ) && nothing_changed
}
promise "keys and variables that cannot be are refused before anything is done" wrong_keys

# Where everything that a command may read is there.
world() {
    fill_buckets && both_serve --keep-state || return 1
    mkdir -p in && make_rows 4 >in/part-0.json
    (
        as client
        "$processor" generate-pings --date 2026-03-14 --n-pings 4 --data-config config.json --output pings &&
            "$processor" staging --date 2026-03-14 --input pings --output staged
    ) || return 1
    printf 'ORIGIN("a.example", "hash=")\n' >list.inc
    as client
    N_DATA=20 BATCH_ID=rain
    for s in A B; do
        mkdir -p "d/$s" && cp -r "$(place "$s" ingest)/raw/shares/batch_id=rain" "d/$s/raw" || return 1
        for stage in verify1 verify2 aggregate; do
            cp -r "$(place "$s" private)/intermediate/internal/$stage/batch_id=rain" "d/$s/$stage" || return 1
        done
    done
    cat >origins.json <<'ORIGINS'
[{"name": "a", "hash": "x", "index": 0}, {"name": "b", "hash": "y", "index": 1}, {"name": "c", "hash": "z", "index": 2}]
ORIGINS
    mkdir -p published/batch_id=three-0 && configure three-0 3 && mv config.json three.json && configure rain 20 sun 7 &&
        echo '{"id":"i","timestamp":"2026-03-14T00:00:00.000000","payload":[1,2,3],"error":0,"total":3}' \
            >published/batch_id=three-0/part-0.json &&
        cp -r published/batch_id=three-0 "$(place A private)/processed/publish/"
}

# everything - all files but the test's own.
everything() {
    find . -type f ! -path './.tap' ! -path './every.*' ! -path './dry.*' -exec cksum {} + | LC_ALL=C sort -k 3
    find . -type d | LC_ALL=C sort
}

# dry COMMAND OPTION... - as A, or as the client.
dry() {
    echo "$1" >>dry.done
    everything >every.before
    (
        server A
        export BUCKET_EXTERNAL_INGEST=b-ingest ORIGIN_CONFIG=origins.json N_DATA=20 BATCH_ID=rain
        case $1 in generate* | encode-shares) as client ;; esac
        "$processor" "$@" --dry-run
    ) >dry.said 2>&1 || {
        cat dry.said
        return 1
    }
    everything >every.after
    diff every.before every.after
}

all_dry() {
    world && server B && "$processor" process --dry-run >dry.said && as client &&
        dry process --again && dry cleanup --force && dry staging --date 2026-03-14 --input pings --output new &&
        dry staging --date 2026-03-14 --input pings --output staged &&
        dry transfer --input staged --date 2026-03-14 && dry generate && dry generate-integration --output new &&
        dry generate-pings --date 2026-03-14 --n-pings 3 --output new --truth new.json &&
        dry encode-shares --input in --output-A new/A --output-B new/B --n-data 5 &&
        dry verify1 --input d/A/raw --output new && dry verify1 --input d/A/raw --output d/A/verify1 &&
        dry verify2 --input d/A/raw --input-internal d/A/verify1 --input-external d/B/verify1 --output new &&
        dry aggregate --input d/A/raw --input-internal d/A/verify2 --input-external d/B/verify2 --output new &&
        dry publish --input-internal d/A/aggregate --input-external d/B/aggregate --output new &&
        dry index --input published --output new --config three.json --origins origins.json &&
        dry insert --data-config three.json && dry integrate --home new && dry fetch-origins --url list.inc --output new.json
}
promise "--dry-run changes nothing" all_dry

every_command() {
    "$processor" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z0-9-]*\) .*/\1/p' | while read -r command; do
        ! "$processor" "$command" --help | grep -q -e '--dry-run' || echo "$command"
    done | LC_ALL=C sort | diff - dry.commands
}
LC_ALL=C sort -u dry.done >dry.commands
promise "and every command that has it was tried" every_command
done_promising
