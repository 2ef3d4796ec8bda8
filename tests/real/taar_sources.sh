#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# taar_sources.sh BUILD ROOT - telemetry jobs read what lies on S3 and on Cloud Storage as they read
# files, write there, and leave nothing behind on this machine.
set -u
build=$1 root=$2
. "$root/tests/build/tap.sh"
. "$root/tests/real/servers.sh"
cd "$tap_dir" || exit 1
unset WEIR_STORE WEIR_WAREHOUSE TAAR_GENERATION
vectors=$root/tests/vectors/taar
export WEIR_HOME="$tap_dir/home" TMPDIR="$tap_dir/tmp" no_proxy='*'
mkdir -p "$TMPDIR"
clients=$vectors/clients/clients_daily.ndjson day=2021-03-14

# A bucket of exports and one of models.
make_data() {
    mkdir -p data/models/addon_recommender || return 1
    for name in whitelist_addons_database.json whitelist_addons_database.json.bz2; do
        cp "$vectors/amo/expected/whitelist_addons_database.json" "data/models/addon_recommender/$name" || return 1
    done
    cp "$vectors/amo/expected/only_guids_top_200.json" data/models/addon_recommender/ || return 1
    for date in 20210313 20210314; do
        folder=data/exports/clients_daily/v6/submission_date_s3=$date
        text=$(echo $date | sed 's/\(....\)\(..\)/\1-\2-/')
        mkdir -p "$folder" && grep "\"submission_date\":\"$text\"" "$clients" | split -l 150 - "$folder/part-" &&
            echo >"$folder/_SUCCESS"
    done
    "$build/sql-tool" "duckdb://$tap_dir/made.duckdb" <<SQL
COPY (SELECT * EXCLUDE (submission_date) FROM read_json('$clients', format = 'newline_delimited', sample_size = -1)
    WHERE CAST(submission_date AS VARCHAR) = '$day')
TO 'data/exports/clients_daily/v6/submission_date_s3=20210314.parquet' (FORMAT parquet);
SQL
    mkdir -p data/exports/parquet/submission_date_s3=20210314 &&
        mv data/exports/clients_daily/v6/*.parquet data/exports/parquet/submission_date_s3=20210314/part-0
}
# fill SCHEME - objects are only those that went through the server.
fill() {
    for bucket in exports models; do
        (cd "data/$bucket" && find . -type f | sed 's|^\./||') >keys
        while read -r key; do
            "$build/store-tool" "$1$bucket" put "$key" <"data/$bucket/$key" >/dev/null || return 1
        done <keys
    done
}
taar() {
    timeout 60 "$build/taar-etl" "$@"
}
# counts SCHEME SOURCE
counts() {
    taar lite --date "$day" --bucket "$1models" --whitelist whitelist_addons_database.json --generation g2 \
        --prefix taar/lite --whitelist-prefix addon_recommender/ --clients-daily "$2" --sample-rate 1 &&
        taar show "$1models/taar/lite/guid_coinstallation.json" >got &&
        python3 -c 'import json, sys
one, other = (json.load(open(name, encoding="utf-8")) for name in sys.argv[1:])
sys.exit(one != other)' got "$vectors/lite/guid_coinstallation.json" && [ -z "$(ls -A "$TMPDIR")" ]
}
# latest SCHEME - rows of several staged files tell a client's latest one.
latest() {
    for source in "$clients" "$1exports/clients_daily/v6"; do
        taar locale --date "$day" --bucket "$1models" --generation g2 --prefix taar/locale --start-date 20210313 \
            --whitelist-prefix addon_recommender/ --clients-daily "$source" --noise off \
            --i-know-this-is-not-private --limit 0 --counts-out counts && mv counts "counts.${source##*/}" || return 1
    done
    cmp counts.clients_daily.ndjson counts.v6 && [ -z "$(ls -A "$TMPDIR")" ]
}
# all SCHEME NAME
all() {
    promise "$2: all days, of which one is fetched" counts "$1" "$1exports/clients_daily/v6"
    promise "$2: {dateformat}" counts "$1" "$1exports/clients_daily/v6/submission_date_s3={dateformat}/"
    promise "$2: a glob" counts "$1" "$1exports/clients_daily/*/submission_date_s3=202103*/part-??"
    promise "$2: the latest rows of many files" latest "$1"
    promise "$2: Parquet" counts "$1" "$1exports/parquet"
    promise "$2: the sensor" taar wait clients_daily_export --date "$day" --source "$1exports/clients_daily/v6" --timeout 0
}

make_data || exit 1
mkdir -p s3/exports s3/models gcs/exports gcs/models
start_versitygw "$tap_dir/s3" account secret-0123 || exit 1
export AWS_ACCESS_KEY_ID=account AWS_SECRET_ACCESS_KEY=secret-0123 AWS_ENDPOINT_URL="$server_url"
STORE_ENDPOINT=$server_url STORE_ACCESS_KEY=account STORE_SECRET_KEY=secret-0123 fill s3:// || exit 1
all s3:// S3
promise "S3: s3a:// is the same" counts s3:// s3a://exports/clients_daily/v6/submission_date_s3=20210314
below_store() {
    WEIR_STORE=s3:// GCS_BUCKET=exports taar lite --date "$day" --bucket models --sample-rate 1 --generation g3 --dry-run
}
promise "S3: buckets of bare names below WEIR_STORE" below_store
stop_server "$server_pid"
unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_ENDPOINT_URL

start_fake_gcs "$tap_dir/gcs" || exit 1
export STORAGE_EMULATOR_HOST="$server_url"
STORE_ENDPOINT=$server_url fill gs:// || exit 1
all gs:// "Cloud Storage"
stop_server "$server_pid"
done_promising
