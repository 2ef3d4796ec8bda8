#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# taar-etl profile, profile-get, profile-dump: rows of the vectors, each stage by itself and all at
# once, a second time, after a kill, after a failure; what is wiped and what is not.
#
# usage: taar_profile.sh BUILD SOURCE
set -u
build=$1
source=$2
. "$source/tests/build/tap.sh"
vectors=$source/tests/vectors/taar
cd "$tap_dir" || exit 1
unset WEIR_STORE WEIR_WAREHOUSE WEIR_PROFILES WEIR_NOW TAAR_GENERATION GCS_BUCKET BIGTABLE_EMULATOR_HOST
export WEIR_HOME="$tap_dir/home" VECTORS="$vectors/profile"
avro=$WEIR_HOME/buckets/avro
day=20210314

profile() {
    timeout 60 "$build/taar-etl" profile --iso-date "$day" --gcp-project p --avro-gcs-bucket avro \
        --bigtable-instance-id i --clients-last-seen "$vectors/clients/clients_daily.ndjson" \
        --deletion-requests "$VECTORS/deletion_requests.ndjson" "$@" 2>log
}
dump() { "$build/taar-etl" profile-dump "$@" 2>>log; }
fresh() {
    rm -rf "$WEIR_HOME"
    mkdir -p "$avro"
}
refuses() { ! "$@" >/dev/null 2>>log; }

cat >check.py <<'PY'
"""check.py rows DUMP | filled DUMP | deleted DUMP FORMER - compare with the vectors."""
import hashlib, json, os, sys
vectors = os.environ["VECTORS"] + "/"
lines = lambda name: [json.loads(line) for line in open(name, encoding="utf-8")]
what, dump = sys.argv[1:3]
rows = {row["row_key"]: row["payload"] for row in lines(dump)}
assert list(rows) == sorted(rows)
if what == "rows":
    expected = {row["row_key"]: row["payload_json"] for row in lines(vectors + "expected_rows.ndjson")}
    assert rows == {key: json.loads(text) for key, text in expected.items()}
    texts = {line.split('"')[3]: line.split('"payload": ', 1)[1][:-2] for line in open(dump, encoding="utf-8")}
    assert texts == expected
elif what == "filled":
    key = lambda text: hashlib.sha256(text.encode()).hexdigest()
    clients = {key(row["client_id"]): row for row in lines(vectors + "fill_expected.ndjson") if row["client_id"]}
    assert set(rows) == set(clients), (len(rows), len(clients))
    for name, row in clients.items():
        got = rows[name]
        for column in ("subsession_length", "bookmark_count", "tab_open_count", "total_uri", "unique_tlds"):
            assert got[column] == int(row[column] or 0), (column, got[column], row[column])
        for column in ("geo_city", "locale", "os"):
            assert got[column] == row[column]
        assert len(got["active_addons"]) == row["n_active_addons"]
        assert all(len(addon) == 16 for addon in got["active_addons"])
elif what == "deleted":
    gone = {row["row_key"] for row in lines(sys.argv[3])} - set(rows)
    asked = set(json.load(open(vectors + "meta.json"))["expected_deleted_row_keys"])
    former = {row["row_key"] for row in lines(sys.argv[3])}
    assert gone == former & asked and gone, (len(gone), len(former & asked))
PY
check() { python3 check.py "$@"; }

load() {
    fresh
    for file in "$@"; do cp "$VECTORS/$file" "$avro/taar-profile.$day.avro.${file##*.}"; done
    profile --gcs-to-bigtable && dump >rows
}
from_shards() {
    load "taar-profile.$day.avro.000000000000" "taar-profile.$day.avro.000000000001" && check rows rows
}
promise "BigQuery's files become the rows of the vectors, texts too" from_shards
from_deflate() { load all-rows-deflate.avro && check rows rows; }
promise "a deflated file does, too" from_deflate
again() {
    cp rows former && profile --gcs_to_bigtable && dump >rows && cmp rows former
}
promise "loading again changes nothing" again
get() {
    "$build/taar-etl" profile-get 33c5c416-c57d-4eb7-bf58-beaf97a40332 >one || return 1
    "$build/taar-etl" profile-get --raw 33c5c416-c57d-4eb7-bf58-beaf97a40332 >raw || return 1
    python3 -c 'import zlib; one = open("one").read(); assert zlib.decompress(open("raw", "rb").read()).decode() + "\n" == one
assert "54e760dc799b24c6edc1a02b200db9b07d51a96b7dc7d4ebcd1d86ee8728f420" in one' &&
        refuses "$build/taar-etl" profile-get nobody && dump --bigtable-instance-id i --bigtable-table-id taar_profile | cmp - rows
}
promise "a client's profile is shown, as text and as it is stored" get
fetcher() {
    profile --gcs-to-bigtable --fetcher-keys && dump >./more && python3 - <<'PY'
import json
for line in open("more"):
    p = json.loads(line)["payload"]
    assert p["city"] == p["geo_city"] and p["places_bookmarks_count"] == p["bookmark_count"]
    for new, old in (("tab_open_event", "tab_open_count"), ("total_uri", "total_uri"), ("unique_domains", "unique_tlds")):
        assert p["scalar_parent_browser_engagement_%s_count" % new] == p[old]
PY
}
promise "the fetcher's keys can be added" fetcher

