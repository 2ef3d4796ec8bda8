#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# process_kills.sh BUILD ROOT - process killed before each change of a directory, then both servers killed at
# random: on directories and on S3, in separate buckets and in one, with kept and with cleaned state.
# WEIR_KILLS=500 says how many random kills there are on directories; on S3 it is a quarter of them.
# time limit: 1200
set -u
build=$(realpath "$1") root=$2
. "$root/tests/build/tap.sh"
. "$root/tests/real/servers.sh"
kills=${WEIR_KILLS:-500}

promise "killed before any change of a directory, it finishes" \
    env WEIR_KILL_STEP=1 "$build/tests/unit/processor/unit_processor_process_kill"

# at_random STORE KILLS [S3]... - a quarter of them in each way.
at_random() {
    at_store=$1 at_kills=$((($2 + 3) / 4))
    shift 2
    for one_bucket in 0 1; do
        for kept in 0 1; do
            adopt "$at_store" python3 "$root/tests/real/process_kills.py" "$build" \
                "$tap_dir/$at_store.$one_bucket$kept" $at_kills $one_bucket $kept "$@"
            grep '^# ' "$tap_dir/.adopted"
        done
    done
}

at_random directories "$kills"
start_versitygw "$tap_dir/s3" access a-long-secret || exit 1
at_random S3 $(((kills + 3) / 4)) "$server_url" "$tap_dir/s3" access a-long-secret
done_promising
