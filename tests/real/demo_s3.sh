#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# demo_s3.sh BUILD ROOT - the demo on two S3 servers whose owners do not trust each other either.
set -u
build=$1 root=$2
. "$root/tests/build/tap.sh"
export STORE=s3 DEMO_PINGS=100 DEMO_SEED=7 DEMO_TIMEOUT=60 TMPDIR="$tap_dir" COLUMNS=80 LC_ALL=C no_proxy='*'
unset DEMO_DIR

demo() {
    "$root/scripts/demo" "$build" >"$tap_dir/output" 2>&1
}

all_agrees() {
    demo && grep -q '^All agrees' "$tap_dir/output"
}

# These look at the output of the promise above.
forbidden() {
    grep -q 's3://b-private/: 403 AccessDenied' "$tap_dir/output"
}

fits() {
    ! grep -n "^.\{81\}" "$tap_dir/output"
}

# Its servers' command lines name the directory of the demo.
leaves_nothing() {
    ! find "$tap_dir" -name 'weir-demo.*' | grep . && ! grep -lsa "$tap_dir/[w]eir-demo" /proc/[0-9]*/cmdline
}

promise "the demo ends well on two S3 servers" all_agrees
promise "A may not look into B's private bucket" forbidden
promise "its output fits into 80 columns" fits
promise "it leaves neither files nor servers behind" leaves_nothing
done_promising
