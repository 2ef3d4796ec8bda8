#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# processor_integrate.sh BUILD ROOT - admin and both servers on one machine, by one command.
set -u
integrate=$1/bin/integrate processor=$1/prio-processor
. "$2/tests/cli/commands.sh"
new_servers 5
cd "$2" || exit 1
home=$tap_dir/home
# What the caller has set for servers of his own must not reach these.
export BUCKET_INTERNAL_ENDPOINT=http://127.0.0.1:1 BUCKET_PREFIX=other/v9 WEIR_STORE=/nonexistent \
    SERVER_ID=A PRIVATE_KEY_HEX=nonsense SHARED_SECRET=nonsense

run() {
    "$integrate" --home "$home" --pause 0 --workers 1 "$@"
}
dump() {
    "$processor" dump --home "$home" "$@"
}

dry() {
    run --dry-run | grep -qxF "would make keys, buckets and a table below $home" && [ ! -e "$home" ]
}
promise "integrate --dry-run makes nothing" dry

whole() {
    run --n-rows 8 --now 2026-03-14T12:00:00Z >"$tap_dir/said" && tail -n 1 "$tap_dir/said" |
        grep -qx 30
}
promise "integrate goes from keys to a table" whole

sums() {
    dump --date 2026-03-14 >"$tap_dir/rows" && [ "$(wc -l <"$tap_dir/rows")" -eq 30 ] &&
        grep -q '"index":3,"aggregate":7,' "$tap_dir/rows" &&
        grep -q '"index":4,"aggregate":0,' "$tap_dir/rows" &&
        grep -q '"timestamp":"2026-03-14T12:00:00.000000"' "$tap_dir/rows"
}
promise "the table holds the sums of that day" sums

again() {
    cp "$home/keys/A.private" "$tap_dir/key" && run --n-rows 5 --now 2026-03-15T12:00:00Z &&
        cmp "$home/keys/A.private" "$tap_dir/key" && [ "$(dump | wc -l)" -eq 60 ] &&
        dump --date 2026-03-15 | grep -q '"index":3,"aggregate":4,'
}
promise "the next day goes to the same servers and the same table" again

private() {
    [ "$(stat -c %a "$home/keys")" = 700 ] &&
        for secret in A.private B.private shared-secret; do
            ! grep -rqF "$(cat "$home/keys/$secret")" "$home/logs" "$home/buckets" || return 1
        done
}
promise "keys are for their owner, and are in no log and no bucket" private

broken() {
    echo nonsense >"$home/keys/B.private"
    started=$(date +%s)
    exits 1 run --n-rows 3 --now 2026-03-16T12:00:00Z 2>"$tap_dir/errors" || return 1
    cat "$tap_dir/errors"
    [ $(($(date +%s) - started)) -lt 20 ] && grep -qF "server B failed with exit status" \
        "$tap_dir/errors" && grep -qF -- "--private-key-hex" "$tap_dir/errors"
}
promise "a server that fails shows at once, with the end of its log" broken
done_promising
