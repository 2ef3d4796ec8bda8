#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# broker_rabbitmq.sh BUILD ROOT - broker.h on RabbitMQ over TLS: what is taken, acknowledged and comes again,
# and everything that a broker refuses or breaks.
set -u
build=$1 root=$2
. "$root/tests/build/tap.sh"
. "$root/tests/real/servers.sh"

mq=$tap_dir/mq
mkdir -p "$mq"
start_broker() {
    start_rabbitmq "$mq" fxci-etl some-secret "max_message_size = 200000000"
}
start_broker || exit 1
export PULSE_HOST=localhost PULSE_PORT="$server_port" PULSE_USER=fxci-etl PULSE_PASSWORD=some-secret
export PULSE_CA_FILE="$mq/certs/ca.crt"
queue=queue/fxci-etl/task-completed
exchange=exchange/taskcluster-queue/v1/task-completed

# steps STEP... - what they print goes to out, what failed to err.
steps() {
    timeout 120 "$build/tests/real/broker_steps" "$@" >"$tap_dir/out" 2>"$tap_dir/err"
    steps_status=$?
    cat "$tap_dir/out" "$tap_dir/err"
    return "$steps_status"
}

# say TEXT STEP... - do the steps print exactly TEXT (lines by ";")?
say() {
    say_text=$1
    shift
    steps "$@" && [ "$(tr '\n' ';' <"$tap_dir/out")" = "$say_text" ]
}

# fail NAME TEXT STEP... - do they fail with this error?
fail() {
    fail_name=$1 fail_text=$2
    shift 2
    ! steps "$@" && grep "^$fail_name: " "$tap_dir/err" | grep -qF -- "$fail_text"
}

admin() {
    PULSE_USER=admin PULSE_PORT=$server_plain_port env -u PULSE_CA_FILE timeout 120 "$build/pulse-tool" "$@"
}

counts() {
    [ "$(admin count "$queue")" = "$queue $1 ${2:-0}" ] || {
        admin count "$queue"
        return 1
    }
}

# publish N - N small messages.
publish() {
    seq "$1" | sed "s|.*|{\"exchange\":\"$exchange\",\"routingKey\":\"a.&\",\"payload\":{\"n\":&}}|" |
        admin publish
}

# until_counts READY CONSUMERS - a broker takes a moment to see that a connection has gone.
until_counts() {
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        counts "$@" >/dev/null 2>&1 && return 0
        sleep 0.2
    done
    counts "$@"
}

no_exchange() {
    PULSE_EXCHANGE=exchange/nowhere fail absent "exchange" open
}
promise "an exchange that is missing is told" no_exchange
promise "a queue is declared and bound" say "ready 0;ready 0 consumers 1;" open ready
promise "it stays" until_counts 0
promise "what is published arrives there" publish 50
promise "its count is told without opening it" say "ready 50 consumers 0;" ready
promise "messages are taken and acknowledged" say "ready 50;took 20 redelivered 0;" open take 20 ack
promise "... the others stay" until_counts 30
# What is on its way ahead of the reader counts as delivered, too.
promise "what was not acknowledged comes again" \
    say "ready 30;took 30 redelivered 30;ready 30;took 30 redelivered 30;" open take 30 close open take 30
promise "only what was acknowledged is gone" \
    say "ready 30;took 10 redelivered 10;took 5 redelivered 5;" open take 10 ack take 5
promise "... and the rest not" until_counts 20
show() {
    say "ready 20;took 1 redelivered 1;$exchange a.31 application/json {\"n\":31};" open take 1 show
}
promise "all parts of a message arrive" show
promise "a queue is read to its end" say "ready 20;drained 20;idle later;ready 0 consumers 1;" \
    open drain 7 idle 500 ready

raw() {
    printf '\377\000raw' | admin raw "$exchange" k application/octet-stream &&
        printf '' | admin raw "$exchange" k '' &&
        steps open take 1 show take 1 show ack && LC_ALL=C grep -qa "octet-stream .*raw$" "$tap_dir/out" &&
        tail -n 1 "$tap_dir/out" | grep -q "^$exchange k  $"
}
promise "bytes that are no text arrive, and none at all" raw

