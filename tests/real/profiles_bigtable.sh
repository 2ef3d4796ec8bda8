#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# profiles_bigtable.sh BUILD_DIR ROOT - the sentences of profiles.h, on Bigtable's emulator.
set -u
build=$1 root=$2
. "$root/tests/build/tap.sh"
. "$root/tests/real/servers.sh"

start_bigtable || exit 1
WEIR_TEST_EMULATOR=127.0.0.1:$server_port CMOCKA_MESSAGE_OUTPUT=TAP \
    "$build/tests/real/profiles_conformance" bigtable://project/instance || tail -n 20 "$server_log"
