#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# process_recorded.sh BUILD ROOT - a run of the original's file commands that was recorded in August 2020
# (legacy streams, sequential points), through process: what leaves is what was recorded. The recording lies
# beside the checkout; where it is missing the test is skipped, but never where CI says that it is due.
set -u
. "$2/tests/cli/two_servers.sh"
recorded=$2/../shared/vectors/prio-cli-recorded
if [ ! -e "$recorded/config.json" ]; then
    if [ -n "${CI:-}" ]; then
        promise "the recording is there, for CI is set" [ -e "$recorded/config.json" ]
    else
        skip_promise "a recorded run" "there is no $recorded"
    fi
    done_promising
fi

cp "$recorded/server_a_keys.json" keys.A && cp "$recorded/server_b_keys.json" keys.B || exit 1
SHARED_SECRET=$(field shared_seed "$recorded/shared_seed.json")
export SHARED_SECRET PRIO_PRG=legacy PRIO_POINTS=sequential
configure test 5

# recording A|B - its folder.
recording() {
    if [ "$1" = A ]; then echo "$recorded/server_a"; else echo "$recorded/server_b"; fi
}

fill_buckets() {
    new_buckets && raw test "$(recording A)/raw" "$(recording B)/raw" && mark_raw
}

# as_recorded A|B STAGE DIR - its only data file is the recorded one, but for spaces and the last newline.
as_recorded() {
    { tr -d ' ' <"$(recording "$1")/intermediate/internal/$2/data.ndjson" && echo; } | sed '/^$/d' >must
    cat "$3/batch_id=test"/part-* | tr -d ' ' | diff must -
}

all_as_recorded() {
    for s in A B; do
        for stage in verify1 verify2 aggregate; do
            as_recorded "$s" "$stage" "$(place "$s" private)/intermediate/internal/$stage" &&
                as_recorded "$s" "$stage" "$(place "$(other "$s")" shared)/intermediate/external/$stage" || return 1
        done
    done
    both_published test "5,4,3,2,1 0 5"
}

both_run() {
    fill_buckets && both_serve --keep-state "$@" && all_as_recorded
}
promise "both by process: every answer is as recorded" both_run
promise "with one worker, too" both_run --workers 1
promise "with three workers, too" both_run --workers 3

# The partner's messages as they were recorded, under the names and with the spaces of the file commands.
alone() {
    fill_buckets || return 1
    for stage in verify1 verify2 aggregate; do
        mail=$(place "$1" shared)/intermediate/external/$stage
        mkdir -p "$mail/batch_id=test" &&
            cp "$(recording "$1")/intermediate/external/$stage/data.ndjson" "$mail/batch_id=test" &&
            : >"$mail/_SUCCESS" || return 1
    done
    serve "$1" --keep-state || return 1
    for stage in verify1 verify2 aggregate; do
        as_recorded "$1" "$stage" "$(place "$1" private)/intermediate/internal/$stage" || return 1
    done
    [ "$(published "$1" test)" = "5,4,3,2,1 0 5" ]
}
promise "A with the recorded B: as recorded" alone A
promise "B with the recorded A: as recorded" alone B

hashed() {
    fill_buckets && both_serve --prg hashed && both_published test "0,0,0,0,0 5 5"
}
promise "by the hashed rule nothing is proved" hashed
done_promising
