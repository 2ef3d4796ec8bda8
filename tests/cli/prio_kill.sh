#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# prio_kill.sh BUILD ROOT - a command that is killed leaves nothing under the final name, and runs
# again; and while it runs, nobody reads its secrets from the process list.
#
# The input comes through a pipe that stays open, so that the command is surely in the middle.
set -u
program=$1/prio
. "$2/tests/cli/commands.sh"
new_servers 5
make_rows 3000 >rows
encode rows
pipeline rows >said || exit 1
mkfifo pipe

# start COMMAND... - run it with half a file in the pipe; sets $pid.
start() {
    half=$1
    shift
    "$program" "$@" >said 2>errors &
    pid=$!
    { cat "$half" && sleep 30; } >pipe &
    feeder=$!
    # The command has read all there is when it sleeps in the pipe; until then its file grows.
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        sleep 0.1
    done
}

stop() {
    kill -9 "$pid"
    wait "$pid" 2>/dev/null
    kill "$feeder" 2>/dev/null
    wait "$feeder" 2>/dev/null
    return 0
}

# killed DIR NAME HALF COMMAND... - the command writes DIR/NAME.
killed() {
    dir=$1 name=$2
    shift 2
    start "$@" 2>/dev/null
    kill -0 "$pid" || return 1 # it must not have ended by itself
    stop
    [ -e "$dir/.$name.tmp" ] && [ ! -e "$dir/$name" ]
}

# again DIR NAME WANT COMMAND...
again() {
    dir=$1 name=$2 want=$3
    shift 3
    prio "$@" >said && [ ! -e "$dir/.$name.tmp" ] && { [ -z "$want" ] || cmp "$dir/$name" "$want"; }
}

for file in rows A/raw/rows A/verify1/rows A/verify2/rows; do
    head -n 2000 $file >"half.$(echo $file | tr / .)"
done

as client
promise "encode-shares can be killed" killed k/A pipe half.rows \
    encode-shares --input pipe --output-A k/A --output-B k/B
neither() {
    [ ! -e k/B/pipe ]
}
promise "and neither share file is there" neither
mv k/A/.pipe.tmp k/A/.rows.tmp
promise "and run again" again k/A rows "" encode-shares --input rows --output-A k/A --output-B k/B
as A
promise "verify1 can be killed" killed k1 pipe half.A.raw.rows verify1 --input pipe --output k1
mv k1/.pipe.tmp k1/.rows.tmp
promise "and run again, to the same result" again k1 rows A/verify1/rows \
    verify1 --input A/raw/rows --output k1
promise "verify2 can be killed" killed k2 rows half.A.raw.rows verify2 --input pipe \
    --input-internal A/verify1/rows --input-external B/verify1/rows --output k2
promise "and run again, to the same result" again k2 rows A/verify2/rows verify2 \
    --input A/raw/rows --input-internal A/verify1/rows --input-external B/verify1/rows --output k2
promise "aggregate can be killed" killed k3 rows half.A.raw.rows aggregate --input pipe \
    --input-internal A/verify2/rows --input-external B/verify2/rows --output k3
promise "and run again, to the same result" again k3 rows A/aggregate/rows aggregate \
    --input A/raw/rows --input-internal A/verify2/rows --input-external B/verify2/rows --output k3

killed_publish() {
    start keys.A publish --input-internal A/aggregate/rows --input-external pipe --output k4 \
        2>/dev/null
    kill -0 "$pid" || return 1
    stop
    [ ! -e k4/rows ]
}
promise "publish can be killed" killed_publish
promise "and run again" again k4 rows "" publish --input-internal A/aggregate/rows \
    --input-external B/aggregate/rows --output k4

interrupted() {
    start half.A.raw.rows verify1 --input pipe --output k5 2>/dev/null
    kill -TERM "$pid"
    wait "$pid" 2>/dev/null
    stop 2>/dev/null
    [ ! -e k5/pipe ]
}
promise "a terminated command leaves no result either" interrupted

unlisted() {
    key=$(field private_key keys.A) secret=$(field shared_seed seed)
    unset PRIVATE_KEY_HEX SHARED_SECRET
    start half.A.raw.rows verify1 --input pipe --output k6 --private-key-hex "$key" \
        "--shared-secret=$secret" 2>/dev/null
    tr '\0' '\n' <"/proc/$pid/cmdline" >listed
    stop
    grep -qx verify1 listed && ! grep -qF -e "$key" listed && ! grep -qF -e "$secret" listed
}
if [ -r /proc/self/cmdline ]; then
    promise "secrets vanish from the process list" unlisted
else
    skip_promise "secrets vanish from the process list" "no /proc"
fi
done_promising