# What is refused.
wrong_ca() {
    make_certificate "$tap_dir/other" && PULSE_CA_FILE=$tap_dir/other/public.crt fail arg "not trusted" open
}
promise "a certificate of another CA is refused" wrong_ca
system_ca() {
    PULSE_CA_FILE=/etc/ssl/certs/ca-certificates.crt fail arg "not trusted" open
}
promise "... also with the system's CAs" system_ca
no_ca_file() {
    PULSE_CA_FILE=$tap_dir/none.crt fail arg "none.crt" open
}
promise "a CA file that is missing is told" no_ca_file
wrong_name() {
    PULSE_HOST=127.0.0.1 fail arg "another host" open
}
promise "a certificate of another host is refused" wrong_name
wrong_password() {
    PULSE_PASSWORD=wrong-secret fail arg "log in" open && ! grep -q wrong-secret "$tap_dir/err"
}
promise "a wrong password is told, but not which" wrong_password
wrong_user() {
    PULSE_USER=nobody fail arg "user" open
}
promise "so is a user that is not there" wrong_user
wrong_vhost() {
    PULSE_VHOST=elsewhere fail arg "virtual host" open
}
promise "so is a virtual host that is not there" wrong_vhost
others_queue() {
    PULSE_QUEUE=queue/another/one fail arg "queue/USER/" open
}
promise "a queue of somebody else is refused" others_queue
other_arguments() {
    admin queue queue/fxci-etl/other durable max && PULSE_QUEUE=queue/fxci-etl/other fail arg "406" open
}
promise "a queue with other arguments is told" other_arguments
other_durability() {
    PULSE_TRANSIENT=1 fail arg "durable" open
}
promise "so is one with another durability" other_durability
no_queue() {
    PULSE_QUEUE=queue/fxci-etl/none fail absent "404" ready
}
promise "a queue that is missing has no count" no_queue
not_there() {
    PULSE_PORT=$(free_port) fail again "connect" open
}
promise "a broker that is not there may be tried again" not_there
no_tls() {
    PULSE_PORT=$server_plain_port PULSE_TIMEOUT=3 fail again "connect" open
}
promise "no TLS, no connection" no_tls
transient() {
    PULSE_TRANSIENT=1 PULSE_QUEUE=queue/fxci-etl/short say "ready 0;" open &&
        sleep 0.5 && PULSE_QUEUE=queue/fxci-etl/short fail absent "404" ready
}
promise "a queue that is not durable goes with its reader" transient

# What breaks.
promise "more to take" publish 100
# breaking COMMAND... - begin a batch, let the command break it, then go on.
breaking() {
    rm -f "$tap_dir/go" "$tap_dir/taken"
    timeout 60 "$build/tests/real/broker_steps" open take 40 ack take 10 say taken await "$tap_dir/go" \
        take 51 >"$tap_dir/taken" 2>"$tap_dir/err" &
    breaking_pid=$!
    for _ in $(seq 100); do
        grep -q taken "$tap_dir/taken" && break
        sleep 0.1
    done
    "$@" || return 1
    touch "$tap_dir/go"
    ! wait "$breaking_pid" || return 1
    cat "$tap_dir/taken" "$tap_dir/err"
    grep -q "^again: amqps://fxci-etl@localhost:[0-9]*/: $queue: " "$tap_dir/err"
}
kill_connections() {
    rabbitmqctl_in "$mq" close_all_connections "maintenance is due" && sleep 0.5
}
promise "a connection that the broker closes fails the batch" breaking kill_connections
promise "... with its words" grep -q "maintenance is due" "$tap_dir/err"
promise "what was acknowledged is gone, the batch comes again" \
    say "ready 60;took 60 redelivered 60;" open take 60
stop_and_start() {
    stop_rabbitmq && start_broker
}
promise "more to take" publish 40
promise "a broker that stops fails the batch" breaking stop_and_start
promise "... and so is the batch" say "ready 60;took 60 redelivered 60;" open take 60
delete_queue() {
    admin delete "$queue" && sleep 0.5
}
promise "more to take" publish 40
promise "a queue that is deleted is noticed" breaking delete_queue
promise "it is made again" say "ready 0;" open

