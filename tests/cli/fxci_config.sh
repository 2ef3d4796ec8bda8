#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# fxci_config.sh BUILD ROOT - the command line of fxci-etl, and where its settings come from.
set -u
. "$2/tests/build/tap.sh"
etl=$1/fxci-etl
cd "$tap_dir" || exit 1
for name in $(env | sed -n 's/^\(\(FXCI_ETL\|WEIR\|XDG\)_[A-Za-z_]*\)=.*/\1/p'); do
    unset "$name"
done
unset GOOGLE_APPLICATION_CREDENTIALS STORAGE_EMULATOR_HOST GCE_METADATA_HOST
export HOME="$tap_dir" WEIR_HOME="$tap_dir/home"

# says STATUS TEXT COMMAND.. - exit status, and a text on standard error.
says() {
    wanted=$1 text=$2 got=0
    shift 2
    "$@" >.out 2>.err || got=$?
    cat .out .err
    [ "$got" -eq "$wanted" ] && grep -qF -- "$text" .err
}
# with VARIABLE=VALUE.. -- SETTING VALUE ORIGIN - is this the effective value?
with() {
    (
        while [ "$1" != -- ]; do
            export "${1?}"
            shift
        done
        shift
        "$etl" config show --format json >.shown || exit 1
        cat .shown
        grep -qF "{\"key\":\"$1\",\"value\":\"$2\",\"origin\":\"$3\"}" .shown
    )
}

# The command line

commands_are_listed() {
    "$etl" >a && "$etl" list >b && "$etl" help >c && "$etl" --help >d && "$etl" -h >e &&
        cmp a b && cmp a c && cmp a d && cmp a e && grep -q '^  pulse drain  ' a &&
        grep -q 'WEIR_LOCK_TIMEOUT; .*default: 600]' a &&
        "$etl" --version | grep -q '^fxci-etl, version ' && "$etl" -V | grep -q version
}
promise "without a command, and with list, help and -h, the commands are listed, exit 0" \
    commands_are_listed

every_command_has_help() {
    sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\( [a-z]*\)\{0,1\}\)  .*/\1/p' a >names
    [ "$(wc -l <names)" -ge 6 ] || return 1
    while read -r name; do
        # shellcheck disable=SC2086
        "$etl" $name --help >h1 && "$etl" help $name >h2 && "$etl" -vv $name -h >h3 &&
            cmp h1 h2 && cmp h1 h3 && grep -q "^Usage: fxci-etl $name \[OPTIONS\]" h1 &&
            grep -q -- '-h, --help ' h1 || return 1
    done <names
}
promise "every command has help, before and behind its words" every_command_has_help

a_group() {
    "$etl" config --help >h && grep -q '^  config show  ' h && ! grep -q 'pulse drain' h &&
        "$etl" help config | cmp - h && says 2 "Missing command behind 'config'." "$etl" config
}
promise "the first word alone shows its commands, and is no command" a_group

globals() {
    for flag in -q --quiet -v -vv -vvv --verbose --ansi --no-ansi -n --no-interaction; do
        "$etl" "$flag" config show >one && "$etl" config "$flag" show >two &&
            "$etl" config show "$flag" >three && cmp one two && cmp one three || return 1
    done
}
promise "the global flags stand anywhere" globals

both_spellings() {
    "$etl" config show --home=/x >one && "$etl" --home /x config show >two &&
        "$etl" config --home /x show >three && cmp one two && cmp one three &&
        grep -q 'duckdb:///x/warehouse.duckdb' one
}
promise "--opt=value and --opt value mean the same" both_spellings

wrong_use() {
    says 2 "No such command 'pulse drian'. Did you mean 'pulse drain'?" "$etl" pulse drian &&
        says 2 "No such command 'nonsense'." "$etl" nonsense &&
        says 2 "No such option: --nonsense" "$etl" config show --nonsense &&
        says 2 "No such option: --nonsense" "$etl" --nonsense &&
        says 2 "extra argument (x)" "$etl" config show x &&
        says 2 "does not exist" "$etl" config show --config /nonexistent/x.toml &&
        says 1 "--now" "$etl" config show --now yesterday
}
promise "wrong use is named" wrong_use

dates() {
    says 1 "'2026-2-30' is no day" "$etl" derive --date 2026-2-30 &&
        says 1 "'2026-02' is no day" "$etl" derive --date 2026-02 &&
        says 1 "'2026-02-01x' is no day" "$etl" derive --date 2026-02-01x &&
        says 0 "date=2026-02-01" "$etl" derive --date 2026-2-1 && rm -r home
}
promise "days may lack their zeros, and must exist" dates

# The configuration

promise "everything has a default" with -- pulse.port 5671 default
promise "the warehouse is a file" with -- warehouse "duckdb://$tap_dir/home/warehouse.duckdb" default
promise "the state bucket is a directory" with -- state "$tap_dir/home/buckets/fxci-etl" default
promise "WEIR_WAREHOUSE moves the warehouse" with WEIR_WAREHOUSE=duckdb:///y.duckdb \
    -- warehouse duckdb:///y.duckdb '--warehouse or WEIR_WAREHOUSE'
promise "WEIR_STORE moves the bucket" with "WEIR_STORE=$tap_dir/s" \
    -- state "$tap_dir/s/fxci-etl" '--store or WEIR_STORE'
