#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# taar-etl similarity: both modes on the vectors, what it writes and where, by seed, by threads, in
# all generations, and what it refuses.
#
# usage: taar_similarity.sh BUILD SOURCE
set -u
build=$1
source=$2
. "$source/tests/build/tap.sh"
vectors=$source/tests/vectors/taar
cd "$tap_dir" || exit 1
unset WEIR_STORE WEIR_WAREHOUSE WEIR_NOW TAAR_GENERATION
export WEIR_HOME="$tap_dir/home"
buckets=$WEIR_HOME/buckets
day=2021-03-14
clients=$vectors/clients/clients_daily.ndjson
models=$buckets/taar_models

mkdir -p "$models/addon_recommender"
# Compression is told by content.
cp "$vectors/amo/expected/only_guids_top_200.json" "$models/addon_recommender/only_guids_top_200.json.bz2"

similarity() {
    timeout 60 "$build/taar-etl" similarity --date "$day" "$@" 2>log
}
show() { "$build/taar-etl" show "$1"; }
# same_rows FILE FILE - the same objects, line by line, however they are spelled.
same_rows() {
    python3 -c 'import json, sys
one, other = ([json.loads(line) for line in open(name, encoding="utf-8")] for name in sys.argv[1:])
sys.exit(one != other)' "$1" "$2"
}

snapshot() {
    similarity --clients-last-seen "$clients" --seed 1 --eligible-out eligible --assignments-out clusters &&
        same_rows eligible "$vectors/similarity/eligible_snapshot.ndjson"
}
promise "the day's eligible clients are those of the vectors" snapshot

window() {
    similarity --clients-daily "$clients" --clients_sample_date_from 20210301 --seed 1 --dry-run \
        --eligible-out window && [ ! -e window ] &&
        similarity --clients-daily "$clients" --clients_sample_date_from 20210301 --seed 1 --bucket other \
            --whitelist-bucket taar_models --eligible-out window &&
        same_rows window "$vectors/similarity/eligible_window.ndjson" &&
        similarity --main-summary "$clients" --seed 1 --bucket other --whitelist-bucket taar_models \
            --eligible-out - >by_default &&
        similarity --main-summary "$clients" --clients_sample_date_from 2020-12-14 --seed 1 --bucket other \
            --whitelist-bucket taar_models --eligible-out - | cmp - by_default
}
promise "a window's eligible clients are those of the vectors, its first day 90 days back by default" window

contents() {
    python3 - <<'PY'
import bz2, json, os
home = os.environ["WEIR_HOME"] + "/buckets/taar_models/taar/similarity/"
def read(name):
    with open(home + name, "rb") as f:
        return f.read()
for name in ("donors.json.bz2", "lr_curves.json.bz2"):
    assert read(name) == read(name.replace(".bz2", ".2021-03-14.bz2"))
donors = json.loads(bz2.decompress(read("donors.json.bz2")))
curve = json.loads(bz2.decompress(read("lr_curves.json.bz2")))
eligible = [json.loads(line) for line in open("eligible", encoding="utf-8")]
clusters = json.load(open("clusters", encoding="utf-8"))
assert list(donors[0]) == ["city", "subsession_hours_sum", "locale", "os", "bookmark_count", "tab_open_count",
                           "total_uri", "unique_tlds", "active_addons"]
assert sorted(clusters) == sorted(row["client_id"] for row in eligible)
assert sorted(set(clusters.values())) == list(range(20)), set(clusters.values())
for row in eligible:
    del row["client_id"]
assert all(donor in eligible for donor in donors)
assert len(curve) in (1000, 1001) and all(point[1][1] > 0 for point in curve)
assert [point[0] for point in curve] == sorted(point[0] for point in curve)
PY
}
promise "donors are eligible clients, the curve ascends, and dated copies hold the same" contents

again() {
    for name in donors lr_curves; do
        show "taar_models/taar/similarity/$name.json" >"$name.first"
    done
    similarity --clients-last-seen "$clients" --seed 1 --workers 8 || return 1
    for name in donors lr_curves; do
        show "taar_models/taar/similarity/$name.json" | cmp - "$name.first" || return 1
    done
    similarity --clients-last-seen "$clients" --seed 2 || return 1
    ! show taar_models/taar/similarity/donors.json | cmp -s - donors.first
}
promise "the same seed gives the same bytes, whatever the threads; another does not" again

