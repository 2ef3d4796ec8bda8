# SPDX-License-Identifier: MPL-2.0
# shellcheck shell=sh
#
# commands.sh - what the shell tests of prio share: two servers with fresh keys in the scratch
# directory, and the commands of a run. Source it with $1 and $2 as tests/cli/meson.build gives them.
#
#   . "$2/tests/cli/commands.sh"
#   new_servers 5            # n_data; batch "batch"
#   as A; prio verify1 --input a/raw --output a/v1

. "$2/tests/build/tap.sh"
program=$1/prio
export BATCH_ID=batch
unset SERVER_ID PRIVATE_KEY_HEX SHARED_SECRET PUBLIC_KEY_HEX_INTERNAL PUBLIC_KEY_HEX_EXTERNAL \
    INPUT INPUT_INTERNAL INPUT_EXTERNAL OUTPUT OUTPUT_A OUTPUT_B PRIO_POINTS PRIO_PRG PRIO_PREC \
    PRIO_REJECTS PRIO_STRICT PRIO_VERBOSE WEIR_WORKERS WEIR_CPU WEIR_NOW WEIR_LOG_FORMAT
cd "$tap_dir" || exit 1

prio() {
    "$program" "$@"
}

# field NAME FILE - a string member of a one-line JSON object.
field() {
    sed -n "s/.*\"$1\": \"\([^\"]*\)\".*/\1/p" "$2"
}

new_servers() {
    export N_DATA="$1"
    prio keygen >keys.A && prio keygen >keys.B && prio shared-seed >seed || exit 1
    SHARED_SECRET=$(field shared_seed seed)
    export SHARED_SECRET
}

# as A|B - be this server from here on; as client - be neither.
as() {
    case $1 in
    A) set -- A B ;;
    B) set -- B A ;;
    client)
        unset SERVER_ID PRIVATE_KEY_HEX
        set -- "" A B
        ;;
    esac
    if [ -n "$1" ]; then
        SERVER_ID=$1
        PRIVATE_KEY_HEX=$(field private_key "keys.$1")
        export SERVER_ID PRIVATE_KEY_HEX
    else
        shift
    fi
    PUBLIC_KEY_HEX_INTERNAL=$(field public_key "keys.$1")
    PUBLIC_KEY_HEX_EXTERNAL=$(field public_key "keys.$2")
    export PUBLIC_KEY_HEX_INTERNAL PUBLIC_KEY_HEX_EXTERNAL
}

# make_rows N - N rows of five bits; the totals of six are 6 3 2 0 6.
make_rows() {
    awk -v n="$1" 'BEGIN {
        for (i = 0; i < n; i++) printf "{\"payload\": [1, %d, %d, 0, 1]}\n", i % 2, i % 3 == 0
    }'
}

# encode FILE - to A/raw and B/raw, under the same name.
encode() {
    as client
    prio encode-shares --input "$1" --output-A A/raw --output-B B/raw
}

other() {
    if [ "$1" = A ]; then echo B; else echo A; fi
}

# step STAGE SERVER NAME [OPTION]... - one stage over SERVER/raw/NAME into SERVER/STAGE/NAME.
step() {
    step_stage=$1 step_me=$2 step_name=$3 step_peer=$(other "$2")
    shift 3
    as "$step_me"
    case $step_stage in
    verify1) set -- --input "$step_me/raw/$step_name" "$@" ;;
    verify2) step_before=verify1 ;;
    aggregate) step_before=verify2 ;;
    publish) step_before=aggregate ;;
    esac
    case $step_stage in
    verify2 | aggregate) set -- --input "$step_me/raw/$step_name" "$@" ;;
    esac
    case $step_stage in
    verify2 | aggregate | publish)
        set -- --input-internal "$step_me/$step_before/$step_name" \
            --input-external "$step_peer/$step_before/$step_name" "$@"
        ;;
    esac
    prio "$step_stage" --output "$step_me/$step_stage" "$@"
}

# both STAGE NAME [OPTION]... - the stage on both servers.
both() {
    both_stage=$1 both_name=$2
    shift 2
    step "$both_stage" A "$both_name" "$@" && step "$both_stage" B "$both_name" "$@"
}

# pipeline NAME [OPTION]... - from A/raw/NAME and B/raw/NAME to both servers' results.
pipeline() {
    pipeline_name=$1
    shift
    both verify1 "$pipeline_name" "$@" && both verify2 "$pipeline_name" "$@" &&
        both aggregate "$pipeline_name" "$@" && both publish "$pipeline_name" "$@"
}

# totals SERVER NAME - the published numbers.
totals() {
    sed -n 's/.*"payload": \[\([^]]*\)\].*/\1/p' "$1/publish/$2"
}

# refuses STATUS TEXT COMMAND... - exits so, with TEXT on standard error.
refuses() {
    refuses_status=$1 refuses_text=$2
    shift 2
    exits "$refuses_status" "$@" 2>errors
    cat errors
    grep -qF -- "$refuses_text" errors
}

nothing_in() {
    for nothing_file in "$1"/* "$1"/.[!.]*; do
        [ ! -e "$nothing_file" ] || {
            echo "there is $nothing_file"
            return 1
        }
    done
}
