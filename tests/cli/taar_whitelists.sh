#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# taar_whitelists.sh BUILD SOURCE - amowhitelist and update-whitelist on the recorded catalogue, by
# every name and generation; what refuses to run writes nothing; show.
set -u
build=$1
source=$2
. "$source/tests/build/tap.sh"
vectors=$source/tests/vectors/taar/amo
cd "$tap_dir" || exit 1
export WEIR_HOME="$tap_dir/home" HOME="$tap_dir" TZ=UTC0 no_proxy='*'
unset WEIR_STORE WEIR_WAREHOUSE WEIR_PROFILES XDG_DATA_HOME TAAR_GENERATION WEIR_NOW
buckets=$WEIR_HOME/buckets
clock=2021-03-15T12:00:00Z

taar() {
    "$build/taar-etl" "$@" 9>&-
}
# same FILE FILE - equal as JSON.
same() {
    python3 -c 'import json, sys
a, b = (json.load(open(path)) for path in sys.argv[1:])
assert a == b, (len(a), len(b))' "$1" "$2"
}
# shows OBJECT FILE - as JSON.
shows() {
    taar show "$1" >shown && same shown "$2"
}
# refused STATUS TEXT COMMAND.. - ends so, says so, and leaves no object behind.
refused() {
    wanted=$1 text=$2
    shift 2
    rm -rf "$buckets"
    if ! exits "$wanted" "$@" >said 2>&1 || ! grep -qF -- "$text" said || [ -e "$buckets" ]; then
        cat said
        return 1
    fi
}
# catalogue BUCKET/KEY
catalogue() {
    rm -rf "$buckets"
    mkdir -p "$buckets/${1%/*}" && cp "$vectors/expected/extended_addons_database.json" "$buckets/$1"
}
three() {
    for name in whitelist_addons_database featured_addons_database featured_whitelist_addons; do
        shows "$1/$name.json" "$vectors/expected/$name.json" || return 1
    done
}
# listing - every object, one a line.
listing() {
    (cd "$buckets" && find . -type f | sed 's/^\.\///' | LC_ALL=C sort)
}

third() {
    catalogue taar_models/addon_recommender/extended_addons_database.json.bz2
    taar amowhitelist --now "$clock" && three taar_models/addon_recommender && listing >is
    printf 'taar_models/addon_recommender/%s\n' extended_addons_database.json.bz2 \
        featured_addons_database.json.20210315.bz2 featured_addons_database.json.bz2 \
        featured_whitelist_addons.json.20210315.bz2 featured_whitelist_addons.json.bz2 \
        whitelist_addons_database.json.20210315.bz2 whitelist_addons_database.json.bz2 | diff - is
}
reasons() {
    taar amowhitelist --now "$clock" 2>said
    grep -q 'why=pioneer n=1' said && grep -q 'why=low_rating n=5' said &&
        grep -q 'total records=42 whitelist=25 featured=8 featured_whitelist=4' said
}
second() {
    prefix=telemetry-parquet/telemetry-ml/addon_recommender
    catalogue "$prefix"/extended_addons_database.json
    taar --generation g2 amowhitelist --now "$clock" && three "$prefix" &&
        [ -f "$buckets/$prefix/whitelist_addons_database.json.20210315" ]
}
# Its featured ones are those of is_featured, which one record of the catalogue has.
first() {
    prefix=telemetry-parquet/telemetry-ml/addon_recommender
    catalogue "$prefix"/extended_addons_database.json
    TAAR_GENERATION=g1 taar amowhitelist --now "$clock" &&
        shows "$prefix"/whitelist_addons_database.json \
            "$vectors/expected/whitelist_addons_database.json" &&
        python3 -c 'import json, sys
(record,) = json.load(open(sys.argv[1])).values()
assert record["is_featured"]' "$buckets/$prefix/featured_addons_database20210315.json"
}
named_places() {
    catalogue b/x/all.json.bz2
    taar amowhitelist --gcs-bucket b --gcs_prefix x/ --input_filename all.json --min_rating 3.0 \
        --min_age 60 --now "$clock" && three b/x
}
other_names() {
    catalogue taar_models/addon_recommender/extended_addons_database.json.bz2
    "$build/bin/taar_amowhitelist" --now "$clock" 9>&- && three taar_models/addon_recommender &&
        taar taar_etl.taar_amowhitelist --now "$clock"
}
# 12:00 in Tokyo: three hours after midnight in UTC.
local_zone() {
    catalogue taar_models/addon_recommender/extended_addons_database.json.bz2
    TZ=JST-9 taar amowhitelist --now 2021-03-15T03:00:00Z && three taar_models/addon_recommender &&
        TZ=JST-9 taar amowhitelist --now 2021-03-14T16:00:00Z &&
        listing | grep -q 'addons_database.json.20210315.bz2$' && ! listing | grep -q 20210314
}
by_date() {
    catalogue taar_models/addon_recommender/extended_addons_database.json.bz2
    taar amowhitelist --date 2021-03-15 --min-age 59 --now 2030-01-01T00:00:00Z &&
        listing | grep -q 'whitelist_addons_database.json.2021-03-15.bz2$' &&
        taar show taar_models/addon_recommender/whitelist_addons_database.json >by_date &&
        catalogue taar_models/addon_recommender/extended_addons_database.json.bz2 &&
        taar amowhitelist --now 2021-03-15T00:00:00Z --min-age 59 &&
        shows taar_models/addon_recommender/whitelist_addons_database.json by_date
}
nothing_written() {
    catalogue taar_models/addon_recommender/extended_addons_database.json.bz2
    taar amowhitelist --dry-run --now "$clock" && [ "$(listing | wc -l)" -eq 1 ]
}
bad_catalogue() {
    catalogue taar_models/addon_recommender/extended_addons_database.json.bz2
    echo '{"a": ' >"$buckets/taar_models/addon_recommender/extended_addons_database.json.bz2"
    exits 1 taar amowhitelist 2>said && grep -q extended_addons_database said &&
        [ "$(listing | wc -l)" -eq 1 ]
}

