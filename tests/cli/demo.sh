#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# demo.sh BUILD ROOT - the demo says so when all agrees, and fails when anything does not. Programs
# that lie stand in front of the real ones in a build directory of their own.
set -u
build=$1 root=$2
. "$root/tests/build/tap.sh"
export DEMO_PINGS=40 DEMO_SEED=7 DEMO_TIMEOUT=20 TMPDIR="$tap_dir" COLUMNS=80 LC_ALL=C
unset DEMO_DIR STORE

demo() {
    "$root/scripts/demo" "$1" >"$tap_dir/output" 2>&1
}

fxci() {
    "$root/scripts/demo-fxci" "$1" >"$tap_dir/output" 2>&1
}

taar() {
    "$root/scripts/demo-taar" "$1" >"$tap_dir/output" 2>&1
}

# lying PROGRAM: a build directory whose PROGRAM is the script on standard input; $real is the true
# one's path there.
lying() {
    fake=$tap_dir/fake
    rm -rf "$fake"
    mkdir "$fake"
    ln -s "$build/prio" "$build/prio-cheat" "$build/prio-processor" "$build/fxci-etl" "$build/taar-etl" \
        "$build/amo-server" "$fake"
    rm "$fake/$1"
    { printf '#!/bin/sh\nreal=%s\n' "$build/$1" && cat; } >"$fake/$1"
    chmod +x "$fake/$1"
}

# Its files are kept for the promises below.
all_agrees() {
    DEMO_DIR=$tap_dir/kept demo "$build" && grep -q '^All agrees' "$tap_dir/output"
}

fxci_agrees() {
    DEMO_DIR=$tap_dir/kept fxci "$build" && grep -q '^All agrees' "$tap_dir/output" &&
        grep -q 'killed (kill -9) on its way: [1-9][0-9]* tasks' "$tap_dir/output"
}

taar_agrees() {
    DEMO_DIR=$tap_dir/kept taar "$build" && grep -q '^All agrees' "$tap_dir/output" &&
        grep -q 'recommend 29' "$tap_dir/output" && [ -s "$tap_dir/kept/taar-etl/log/donors.out" ]
}

# These two look at the output of the promise before them.
no_colours_in_a_file() {
    [ -s "$tap_dir/output" ] && ! grep "$(printf '\033')" "$tap_dir/output"
}

fits() {
    [ -s "$tap_dir/output" ] && ! grep -v '^The files are in' "$tap_dir/output" | grep -n "^.\{81\}"
}

on_a_terminal() {
    script -qefc "stty cols 100; $root/scripts/demo $build" "$tap_dir/typescript" >/dev/null 2>&1 &&
        grep -q 'All agrees' "$tap_dir/typescript"
}

fxci_on_a_terminal() {
    script -qefc "stty cols 100; $root/scripts/demo-fxci $build" "$tap_dir/typescript" >/dev/null 2>&1 &&
        grep -q "$(printf '\033')" "$tap_dir/typescript" && grep -q 'All agrees' "$tap_dir/typescript"
}

leaves_nothing() {
    ! find "$tap_dir" -name 'weir-demo.*' | grep .
}

# Keys and secrets are among the files.
keeps_files() {
    [ -s "$tap_dir/kept/A/private.key" ] && [ -s "$tap_dir/kept/admin/table.duckdb" ] &&
        [ "$(find "$tap_dir/kept/B/private" -path '*/publish/batch_id=*/part-*' | wc -l)" -eq 4 ] &&
        [ -s "$tap_dir/kept/fxci-etl/warehouse.duckdb" ] && ! find "$tap_dir/kept" -perm /077 ! -type l | grep .
}

refuses_a_full_directory() {
    DEMO_DIR=$tap_dir/kept exits 1 demo "$build" && [ -s "$tap_dir/kept/A/private.key" ]
}

fxci_refuses_a_full_directory() {
    DEMO_DIR=$tap_dir/kept exits 1 fxci "$build" && [ -s "$tap_dir/kept/fxci-etl/warehouse.duckdb" ]
}

refuses_a_store() {
    STORE=tape exits 1 demo "$build" && grep -q 'STORE is directory or s3, not tape' "$tap_dir/output"
}