# Waiting.
promise "messages to hold" publish 30
heartbeat() {
    PULSE_HEARTBEAT=2 say "ready 30;took 10 redelivered 0;" open take 10 sleep 8000 ack
}
promise "heartbeats go on while the caller works" heartbeat
promise "... and its acknowledgement counts" until_counts 20
prefetch() {
    PULSE_PREFETCH=7 say "ready 20;took 7 redelivered 7;ready 13 consumers 1;idle at once;took 7 redelivered 7;" \
        open take 7 ready idle 3000 ack take 7
}
promise "no more than the prefetch is on its way, and said so" prefetch
# Half an hour by default, looked at once a minute.
too_long() {
    rabbitmqctl_in "$mq" eval 'application:set_env(rabbit, consumer_timeout, 2000),
        application:set_env(rabbit, channel_tick_interval, 500).' || return 1
    fail again "timed out" open take 3 sleep 5000 ack
    too_long_status=$?
    rabbitmqctl_in "$mq" eval 'application:set_env(rabbit, consumer_timeout, 1800000),
        application:set_env(rabbit, channel_tick_interval, 60000).' && return "$too_long_status"
}
promise "a batch that takes longer than the broker allows fails with its words" too_long
frozen() {
    rm -f "$tap_dir/go"
    PULSE_TIMEOUT=2 timeout 60 "$build/tests/real/broker_steps" open take 3 say taken await "$tap_dir/go" ack \
        >"$tap_dir/taken" 2>"$tap_dir/err" &
    frozen_pid=$!
    sleep 2
    kill -STOP "$server_pid"
    frozen_begun=$(date +%s)
    touch "$tap_dir/go"
    PULSE_TIMEOUT=2 fail again "" open
    frozen_refused=$?
    wait "$frozen_pid"
    frozen_took=$(($(date +%s) - frozen_begun))
    kill -CONT "$server_pid"
    cat "$tap_dir/taken" "$tap_dir/err"
    echo "$frozen_took s"
    [ "$frozen_refused" -eq 0 ] && [ "$frozen_took" -le 15 ]
}
promise "a broker that hangs hangs nobody" frozen

# Size.
large() {
    admin purge "$queue" &&
        head -c 67108864 /dev/zero | admin raw "$exchange" large '' 6 && publish 1 &&
        /usr/bin/env python3 - "$build/tests/real/broker_steps" <<'PYTHON'
import resource, subprocess, sys
said = subprocess.run([sys.argv[1], "open", "drain", "100"], capture_output=True, text=True, timeout=200)
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
print(said.stdout, said.stderr, f"{peak} MiB at most")
sys.exit(not ("drained 7\n" in said.stdout and peak < 300))
PYTHON
}
promise "messages of 64 MiB are taken in less than 300 MiB" large
promise "... each once" until_counts 0

# RabbitMQ itself refuses them unless it is told to take them. The message behind it is taken where it
# came before the others were acknowledged.
too_large() {
    publish 5 && head -c 134217729 /dev/zero | admin raw "$exchange" large '' && publish 1 &&
        fail format "134217729" open drain 1 && { until_counts 1 || until_counts 2; } && admin purge "$queue"
}
promise "a message beyond 128 MiB is told when the others are done with" too_large

many() {
    python3 - "$exchange" >"$tap_dir/many.ndjson" <<'PYTHON'
import json, sys
for i in range(100000):
    print(json.dumps({"exchange": sys.argv[1], "routingKey": f"primary.{i}", "payload": {"n": i, "text": "x" * 950}}))
PYTHON
    many_begun=$(date +%s%N)
    admin publish "$tap_dir/many.ndjson"
    echo "published in $((($(date +%s%N) - many_begun) / 1000000)) ms"
}
promise "100,000 messages are published" many
sed 's/^/# /' "$tap_dir/.tap"
promise "... and read, acknowledged in batches" say "ready 100000;drained 100000;" open drain 500
sed 's/^/# /' "$tap_dir/err"
promise "nothing is left" until_counts 0
done_promising
