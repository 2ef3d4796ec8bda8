#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# demo.sh BUILD ROOT - the demo says so when all agrees, and fails when anything does not. Programs
# that lie stand in front of the real ones in a build directory of their own.
set -u
build=$1 root=$2
. "$root/tests/build/tap.sh"
export DEMO_CLIENTS=40 DEMO_SEED=7 DEMO_TIMEOUT=20 TMPDIR="$tap_dir" COLUMNS=80 LC_ALL=C
unset DEMO_DIR

demo() {
    "$root/scripts/demo" "$1" >"$tap_dir/output" 2>&1
}

# lying PROGRAM: a build directory whose PROGRAM is the script on standard input; $real is the true
# one's path there.
lying() {
    fake=$tap_dir/fake
    rm -rf "$fake"
    mkdir "$fake"
    ln -s "$build/prio" "$build/prio-cheat" "$fake"
    rm "$fake/$1"
    { printf '#!/bin/sh\nreal=%s\n' "$build/$1" && cat; } >"$fake/$1"
    chmod +x "$fake/$1"
}

all_agrees() {
    demo "$build" && grep -q '^All agrees' "$tap_dir/output"
}

# These two look at the output of the promise above.
no_colours_in_a_file() {
    [ -s "$tap_dir/output" ] && ! grep "$(printf '\033')" "$tap_dir/output"
}

fits() {
    [ -s "$tap_dir/output" ] && ! grep -n "^.\{81\}" "$tap_dir/output"
}

leaves_nothing() {
    ! find "$tap_dir" -name 'weir-demo.*' | grep .
}

# Keys and secrets are among the files.
keeps_files() {
    DEMO_DIR=$tap_dir/kept demo "$build" &&
        [ -s "$tap_dir/kept/A/processed/river.ndjson" ] &&
        [ -s "$tap_dir/kept/exchange/B-to-A/verify2/letter.ndjson" ] &&
        ! find "$tap_dir/kept" -perm /077 | grep .
}

# After a run by keeps_files.
refuses_a_full_directory() {
    DEMO_DIR=$tap_dir/kept exits 1 demo "$build" && [ -s "$tap_dir/kept/A/processed/river.ndjson" ]
}

# The last argument of `shares` is the truth's path.
false_truth() {
    lying prio-cheat <<LIE
"\$real" "\$@" || exit 1
[ "\$1" = shares ] || exit 0
for truth; do :; done
sed -i '$1' "\$truth"
LIE
    exits 1 demo "$tap_dir/fake" && grep -q 'differs from the truth' "$tap_dir/output"
}

# One more client in the last total, on one server or on both.
false_totals() {
    lying prio <<LIE
"\$real" "\$@" || exit 1
case "\$*" in 'publish --server-id '$1*/river.ndjson*)
    for dir; do :; done
    sed -i 's/[0-9]*\]/99999]/' "\$dir/river.ndjson"
esac
LIE
    exits 1 demo "$tap_dir/fake" && grep -q "$2" "$tap_dir/output"
}

dead_server() {
    lying prio <<'LIE'
case "$*" in 'verify2 --server-id B'*) echo gone >&2; exit 1 ;; esac
exec "$real" "$@"
LIE
    exits 1 demo "$tap_dir/fake" && grep -q 'server B: gone' "$tap_dir/output"
}

silent_server() {
    lying prio <<'LIE'
case "$*" in 'verify2 --server-id B'*) sleep 6 ;; esac
exec "$real" "$@"
LIE
    DEMO_TIMEOUT=3 exits 1 demo "$tap_dir/fake" && grep -q 'no verify2/river.ndjson from B' "$tap_dir/output"
}

promise "the demo ends well" all_agrees
promise "its output has no colours in a file" no_colours_in_a_file
promise "its output fits into 80 columns" fits
promise "it leaves nothing behind" leaves_nothing
promise "it keeps its files in DEMO_DIR, for the user alone" keeps_files
promise "it does not touch a directory that is not empty" refuses_a_full_directory
promise "it fails when a total is not the true one" false_truth '/^totals/s/[0-9]*\]/0]/'
promise "it fails when a reason has another count" false_truth 's/^reject verify1 A replay .*/reject verify1 A replay 77/'
promise "it fails when a reason is not expected at all" false_truth '/^reject aggregate B invalid/d'
promise "it fails when the number of errors is another" false_truth 's/^error verify2 A .*/error verify2 A 1/'
promise "it fails when the number of records is another" false_truth 's/^lines B .*/lines B 1/'
promise "it fails when one server publishes something else" false_totals B 'A and B published different totals'
promise "it fails when both publish the same false totals" false_totals '[AB]' 'differs from the truth'
promise "it fails soon when a server dies" dead_server
promise "it fails when a server does not answer in time" silent_server
promise "a failed demo leaves nothing behind" leaves_nothing
done_promising
