#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# process_faults.sh BUILD ROOT - two servers on an S3 server that answers with errors, cuts bodies, breaks
# connections or loses answers; and one that is killed before each of its changes of the store.
# time limit: 1200
set -u
build=$(realpath "$1") root=$2
. "$root/tests/build/tap.sh"
. "$root/tests/real/servers.sh"

start_versitygw "$tap_dir/s3" access a-long-secret || exit 1
s3_url=$server_url s3_port=$server_port
start_fault_proxy "$root" || exit 1
url_a=$server_url rules_a=$proxy_rules log_a=$proxy_log
server_port=$s3_port
start_fault_proxy "$root" || exit 1
adopt "S3" python3 "$root/tests/real/process_faults.py" "$build" "$tap_dir/work" "$tap_dir/s3" access a-long-secret \
    "$s3_url" "$url_a" "$rules_a" "$log_a" "$server_url" "$proxy_rules" "$proxy_log"
grep '^# ' "$tap_dir/.adopted"
done_promising
