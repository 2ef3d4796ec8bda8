#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# taar-etl lite, guid-ranking and wait: on the vectors, from sources of every form, in all
# generations, by the names that the jobs have in the DAGs.
#
# usage: taar_lite.sh BUILD SOURCE
set -u
build=$1
source=$2
. "$source/tests/build/tap.sh"
vectors=$source/tests/vectors/taar
cd "$tap_dir" || exit 1
unset WEIR_STORE WEIR_WAREHOUSE WEIR_NOW TAAR_GENERATION GCS_BUCKET S3_PARQUET_BUCKET
export WEIR_HOME="$tap_dir/home"
buckets=$WEIR_HOME/buckets
day=2021-03-14
clients=$vectors/clients/clients_daily.ndjson
addons=$vectors/ranking/telemetry_addons.ndjson

place() {
    mkdir -p "$1" && cp "$vectors/amo/expected/whitelist_addons_database.json" "$1/whitelist_addons_database.json$2"
}
place "$buckets/taar_models/addon_recommender" .bz2 # compression is told by content
place "$buckets/telemetry-parquet/telemetry-ml/addon_recommender" ''

taar() {
    timeout 60 "$build/taar-etl" "$@" 2>log
}
show() { "$build/taar-etl" show "$1"; }
# same FILE FILE - the same JSON.
same() {
    python3 -c 'import json, sys
one, other = (json.load(open(name, encoding="utf-8")) for name in sys.argv[1:])
sys.exit(one != other)' "$1" "$2"
}

# counts SOURCE - lite gives the vectors' counts, twice the same bytes.
counts() {
    rm -rf "$buckets/taar_models/taar"
    taar lite --date "$day" --bucket taar_models --clients-daily "$1" --sample-rate 1 || { cat log; return 1; }
    show taar_models/taar/lite/guid_coinstallation.json >got &&
        show taar_models/taar/lite/guid_coinstallation.json.20210314.bz2 | cmp - got &&
        same got "$vectors/lite/guid_coinstallation.json"
}
promise "a file gives the vectors' counts, and a dated copy" counts "$clients"
is_first() { cmp got first; }
cp got first

# Days in folders of either name, with what exports leave beside the data.
for form in submission_date_s3= submission_date=; do
    for date in 2021-03-13 2021-03-14; do
        text=$date
        [ $form = submission_date= ] || text=$(echo $date | tr -d -)
        mkdir -p "by-$form/$form$text"
        grep "\"submission_date\":\"$date\"" "$clients" | sed 's/"submission_date":"[^"]*",//' >"by-$form/$form$text/all"
        split -l 200 "by-$form/$form$text/all" "by-$form/$form$text/part-" && rm "by-$form/$form$text/all"
        : >"by-$form/$form$text/_SUCCESS"
        echo crc >"by-$form/$form$text/.part-aa.crc"
    done
done
promise "a directory of days does" counts by-submission_date_s3=
promise "with the same bytes" is_first
promise "a directory with the other name of days does" counts "$tap_dir/by-submission_date="
promise "a day's folder does" counts by-submission_date_s3=/submission_date_s3=20210314
promise "{dateformat} does" counts 'by-submission_date_s3=/submission_date_s3={dateformat}/'
promise "{dateformat} with dashes does" counts 'file://'"$tap_dir"'/by-submission_date=/submission_date={dateformat}'
promise "a glob does" counts 'by-submission_date_s3=/*/part-*'
mkdir packed
for file in by-submission_date_s3=/submission_date_s3=20210314/part-*; do
    gzip -c "$file" >"packed/$(basename "$file").json.gz"
done
counts_packed() {
    mkdir -p gz && mv packed "gz/submission_date=$day" && counts gz
}
promise "packed files do" counts_packed

# As BigQuery and Spark export it.
parquet() {
    mkdir -p "pq/submission_date_s3=20210314" "bq/submission_date_s3=20210314" &&
        "$build/sql-tool" "duckdb://$tap_dir/made.duckdb" <<SQL &&
CREATE VIEW rows AS SELECT * EXCLUDE (submission_date), CAST(submission_date AS VARCHAR) AS day
FROM read_json('$clients', format = 'newline_delimited', sample_size = -1);
COPY (SELECT * EXCLUDE (day) FROM rows WHERE day = '$day')
TO 'pq/submission_date_s3=20210314/part-0.c000.snappy.parquet' (FORMAT parquet);
COPY (SELECT * EXCLUDE (active_addons, day), CAST(day AS DATE) AS submission_date,
    CASE WHEN active_addons IS NOT NULL
        THEN {'list': list_transform(active_addons, lambda x: {'element': x})} END AS active_addons FROM rows)
TO 'bq/export-000000000000' (FORMAT parquet);
COPY (SELECT * EXCLUDE (day), replace(day, '-', '') AS submission_date_s3 FROM rows)
TO 's3.parquet' (FORMAT parquet);
CREATE SCHEMA telemetry;
CREATE TABLE telemetry.clients_daily AS SELECT * EXCLUDE (day), CAST(day AS DATE) AS submission_date FROM rows;
CREATE TABLE telemetry.addons AS SELECT * FROM read_json('$addons', format = 'newline_delimited');
SQL
        counts pq && counts s3.parquet
}
promise "Parquet does" parquet
promise "Parquet with lists as BigQuery writes them does" counts bq

