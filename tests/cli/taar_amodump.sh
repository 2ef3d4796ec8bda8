#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# taar-etl amodump: the recorded catalogue with and without faults, killed and resumed, storms, the
# pace, too many failures, queries that must be split, the names of all generations.
#
# usage: taar_amodump.sh BUILD SOURCE
set -u
build=$1
source=$2
. "$source/tests/build/tap.sh"
vectors=$source/tests/vectors/taar/amo
cd "$tap_dir" || exit 1

# serve NAME COMMAND... - start a server that ends with its standard input; $url is where it is.
serve() {
    name=$1
    shift
    rm -f "$name.in" "$name.url" "$name.log"
    mkfifo "$name.in"
    "$@" <"$name.in" >"$name.url" 2>"$name.err" &
    eval "pid_$name=$!"
    exec 9>"$name.in"
    tries=0
    while [ ! -s "$name.url" ] && [ $tries -lt 200 ]; do
        tries=$((tries + 1))
        sleep 0.05
    done
    url=$(head -n 1 "$name.url")
}
# stop NAME - and wait for it.
stop() {
    exec 9>&-
    eval "wait \$pid_$1"
}
recorded() {
    faults=$1
    serve recorded "$build/amo-server" "$vectors/server.json" "$faults" 0 "$tap_dir/recorded.log"
}
stub() { serve stub python3 "$source/tests/cli/amo_stub.py" "$tap_dir/stub.log" "$@"; }

amodump() {
    home=$1
    shift
    "$build/taar-etl" amodump --home "$tap_dir/$home" --amo-url "$url" --retry-base 0.005 --rate 0 \
        --date 20210315 "$@" 2>"$tap_dir/$home.err" 9>&-
}
place() { echo "$tap_dir/$1/buckets/taar_models/addon_recommender"; }

# same FILE FILE - equal as JSON, packed or not.
same() {
    python3 - "$1" "$2" <<'P'
import bz2, json, sys
def read(path):
    raw = open(path, "rb").read()
    return json.loads(bz2.decompress(raw) if raw[:3] == b"BZh" else raw)
a, b = map(read, sys.argv[1:])
assert a == b and all(list(r)[-1] == "first_create_date" for r in a.values()), (len(a), len(b))
P
}
# catalogue FILE N - the stub's first N add-ons, each right.
catalogue() {
    python3 - "$@" <<'P'
import bz2, json, sys
raw = open(sys.argv[1], "rb").read()
got = json.loads(bz2.decompress(raw) if raw[:3] == b"BZh" else raw)
assert len(got) == int(sys.argv[2]), len(got)
for guid, r in got.items():
    i = int(guid[1 : guid.index("}")])
    page = 2 if i % 4 == 0 else 1
    assert r["guid"] == guid and r["big"] == 2**63 - 1, r
    assert r["first_create_date"] == f"2020-01-{i % 28 + 1:02d}T00:00:0{page}Z", r
P
}
says() { grep -q -- "$2" "$1.err" || { cat "$1.err" && false; }; }
requests() { grep -c " /" stub.log; }

# The recorded catalogue.
plain() {
    amodump plain && same "$(place plain)/extended_addons_database.json.bz2" \
        "$vectors/expected/extended_addons_database.json"
}
recorded ""
promise "the recorded catalogue" plain
stop recorded
promise "both copies are the same bytes" cmp "$(place plain)/extended_addons_database.json.bz2" \
    "$(place plain)/extended_addons_database.json.20210315.bz2"
promise "the journal is gone" test ! -e "$(place plain)/.journal"
promise "its counts" says plain \
    "search_pages=3 search_pages_failed=0 counted=53 records_on_pages=53 distinct_guids=50 failed=2 written=42"
drops() {
    for why in record_without_guid guid_null versions_not_json versions_http_401 versions_http_404 \
        versions_http_500 versions_no_page_count versions_without_files versions_no_files \
        versions_no_results; do
        says plain "why=$why n=1" || return 1
    done
}
promise "what was left out, by reason" drops
promise "the answers that stay are asked for once, others as often as --tries says" \
    test "$(grep -c "^404 \|^401 " recorded.log)$(grep -c "^500 " recorded.log)" = 25

faulty() {
    amodump faulty --max-retry-after 1 &&
        same "$(place faulty)/extended_addons_database.json.bz2" \
            "$vectors/expected/extended_addons_database.json"
}
recorded "$vectors/faults.json"
promise "faults that pass change nothing" faulty
stop recorded

