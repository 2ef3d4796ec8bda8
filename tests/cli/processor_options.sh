#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# processor_options.sh BUILD ROOT - options, variables, names and error texts of prio-processor.
set -u
processor=$1/prio-processor bin=$1/bin
. "$2/tests/cli/commands.sh"
new_servers 5
unset APP_NAME SUBMISSION_DATE BUCKET_PREFIX DATA_CONFIG BUCKET_INTERNAL_INGEST \
    BUCKET_INTERNAL_PRIVATE BUCKET_INTERNAL_SHARED BUCKET_EXTERNAL_SHARED WEIR_HOME WEIR_STORE
export HOME="$tap_dir"
commands=$("$processor" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z0-9-]*\) .*/\1/p')

helps() {
    [ "$(echo "$commands" | wc -l)" -ge 7 ] || return 1
    for c in $commands; do
        "$processor" "$c" --help >help && grep -q "^Usage: prio-processor $c \[OPTIONS\]" help &&
            grep -q -- '--help ' help || return 1
        "$processor" "$c" --help-markdown >help && head -n 1 help |
            grep -qF '| Variable | Option | Default | Meaning |' || return 1
        ! awk -F'|' 'NF < 6' help | grep . || return 1
    done
}
promise "help is there for every command, for people and for manuals" helps

no_command() {
    "$processor" >a && "$processor" --help >b && cmp a b &&
        "$processor" --version | grep -q '^prio-processor, version '
}
promise "a program without a command prints its help, exit 0" no_command
promise "an unknown command exits 2" refuses 2 "No such command 'proces'" "$processor" proces

aliases() {
    for link in "$bin"/*; do
        name=${link##*/}
        "$link" --help >help && grep -q "^Usage: $name \[OPTIONS\]" help || return 1
    done
    "$bin/prio-spark" verify1 --help | grep -q '^Usage: prio-spark verify1 \[OPTIONS\]' &&
        "$processor" prio-spark verify1 --help |
        grep -q '^Usage: prio-processor prio-spark verify1 \[OPTIONS\]' &&
        refuses 2 "Error: Missing option '--server-id'." "$bin/prio-spark" verify1 &&
        grep -q "^Usage: prio-spark verify1" errors
}
promise "the original's names are there, and speak of themselves" aliases

as A
export APP_NAME=app BUCKET_INTERNAL_PRIVATE=a BUCKET_INTERNAL_SHARED=a BUCKET_EXTERNAL_SHARED=b \
    DATA_CONFIG=configured ORIGIN_CONFIG=configured
: >configured

# What a command needs, unset and empty, is named as option and variable.
named() {
    command=$1
    shift
    for variable; do
        option=--$(echo "$variable" | tr 'A-Z_' 'a-z-')
        for how in unset empty; do
            (
                if [ "$how" = unset ]; then unset "$variable"; else export "$variable="; fi
                refuses 2 "$variable" "$processor" "$command" &&
                    grep -qF "Missing option '$option'" errors
            ) || return 1
        done
    done
}
promise "status names what is missing" named status APP_NAME PUBLIC_KEY_HEX_INTERNAL \
    PUBLIC_KEY_HEX_EXTERNAL BUCKET_INTERNAL_PRIVATE BUCKET_INTERNAL_SHARED
promise "process names what is missing" named process APP_NAME DATA_CONFIG SERVER_ID SHARED_SECRET \
    PRIVATE_KEY_HEX PUBLIC_KEY_HEX_INTERNAL PUBLIC_KEY_HEX_EXTERNAL BUCKET_INTERNAL_PRIVATE \
    BUCKET_INTERNAL_SHARED BUCKET_EXTERNAL_SHARED
promise "generate names what is missing" named generate APP_NAME PUBLIC_KEY_HEX_INTERNAL \
    PUBLIC_KEY_HEX_EXTERNAL
promise "insert names what is missing" named insert APP_NAME DATA_CONFIG ORIGIN_CONFIG \
    BUCKET_INTERNAL_PRIVATE PUBLIC_KEY_HEX_EXTERNAL
promise "cleanup names what is missing" named cleanup BUCKET_INTERNAL_PRIVATE \
    BUCKET_INTERNAL_SHARED

bad_values() {
    for o in "--submission-date=2026-02-30" "--submission-date=today" "--workers=0" "--cpu=mmx" \
        "--log-format=xml" "--now=yesterday" "--format=xml" "--app-name="; do
        refuses 2 "${o%%=*}" "$processor" status "$o" || return 1
    done
}
promise "a bad value exits 2 and names its option" bad_values

precedence() {
    export SUBMISSION_DATE=2026-01-02 WEIR_NOW=2026-03-04T23:59:59Z
    "$processor" status | grep -q '^app 2026-01-02: ' &&
        "$processor" status --submission-date 2026-01-03 | grep -q '^app 2026-01-03: ' &&
        SUBMISSION_DATE='' "$processor" status | grep -q '^app 2026-03-04: ' &&
        SUBMISSION_DATE='' "$processor" status --now 2026-03-05T00:00:00Z |
        grep -q '^app 2026-03-05: '
}
promise "a flag beats a variable, a variable the default; today is UTC's" precedence

# A secret on the command line is gone from it while the program runs: here it waits for a file.
mkfifo pipe
wiped() {
    key=$PRIVATE_KEY_HEX
    unset PRIVATE_KEY_HEX SHARED_SECRET
    "$processor" verify1 --private-key-hex "$key" --shared-secret-file pipe --input none \
        --output wiped >said 2>&1 &
    pid=$!
    exec 9>pipe
    tr '\0' '\n' <"/proc/$pid/cmdline" >cmdline
    field shared_seed seed >&9
    exec 9>&-
    wait "$pid"
    grep -qx -- --private-key-hex cmdline && ! grep -qF "$key" cmdline said &&
        ! grep -qF "$(field shared_seed seed)" said && grep -qF "none: no such file" said
}
in_argv() {
    (wiped)
}
promise "a secret in argv is overwritten, and shown nowhere" in_argv

from_files() {
    field private_key keys.A >key.txt && field shared_seed seed >seed.txt && mkdir -p in &&
        echo '{}' >in/x || return 1
    (
        unset PRIVATE_KEY_HEX SHARED_SECRET
        "$processor" verify1 --private-key-hex-file key.txt --shared-secret-file seed.txt \
            --input in --output out &&
            PRIVATE_KEY_HEX_FILE=key.txt SHARED_SECRET_FILE=seed.txt "$processor" verify1 \
                --input in --output out
    )
}
promise "secrets come from files, too" from_files

not_shown() {
    for v in "x$PRIVATE_KEY_HEX" "${PRIVATE_KEY_HEX%?}g"; do
        ! "$processor" verify1 --private-key-hex "$v" --input in --output no >said 2>&1 &&
            ! grep -qF "$v" said && grep -qF -- --private-key-hex said || return 1
    done
    [ ! -e no ]
}
promise "a bad secret is not shown" not_shown

json_log() {
    "$processor" verify1 --log-format json --input in --output out 2>log &&
        grep -q '^{"time":"[^"]*","level":"info","program":"prio-processor","message":"' log
}
promise "--log-format json makes each message an object" json_log
done_promising