table() {
    WEIR_WAREHOUSE="duckdb://$tap_dir/made.duckdb" counts telemetry.clients_daily
}
promise "a table does" table

lists() {
    python3 - "$1" "$vectors" <<'PY'
import json, sys
path, vectors = sys.argv[1:]
case = json.load(open(path, encoding="utf-8"))
cases = case if isinstance(case, list) else [case]
n = 0
for number, case in enumerate(cases):
    rows = case.get("input_lists") or case.get("installed") or [case["input"]]
    with open(f"case-{number}.ndjson", "w", encoding="utf-8") as out:
        for row in rows:
            out.write(json.dumps({"client_id": f"c{n}", "submission_date": "2021-03-14", "channel": "release",
                "normalized_channel": "release", "app_name": "Firefox",
                "active_addons": [{"addon_id": guid, "type": "extension"} for guid in row + ["not-listed"]]}) + "\n")
            n += 1
    guids = {guid for row in rows for guid in row}
    database = {guid: {"guid": guid, "current_version": {"files": [{"is_webextension": True}]}} for guid in guids | {"x"}}
    json.dump(database, open(f"case-{number}.json", "w", encoding="utf-8"))
    json.dump(case["expected"], open(f"case-{number}.expected", "w", encoding="utf-8"))
PY
    for expected in case-*.expected; do
        case=${expected%.expected}
        mkdir -p "$buckets/cases"
        cp "$case.json" "$buckets/cases/some.json.bz2"
        if ! taar lite --date "$day" --bucket cases --whitelist-prefix '' --whitelist some \
            --clients-daily "$case.ndjson" --sample-rate 1; then
            cat log
            return 1
        fi
        show cases/taar/lite/guid_coinstallation.json >got
        if ! same got "$expected"; then
            cat "$case.ndjson" got
            return 1
        fi
    done
    rm -f case-*
}
promise "pairs are those of positions, also of an add-on with itself" lists "$vectors/lite/key_all_cases.json"
original=$source/../shared/vectors/taar/original_tests
if [ -d "$original" ] || [ -n "${CI:-}" ]; then
    promise "the original's own test of pairs" lists "$original/coinstallation.json"
else
    skip_promise "the original's own test of pairs" "there is no ../shared"
fi

sampled() {
    for n in 1 2; do
        taar lite --date "$day" --bucket taar_models --clients-daily "$clients" --sample-rate 0.5 --seed 7 --workers "$n" &&
            show taar_models/taar/lite/guid_coinstallation.json >"sample-$n" || return 1
    done
    cmp sample-1 sample-2 && ! cmp -s sample-1 first &&
        taar lite --date "$day" --bucket taar_models --clients-daily "$clients" --sample-rate 0.5 --seed 8 &&
        show taar_models/taar/lite/guid_coinstallation.json >other && ! cmp -s other sample-1 &&
        taar lite --date "$day" --bucket taar_models --clients-daily "$clients" &&
        grep -q 'sample rate 0.05, seed [0-9]' log
}
promise "a sample is repeated by its seed; 5 % by default" sampled

# ranks EXPECTED OPTION...
ranks() {
    expected=$1
    shift
    taar guid-ranking --date "$day" --bucket taar_models "$@" || { cat log; return 1; }
    show taar_models/taar/lite/guid_install_ranking.json >got &&
        show "taar_models/taar/lite/guid_install_ranking.json.$day.bz2" | cmp - got && same got "$expected"
}
promise "the ranking of pings is the vectors'" ranks "$vectors/ranking/guid_install_ranking.json" --addons "$addons"
ranked_table() {
    WEIR_WAREHOUSE="duckdb://$tap_dir/made.duckdb" ranks "$vectors/ranking/guid_install_ranking.json"
}
promise "of a table, too, which is the default" ranked_table
options() {
    python3 - "$addons" <<'PY'
import collections, json, sys
clients = collections.defaultdict(set)
for line in open(sys.argv[1], encoding="utf-8"):
    row = json.loads(line)
    if row["submission_date"] == "2021-03-14" and row["addon_id"] not in (None, "null"):
        clients[row["addon_id"]] |= {row["client_id"]} - {None}
json.dump({guid: len(them) for guid, them in clients.items()}, open("distinct", "w", encoding="utf-8"))
PY
    ranks distinct --addons "$addons" --distinct-clients --without-null
}
promise "clients instead of pings, without the missing id" options

