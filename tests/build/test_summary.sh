#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# The counter must not lose a failure: each way in which a test program can fail or skip.
set -u
root=$1
. "$root/tests/build/tap.sh"

# log RESULT STDOUT - one record as Meson writes it; \n in STDOUT stays a JSON escape.
log() {
    printf '{"name": "t", "result": "%s", "stdout": "%s"}\n' "$1" "$2"
}

# says STATUS LAST_LINE - feed the log on stdin to the counter.
says() {
    cat >"$tap_dir/log.json"
    "$root/scripts/test-summary" "$tap_dir/log.json" >"$tap_dir/said"
    status=$?
    cat "$tap_dir/said"
    [ "$status" -eq "$1" ] && [ "$(tail -n 1 "$tap_dir/said")" = "$2" ]
}

# counts STATUS LAST_LINE RESULT STDOUT
counts() {
    log "$3" "$4" >"$tap_dir/in"
    says "$1" "$2" <"$tap_dir/in"
}

promise "TAP lines count singly" \
    counts 0 "2 passed, 0 failed, 0 skipped" OK '1..2\nok 1 - a\nok 2 - b\n'
promise "a TAP failure counts though Meson was content" \
    counts 1 "1 passed, 1 failed, 0 skipped" OK '1..2\nok 1 - a\nnot ok 2 - b\n'
promise "cmocka's skip is a skip" \
    counts 0 "1 passed, 0 failed, 1 skipped" OK '1..2\nok 1 - a\nnot ok 2 # SKIP b\n'
promise "a skip with a reason is a skip" \
    counts 0 "1 passed, 0 failed, 1 skipped" OK 'ok 1 - a\nok 2 - b # SKIP no IFMA\n1..2\n'
promise "a plan of nothing is a skip" \
    counts 1 "0 passed, 0 failed, 1 skipped" OK '1..0 # SKIP no vectors\n'
promise "a crash fails what did not run" \
    counts 1 "1 passed, 2 failed, 0 skipped" FAIL '1..3\nok 1 - a\n'
promise "a crash before the plan is a failure" \
    counts 1 "0 passed, 1 failed, 0 skipped" FAIL ''
promise "a leak after the last promise is a failure" \
    counts 1 "1 passed, 1 failed, 0 skipped" FAIL '1..1\nok 1 - a\n'
promise "a timeout is a failure" \
    counts 1 "1 passed, 1 failed, 0 skipped" TIMEOUT 'ok 1 - a\n'
promise "a program without TAP counts once" \
    counts 0 "1 passed, 0 failed, 0 skipped" OK 'fine\n'
promise "no test at all is no success" says 1 "0 passed, 0 failed, 0 skipped" </dev/null

failed_step() {
    log OK 'ok 1 - a\n' >"$tap_dir/in.json"
    ! "$root/scripts/test-summary" --failed-steps 1 "$tap_dir/in.json" >"$tap_dir/said" &&
        grep -qx '1 passed, 1 failed, 0 skipped' "$tap_dir/said"
}
promise "a failed step beside the suites is a failure" failed_step

two_logs() {
    log OK 'ok 1 - a\n' >"$tap_dir/1.json"
    log FAIL 'not ok 1 - a\n' >"$tap_dir/2.json"
    ! "$root/scripts/test-summary" "$tap_dir/1.json" "$tap_dir/2.json" >"$tap_dir/said" &&
        grep -qx '1 passed, 1 failed, 0 skipped' "$tap_dir/said"
}
promise "logs add up" two_logs
done_promising
