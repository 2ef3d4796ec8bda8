#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# taar-etl locale: counts and weights of the vectors, in all modes; noise, seeds, limits; what it
# writes and where, from files, buckets and tables, and what it refuses.
#
# usage: taar_locale.sh BUILD SOURCE
set -u
build=$1
source=$2
. "$source/tests/build/tap.sh"
vectors=$source/tests/vectors/taar
cd "$tap_dir" || exit 1
unset WEIR_STORE WEIR_WAREHOUSE WEIR_NOW TAAR_GENERATION GCS_BUCKET S3_PARQUET_BUCKET
export WEIR_HOME="$tap_dir/home" VECTORS="$vectors/locale"
buckets=$WEIR_HOME/buckets
clients=$vectors/clients/clients_daily.ndjson
models=$buckets/taar_models

mkdir -p "$models/addon_recommender"
# Compression is told by content.
cp "$vectors/amo/expected/only_guids_top_200.json" "$models/addon_recommender/only_guids_top_200.json.bz2"

locale() {
    timeout 60 "$build/taar-etl" locale --date 2021-03-14 --clients-daily "$clients" "$@" 2>log
}
exact() {
    locale --noise off --i-know-this-is-not-private "$@"
}
show() { "$build/taar-etl" show "$1"; }
top() { show taar_models/taar/locale/top10_dict.json; }

cat >check.py <<'PY'
"""check.py same|weights|pairs ONE OTHER [KEY] - compare JSON: as values; with weights to 1e-12; or
counts with [locale, client, add-on] rows of the whitelist."""
import collections, json, sys
what, one, other = sys.argv[1:4]
one, other = (json.load(open(name, encoding="utf-8")) for name in (one, other))
if len(sys.argv) > 4:
    other = other[sys.argv[4]]
if what == "same":
    assert one == other, [(k, g, one[k][g], v) for k in other for g, v in other[k].items() if one.get(k, {}).get(g) != v]
elif what == "weights":
    assert list(one) == sorted(other), (list(one), sorted(other))
    for locale, top in other.items():
        assert [guid for guid, _ in one[locale]] == [guid for guid, _ in top], locale
        assert all(abs(a - b) <= 1e-12 * b for (_, a), (_, b) in zip(one[locale], top)), locale
else:
    rows = collections.Counter((locale, guid) for locale, _, guid in other)
    assert set(one) == {locale for locale, _ in rows}
    assert all(n == rows[locale, guid] for locale in one for guid, n in one[locale].items())
    listed = {guid for counts in one.values() for guid in counts}
    assert sum(n for (_, guid), n in rows.items() if guid in listed) == \
        sum(n for counts in one.values() for n in counts.values())
PY
check() { python3 check.py "$@"; }

# mode NAME OPTION... - all of a folder of vectors.
mode() {
    vector=$VECTORS/$1
    shift
    exact --limit 0 --counts-out counts "$@" && check pairs counts "$vector/client_addons.json" || return 1
    [ -e "$vector/top10_unlimited.json" ] || return 0
    check same counts "$vector/counts_unlimited.json" &&
        top >weights && check weights weights "$vector/top10_unlimited.json" &&
        exact --select first --counts-out counts "$@" && check same counts "$vector/counts_limit1_first.json" &&
        top >weights && check weights weights "$vector/top10_limit1_first.json" &&
        exact --select first --limit en-US=1,de=3,pl=7 --counts-out counts "$@" &&
        check same counts "$vector/counts_limits_first.json" counts
}
promise "a window's counts and weights are those of the vectors" mode window --start-date 20210311
promise "one day's are, too" mode partition --single-partition --start_date 2021-03-14
promise "a closed window's clients are those of the vectors" mode window_closed --start-date 2021-03-01 \
    --end-date 2021-03-12
defaults() {
    exact --limit 0 --counts-out one --date 20210314 --client_data_num_days 2 &&
        check same one "$VECTORS/window/counts_unlimited.json" &&
        exact --limit 0 --counts-out one --date 20210412 --single-partition &&
        check same one "$VECTORS/partition/counts_unlimited.json"
}
promise "the first day is num-days + 1 before --date, in both modes" defaults