# Killed at each k-th request: answers that came are not asked for again.
killed() {
    ks=$1
    stub --addons 12 --hang "$ks"
    hung=0
    while [ "$hung" -lt "$(echo "$ks" | tr , '\n' | wc -l)" ]; do
        "$build/taar-etl" amodump --home "$tap_dir/killed" --amo-url "$url" --rate 0 --workers 1 \
            --date 20210315 >killed.err 2>&1 9>&- &
        victim=$!
        tries=0
        while [ "$(grep -c hung stub.log)" -le "$hung" ] && [ "$tries" -lt 400 ]; do
            tries=$((tries + 1))
            sleep 0.02
        done
        hung=$((hung + 1))
        kill -9 "$victim"
        wait "$victim"
        test ! -e "$(place killed)/extended_addons_database.json.bz2" || return 1
    done 2>/dev/null
    amodump killed --workers 1 && catalogue "$(place killed)/extended_addons_database.json.bz2" 12
}
promise "killed at many requests, it goes on" killed 1,2,3,4,6,9,10,13,14,17,18,21,22,25,28,29,30
stop stub
promise "nothing that was answered is asked for twice" test -z "$(grep " 200 " stub.log | cut -d' ' -f4 | sort | uniq -d)"
# 1 count, 3 pages, 12 add-ons of which 3 have a second page, and what was killed
promise "and nothing more is asked" test "$(requests)" -eq $((1 + 3 + 12 + 3 + 17))
promise "the journal is gone then, too" test ! -e "$(place killed)/.journal"

# A storm: nobody asks while the server wants quiet.
stub --addons 60 --storm 20,21
promise "a storm passes" amodump storm --workers 8
stop stub
quiet() {
    awk '$3 == 429 { last = $1 } $3 == 200 && last && $1 > last + 0.1 { exit !($1 - last > 0.95) }' stub.log
}
promise "all workers wait as long as Retry-After says" quiet
promise "the catalogue is whole after a storm" catalogue "$(place storm)/extended_addons_database.json.bz2" 60

# The pace.
stub --addons 20 --delay 0.02
promise "with a rate" "$build/taar-etl" amodump --home "$tap_dir/pace" --amo-url "$url" --rate 50 --date 20210315
stop stub
rate_holds() {
    awk 'NR == 1 { t = $1 } { n++; if (n > 1 && ($1 - t) * 50 < n - 4) { print n, $1 - t; bad = 1 } } END { exit bad }' stub.log
}
promise "the rate holds" rate_holds
promise "never more than four at a time" test "$(awk '$2 > m { m = $2 } END { print m }' stub.log)" -le 4

# Too many failures.
stub --addons 40 --broken 3
few_fail() { amodump failing --tries 2 --max-failed 0.1; }
promise "failures that --max-failed allows" few_fail
cp "$(place failing)/extended_addons_database.json.bz2" good.bz2
promise "too many: exit status 1" exits 1 amodump failing --tries 2
promise "the error says what to do" says failing "3 of 40 add-ons could not be had"
promise "the last good catalogue stays" cmp good.bz2 "$(place failing)/extended_addons_database.json.bz2"
promise "so does the journal" test -d "$(place failing)/.journal/20210315"
other_date() { amodump failing --date 2021-03-16 --max-failed 1 && says failing "another date was never finished.*20210315"; }
promise "a crawl of another date reports it, and leaves it alone" other_date
promise "it is still there" test -d "$(place failing)/.journal/20210315"
stop stub
stub --addons 20 --missing 10
promise "missing add-ons never count as failures" amodump missing
stop stub

# A window.
stub --addons 100 --window 20
promise "what is beyond the window is had by parts" amodump window
promise "all of it" catalogue "$(place window)/extended_addons_database.json.bz2" 100
promise "with a warning and its numbers" says window "there=100 shown=20"
ascending() {
    python3 - "$(place window)/extended_addons_database.json.bz2" <<'P'
import bz2, json, sys
got = [r["users"] for r in json.loads(bz2.open(sys.argv[1]).read()).values()]
parts = sum(1 for a, b in zip(got, got[1:]) if b < a)
assert parts == 0, got
P
}
promise "parts are joined in ascending order" ascending
stop stub
stub --addons 100 --window 20 --ignore-users
promise "a server that does not split" amodump unsplit
promise "it is said" says unsplit "the server does not split by users"
promise "seen and counted are said" says unsplit "seen=20 counted=100"
stop stub
stub --addons 30 --window 20 --same-users
promise "add-ons that cannot be told apart" amodump alike
promise "seen and counted are said here, too" says alike "seen=20 counted=30"
stop stub

# Generations.
stub --addons 10 --api v3
promise "g1" amodump g1 --generation g1
promise "g1: the plain name" catalogue \
    "$tap_dir/g1/buckets/telemetry-parquet/telemetry-ml/addon_recommender/extended_addons_database.json" 10
promise "g1: the dated name" catalogue \
    "$tap_dir/g1/buckets/telemetry-parquet/telemetry-ml/addon_recommender/extended_addons_database20210315.json" 10
promise "by the original's name and options" "$build/bin/taar_amodump" --home "$tap_dir/alias" \
    --amo-url "$url/api/v3/" --rate 0 --date 20210315 --s3-bucket b --s3-prefix p/ --generation g1
promise "which place it where they say" test -f "$tap_dir/alias/buckets/b/p/extended_addons_database.json"
stop stub

promise "no such day: exit status 2" exits 2 "$build/taar-etl" amodump --date 20210230
promise "no URL: exit status 2" exits 2 "$build/taar-etl" amodump --home "$tap_dir/x" --date 20210301 --amo-url ftp://x
done_promising