promise "BigQuery, where it is configured" with FXCI_ETL_BIGQUERY_PROJECT=p \
    FXCI_ETL_BIGQUERY_DATASET=d -- warehouse bigquery://p/d configuration
promise "Cloud Storage, where it is configured" with FXCI_ETL_STORAGE_PROJECT=p \
    FXCI_ETL_STORAGE_BUCKET=bucket -- state gs://bucket configuration
promise "a port from the environment is a number" with FXCI_ETL_PULSE_PORT=5672 \
    -- pulse.port 5672 FXCI_ETL_PULSE_PORT
promise "rootUrl can be set by a variable" with FXCI_ETL_TASKCLUSTER_ROOTURL=http://tc \
    -- taskcluster.rootUrl http://tc FXCI_ETL_TASKCLUSTER_ROOTURL
promise "a second metric is configuration alone" with FXCI_ETL_MONITORING_METRICS_CPU_TYPE=t \
    -- monitoring.metrics.cpu.column cpu default

mkdir -p .config/fxci-etl
printf '[pulse]\nuser = "filed"\npassword = "s3cret"\n' >.config/fxci-etl/config.toml
promise "the XDG file is read" with -- pulse.user filed "$tap_dir/.config/fxci-etl/config.toml:2"
promise "a variable lies over it" with FXCI_ETL_PULSE_USER=set -- pulse.user set FXCI_ETL_PULSE_USER
promise "secrets are masked" with -- pulse.password '********' \
    "$tap_dir/.config/fxci-etl/config.toml:3"
nothing_secret() {
    "$etl" -vvv config show >.out 2>&1 && "$etl" validate >>.out 2>&1
    ! grep s3cret .out
}
promise "and do not show elsewhere" nothing_secret

alone() {
    printf '[storage]\nproject = "p"\nbucket = "b"\n' >c.toml
    FXCI_ETL_PULSE_USER=x FXCI_ETL_NONSENSE=y "$etl" config show --config c.toml >.out &&
        grep -q '^pulse.user  *default$' .out && grep -q '^storage.bucket  *b  *c.toml:3$' .out
}
promise "--config is read alone" alone
rm .config/fxci-etl/config.toml

faults() {
    says 1 "pulse.port (FXCI_ETL_PULSE_PORT)" env FXCI_ETL_PULSE_PORT=x "$etl" config show &&
        says 1 "FXCI_ETL_BIGQERY_PROJECT" env FXCI_ETL_BIGQERY_PROJECT=p "$etl" config show &&
        says 1 "pulse (FXCI_ETL_PULSE) is a section" \
            env FXCI_ETL_PULSE=x FXCI_ETL_PULSE_USER=u "$etl" config show &&
        says 1 "pulse.user (FXCI_ETL_PULSE_USER)" "$etl" pulse drain &&
        printf '[pulse]\nport = \n' >c.toml && says 1 "c.toml: line 2" "$etl" config show --config c.toml
}
promise "what is malformed is named, exit 1" faults

untouched() {
    : >empty.ndjson
    says 1 "bigquery.dataset (FXCI_ETL_BIGQUERY_DATASET)" env FXCI_ETL_BIGQUERY_PROJECT=p \
        "$etl" pulse drain --source empty.ndjson && grep -q 'storage.bucket' .err && [ ! -e home ]
}
promise "a half-set cloud is an error, and nothing is touched" untouched

unknown_keys() {
    says 0 "pulse.nonsense" env FXCI_ETL_PULSE_NONSENSE=x "$etl" config show &&
        [ "$(grep -c nonsense .err)" -eq 1 ] && ! grep -q nonsense .out
}
promise "unknown keys are warned about once" unknown_keys

quiet() {
    FXCI_ETL_PULSE_NONSENSE=x "$etl" config show -q 2>.err >.out && [ ! -s .err ] && [ -s .out ]
}
promise "-q says errors only" quiet

embedded() {
    : >empty.ndjson
    "$etl" pulse drain --source empty.ndjson 2>.err && [ "$(grep -c 'so data goes here' .err)" -eq 1 ] &&
        grep -qF "warehouse=duckdb://$tap_dir/home/warehouse.duckdb state=$tap_dir/home/buckets/fxci-etl" .err
}
promise "where data goes without a configuration is said once" embedded

validated() {
    "$etl" validate >.out && [ "$(grep -c '^ok ' .out)" -ge 2 ] && ! grep -q FAILED .out &&
        says 1 "check" env FXCI_ETL_PULSE_HOST=h "$etl" validate &&
        grep -q '^FAILED configuration of pulse drain.*bigquery.project' .out &&
        says 1 "check" env FXCI_ETL_BIGQUERY_CREDENTIALS=e30= FXCI_ETL_BIGQUERY_PROJECT=p \
            FXCI_ETL_BIGQUERY_DATASET=d "$etl" validate --warehouse duckdb:///x &&
        grep -q '^FAILED bigquery.credentials' .out
}
promise "validate tells which check fails" validated

documented() {
    "$etl" config show --format json | sed 's/^{"key":"\([^"]*\)".*/\1/' | grep -F . >keys
    sed 's/\.uptime\./.NAME./' keys | while read -r key; do
        grep -qF "| \`$key\` |" "$2/docs/fxci-configuration.md" || echo "$key"
    done | grep . && return 1
    return 0
}
promise "every key is in the manual" documented "$@"
done_promising