# Few drawings, as a sanity check: unit tests draw more.
random() {
    exact --seed 1 --counts-out one --start-date 20210311 && exact --seed 1 --counts-out two --start-date 20210311 &&
        cmp one two && exact --seed 2 --counts-out two --start-date 20210311 && ! cmp -s one two &&
        exact --counts-out two --start-date 20210311 && ! cmp -s one two &&
        python3 -c 'import json, sys
rows = json.load(open(sys.argv[2], encoding="utf-8"))
counts = json.load(open(sys.argv[1], encoding="utf-8"))
listed = {guid for row in counts.values() for guid in row}
for locale, row in counts.items():
    clients = {client for name, client, guid in rows if name == locale and guid in listed}
    assert sum(row.values()) == len(clients), locale' one "$VECTORS/window/client_addons.json"
}
promise "each client counts once; the same seed chooses the same add-ons" random

noisy() {
    locale --start-date 20210311 --counts-out one && top >first && ! grep -q "not private" log &&
        locale --start-date 20210311 --counts-out two && ! cmp -s one two && ! top | cmp -s - first &&
        locale --start-date 20210311 --seed 7 --counts-out one && grep -q "not private" log && top >first &&
        locale --start-date 20210311 --seed 7 --counts-out two --workers 4 && cmp one two && top | cmp - first &&
        python3 -c 'import json, sys
counts = json.load(open("one", encoding="utf-8"))
for locale, top in json.load(open("first", encoding="utf-8")).items():
    row = counts[locale]
    least, total = min(row.values()), sum(v - min(row.values()) for v in row.values())
    assert len(top) == 10 and [w for _, w in top] == sorted((w for _, w in top), reverse=True)
    assert all(abs(w - (row[guid] - least) / total) < 1e-12 for guid, w in top)
assert len({v for row in counts.values() for v in row.values()}) == sum(map(len, counts.values()))'
}
promise "noise differs from run to run, but not with a seed, and is in the counts and the weights" noisy

scales() {
    python3 - "$build/taar-etl" "$clients" <<'PY'
import json, subprocess, sys
def mean(*options):
    done = subprocess.run([sys.argv[1], "locale", "--date", "2021-03-14", "--clients-daily", sys.argv[2], "--limit",
                           "de=3,xx=1", "--select", "first", "--counts-out", "counts", *options],
                          stderr=subprocess.DEVNULL, check=True)
    return json.load(open("counts", encoding="utf-8"))
true = mean("--noise", "off", "--i-know-this-is-not-private")
assert set(true) == {"de", "xx"} and set(true["xx"].values()) == {0}
sums, n = {"de": 0, "xx": 0}, 0
for seed in range(6):
    noisy = mean("--seed", str(seed), "--epsilon", "0.5")
    n += len(true["de"])
    for locale in sums:
        sums[locale] += sum(abs(noisy[locale][g] - true[locale][g]) for g in true[locale])
for locale, scale in (("de", 6), ("xx", 2)):
    assert abs(sums[locale] / n - scale) < 4 * scale / n ** 0.5, (locale, sums[locale] / n)
PY
}
promise "the scale of noise is the locale's limit over epsilon, also where nobody is" scales

objects() {
    exact --select first --date 20210314 --start-date 2021-03-11 --num_addons 3 &&
        (cd "$models/taar/locale" && cmp top10_dict.json.bz2 top10_dict.json.20210314.bz2) &&
        top | python3 -c 'import json, sys
assert {len(row) for row in json.load(sys.stdin).values()} == {3}' &&
        exact --date 20210314 --num_addons 1000 && top | python3 -c 'import json, sys
assert {len(row) for row in json.load(sys.stdin).values()} == {29}' &&
        rm -r "$models/taar" && exact --dry-run --counts-out never && [ ! -e "$models/taar" ] && [ ! -e never ]
}
promise "both objects hold the same; a short whitelist gives short lists; a dry run writes nothing" objects

