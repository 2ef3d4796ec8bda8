#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# taar_similarity_sql.sh BUILD ROOT - the SQL of the similarity job gives the vectors' clients in
# BigQuery, as Google's own analyzer reads it.
set -u
build=$1 root=$2
. "$root/tests/build/tap.sh"
. "$root/tests/real/servers.sh"
cd "$tap_dir" || exit 1
unset WEIR_STORE WEIR_WAREHOUSE
vectors=$root/tests/vectors/taar
export WEIR_HOME="$tap_dir/home"
models=$WEIR_HOME/buckets/taar_models/addon_recommender
mkdir -p "$models"
# Compression is told by content.
cp "$vectors/amo/expected/only_guids_top_200.json" "$models/only_guids_top_200.json.bz2"

start_bigquery_emulator a-project || exit 1
python3 "$root/tests/real/taar_telemetry.py" "$server_url" a-project telemetry clients \
    "$vectors/clients/clients_daily.ndjson" || exit 1

# eligible NAME OPTION... - the clients are those of the vectors.
eligible() {
    name=$1
    shift
    timeout 60 "$build/taar-etl" similarity --date 2021-03-14 --seed 1 --warehouse bigquery://a-project/telemetry \
        --bigquery-endpoint "$server_url" --eligible-out "$name" "$@" &&
        python3 -c 'import json, sys
one, other = ([json.loads(line) for line in open(name, encoding="utf-8")] for name in sys.argv[1:])
sys.exit(one != other)' "$name" "$vectors/similarity/eligible_$name.ndjson"
}
promise "one day" eligible snapshot --clients-last-seen telemetry.clients
promise "the latest row of many days" eligible window --clients-daily telemetry.clients \
    --clients-sample-date-from 2021-03-01
stop_server "$server_pid"
done_promising