stages() {
    fresh
    profile --sample-rate 1 && profile --bq-to-gcs && profile --gcs-to-bigtable && dump >rows &&
        check filled rows && grep -q 'null client_id=1' log
}
promise "fill, export and load give what the vectors select" stages
shards() {
    cp "$avro/taar-profile.$day.avro.000000000000" whole
    profile --bq-to-gcs --iso-date 2021-03-14 --avro-shard-bytes 1 && [ "$(find "$avro" -type f | wc -l)" -gt 1 ] &&
        profile --gcs-to-bigtable && dump | cmp - rows &&
        profile --bq-to-gcs && [ "$(ls "$avro")" = "taar-profile.$day.avro.000000000000" ] &&
        cmp "$avro/taar-profile.$day.avro.000000000000" whole
}
promise "files are cut by size, replaced as a whole, and the same again" shards
# A client of the fill asks for deletion, too.
asking() {
    cat "$VECTORS/deletion_requests.ndjson" &&
        echo '{"submission_timestamp":"2021-03-14T23:59:59.999999Z","client_id":"004e4737-5268-43c4-af6d-d77c33dc333c"}' &&
        echo '{"submission_timestamp":"2021-03-15T00:00:00.000000Z","client_id":"00b6b27a-2aae-4f92-a663-e91d2d15378e"}'
}
asking >asking.ndjson
is_without() {
    python3 -c 'import hashlib, sys
key = hashlib.sha256(b"004e4737-5268-43c4-af6d-d77c33dc333c").hexdigest()
rows, former = (open(name).read().splitlines() for name in ("rows", "former"))
assert rows == [row for row in former if key not in row] and len(rows) + 1 == len(former)'
}
opted_out() {
    cp rows former
    profile --bigtable-delete-opt-out --delete-opt-out-days 29 --deletion-requests asking.ndjson && dump >rows && is_without &&
        grep -q 'null client_id=1' log && cp former filled
    load "taar-profile.$day.avro.000000000000" "taar-profile.$day.avro.000000000001" && cp rows former &&
        profile --bigtable-delete-opt-out --delete-opt-out-days 29 && dump >rows && check deleted rows former && cp filled former
}
promise "clients of the window are deleted, both its ends included" opted_out
empty_window() {
    profile --bigtable-delete-opt-out --iso-date 20100101 && dump | cmp - rows && grep -q 'no deletion requests' log &&
        refuses profile --bigtable-delete-opt-out --deletion-requests nowhere.ndjson
}
promise "a window without requests is fine, an absent source is not" empty_window
wipes() {
    touch "$avro/kept" "$avro/taar-profile.notes" && mkdir -p "$avro/taar-profile.x" && touch "$avro/taar-profile.x/y.avro.0" &&
        profile --fill-bq --wipe-avro && [ "$(find "$avro" -type f | wc -l)" -eq 3 ] && profile --wipe-avro &&
        profile --wipe-bigquery-tmp-table && profile --wipe_bigquery_tmp_table && refuses profile --bq-to-gcs
}
promise "wipes take their own only, and the last flag wins" wipes

