#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# fxci_taskcluster.sh BUILD ROOT - task definitions from a service that is as strict as Taskcluster's
# queue, in good and in bad times. Each promise has a world of its own on the contract server.
set -u
build=$1 root=$2
. "$root/tests/build/tap.sh"
. "$root/tests/real/servers.sh"

pages=$root/tests/vectors/fxci/taskdefs-pages.json
start_server taskcluster_contract /ready/log http \
    python3 "$root/tests/real/taskcluster_contract.py" PORT "$pages" || exit 1

# The ids of the vectors, and what their pages have of them.
python3 - "$pages" "$tap_dir" <<'PYTHON' || exit 1
import json, sys
fixture = json.load(open(sys.argv[1]))
asked = fixture["request"]["taskIds_sorted"]
known = sorted(item["taskId"] for page in fixture["pages"] for item in page["tasks"])
open(f"{sys.argv[2]}/asked", "w").write("".join(f"{i}\n" for i in asked))
open(f"{sys.argv[2]}/known", "w").write("".join(f"{i}\n" for i in known))
open(f"{sys.argv[2]}/many", "w").write("".join(f"{i:021d}A\n" for i in range(2500)))
open(f"{sys.argv[2]}/few", "w").write("".join(f"{i:021d}A\n" for i in range(20)))
PYTHON

# fetch WORLD IDS - into $tap_dir/got and $tap_dir/said.
fetch() {
    "$build/tests/real/taskcluster_steps" "$server_url/$1" <"$tap_dir/$2" >"$tap_dir/got" 2>"$tap_dir/said"
}

# log_of WORLD - what the server counted.
log_of() {
    python3 -c 'import sys, urllib.request as u
print(u.build_opener(u.ProxyHandler({})).open(sys.argv[1]).read().decode())' "$server_url/$1/log"
}

# known_ids WORLD - each known id is there once, and the server refused nothing.
known_ids() {
    fetch "$1" asked || { cat "$tap_dir/said"; return 1; }
    cut -d' ' -f1 "$tap_dir/got" | LC_ALL=C sort | diff "$tap_dir/known" - || return 1
    log_of "$1" | tee "$tap_dir/log"
    grep -qF '"refused": []' "$tap_dir/log"
}

# all WORLD IDS - each asked id is there once.
all() {
    fetch "$1" "$2" || { cat "$tap_dir/said"; return 1; }
    cut -d' ' -f1 "$tap_dir/got" | LC_ALL=C sort | diff "$tap_dir/$2" - >"$tap_dir/difference" || {
        head "$tap_dir/difference"
        return 1
    }
}

all_unrefused() {
    all "$1" "$2" || return 1
    log_of "$1" | tee "$tap_dir/log"
    grep -qF '"refused": []' "$tap_dir/log"
}

# fails TEXT WORLD - no answer is an error that says so.
fails() {
    fetch "$2" asked && return 1
    cat "$tap_dir/said"
    grep -qF "$1" "$tap_dir/said"
}

as_vectors_have_it() {
    known_ids plain && python3 - "$pages" "$tap_dir/got" <<'PYTHON'
import json, sys
want = {item["taskId"]: item["task"] for page in json.load(open(sys.argv[1]))["pages"] for item in page["tasks"]}
for line in open(sys.argv[2]):
    task_id, size, outcome = line.rstrip("\n").split(" ", 2)
    assert int(size) == len(json.dumps(want[task_id])), line
PYTHON
}

halves() {
    all any-large10 few && log_of any-large10 | grep -qF '"calls": 3'
}

big_pages() {
    all_unrefused "any-big9" few && [ "$(awk '$2 > 9000000 && $3 == "well-formed"' "$tap_dir/got" | wc -l)" -eq 20 ]
}

picky() {
    fetch picky asked || return 1
    grep -v '^X_' "$tap_dir/known" | LC_ALL=C sort >"$tap_dir/others"
    cut -d' ' -f1 "$tap_dir/got" | LC_ALL=C sort | diff "$tap_dir/others" - && cat "$tap_dir/said" &&
        grep -qF 'cannot be had' "$tap_dir/said"
}

malformed() {
    fetch any-malformed-page7 few && [ "$(grep -c 'created' "$tap_dir/got")" -eq 3 ] &&
        [ "$(grep -c 'well-formed$' "$tap_dir/got")" -eq 17 ]
}

first_of_repeated() {
    all_unrefused any-repeat-page7 few && [ "$(wc -l <"$tap_dir/got")" -eq 20 ]
}

half_of_them() {
    fetch any-sparse few && [ "$(wc -l <"$tap_dir/got")" -eq 10 ]
}

promise "definitions come as they are, unknown ids are left out" as_vectors_have_it
promise "pages are followed to their end" known_ids page2
promise "thousands of ids are asked for in requests that are allowed" all_unrefused any-page300 many
promise "ids that nobody knows are left out" half_of_them
promise "an error of the service passes" known_ids fail
promise "a proxy's error passes" known_ids gateway
promise "a body that ends early is asked for again" known_ids breaks
promise "a slow body is waited for" known_ids slow
promise "a request that is too large is asked in halves" halves
promise "definitions of 2 MB" all_unrefused any-big2-page3 few
promise "definitions of 9 MB, more than fit one answer" big_pages
promise "an id that the service refuses does not keep others back" picky
promise "a malformed definition is told from the others" malformed
promise "of a repeated definition the first counts" first_of_repeated
promise "an endless answer is an error" fails 'and no end' loop
promise "a proxy's page is an error" fails 'no answer of Taskcluster itself' login
promise "a service that is down is an error in its own words" fails 'InternalServerError: Internal Server Error' down
done_promising