# The seed's places, many files in folders of days: a bucket is staged file by file.
places() {
    for name in moz-fx-data-derived-datasets-parquet telemetry-parquet; do
        sed 's/.*"submission_date":"\([^"]*\)".*/\1/' "$clients" | sort -u | while read -r date; do
            folder=$buckets/$name/clients_daily/v6/submission_date_s3=$(echo "$date" | tr -d -)
            mkdir -p "$folder" && grep "\"submission_date\":\"$date\"" "$clients" >"$folder/part.json"
        done
    done
    mkdir -p "$buckets/telemetry-private-analysis-2/telemetry-ml/addon_recommender" &&
        "$build/bin/taar_locale" --date 2021-03-14 --noise off --i-know-this-is-not-private --limit 0 \
            --start-date 20210311 --counts-out counts 2>log &&
        check same counts "$VECTORS/window/counts_unlimited.json" &&
        cp "$vectors/amo/expected/only_guids_top_200.json" \
            "$buckets/telemetry-private-analysis-2/telemetry-ml/addon_recommender/" &&
        "$build/bin/taar_etl.taar_locale" --generation g1 --date 20210314 --noise off --i-know-this-is-not-private \
            --whitelist-bucket telemetry-private-analysis-2 --select first --start-date 20210311 \
            --counts-out counts 2>log &&
        check same counts "$VECTORS/window/counts_limit1_first.json" &&
        g1=$buckets/telemetry-private-analysis-2/taar/locale && cmp "$g1/top10_dict.json" "$g1/top10_dict20210314.json" &&
        check weights "$g1/top10_dict.json" "$VECTORS/window/top10_limit1_first.json"
}
promise "defaults of g1 and g3 are the seed's places, and the jobs' own names" places

cat >rows.py <<'PY'
"""Rows of one client a case, as client_id, date, locale, add-ons; what makes an add-on fail."""
import json
good = {"addon_id": "guid-1", "blocklisted": False, "type": "extension", "signed_state": 2, "user_disabled": False,
        "app_disabled": False, "is_system": False, "foreign_install": True}
def row(client, date, locale, *addons, **more):
    print(json.dumps({"client_id": client, "submission_date": date, "channel": "release", "app_name": "Firefox",
                      "locale": locale, "active_addons": list(addons) if addons else None, **more}))
for i, field in enumerate(k for k in good if k != "foreign_install"):
    row(f"null {i}", "2021-03-14", "null-field", {**good, field: None})
    wrong = {"addon_id": "GUID-1", "type": "theme", "signed_state": 1}.get(field, True)
    row(f"wrong {i}", "2021-03-14", "wrong-field", {**good, field: wrong})
row("a", "2021-03-14", "de", good, {**good, "addon_id": "guid-2"})
row("a", "2021-03-13", "fr", good)
row("b", "2021-03-14", None, good)
row("c", "2021-03-14", "null", good)
row("d", "2021-03-14", "", good)
row(None, "2021-03-14", "de", good)
row("e", "2021-03-14", "de", good, channel="beta")
row("e", "2021-03-13", "de", {**good, "addon_id": "guid-2"})
row("f", "2021-03-14", "de", good, app_name="Fennec")
row("g", "2021-03-14", "it")
row("g", "2021-03-13", "it", good)
for _ in range(50):
    row("h", "2021-03-14", "sv", *[{**good, "addon_id": f"guid-{n}"} for n in (1, 2, 1, 2, 1)])
PY
python3 rows.py >rows.ndjson
mkdir -p "$buckets/few/addon_recommender" "$buckets/none/addon_recommender"
printf '["guid-1", "guid-2", "guid-3"]' >"$buckets/few/addon_recommender/only_guids_top_200.json.bz2"
printf '[]' >"$buckets/none/addon_recommender/only_guids_top_200.json.bz2"
rules() {
    exact --clients-daily rows.ndjson --bucket few --limit 0 --counts-out counts && python3 -c 'import json
counts = json.load(open("counts", encoding="utf-8"))
zeros = {"guid-1": 0, "guid-2": 0, "guid-3": 0}
assert counts == {"de": {**zeros, "guid-1": 1, "guid-2": 2}, "": {**zeros, "guid-1": 1}, "wrong-field": zeros,
                  "sv": {**zeros, "guid-1": 3, "guid-2": 2}}, counts' &&
        exact --clients-daily rows.ndjson --bucket few --limit 2 --counts-out counts && python3 -c 'import json
counts = json.load(open("counts", encoding="utf-8"))
assert sum(counts["sv"].values()) == 2 and counts["de"] == {"guid-1": 1, "guid-2": 2, "guid-3": 0}, counts'
}
promise "null fails every test, the latest row alone counts, and many rows or add-ons count up to the limit" rules