promise "amowhitelist writes three lists twice" third
promise "it counts what it leaves out" reasons
promise "g2 has g1's places" second
promise "g1 has its own names" first
promise "places, name and limits can be given" named_places
promise "the seed's names mean it, too" other_names
promise "age is of the local zone's clock" local_zone
promise "--date is the beginning of a day" by_date
promise "--dry-run writes nothing" nothing_written
promise "a damaged catalogue is an error" bad_catalogue
promise "a missing catalogue is named" refused 1 "addon_recommender/extended_addons_database.json.bz2" \
    taar amowhitelist
promise "an impossible day is a usage error" refused 2 "'2021-02-29' is no day" \
    taar amowhitelist --date 2021-02-29
promise "so is a time" refused 2 "is no day" taar amowhitelist --date 2021-03-15T00
promise "so is a generation that never was" refused 2 "not one of g1, g2, g3" \
    taar amowhitelist --generation g4

# serve SERVER.json [FAULTS.json] - $url is where it is, until `stop`.
serve() {
    rm -f in out
    mkfifo in
    "$build/amo-server" "$1" "${2:-}" 0 "$tap_dir/asked" <in >out &
    server=$!
    exec 9>in
    tries=0
    while [ ! -s out ] && [ $tries -lt 200 ]; do
        tries=$((tries + 1))
        sleep 0.05
    done
    url=$(head -n 1 out)
}
stop() {
    exec 9>&-
    wait "$server"
}
update() {
    taar update-whitelist --date 20210315 --rate 0 --retry-base 0.005 "$@"
}
editorial() {
    update --url "$url/api/v4/discovery/editorial/" "$@"
}
stored=taar_models/addon_recommender/only_guids_top_200.json

recorded() {
    rm -rf "$buckets"
    editorial && shows "$stored" "$vectors/expected/only_guids_top_200.json" &&
        [ -f "$buckets/$stored.20210315.bz2" ] && [ -f "$buckets/$stored.bz2" ]
}
every_generation() {
    rm -rf "$buckets"
    editorial --generation g1 && editorial --generation g2 && editorial --bucket b --prefix p/q &&
        listing >is
    printf '%s\n' b/p/q/only_guids_top_200.json.20210315.bz2 b/p/q/only_guids_top_200.json.bz2 \
        telemetry-parquet/telemetry-ml/addon_recommender/only_guids_top_200.json \
        telemetry-parquet/telemetry-ml/addon_recommender/only_guids_top_200.json.20210315 \
        telemetry-parquet/telemetry-ml/addon_recommender/only_guids_top_20020210315.json | diff - is
}
seed_names() {
    for name in taar_update_whitelist taar_etl.taar_update_whitelist; do
        "$build/bin/$name" --date 20210315 --amo-url "$url" --rate 0 9>&- || return 1
    done
}
serve "$vectors/server.json"
promise "update-whitelist stores the editors' choice" recorded
promise "where each generation has it" every_generation
promise "the seed's names mean it, too" seed_names
promise "without recommended=true it is another question" refused 1 \
    "HTTP 404 status loading JSON from AMO editorial endpoint." editorial --only-recommended false
promise "a short list can be refused" refused 1 "Only obtained 29 editorial reviewed addons." \
    editorial --allow-shortlist=no
promise "a guid that AMO does not know is an error" refused 1 "Can't validate GUID: " \
    editorial --validate-guid true
promise "update-whitelist needs its date" refused 2 "Missing option '--date'" \
    taar update-whitelist --url "$url/"