# differs FILE EDIT WORDS: the comparison finds what sed changed in a file of the demo's, and nothing else
# does. FILE is a pattern there.
differs() {
    (
        cd "$tap_dir/kept" || exit 1
        for file in $1; do
            [ -f "$file" ] && cp "$file" "$tap_dir/right" && sed -i "$2" "$file" || exit 1
            exits 1 "$root/scripts/demo-report" . check >"$tap_dir/output" || exit 1
            cat "$tap_dir/output"
            cp "$tap_dir/right" "$file"
            grep -q "$3" "$tap_dir/output" || exit 1
        done
        "$root/scripts/demo-report" . check
    )
}

# The same for Firefox-CI.
fxci_differs() {
    (
        cd "$tap_dir/kept/fxci-etl" || exit 1
        cp "log/$1" "$tap_dir/right" && sed -i "$2" "log/$1" || exit 1
        exits 1 "$root/scripts/demo-fxci-report" . "$root/tests/vectors/fxci" check >"$tap_dir/output" || exit 1
        cat "$tap_dir/output"
        cp "$tap_dir/right" "log/$1"
        grep -q "$3" "$tap_dir/output" &&
            "$root/scripts/demo-fxci-report" . "$root/tests/vectors/fxci" check
    )
}

# The same for the recommender.
taar_differs() {
    (
        cd "$tap_dir/kept/taar-etl" || exit 1
        cp "log/$1" "$tap_dir/right" && sed -i "$2" "log/$1" || exit 1
        exits 1 "$root/scripts/demo-taar-report" . "$root/tests/vectors/taar" check >"$tap_dir/output" || exit 1
        cat "$tap_dir/output"
        cp "$tap_dir/right" "log/$1"
        grep -q "$3" "$tap_dir/output" &&
            "$root/scripts/demo-taar-report" . "$root/tests/vectors/taar" check
    )
}

# It crawls in vain.
dead_crawl() {
    lying taar-etl <<'LIE'
[ "$1" = amodump ] || exec "$real" "$@"
echo '{"level":"error","message":"no such luck"}' >&2
exit 1
LIE
    exits 1 taar "$tap_dir/fake" && grep -q 'no such luck' "$tap_dir/output" &&
        grep -q 'amodump failed' "$tap_dir/output"
}

# It stores a run that no message told of.
lying_drain() {
    lying fxci-etl <<'LIE'
"$real" "$@" || exit 1
[ "$1" = derive ] || exit 0
echo '{"submission_date": "2026-08-20", "task_id": "x", "run_id": 0}' >"$WEIR_HOME/more"
"$real" load task_runs_v1 "$WEIR_HOME/more"
LIE
    exits 1 fxci "$tap_dir/fake" && grep -q 'number of rows of task_runs_v1: must be 31, is 32' "$tap_dir/output"
}

# It says the same, whatever comes.
dead_drain() {
    lying fxci-etl <<'LIE'
echo '{"level":"error","message":"no such luck"}' >&2
exit 1
LIE
    exits 1 fxci "$tap_dir/fake" && grep -q 'no such luck' "$tap_dir/output"
}

