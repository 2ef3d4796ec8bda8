#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# store_gcs.sh BUILD ROOT - what every store must do, on fake-gcs-server. It asks for no token and
# checks little else: see gcs_contract.sh.
set -u
build=$1 root=$2
. "$root/tests/build/tap.sh"
. "$root/tests/real/servers.sh"

# In memory: on its file system, an object whose name ends in "/" cannot be.
install_fake_gcs || exit 1
start_server fake-gcs-server /storage/v1/b http "$server_program" -scheme http -host 127.0.0.1 \
    -port PORT -backend memory -public-host 127.0.0.1:PORT || exit 1
python3 - "$server_url/storage/v1/b" <<'PYTHON' || exit 1
import sys, urllib.request
request = urllib.request.Request(sys.argv[1], b'{"name": "bucket-a"}', {"Content-Type": "application/json"})
urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request).close()
PYTHON

export WEIR_TEST_ENDPOINT="${server_url#http://}" no_proxy='*' CMOCKA_MESSAGE_OUTPUT=TAP
"$build/tests/real/store_conformance" gs://bucket-a/a/prefix
