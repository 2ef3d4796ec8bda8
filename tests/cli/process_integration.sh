#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# process_integration.sh BUILD ROOT - the original's integration test: generate, process on both
# servers, insert. Counts and file sizes are those that were recorded of the original.
set -u
. "$2/tests/cli/two_servers.sh"
new_servers 2046
blocked=content.blocking_blocked_TESTONLY
configure $blocked-0 2046 $blocked-1 441
new_buckets

generated() {
    (
        as client
        BUCKET_INTERNAL_INGEST=a-ingest BUCKET_EXTERNAL_INGEST=b-ingest "$processor" generate
    )
}
promise "generate fills both ingest buckets" generated

# One batch was dropped; bad-id was added; the bad row counts here.
shape() {
    for s in A B; do
        shares=$(place "$s" ingest)/raw/shares
        ls -A "$shares" >"$s.ls"
        printf '%s\n' _SUCCESS batch_id=bad-id batch_id="$blocked"-0 | diff - "$s.ls" || return 1
        [ "$(cat "$shares/batch_id=$blocked-0"/part-* | wc -l)" -eq 100 ] &&
            [ "$(cat "$shares/batch_id=bad-id"/part-* | wc -l)" -eq 100 ] || return 1
        (cd "$shares" && find . -type f | LC_ALL=C sort) >"$s.names"
    done
    diff A.names B.names
}
promise "with 100 rows a batch, under the same names for both" shape
tree store >before

promise "both servers process it" both_serve --keep-state

# shellcheck disable=SC2016
skipped() {
    for s in A B; do
        [ "$(grep -cxF "data for $blocked-1 does not exist, skipping..." "$s".said)" -eq 4 ] || return 1
        for stage in verify1 verify2 aggregate publish; do
            grep -qx "Running $stage" "$s".said || return 1
        done
    done
}
promise "the dropped batch is skipped by every stage on both sides" skipped

# 99 where 3 or 5 divides the place.
want=$(awk 'BEGIN { for (i = 0; i < 2046; i++) {
    ones += i % 3 == 0 || i % 5 == 0
    printf "%s%d", i ? "," : "", i % 3 == 0 || i % 5 == 0 ? 99 : 0 }
    if (ones != 955) print "wrong" }')
promise "99 clients at 955 places, error 0, total 99" both_published $blocked-0 "$want 0 99"

nowhere() {
    ! find store -path "*$blocked-1*" -o -path '*bad-id*' ! -path '*/raw/shares/*' | grep .
}
promise "bad-id lies under ingest only, the dropped batch nowhere" nowhere

# size_is_about BYTES DIR - of its parts. An element with a leading zero byte, as one in 128 is, may make its
# line 4 characters shorter.
size_is_about() {
    size_got=$(cat "$2"/part-* | wc -c)
    if [ "$size_got" -gt "$1" ] || [ "$size_got" -lt $(($1 - 60)) ]; then
        echo "$2: $size_got bytes, not $1"
        return 1
    fi
}
sizes() {
    for s in A B; do
        internal=$(place "$s" private)/intermediate/internal
        if [ "$s" = A ]; then n=99; else n=100; fi
        size_is_about $((n * 91)) "$internal/verify1/batch_id=$blocked-0" &&
            size_is_about $((99 * 75)) "$internal/verify2/batch_id=$blocked-0" &&
            [ "$(cat "$(place "$s" private)/processed/publish/batch_id=$blocked-0"/part-* | wc -c)" -eq 5167 ] ||
            return 1
        [ "$(cat "$internal/verify1/batch_id=$blocked-0"/part-* | wc -l)" -eq "$n" ] &&
            [ "$(cat "$internal/verify2/batch_id=$blocked-0"/part-* | wc -l)" -eq 99 ] || return 1
    done
}
promise "verify1 is 99 x 91 and 100 x 91 bytes, verify2 99 x 75, publish 5167" sizes

# D3: what the partner can read.
partner_reads() {
    (cd store && find a-shared b-shared -type f) | sed 's,.*/2026-03-14/,,' |
        grep -vE '^intermediate/external/(verify1|verify2|aggregate)/(batch_id=[^/]*/)?(part-[0-9]{5}-[0-9a-f-]{36}-c000\.json|_SUCCESS)$' >odd
    [ ! -s odd ] || {
        cat odd
        return 1
    }
}
promise "the partner can read nothing but packets and markers" partner_reads

ingest_is_untouched() {
    tree store | grep /raw/ | diff before -
}
promise "raw data are untouched with --keep-state" ingest_is_untouched

inserted() {
    (
        server A
        export ORIGIN_CONFIG="$2/config/origins.json"
        "$processor" insert && "$processor" dump --format ndjson >rows && [ "$(wc -l <rows)" -eq 2046 ] &&
            [ "$(grep -c "\"batch_id\":\"$blocked\"" rows)" -eq 2046 ] &&
            [ "$(grep -c '"aggregate":99[,}]' rows)" -eq 955 ] &&
            [ "$(grep -c '"aggregate":0[,}]' rows)" -eq 1091 ]
    )
}
promise "insert makes 2046 rows of it" inserted "$1" "$2"

cleaned() {
    both_serve --workers 2 && both_published "$blocked"-0 "$want 0 99" && (cd store && find . -type f) |
        sed 's,.*/2026-03-14/,,' | grep -vE '^(state/(run\.json|lock)|processed/publish/.*)$' >left
    [ ! -s left ] || {
        cat left
        return 1
    }
}
promise "started again without --keep-state, they clean up" cleaned
done_promising
