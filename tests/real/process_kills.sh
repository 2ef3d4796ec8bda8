#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# process_kills.sh BUILD ROOT - process killed before each change of a store, then 500 times at random.
# time limit: 1200
set -u
tests=$(realpath "$1/tests/unit/processor")
. "$2/tests/build/tap.sh"

promise "killed before any change of a store, it finishes" \
    env WEIR_KILL_STEP=1 "$tests/unit_processor_process_kill"
promise "both killed 500 times at random, they finish" \
    env WEIR_RANDOM_KILLS=500 "$tests/unit_processor_process_random"

done_promising