# refuses STATUS TEXT ARGUMENT... - and leaves what is there alone.
refuses() {
    status=$1 text=$2
    shift 2
    find "$buckets" -type f -exec cksum {} + | sort >before
    locale "$@" >out
    [ $? -eq "$status" ] && grep -qF -- "$text" log &&
        find "$buckets" -type f -exec cksum {} + | sort | cmp - before
}
promise "noise is not put off by mistake" refuses 2 "--i-know-this-is-not-private" --noise off
promise "no limit and noise is wrong use" refuses 2 "--limit 0" --limit 0
promise "so it is of one locale" refuses 2 "--limit 0" --limit de=1,fr=0
promise "a limit that is none is wrong use" refuses 2 "--limit: a limit is a number" --limit de=x
promise "a limit without a locale is wrong use" refuses 2 "a locale has no limit" --limit de=1,2
promise "a locale that is named twice is wrong use" refuses 2 "named twice" --limit de=1,fr=1,de=2
promise "an epsilon of 0 is wrong use" refuses 2 "--epsilon" --epsilon 0
promise "--end-date with one partition is wrong use" refuses 2 "--end-date" --single-partition --end-date 20210314
promise "a first day after the last is wrong use" refuses 2 "after the last" --start-date 20210315
promise "a day that is none is wrong use" refuses 2 "--start-date" --start-date 20210230
promise "an empty whitelist is an error" refuses 1 "is empty" --bucket none
promise "a missing whitelist is an error" refuses 1 "only_guids_top_200" --bucket elsewhere
promise "days without rows are an error" refuses 1 "" --date 20200101
head -n 1 rows.ndjson >poor.ndjson
promise "rows that do not count are an error" refuses 1 "no client has an add-on" --clients-daily poor.ndjson

original=$source/../shared/vectors/taar/original_tests
originals() {
    mkdir -p "$buckets/original/addon_recommender" "$buckets/short/addon_recommender" &&
        python3 - "$original" "$buckets" <<'PY' || return 1
import json, sys
expected = json.load(open(sys.argv[1] + "/locale_expected.json"))
for bucket, key in (("original", "whitelist"), ("short", "two_locales_short_whitelist")):
    with open(f"{sys.argv[2]}/{bucket}/addon_recommender/only_guids_top_200.json.bz2", "w") as f:
        json.dump(expected[key], f)
PY
    original() {
        exact --select first --start-date 20190112 "$@" --counts-out counts
    }
    one=$original/locale_single_locale.ndjson all=$original/locale_all_locales.ndjson
    original --clients-daily "$one" --bucket original --limit 0 --date 20190114 && mv counts closed &&
        original --clients-daily "$one" --bucket original --limit 0 --date 20190120 && mv counts open &&
        original --clients-daily "$all" --bucket original --limit en-US=1,de=3,pl=7 --date 20190120 &&
        mv counts limited &&
        grep -v '"locale":"\(pl\|fr\)"' "$all" >two && [ -s two ] &&
        exact --select first --clients-daily two --bucket short --date 20190115 --client_data_num_days 2 \
            --num-addons 3 --counts-out two_counts && show original/taar/locale/top10_dict.json >/dev/null &&
        show short/taar/locale/top10_dict.json >two_top && python3 - "$original" <<'PY'
import collections, json, sys
expected = json.load(open(sys.argv[1] + "/locale_expected.json"))
def read(name):
    counts = json.load(open(name))
    return collections.Counter({(l, g): n for l, row in counts.items() for g, n in row.items() if n})
def want(key, locale, guid):
    return collections.Counter((row[locale], row[guid]) for row in expected[key] if row[guid] in expected["whitelist"])
assert read("closed") == want("client_addons_single_locale_2019-01-12_to_2019-01-14", 0, 2)
assert read("open") == want("client_addons_single_locale_from_2019-01-12", 0, 2)
assert read("limited") == want("limited_all_locales_from_2019-01-12_keep_first", 1, 2)
noise = {l: {g: n + 2.5 for g, n in row.items()} for l, row in json.load(open("two_counts")).items()}
assert noise == expected["two_locales_limit_1_noise_is_its_scale_epsilon_0.4"]
assert json.load(open("two_top")) == expected["two_locales_top3"]
PY
}
if [ -d "$original" ] || [ -n "${CI:-}" ]; then
    promise "the original's own tests" originals
fi
done_promising
