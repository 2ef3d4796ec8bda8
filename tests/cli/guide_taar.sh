#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# guide_taar.sh BUILD ROOT - docs/taar-etl.md: its commands do what the text around them says, its tables are those of
# the program.
# shellcheck disable=SC2016 # backquotes are Markdown's
set -u
build=$1 root=$2
. "$root/tests/build/tap.sh"
. "$root/tests/cli/guide_checks.sh"
cd "$tap_dir" || exit 1
PATH=$build:$PATH
guide=$root/docs/taar-etl.md
unset WEIR_HOME WEIR_STORE WEIR_WAREHOUSE WEIR_NOW WEIR_LOG_FORMAT WEIR_WORKERS AMO_URL TAAR_GENERATION GCS_BUCKET
unset http_proxy https_proxy all_proxy

printed() {
    grep '^{"mail@example.org"' "$guide" >ranking && [ "$(wc -l <ranking)" -eq 1 ] && grep -F "$(cat ranking)" said
}

pairs() {
    "$build/taar-etl" show --home "$tap_dir/rec" taar_models/taar/lite/guid_coinstallation.json |
        grep -F '"notes@example.org": {"dark@example.org": 150, "tabs@example.org": 150}'
}

# Each command stands in the table, and has its options in the guide where it has any of its own.
every_command() {
    taar-etl --help | sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z-]*\) .*/\1/p' >commands
    [ "$(wc -l <commands)" -ge 8 ] && while read -r command; do
        if ! grep -q "^| \`$command\`" "$guide" || ! grep -q "^### .*\`$command\`" "$guide"; then
            echo "no $command"
            return 1
        fi
    done <commands
}

# The files that the tour leaves are those of the table of commands, and dated copies.
files() {
    (cd rec/buckets/taar_models && find . -type f) | sed 's,^\./,,' | sort >found
    for file in extended_addons_database whitelist_addons_database featured_addons_database featured_whitelist_addons \
        only_guids_top_200; do
        echo "addon_recommender/$file.json 20260820"
    done >named
    cat >>named <<'NAMES'
taar/lite/guid_coinstallation.json 20260819
taar/lite/guid_install_ranking.json 2026-08-18
taar/locale/top10_dict.json 20260819
taar/similarity/donors.json 2026-08-19
taar/similarity/lr_curves.json 2026-08-19
NAMES
    while read -r file date; do
        printf '%s.bz2\n%s.%s.bz2\n' "$file" "$file" "$date"
    done <named | sort | diff found -
}

promise "the guide's commands run" runs 60
promise "the whitelist is as large as it says" says 'records=8 whitelist=6 featured=5 featured_whitelist=5'
promise "the ranking is the one that it shows" printed
promise "pairs are counted" pairs
promise "a missing day is status 3" says 'status 3'
promise "the files are those that it names" files
promise "each command is explained" every_command
promise "the tables of options are those of the program" tables
promise "its links lead somewhere" links
promise "its messages are those of the program" messages
done_promising
