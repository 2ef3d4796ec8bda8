#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# taar_profile.sh BUILD_DIR ROOT - profile rows of the vectors, on Bigtable's emulator.
set -u
build=$1 root=$2
. "$root/tests/build/tap.sh"
. "$root/tests/real/servers.sh"
vectors=$root/tests/vectors/taar/profile
day=20210314
start_bigtable || exit 1
export BIGTABLE_EMULATOR_HOST="127.0.0.1:$server_port" WEIR_PROFILES=bigtable://project/instance WEIR_HOME="$tap_dir/home"
mkdir -p "$WEIR_HOME/buckets/avro"
cp "$vectors/taar-profile.$day".avro.* "$WEIR_HOME/buckets/avro"
profile() {
    "$build/taar-etl" profile --iso-date "$day" --gcp-project p --avro-gcs-bucket avro --bigtable-instance-id i "$@"
}
loads() {
    profile --gcs-to-bigtable && "$build/taar-etl" profile-dump >"$tap_dir/rows" &&
        python3 - "$tap_dir/rows" "$vectors/expected_rows.ndjson" <<'PY'
import json, sys
got, expected = ([json.loads(line) for line in open(name)] for name in sys.argv[1:])
assert {r["row_key"]: r["payload"] for r in got} == {r["row_key"]: json.loads(r["payload_json"]) for r in expected}
PY
}
gone() {
    "$build/taar-etl" profile-get 33c5c416-c57d-4eb7-bf58-beaf97a40332 | grep -q Rome &&
        profile --bigtable-delete-opt-out --delete-opt-out-days 29 --deletion-requests "$vectors/deletion_requests.ndjson" &&
        ! "$build/taar-etl" profile-get 33c5c416-c57d-4eb7-bf58-beaf97a40332
}
promise "files become rows" loads
promise "a client that opted out is gone" gone
done_promising