# One client more in a sum that a server publishes; the last lie, for the whole demo.
lying_server() {
    lying prio-processor <<'LIE'
"$real" "$@" || exit 1
[ "$1" = process ] && [ "$SERVER_ID" = B ] || exit 0
sed -i 's/"payload":\[[0-9]*/"payload":[99999/' "$BUCKET_INTERNAL_PRIVATE"/data/v1/*/*/*/processed/publish/*-1/part-*
LIE
    exits 1 demo "$tap_dir/fake" && grep -q 'A and B published different sums' "$tap_dir/output" &&
        grep -q 'differs from the truth' "$tap_dir/output"
}

messy_server() {
    lying prio-processor <<'LIE'
"$real" "$@" || exit 1
[ "$1" = process ] || exit 0
raw=$BUCKET_INTERNAL_INGEST/$BUCKET_PREFIX/$PUBLIC_KEY_HEX_EXTERNAL/$APP_NAME/$SUBMISSION_DATE/raw
mkdir -p "$raw" && echo x >"$raw/x"
LIE
    exits 1 demo "$tap_dir/fake" && grep -q 'left behind after the run: A ingest' "$tap_dir/output"
}

# It comes back without an answer, the second time.
dead_server() {
    lying prio-processor <<'LIE'
if [ "$1" = process ] && [ "$SERVER_ID" = B ]; then
    mkdir "$DATA_CONFIG.once" 2>/dev/null || { echo gone >&2; exit 1; }
    exec sleep 9
fi
exec "$real" "$@"
LIE
    DEMO_TIMEOUT=3 exits 1 demo "$tap_dir/fake" && grep -q 'server B: gone' "$tap_dir/output"
}

promise "the demo ends well" all_agrees
promise "its output has no colours in a file" no_colours_in_a_file
promise "its output fits into 80 columns" fits
promise "that of Firefox-CI ends well, with a drain killed on its way" fxci_agrees
promise "its output has no colours in a file, either" no_colours_in_a_file
promise "its output fits into 80 columns, too" fits
promise "that of the recommender ends well" taar_agrees
promise "its output has no colours in a file, as well" no_colours_in_a_file
promise "its output fits into 80 columns, as well" fits
promise "it runs on a terminal" on_a_terminal
promise "so does that of Firefox-CI" fxci_on_a_terminal
promise "it leaves nothing behind" leaves_nothing
promise "it keeps its files in DEMO_DIR, for the user alone" keeps_files
promise "it does not touch a directory that is not empty" refuses_a_full_directory
promise "nor does that of Firefox-CI" fxci_refuses_a_full_directory
promise "it knows two kinds of stores" refuses_a_store
promise "it finds a sum that is not the true one" differs truth.json 's/"payload": \[/&1/' 'sums of A'
promise "it finds that other pings were dropped" differs truth.json 's/"n_duplicates": 2/"n_duplicates": 3/' \
    'dropped as duplicates: must be 3, is 2'
promise "it finds another count of a reason" differs 'truth/*/*' \
    's/^reject verify1 A replay .*/reject verify1 A replay 7/' 'counts of verify1 of A'
promise "it finds a reason that nobody expects" differs 'truth/*/*' '/^reject aggregate B invalid/d' \
    'counts of aggregate of B'
promise "it finds another number of records" differs 'truth/*/*' 's/^lines B .*/lines B 1/' 'counts of verify1 of B'
promise "it finds a lost row of the table" differs log/dump.out 17d 'rows of the table'
promise "it finds another sum in the table" differs log/dump.out '17s/"aggregate": *[0-9]*/"aggregate": 99999/' \
    'rows of the table'
promise "it finds another sum in the index" differs 'admin/index/part-*' '1s/"aggregate": *[0-9]*/"aggregate": 99999/' \
    'rows of index'
promise "it fails when one server publishes something else" lying_server
promise "it fails when a server leaves clients' data behind" messy_server
promise "it fails when a server dies" dead_server
promise "it finds a lost task" fxci_differs tasks_v2.out 3d 'number of rows of tasks_v2: must be 24, is 23'
promise "it finds another cost" fxci_differs task_run_costs_v1.out '4s/"run_cost":0.[0-9]*/"run_cost":0.5/' \
    'task_run_costs_v1, row'
promise "it finds a message that ended otherwise" fxci_differs drain.err 's/"ignored":7/"ignored":8/' \
    'messages that became ignored: must be 7, is 8'
promise "it finds a failed event that is gone" fxci_differs failed.out 1d 'failed events kept: must be 10, is 9'
promise "it fails when a table has a row too many" lying_drain
promise "it fails when no drain succeeds" dead_drain
promise "it finds another count of a pair" taar_differs guid_coinstallation.out 's/: [0-9]*,/: 99999,/' 'pairs of add-ons: must be'
promise "it finds another weight of a locale" taar_differs plain_top10_dict.out 's/0\.[0-9]*/0.5/' 'weights of locale'
promise "it finds a client that is not eligible" taar_differs eligible.out 1d 'eligible clients: must be'
promise "it finds a donor that nobody knows" taar_differs donors.out 's/"city": *"/&x/' 'no eligible clients: must be 0, is 1'
promise "it fails when the crawl does" dead_crawl
promise "a failed demo leaves nothing behind" leaves_nothing
done_promising