by_generation() {
    rm -rf "$buckets/telemetry-parquet/taar" &&
        mkdir -p "$buckets/telemetry-parquet/clients_daily/v6" &&
        cp -r by-submission_date_s3=/* "$buckets/telemetry-parquet/clients_daily/v6" &&
        "$build/bin/taar_lite" --generation g2 --date 20210314 --sample-rate 1 2>log &&
        same "$buckets/telemetry-parquet/taar/lite/guid_coinstallation.json" "$vectors/lite/guid_coinstallation.json" &&
        [ -s "$buckets/telemetry-parquet/taar/lite/guid_coinstallation.json.20210314" ] &&
        rm -rf "$buckets/telemetry-parquet/clients_daily/v6"/* &&
        cp "$clients" "$buckets/telemetry-parquet/clients_daily/v6/part-0" &&
        "$build/bin/taar_lite_guid_ranking" --generation g1 --date "$day" 2>log &&
        same "$buckets/telemetry-parquet/taar/lite/guid_install_ranking.json" \
            "$vectors/ranking/guid_install_ranking_from_clients_daily.json" &&
        [ -s "$buckets/telemetry-parquet/taar/lite/guid_install_ranking$day.json" ] &&
        "$build/bin/taar_etl.taar_lite" --generation g1 --date 20210314 2>log &&
        [ -s "$buckets/telemetry-parquet/taar/lite/guid_coinstallation20210314.json" ] &&
        mkdir -p exports/clients_daily/v6 && cp -r by-submission_date_s3=/* exports/clients_daily/v6 &&
        GCS_BUCKET=$tap_dir/exports taar lite --date "$day" --sample-rate 1 &&
        show taar_models/taar/lite/guid_coinstallation.json | cmp - first
}
promise "defaults are the seed's places, in every generation and by the jobs' names" by_generation

# refuses STATUS TEXT COMMAND...
refuses() {
    status=$1 text=$2
    shift 2
    find "$buckets" -type f -exec cksum {} + | sort >before
    taar "$@"
    if [ $? -ne "$status" ] || ! grep -qF -- "$text" log ||
        ! find "$buckets" -type f -exec cksum {} + | sort | cmp - before; then
        cat log
        return 1
    fi
}
printf '{"client_id":"a","active_addons":[],"submission_date":"2021-03-14"}\n{"client_id":\n' >bad
sed 's/"normalized_channel":"[^"]*",//' "$clients" >lacking
promise "a bad line is named" refuses 1 "bad:2: " lite --date "$day" --clients-daily bad
promise "a column that is missing is named" refuses 1 "lacking has no column normalized_channel" \
    lite --date "$day" --clients-daily lacking
promise "a day that is not there is an error" refuses 1 "holds nothing of 2022-01-01" lite --date 2022-01-01 --clients-daily "$clients"
promise "a whitelist that is not there is one" refuses 1 "none.json" lite --date "$day" --clients-daily "$clients" --whitelist none
promise "two sources are wrong use" refuses 2 "exclude each other" guid-ranking --date "$day" --addons a --clients-daily b
promise "--dry-run writes nothing" refuses 0 "lite done" lite --date "$day" --clients-daily "$clients" --dry-run

# waits STATUS ARGUMENT...
waits() {
    status=$1
    shift
    taar "$@" --poll 1
    [ $? -eq "$status" ] || { cat log; return 1; }
}
promise "a complete day is ready" waits 0 wait clients_daily_export --date "$day" --source by-submission_date_s3=
promise "a day that is not there is not, which has a status of its own" \
    waits 3 wait wait_for_clients_daily_export --date 2021-03-15 --source by-submission_date_s3= --timeout 0
unfinished() {
    mkdir -p "late/submission_date_s3=20210314" && : >"late/submission_date_s3=20210314/_SUCCESS" &&
        waits 3 wait clients_daily_export --date "$day" --source late --timeout 0 &&
        cp "by-submission_date_s3=/submission_date_s3=20210314/part-aa" "late/submission_date_s3=20210314/" &&
        rm "late/submission_date_s3=20210314/_SUCCESS" && : >late/_SUCCESS &&
        waits 3 wait clients_daily_export --date "$day" --source late --timeout 0 || return 1
    (sleep 0.5 && : >"late/submission_date_s3=20210314/_SUCCESS") &
    waits 0 wait_for_main_summary_export --date 20210314 --source late --timeout 20 && grep -q 'not there yet' log
}
promise "it waits for the data and for _SUCCESS" unfinished
rows() {
    export WEIR_WAREHOUSE="duckdb://$tap_dir/made.duckdb"
    waits 0 wait clients_last_seen --date "$day" --source telemetry.clients_daily &&
        waits 3 wait clients_last_seen --date 2022-01-01 --source telemetry.clients_daily --timeout 0
}
promise "rows of a table are ready" rows
promise "a sensor that nobody knows is wrong use" waits 2 wait something --date "$day"
mkdir -p "odd/submission_date_s3=2021" && cp bad "odd/submission_date_s3=2021/"
promise "a partition that is no day is an error" waits 1 wait clients_daily_export --date "$day" --source odd --timeout 0
done_promising
