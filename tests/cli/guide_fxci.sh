#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# guide_fxci.sh BUILD ROOT - docs/fxci-etl.md: its commands do what the text around them says, its tables are those of
# the program.
# shellcheck disable=SC2016 # backquotes are Markdown's
set -u
build=$1 root=$2
. "$root/tests/build/tap.sh"
. "$root/tests/cli/guide_checks.sh"
cd "$tap_dir" || exit 1
PATH=$build:$PATH
guide=$root/docs/fxci-etl.md
unset WEIR_HOME WEIR_STORE WEIR_WAREHOUSE WEIR_NOW WEIR_LOG_FORMAT
export XDG_CONFIG_HOME="$tap_dir/none"

# The report as it is printed in the guide, whole.
report() {
    grep -e '^key ' -e '^gecko-t/t-linux ' -e '^total  ' "$guide" >printed
    [ "$(wc -l <printed)" -eq 3 ] && grep -e '^key ' -e '^gecko-t/t-linux ' -e '^total ' said | diff printed -
}

again() {
    fxci-etl pulse drain --home "$tap_dir/ci" --now 2026-08-20T04:30:00Z --source ci/messages.ndjson \
        --taskdefs-from ci/definitions.ndjson >again 2>&1 && grep 'tasks_duplicate=1 .*runs_duplicate=1' again
}

emptied() {
    tail -n 3 said | grep -e '"kind":' && return 1
    grep -c "^\(warehouse\|state\) .*$tap_dir/ci" said | grep -x 2
}

every_command() {
    fxci-etl --help | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\( [a-z]*\)\{0,1\}\)  .*/\1/p' | while read -r command; do
        grep -qF -e "\`$command" -e "fxci-etl $command" "$guide" || { echo "no $command"; exit 1; }
    done
}

# Names of tables and keys are those that the program makes.
columns() {
    sed -n '/^| table | partition/,/^$/s/^| `\([a-z_0-9]*\)` | `\([a-z_]*\)` | \([^|]*\) |.*/\1 \2 \3/p' "$guide" |
        tr -d '`,' >named
    [ "$(wc -l <named)" -eq 7 ] && while read -r table names; do
        fxci-etl dump "$table" --home "$tap_dir/ci" --format csv 2>/dev/null | head -n 1 | tr ',' '\n' | tr -d '\r' >found
        for name in $names; do
            grep -qx "$name" found || { echo "$table has no $name"; exit 1; }
        done
    done <named
}

promise "the guide's commands run" runs 25
promise "they say what the guide shows" says 'total taken=3 runs=1 ids=1 ignored=0 failed=1'
promise "the costs are those that it shows" report
promise "what failed was listed, and dropped in the end" emptied
promise "the same again changes nothing" again
promise "each command is explained" every_command
promise "its table of keys is right" columns
promise "the tables of options are those of the program" tables
promise "its links lead somewhere" links
promise "its messages are those of the program" messages
done_promising
