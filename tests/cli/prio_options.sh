#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# prio_options.sh BUILD ROOT - options, environment, exit statuses and error texts of prio.
set -u
program=$1/prio
. "$2/tests/cli/commands.sh"
new_servers 5
make_rows 6 >rows
encode rows
as A
commands="shared-seed keygen encode-shares verify1 verify2 aggregate publish inspect"

helps() {
    for c in $commands; do
        prio "$c" --help >help && grep -q "^Usage: prio $c" help || return 1
    done
    prio --help >help && prio >help2 && cmp help help2 || return 1
    for c in $commands; do
        grep -q "^  $c " help || return 1
    done
}
promise "help is there for the program and every command" helps
promise "an unknown command exits 2" refuses 2 "No such command" prio verify3
promise "an unknown option exits 2" refuses 2 "No such option: --inputs" \
    prio verify1 --inputs raw --output out

names_what_is_missing() {
    for o in BATCH_ID N_DATA SERVER_ID PRIVATE_KEY_HEX SHARED_SECRET PUBLIC_KEY_HEX_INTERNAL \
        PUBLIC_KEY_HEX_EXTERNAL; do
        option=--$(echo "$o" | tr 'A-Z_' 'a-z-')
        (
            unset "$o"
            refuses 2 "'$option'" prio verify1 --input A/raw/rows --output out
        ) || return 1
    done
    refuses 2 "'--input'" prio verify1 --output out &&
        refuses 2 "'--output'" prio verify1 --input A/raw/rows &&
        refuses 2 "'--input-internal'" prio verify2 --input A/raw/rows --output out \
            --input-external x &&
        refuses 2 "'--output-B'" prio encode-shares --input rows --output-A out
}
promise "a missing option is named" names_what_is_missing

verify1() {
    prio verify1 --input A/raw/rows --output out "$@"
}

bad_values() {
    for o in "--n-data=0" "--n-data=262144" "--n-data=x" "--n-data=-5" "--server-id=a" \
        "--points=last" "--prg=new" "--workers=0" "--workers=x" "--cpu=mmx" "--log-format=xml"; do
        refuses 2 "${o%%=*}" verify1 "$o" || return 1
    done
    [ ! -e out ]
}
promise "a bad value exits 2, names its option and touches nothing" bad_values

bad_keys() {
    key=$(field public_key keys.A)
    for k in "" "${key%?}" "${key}0" "${key%?}g" "0x$key" " $key"; do
        verify1 --public-key-hex-internal "$k" 2>errors && return 1
        grep -qF -e "--public-key-hex-internal" errors || return 1
        verify1 --private-key-hex "$k" 2>errors && return 1
        grep -qF -e "--private-key-hex" errors || return 1
        [ -z "$k" ] || ! grep -qF -e "$k" errors || return 1
    done
    [ ! -e out ]
}
promise "a bad key is named, not shown, and touches nothing" bad_keys

bad_secrets() {
    for s in AAAAAAAAAAAAAAAAAAAAAA AAAAAAAAAAAAAAAAAAAAAAA= AAAAAAAAAAAAAAAAAAAA \
        AAAAAAAAAAAAAAAAAAAAAAAAAAAA "AAAAAAAAAAAAAAAAAAAAAA==="; do
        verify1 --shared-secret "$s" 2>errors && return 1
        grep -qF -e "--shared-secret" errors || return 1
    done
    [ ! -e out ]
}
promise "a secret that is not 16 bytes is refused" bad_secrets

foreign_key() {
    refuses 1 "--public-key-hex-internal" verify1 --public-key-hex-internal \
        "$(field public_key keys.B)" --public-key-hex-external "$(field public_key keys.A)"
}
promise "key halves that do not belong together are refused" foreign_key

lower_case() {
    verify1 --private-key-hex "$(field private_key keys.A | tr A-F a-f)" >said &&
        grep -qx "0 errors out of 6 total" said
}
promise "keys may be in lower case" lower_case
low_order() {
    refuses 1 "low order" prio encode-shares --input rows --output-A x/A --output-B x/B \
        --public-key-hex-external "$(printf '%064d' 0)" && [ ! -e x ]
}
promise "nothing is encoded to a key of low order" low_order

command_line_wins() {
    SERVER_ID=B N_DATA=7 verify1 --server-id A --n-data 5 >said &&
        grep -qx "0 errors out of 6 total" said
}
promise "the command line wins over the environment" command_line_wins

from_files() {
    field private_key keys.A >key.file
    field shared_seed seed >secret.file
    (
        unset PRIVATE_KEY_HEX SHARED_SECRET
        verify1 --private-key-hex-file key.file --shared-secret-file secret.file >said &&
            PRIVATE_KEY_HEX_FILE=key.file SHARED_SECRET_FILE=secret.file verify1 >said2 &&
            cmp said said2 && grep -qx "0 errors out of 6 total" said
    )
}
promise "secrets can come from files" from_files

from_environment() {
    (
        export INPUT=A/raw/rows OUTPUT=env PRIO_POINTS=sequential WEIR_WORKERS=3 WEIR_CPU=c
        prio verify1 >said && prio verify1 --output opt --points sequential --workers 1 >said2 &&
            cmp env/rows opt/rows && verify1 --points first >said && ! cmp -s env/rows out/rows
    )
}
promise "every option has its environment variable" from_environment

promise "a missing input exits 1 with its path" refuses 1 "none/raw" \
    prio verify1 --input none/raw --output new
promise "a directory is no input" refuses 1 "A/raw" prio verify1 --input A/raw --output new
promise "a missing packet file exits 1 with its path" refuses 1 "none" \
    prio verify2 --input A/raw/rows --input-internal rows --input-external none --output new
promise "a missing aggregate exits 1 with its path" refuses 1 "none" \
    prio publish --input-internal none --input-external rows --output new
untouched() {
    [ ! -e new ]
}
promise "an unreadable input touches nothing" untouched

promise "two inputs cannot both be standard input" refuses 2 "standard input" \
    prio verify2 --input - --input-internal - --input-external rows --output new
promise "both shares cannot go to standard output" refuses 2 "--output-A" \
    prio encode-shares --input rows --output-A - --output-B -
promise "both shares cannot go to the same directory" refuses 2 "--output-A" \
    prio encode-shares --input rows --output-A same --output-B same
promise "a plain file is no output directory" refuses 2 "keys.A" \
    prio verify1 --input A/raw/rows --output keys.A
promise "an empty name is no output directory" refuses 2 "" \
    prio verify1 --input A/raw/rows --output ""
promise "--prec must divide --n-data" refuses 2 "--prec" \
    prio encode-shares --input rows --output-A x/A --output-B x/B --prec 2
promise "--prec is at most 42" refuses 2 "--prec" \
    prio encode-shares --input rows --output-A x/A --output-B x/B --n-data 86 --prec 43

as_printed() {
    [ "$(prio shared-seed | sed 's/[A-Za-z0-9+\/]\{22\}/X/')" = '{"shared_seed": "X=="}' ] &&
        [ "$(prio keygen | sed 's/[0-9A-F]\{64\}/X/g')" = \
            '{"private_key": "X", "public_key": "X"}' ] &&
        [ "$(prio keygen)" != "$(prio keygen)" ]
}
promise "keys and secrets are printed as the original prints them" as_printed
promise "an unwritable standard output is an error" refuses 1 "standard output" \
    sh -c "'$program' keygen >/dev/full"
done_promising