all() {
    fresh
    profile --all --sample-rate 1 --deletion-requests asking.ndjson && dump >rows && is_without &&
        [ -z "$(ls "$avro" 2>/dev/null)" ] && refuses profile --bq-to-gcs
}
promise "--all leaves rows and nothing else" all
failing() {
    mkdir -p "$avro" && refuses profile --all --sample-rate 1 --deletion-requests nowhere.ndjson && [ -z "$(ls "$avro" 2>/dev/null)" ] &&
        refuses profile --bq-to-gcs
}
promise "so does it after a failure, which is its exit status" failing
killed() {
    fresh
    profile --sample-rate 1 && profile --bq-to-gcs --avro-shard-bytes 1 || return 1
    for delay in 0.02 0.05 0.1; do
        timeout -s KILL "$delay" "$build/taar-etl" profile --gcs-to-bigtable --iso-date "$day" --gcp-project p \
            --avro-gcs-bucket avro --bigtable-instance-id i >/dev/null 2>&1
    done
    profile --gcs-to-bigtable && dump >rows && cmp rows former
}
promise "a killed load can be run again" killed
sampled() {
    profile --sample-rate 0.5 --seed 7 && profile --bq-to-gcs && cp "$avro"/taar-profile.*0 one && n=$(grep -c . one) &&
        profile --sample-rate 0.5 --seed 7 && profile --bq-to-gcs && cmp "$avro"/taar-profile.*0 one && [ "$n" -gt 0 ] &&
        profile && grep -q 'next to nothing' log && grep -q 'settings' log
}
promise "a seed chooses the same clients; the original's rate is remarked on" sampled

skipped() {
    fresh
    python3 - "$avro/taar-profile.$day.avro.000000000000" <<'PY'
import json, struct, sys
def long(n):
    n = (n << 1) ^ (n >> 63)
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128]); n >>= 7
    return out + bytes([n])
text = lambda s: long(len(s)) + s
# other order, other unions, a column more, a count with its size
schema = {"type": "record", "name": "Root", "fields": [
    {"name": "extra", "type": "long"}, {"name": "unique_tlds", "type": ["double", "null"]},
    {"name": "total_uri", "type": "double"}, {"name": "client_id", "type": ["string", "null"]},
    {"name": "active_addons", "type": {"type": "array", "items": {"type": "record", "name": "A", "fields": [
        {"name": "scope", "type": ["long", "null"]}, {"name": "addon_id", "type": "string"}]}}}]}
addon = long(0) + long(-3) + text("\u00e9\U0001f600".encode())
def record(id, tlds, uri):
    return long(9) + (long(1) if tlds is None else long(0) + struct.pack("<d", tlds)) + struct.pack("<d", uri) + \
        (long(1) if id is None else long(0) + text(id)) + long(-1) + long(len(addon)) + addon + long(0)
rows = [record(b"a", 12.9, -0.5), record(None, 1, 1), record(b"b", float("nan"), 1), record(b"c", 1, float("inf")),
        record(b"d", None, 1e20)]
sync = b"0123456789abcdef"
with open(sys.argv[1], "wb") as f:
    f.write(b"Obj\1" + long(1) + text(b"avro.schema") + text(json.dumps(schema).encode()) + long(0) + sync)
    block = b"".join(rows)
    f.write(long(len(rows)) + long(len(block)) + block + sync)
PY
    profile --gcs-to-bigtable && dump >rows && grep -q 'null client_id=1' log && grep -q 'not finite=2' log && python3 - <<'PY'
import hashlib, json
rows = {r["row_key"]: r["payload"] for r in map(json.loads, open("rows"))}
a, d = (rows[hashlib.sha256(x).hexdigest()] for x in (b"a", b"d"))
assert len(rows) == 2
assert (a["unique_tlds"], a["total_uri"], a["locale"], a["bookmark_count"]) == (12, 0, None, 0)
assert (d["unique_tlds"], d["total_uri"]) == (0, 10**20) and "-0" not in open("rows").read().replace("-0-", "")
assert a["active_addons"][0]["addon_id"] == "\u00e9\U0001f600" and a["active_addons"][0]["scope"] == -3
assert open("rows").read().isascii()
PY
}
promise "files are read by their schema; null ids, NaN and infinity are skipped and counted" skipped

wrong() {
    fresh
    refuses profile --gcs-to-bigtable && refuses profile --iso-date 20210230 && refuses profile --sample-rate 2 &&
        refuses profile --bigquery-table-id 'a"b' && printf 'nonsense' >"$avro/taar-profile.$day.avro.0" &&
        refuses profile --gcs-to-bigtable && grep -q "taar-profile.$day.avro.0" log
}
promise "bad dates, names and files are refused" wrong
done_promising