random_seed() {
    similarity --clients-last-seen "$clients" && seed=$(sed -n 's/.*random seed seed=//p' log) && [ -n "$seed" ] &&
        show taar_models/taar/similarity/donors.json >one && similarity --clients-last-seen "$clients" --seed "$seed" &&
        show taar_models/taar/similarity/donors.json | cmp - one
}
promise "a random seed is said, and repeats the run" random_seed

service_keys() {
    similarity --clients-last-seen "$clients" --seed 1 --service-keys &&
        show taar_models/taar/similarity/donors.json | python3 -c 'import json, sys
for donor in json.load(sys.stdin):
    hours, seconds = donor["subsession_hours_sum"], donor["subsession_length"]
    assert donor["geo_city"] == donor["city"]
    assert (seconds is None) == (hours is None)
    assert hours is None or abs(hours * 3600 - seconds) <= 0.5 + 1e-6'
}
promise "--service-keys adds what the recommender asks for" service_keys

# Below the generation's names, from the seed's places and by the job's own name.
generation() {
    mkdir -p "$buckets/telemetry-parquet/telemetry-ml/addon_recommender" \
        "$buckets/moz-fx-data-derived-datasets-parquet/main_summary/v4" \
        "$buckets/moz-fx-data-derived-datasets-parquet/clients_last_seen/v1/submission_date_s3=20210314" &&
        cp "$vectors/amo/expected/only_guids_top_200.json" "$buckets/telemetry-parquet/telemetry-ml/addon_recommender/" &&
        cp "$clients" "$buckets/moz-fx-data-derived-datasets-parquet/main_summary/v4/part.json" &&
        grep "\"submission_date\":\"$day\"" "$clients" \
            >"$buckets/moz-fx-data-derived-datasets-parquet/clients_last_seen/v1/submission_date_s3=20210314/part.json" &&
        "$build/bin/taar_similarity" --generation g1 --date 20210314 --seed 1 \
            --clients_sample_date_from 20210301 --eligible-out g1 2>log &&
        cmp g1 window && [ -s "$buckets/telemetry-parquet/taar/similarity/donors.json" ] &&
        [ -s "$buckets/telemetry-parquet/taar/similarity/lr_curves20210314.json" ] &&
        similarity --seed 1 --eligible-out g3 && cmp g3 eligible
}
promise "defaults of g1 and g3 are the seed's places" generation

# refuses STATUS TEXT ARGUMENT... - and leaves what is there alone.
refuses() {
    status=$1 text=$2
    shift 2
    find "$buckets" -type f -exec cksum {} + | sort >before
    similarity "$@" >out
    [ $? -eq "$status" ] && grep -qF -- "$text" log &&
        find "$buckets" -type f -exec cksum {} + | sort | cmp - before
}
last="--clients-last-seen $clients"
# shellcheck disable=SC2086 # the option and its value
{
    promise "one cluster is an error" refuses 1 "no two donors are of different clusters" $last --num_clusters 1
    promise "a kernel without width is wrong use" refuses 2 "it is not above 0" $last --kernel_bandwidth 0
    promise "a kernel that is too narrow is an error" refuses 1 "use another --kernel_bandwidth" $last \
        --kernel_bandwidth 0.0001 --seed 1
    promise "two sources are wrong use" refuses 2 "Give one of" $last --clients-daily x
    promise "a first day after the last is wrong use" refuses 2 "is after --date" --clients-daily "$clients" \
        --clients_sample_date_from 20210315
    promise "a day without rows is an error" refuses 1 "" --date 2021-01-01 $last
    promise "a missing whitelist is an error" refuses 1 "only_guids_top_200" $last --whitelist-bucket elsewhere
}
head -n 40 "$clients" >few
promise "too few clients are an error" refuses 1 "there" --clients-last-seen few --num_clusters 1000 --seed 3

warned() {
    similarity --clients-last-seen "$clients" --seed 1 --num_donors 10 &&
        grep -q "fewer than 100 donors are of no use" log
}
promise "fewer than 100 donors are a warning" warned
done_promising
