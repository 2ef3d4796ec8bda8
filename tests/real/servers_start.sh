#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# servers_start.sh BUILD ROOT - the servers that the other tests rely on start, answer and stop.
set -u
root=$2
. "$root/tests/build/tap.sh"
. "$root/tests/real/servers.sh"

gone() {
    ! kill -0 "$1"
}

# comes_and_goes START ARGUMENT... - the shell that tests runs the functions, for the process is its
# child.
comes_and_goes() {
    "$@" >"$tap_dir/said" 2>&1
    started=$?
    promise "$1 ${server_certs:+with TLS }starts" test "$started" -eq 0
    if [ "$started" -ne 0 ]; then
        sed 's/^/# /' "$tap_dir/said"
        return
    fi
    pid=$server_pid
    promise "$1 answers" answers "$server_url$server_ready" "$pid" 5
    stop_server "$pid"
    promise "$1 is gone when it is stopped" gone "$pid"
}

comes_and_goes start_versitygw "$tap_dir/versitygw" key some-secret
comes_and_goes start_minio "$tap_dir/minio" key some-secret
make_certificate "$tap_dir/certs" || exit 1
server_certs=$tap_dir/certs
comes_and_goes start_versitygw "$tap_dir/versitygw" key some-secret
comes_and_goes start_minio "$tap_dir/minio" key some-secret
server_certs=
comes_and_goes start_fake_gcs "$tap_dir/gcs"
comes_and_goes start_bigquery_emulator a-project
comes_and_goes start_bqemulator a-project "$tap_dir/buckets"

# RabbitMQ comes with an epmd, and a script around it.
mkdir "$tap_dir/rabbitmq"
start_rabbitmq "$tap_dir/rabbitmq" someone secret >"$tap_dir/said" 2>&1
started=$?
promise "start_rabbitmq starts" test "$started" -eq 0
users() {
    [ "$(rabbitmqctl_in "$tap_dir/rabbitmq" list_users | cut -f 1 | sort | tr '\n' ' ')" = "admin someone user " ]
}
promise "it has its users" users
stop_rabbitmq
for pid in $server_pid $rabbitmq_script $rabbitmq_epmd; do
    promise "a part of it is gone when it is stopped" gone "$pid"
done

# An unusable program must not hang anyone.
if start_server broken / http false >"$tap_dir/said" 2>&1; then
    promise "a server that ends at once is a failure" false
else
    promise "a server that ends at once is a failure" grep -q 'ended at once' "$tap_dir/said"
fi
done_promising
