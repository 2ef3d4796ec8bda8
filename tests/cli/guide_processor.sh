#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# guide_processor.sh BUILD ROOT - docs/guide.md: its commands do what the text around them says, its tables are those
# of the programs, and it names no variable that nobody reads.
# shellcheck disable=SC2016 # backquotes are Markdown's
set -u
build=$1 root=$2
. "$root/tests/build/tap.sh"
. "$root/tests/cli/guide_checks.sh"
cd "$tap_dir" || exit 1
PATH=$build:$build/bin:$PATH
guide=$root/docs/guide.md
ln -s "$root/config" config # as in the sources, where no program is installed
unset BATCH_ID N_DATA WEIR_HOME WEIR_STORE WEIR_WAREHOUSE ORIGIN_CONFIG BUCKET_PREFIX
export RETRY_LIMIT=300 RETRY_DELAY=0.1 RETRY_BACKOFF_EXPONENT=1

# A's, for B's are cleaned up in the guide: the sums are those of the clients.
sums() {
    sums_of=$(sed -n 's/.*"batch_id": "content.blocking_blocked-0".*"payload": \(\[[^]]*\]\).*/\1/p' "$1" | tr -d ' ')
    [ -n "$sums_of" ] &&
        grep -F "\"payload\":$sums_of" A/private/data/v1/*/origin-telemetry/"$2"/processed/publish/*-0/part-*
}

rows() {
    [ "$(wc -l <try/rows.csv)" -eq 31 ] && grep -q '  two.example ' said
}

emptied() {
    [ -z "$(find B/ingest B/shared -type f)" ] && [ -n "$(find A/private -type f)" ]
}

# Capitals with an underscore, in backquotes or as an assignment; a star stands for both sides.
no_other_variables() {
    for command in $(prio-processor --help | sed -n '/^Commands:/,/^$/s/^  \([a-z0-9-]*\) .*/\1/p'); do
        prio-processor "$command" --help
    done | grep -o '\b[A-Z][A-Z0-9]*_[A-Z0-9_]*\b' | sort -u >known
    printf '%s\n' STORAGE_EMULATOR_HOST _SUCCESS >>known
    { blocks env && blocks sh && grep -o '`[A-Z][A-Z0-9_]*`' "$guide"; } |
        grep -o '\b[A-Z][A-Z0-9]*_[A-Z0-9_]*\b' | sort -u | grep -vxFf known
    [ $? -eq 1 ]
}

# The longest waits in the table are what the arithmetic gives.
waits() {
    awk -F '|' '/^\| [0-9]+ \| [0-9]+ \| [0-9]+ \|/ {
        for (i = 0; i <= $2; i++) sum += $3 * $4 ^ i
        split($5, said, /[ ,]+/)
        if (sum != said[2]) { print $0 ": " sum; bad = 1 }
        sum = 0; n++
    } END { exit bad || n < 5 }' "$guide"
}

promise "the guide's commands run" runs 60
promise "they say what the guide shows" says 'dropped reason=duplicate count=3'
promise "what was published is what the second day's clients sent" sums truth.json 2026-08-21
promise "both tables have their rows" rows
promise "cleanup emptied the buckets of B" emptied
promise "the tables of variables are those of the programs" tables
promise "no variable is named that nobody reads" no_other_variables
promise "the table of waits is right" waits
promise "its links lead somewhere" links
promise "its messages are those of the programs" messages
done_promising