promise "and a real one" refused 2 "is no day" update --date 20210230 --url "$url/"
promise "what is no boolean is refused" refused 2 "--allow-shortlist" editorial \
    --allow-shortlist maybe
stop

# Cases of the transform, each at a path of its own; guids that are validated.
python3 - "$vectors" <<'P'
import json, sys, urllib.parse
cases = json.load(open(sys.argv[1] + "/update_whitelist_cases.json"))
routes, lines = [], []
def route(target, body, status=200):
    name = f"answer{len(routes)}.json"
    json.dump(body, open(name, "w"))
    routes.append({"target": target, "status": status, "file": name})
for i, case in enumerate(cases):
    route(f"/{i}/?recommended=true", case.get("input", {}), case.get("http_status", 200))
    if "expected" in case:
        json.dump(case["expected"], open(f"want{i}.json", "w"))
    lines.append(f"{i}|{str(case.get('allow_shortlist', True)).lower()}|{case.get('error', '')}")
guids = ["{8ef11f54-9294-ec48-1923-378465263917}", "a+b@x.example", "50%off", "two words & more", "\u00e9\"\U0001f600"]
route("/all/?x=1&recommended=true", {"results": [{"addon": {"guid": g}} for g in guids]})
json.dump(sorted(guids), open("want_all.json", "w"))
for g in guids:
    route("/api/v4/addons/search/?app=firefox&sort=created&type=extension&guid=" + urllib.parse.quote(g, safe=""),
          {"count": 0, "results": []})
route("/text/?recommended=true", "results")
route("/many/?recommended=true", {"results": {"addon": {"guid": "x"}}})
json.dump({"routes": routes}, open("cases_server.json", "w"))
faults = [{"target": "/0/?recommended=true", "first": [
    {"status": 429, "headers": {"Retry-After": "1"}, "body": {}}, {"status": 503, "headers": {}, "body": {}},
    {"reset": True}, {"truncate_body_at": 10}]},
    {"target": "/1/?recommended=true", "first": [{"status": 500, "headers": {}, "body": {}}] * 2}]
json.dump({"faults": faults}, open("cases_faults.json", "w"))
open("cases", "w").write("\n".join(lines) + "\n")
P

case_is() {
    rm -rf "$buckets"
    if [ -n "$3" ]; then
        exits 1 update --url "$url/$1/" --allow-shortlist "$2" 2>said && grep -qF -- "$3" said &&
            [ ! -e "$buckets" ]
    else
        update --url "$url/$1/" --allow-shortlist "$2" && shows "$stored" "want$1.json"
    fi
}
validated() {
    rm -rf "$buckets"
    update --url "$url/all/?x=1" --validate-guid yes && shows "$stored" want_all.json &&
        [ "$(grep -c '200 .*guid=' asked)" -eq 5 ]
}
# On its own server, which has but the editors' answer.
elsewhere() {
    exits 1 update --url "$url/all/?x=1" --validate-guid yes --amo-url "$url/api/v9/" 2>said &&
        grep -q "Can't validate GUID" said && grep -q '404 /api/v9/addons/search/' asked
}
patience() {
    rm -rf "$buckets"
    update --url "$url/0/" && shows "$stored" want0.json && [ "$(grep -c ' /0/' asked)" -eq 5 ]
}
serve cases_server.json cases_faults.json
promise "retries outlast 429, 503, a reset and a truncated answer" patience
promise "after the last try the status is said" refused 1 \
    "HTTP 500 status loading JSON from AMO editorial endpoint." update --url "$url/1/" --tries 2
while IFS='|' read -r number short error; do
    promise "case $number of the transform" case_is "$number" "$short" "$error"
done <cases
promise "guids are asked for as they are spelled" validated
promise "validation can be elsewhere" elsewhere
promise "an answer without results is an error" refused 1 "no array of results" update --url "$url/text/"
promise "as is one with another kind of them" refused 1 "no array of results" \
    update --url "$url/many/"
stop
promise "nobody there is an error" refused 1 "no usable answer" update --url "$url/0/" --tries 1

packed_or_not() {
    mkdir -p "$buckets/b/x" && printf '[1]' >"$buckets/b/x/plain.json" && : >"$buckets/b/x/none" &&
        [ "$(taar show b/x/plain.json)" = '[1]' ] && [ -z "$(taar show b/x/none)" ] &&
        [ "$(taar show "$buckets/b/x/plain.json")" = '[1]' ] &&
        [ "$(taar show "file://$buckets/b/x/plain.json")" = '[1]' ]
}
promise "show prints what is plain" packed_or_not
promise "show names what is not there" refused 1 "b/x/y" taar show b/x/y
promise "show needs a bucket and a key" refused 2 "names no object" taar show b
done_promising
