#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# taar_sql.sh BUILD ROOT - each telemetry job writes the same object from BigQuery, as Google's own
# analyzer reads its SQL, as from DuckDB. A job more is a line below.
set -u
build=$1 root=$2
. "$root/tests/build/tap.sh"
. "$root/tests/real/servers.sh"
cd "$tap_dir" || exit 1
unset WEIR_STORE WEIR_WAREHOUSE TAAR_GENERATION
vectors=$root/tests/vectors/taar
export WEIR_HOME="$tap_dir/home"
models=$WEIR_HOME/buckets/taar_models/addon_recommender
clients=$vectors/clients/clients_daily.ndjson pings=$vectors/ranking/telemetry_addons.ndjson
mkdir -p "$models"
# Compression is told by content.
cp "$vectors/amo/expected/only_guids_top_200.json" "$models/only_guids_top_200.json.bz2"
cp "$vectors/amo/expected/whitelist_addons_database.json" "$models/whitelist_addons_database.json.bz2"

start_bigquery_emulator a-project || exit 1
python3 "$root/tests/real/taar_telemetry.py" "$server_url" a-project telemetry clients "$clients" || exit 1
python3 "$root/tests/real/taar_telemetry.py" "$server_url" a-project pings addons "$pings" || exit 1

# written OBJECT COMMAND... - run a job, and show what it wrote.
written() {
    object=$1
    shift
    timeout 120 "$build/taar-etl" -q "$@" --bucket taar_models && "$build/taar-etl" show "taar_models/$object"
}
# same OBJECT JOB OPTION FILE TABLE [OPTION...] - SOURCE-OPTION FILE on this machine, TABLE in BigQuery.
same() {
    object=$1 job=$2 option=$3 file=$4 table=$5
    shift 5
    written "$object" "$job" "$option" "$file" "$@" >local &&
        written "$object" "$job" "$option" "$table" "$@" --warehouse bigquery://a-project/telemetry \
            --bigquery-endpoint "$server_url" >remote && [ -s local ] && cmp local remote
}
lite=taar/lite/guid_coinstallation.json ranking=taar/lite/guid_install_ranking.json day=2021-03-14
promise "lite" same $lite lite --clients-daily "$clients" telemetry.clients --date $day --sample-rate 1
promise "lite, a sample" same $lite lite --clients-daily "$clients" a-project.telemetry.clients --date $day \
    --sample-rate 0.3 --seed 5
locale=taar/locale/top10_dict.json
# locales OPTION... - noise is off for it differs; seeds choose alike in both.
locales() {
    same "$locale" locale --clients-daily "$clients" telemetry.clients --date "$day" --noise off \
        --i-know-this-is-not-private "$@"
}
promise "locale" locales --limit 0
promise "locale, the first add-ons" locales --select first --start-date 2021-03-11
promise "locale, random add-ons, by locale" locales --seed 3 --limit en-US=1,de=3,=2 --start-date 2021-03-01 \
    --end-date 2021-03-12
promise "locale, one day" locales --seed 4 --single-partition --start-date $day
promise "ranking" same $ranking guid-ranking --addons "$pings" pings.addons --date $day
promise "ranking, of clients" same $ranking guid-ranking --addons "$pings" pings.addons --date $day --distinct-clients
promise "ranking, the older one" same $ranking guid-ranking --clients-daily "$clients" telemetry.clients --date $day
stop_server "$server_pid"
done_promising
