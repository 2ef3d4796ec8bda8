#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# guide.sh BUILD ROOT - the commands printed in docs/prio.md do what the text around them says.
set -u
build=$1 root=$2
. "$root/tests/build/tap.sh"
cd "$tap_dir" || exit 1
PATH=$build:$PATH
unset BATCH_ID N_DATA

# What stands between lines "```sh" and "```", as one script.
awk '/^```sh$/ { inside = 1; next } /^```$/ { inside = 0 } inside' "$root/docs/prio.md" >guide
# The guide leaves the servers' part of the integers to the reader.
cat >>guide <<'STEPS'
both() {
    server_a "$1" --input A/raw/data.ndjson --input-internal "A/$2/data.ndjson" \
        --input-external "B/$2/data.ndjson" --output "A/$1"
    server_b "$1" --input B/raw/data.ndjson --input-internal "B/$2/data.ndjson" \
        --input-external "A/$2/data.ndjson" --output "B/$1"
}
server_a verify1 --input A/raw/data.ndjson --output A/verify1
server_b verify1 --input B/raw/data.ndjson --output B/verify1
both verify2 verify1
both aggregate verify2
server_b publish --prec 8 --input-internal B/aggregate/data.ndjson \
    --input-external A/aggregate/data.ndjson --output B/publish
STEPS

runs() {
    sh -eu guide
}

says() {
    grep -F "$1" "$2"
}

every_option_is_explained() {
    for command in encode-shares verify1 verify2 aggregate publish inspect; do
        prio "$command" --help
    done | grep -o -e '^  --[a-zA-Z0-9-]*' | sort -u | grep -v -e --help | while read -r option; do
        grep -q -e "$option" "$root/docs/prio.md" || { echo "docs/prio.md: no $option"; exit 1; }
    done
}

promise "the guide's commands run" runs
promise "the bits come out as the guide says" says '"payload": [3, 1, 1, 1]' A/publish/lunch.ndjson
promise "the integers come out as the guide says" says '"payload": [7, 251, 0]' B/publish/data.ndjson
promise "every option of the program stands in the guide" every_option_is_explained
done_promising
