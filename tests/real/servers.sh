# SPDX-License-Identifier: MPL-2.0
# shellcheck shell=sh
#
# servers.sh - the pinned servers that tests/real/*.sh run against: installed once into the cache
# folder, started on free loopback ports, stopped by process id however the test ends.
#
#   . "$root/tests/build/tap.sh"
#   . "$root/tests/real/servers.sh"
#   start_versitygw "$tap_dir/objects" key secret || exit 1
#   echo "$server_url $server_pid $server_log"
#
# Every start_* leaves its endpoint in server_url, its port in server_port, its process in server_pid
# and its output in server_log. install_servers puts all of them into the cache.

server_cache=${XDG_CACHE_HOME:-$HOME/.cache}/weir
versitygw_version=v1.8.0
minio_version=v0.0.0-20260212201848-7aac2a2c5b7c
fake_gcs_version=v1.56.1
bigquery_emulator_version=v0.8.1
bqemulator_version=1.4.0
bigtable_version=v1.58.0
h2_version=4.4.1

servers_running=
servers_started=0
server_plain_port='' rabbitmq_dist_port='' rabbitmq_epmd_port='' # start_rabbitmq
[ -z "${tap_dir:-}" ] || trap 'stop_servers; rm -rf "$tap_dir"' EXIT
trap 'exit 1' PIPE # a reader that went away must not leave servers behind

# install_once NAME COMMAND... - sets server_home; the command gets a new folder to fill as its last
# argument, which takes that place when it succeeds.
install_once() {
    server_home=$server_cache/$1
    shift
    [ ! -d "$server_home" ] || return 0
    mkdir -p "$server_cache"
    (
        flock 9
        [ ! -d "$server_home" ] || exit 0
        echo "servers: installing ${server_home##*/}, once" >&2
        rm -rf "$server_home.part"
        mkdir "$server_home.part" && "$@" "$server_home.part" &&
            mv "$server_home.part" "$server_home"
    ) 9>"$server_home.lock"
}

run_go() (
    PATH=$PATH:/usr/local/go/bin
    command -v go >/dev/null || {
        echo "servers: test servers are built with Go: put go 1.25 or newer into PATH"
        exit 1
    }
    GOFLAGS=-buildvcs=false go "$@"
)

build_go_server() {
    GOBIN=$2 run_go install "$1"
}

# install_go_server PROGRAM VERSION MODULE - sets server_program. The module proxy checks the sums.
install_go_server() {
    install_once "$1-$2" build_go_server "$3@$2" && server_program=$server_home/$1
}

install_versitygw() {
    install_go_server versitygw $versitygw_version github.com/versity/versitygw/cmd/versitygw
}

install_minio() {
    install_go_server minio $minio_version github.com/minio/minio
}

install_fake_gcs() {
    install_go_server fake-gcs-server $fake_gcs_version github.com/fsouza/fake-gcs-server
}

# go install refuses this module's version; a module that requires it does not. The go line prunes
# what need not be loaded.
build_bigquery_emulator() {
    printf 'module emulator\n\ngo 1.25.0\n\nrequire %s %s\n' \
        github.com/goccy/bigquery-emulator $bigquery_emulator_version >"$1/go.mod" &&
        run_go build -C "$1" -mod=mod -o bigquery-emulator \
            github.com/goccy/bigquery-emulator/cmd/bigquery-emulator
}

install_bigquery_emulator() {
    install_once bigquery-emulator-$bigquery_emulator_version build_bigquery_emulator
}

# Its DuckDB looks for extensions below HOME.
fill_bqemulator() {
    python3 -m venv "$1" && "$1/bin/python" -m pip -q install bqemulator==$bqemulator_version \
        duckdb==1.5.5 duckdb-extensions==1.5.5 duckdb-extension-spatial==1.5.5 \
        duckdb-extension-avro==1.5.5 numpy &&
        mkdir "$1/home" && HOME=$1/home "$1/bin/python" -c \
            'from duckdb_extensions import import_extension as i; i("spatial"); i("avro")'
}

install_bqemulator() {
    install_once bqemulator-$bqemulator_version fill_bqemulator
}

# A package of its own name in a module: its program is called as its folder is, emulator.
install_bigtable() {
    install_once bigtable-emulator-$bigtable_version \
        build_go_server "cloud.google.com/go/bigtable/cmd/emulator@$bigtable_version" &&
        server_program=$server_home/emulator
}

# HTTP/2 for Python's test servers.
fill_h2() {
    python3 -m venv "$1" && "$1/bin/python" -m pip -q install h2==$h2_version \
            hpack==4.2.0 hyperframe==6.1.0
}

install_h2() {
    install_once h2-$h2_version fill_h2
}

# free_port - a loopback port that nobody listens on now.
free_port() {
    python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])'
}

# answers URL PID SECONDS - does URL answer with anything but a server error, while PID lives?
answers() {
    python3 - "$@" <<'PYTHON'
import socket, ssl, sys, time, urllib.error, urllib.request
url, pid, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
trusting = ssl.create_default_context()
trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}),
                                     urllib.request.HTTPSHandler(context=trusting))
end = time.monotonic() + seconds
while time.monotonic() < end:
    try:
        # "1 (name) S ...": a child that ended stays as Z until the shell asks for it.
        if open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[0] == "Z":
            sys.exit("it ended at once")
    except FileNotFoundError:
        sys.exit("it ended at once")
    try:
        if url.startswith("tcp://"):
            host, port = url[6:].split(":")
            socket.create_connection((host, int(port)), 2).close()
        else:
            opener.open(url, timeout=2).close()
        sys.exit(0)
    except urllib.error.HTTPError as answer:
        if answer.code < 500:
            sys.exit(0)
    except OSError:
        pass
    time.sleep(0.1)
sys.exit(f"no answer within {seconds} s")
PYTHON
}

# start_server NAME READY_PATH SCHEME COMMAND... - every PORT in an argument becomes a free port. Another
# process may take that port in between; then another is tried.
start_server() {
    server_name=$1 server_ready=$2 server_scheme=$3
    shift 3
    servers_started=$((servers_started + 1))
    server_log=$tap_dir/$server_name.$servers_started.log
    for server_try in 1 2 3; do
        server_port=$(free_port) || return 1
        run_server "$server_port" "$@" >"$server_log" 2>&1 </dev/null &
        server_pid=$!
        servers_running="$servers_running $server_pid"
        server_url=$server_scheme://127.0.0.1:$server_port
        answers "$server_url$server_ready" "$server_pid" 60 && return 0
        echo "# $server_name did not start (try $server_try); its log ends with:"
        tail -n 5 "$server_log" | sed 's/^/# /'
        stop_server "$server_pid"
    done
    return 1
}

# run_server PORT COMMAND... - becomes the command.
run_server() {
    run_port=$1
    shift
    for run_argument; do
        shift
        case $run_argument in
        *PORT*) set -- "$@" "${run_argument%%PORT*}$run_port${run_argument#*PORT}" ;;
        *) set -- "$@" "$run_argument" ;;
        esac
    done
    exec "$@"
}

# stop_server PID - asks, waits 5 s, then insists.
stop_server() {
    kill "$1" 2>/dev/null || true
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        kill -0 "$1" 2>/dev/null || break
        case $(sed 's/.*) //; s/ .*//' "/proc/$1/stat" 2>/dev/null) in Z | '') break ;; esac
        sleep 0.5
    done
    kill -9 "$1" 2>/dev/null || true
    wait "$1" 2>/dev/null || true
    stop_rest=
    for stop_pid in $servers_running; do
        [ "$stop_pid" = "$1" ] || stop_rest="$stop_rest $stop_pid"
    done
    servers_running=$stop_rest
}

stop_servers() {
    for stop_each in $servers_running; do
        stop_server "$stop_each"
    done
}

# make_certificate DIR - a key and a certificate of its own for localhost and 127.0.0.1: private.key
# and public.crt.
make_certificate() {
    mkdir -p "$1" && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
        -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
        -keyout "$1/private.key" -out "$1/public.crt" 2>/dev/null
}

# start_versitygw DIR ACCESS SECRET [OPTION...] - S3 that checks signatures; objects are the files of
# DIR/BUCKET. With server_certs set to a folder of make_certificate, over TLS.
start_versitygw() {
    install_versitygw || return 1
    server_data=$1 server_access=$2 server_secret=$3
    shift 3
    mkdir -p "$server_data"
    if [ -n "${server_certs:-}" ]; then
        set -- --cert "$server_certs/public.crt" --key "$server_certs/private.key" "$@"
    fi
    start_server versitygw / "http${server_certs:+s}" \
        env ROOT_ACCESS_KEY="$server_access" ROOT_SECRET_KEY="$server_secret" \
        "$server_program" --port 127.0.0.1:PORT "$@" posix "$server_data"
}

# start_minio DIR ACCESS SECRET - S3 that checks signatures. SECRET has 8 characters or more. TLS as
# above.
start_minio() {
    install_minio || return 1
    mkdir -p "$1"
    start_server minio /minio/health/live "http${server_certs:+s}" \
        env MINIO_ROOT_USER="$2" MINIO_ROOT_PASSWORD="$3" MINIO_BROWSER=off \
        "$server_program" --certs-dir "${server_certs:-$tap_dir/no-certs}" \
        server --address 127.0.0.1:PORT "$1"
}

# start_fake_gcs DIR - GCS without authentication; objects are files of DIR/BUCKET.
start_fake_gcs() {
    install_fake_gcs || return 1
    mkdir -p "$1"
    start_server fake-gcs-server /storage/v1/b http \
        "$server_program" -scheme http -host 127.0.0.1 -port PORT \
        -backend filesystem -filesystem-root "$1" -public-host 127.0.0.1:PORT
}

# start_fault_proxy ROOT - in front of the server that was started last; fault_proxy.py, below the root of
# the sources, says what it can do. Sets proxy_rules and proxy_log, too.
start_fault_proxy() {
    proxy_rules=$tap_dir/proxy.$servers_started.rules proxy_log=$tap_dir/proxy.$servers_started.requests
    : >"$proxy_rules"
    : >"$proxy_log"
    start_server fault-proxy / http \
        python3 "$1/tests/real/fault_proxy.py" PORT "$server_port" "$proxy_rules" "$proxy_log"
}

# start_bigquery_emulator PROJECT - BigQuery with Google's own SQL analyzer, in memory, without tokens.
start_bigquery_emulator() {
    install_bigquery_emulator || return 1
    start_server bigquery-emulator "/bigquery/v2/projects/$1/datasets" http \
        "$server_home/bigquery-emulator" "--project=$1" --host=127.0.0.1 --port=PORT \
        "--grpc-port=$(free_port)"
}

# start_bqemulator PROJECT DIR - BigQuery over DuckDB, without tokens; gs://BUCKET is DIR/BUCKET.
start_bqemulator() {
    install_bqemulator || return 1
    mkdir -p "$2"
    start_server bqemulator "/bigquery/v2/projects/$1/datasets" http \
        env HOME="$server_home/home" BQEMU_GCS_LOCAL_ROOT="$2" \
        "$server_home/bin/python" -m bqemulator start --rest-port PORT \
        --grpc-port "$(free_port)" --project "$1"
}

# start_bigtable - Bigtable in memory, gRPC without encryption and tokens. It speaks no HTTP/1, and so is
# asked for a connection only.
start_bigtable() {
    install_bigtable || return 1
    start_server bigtable '' tcp "$server_program" -host 127.0.0.1 -port PORT
}

# make_ca_certificate DIR - a CA of its own, ca.crt, and a certificate that it gave to localhost alone:
# private.key and public.crt.
make_ca_certificate() {
    mkdir -p "$1" && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
        -subj "/CN=a CA of tests" -keyout "$1/ca.key" -out "$1/ca.crt" 2>/dev/null &&
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost \
            -keyout "$1/private.key" -out "$1/public.csr" 2>/dev/null &&
        printf 'subjectAltName=DNS:localhost\n' >"$1/extensions" &&
        openssl x509 -req -in "$1/public.csr" -CA "$1/ca.crt" -CAkey "$1/ca.key" -CAcreateserial \
            -days 2 -extfile "$1/extensions" -out "$1/public.crt" 2>/dev/null
}

# rabbitmq_definitions USER PASSWORD - what the broker knows from its start: the user as pulse has
# them, an admin with the same password, and Taskcluster's exchanges.
rabbitmq_definitions() {
    python3 - "$@" <<'PYTHON'
import base64, hashlib, json, os, sys
user, password = sys.argv[1:]

def hashed():
    salt = os.urandom(4)
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()

own = f"^(queue|exchange)/{user}/.*"
kinds = ("completed", "failed", "exception", "defined")
json.dump({
    "users": [{"name": name, "password_hash": hashed(), "tags": tags,
               "hashing_algorithm": "rabbit_password_hashing_sha256"}
              for name, tags in ((user, []), ("admin", ["administrator"]))],
    "vhosts": [{"name": "/"}],
    "permissions": [
        {"user": user, "vhost": "/", "configure": own, "write": own, "read": f"{own}|^exchange/.*"},
        {"user": "admin", "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}],
    "exchanges": [{"name": f"exchange/taskcluster-queue/v1/task-{kind}", "vhost": "/", "type": "topic",
                   "durable": True, "auto_delete": False, "internal": False, "arguments": {}}
                  for kind in kinds],
}, sys.stdout)
PYTHON
}

# become_rabbitmq DIR COMMAND... - becomes the command, in the environment of the broker whose data is in
# DIR.
become_rabbitmq() {
    rabbitmq_home=$1
    shift
    # shellcheck source=/dev/null
    . "$rabbitmq_home/ports"
    unset RABBITMQ_NODENAME RABBITMQ_CONF_ENV_FILE NOTIFY_SOCKET
    exec env HOME="$rabbitmq_home" RABBITMQ_NODENAME=weir@localhost \
        RABBITMQ_CONF_ENV_FILE="$rabbitmq_home/none" RABBITMQ_CONFIG_FILE="$rabbitmq_home/rabbitmq.conf" \
        RABBITMQ_MNESIA_BASE="$rabbitmq_home/db" RABBITMQ_LOG_BASE="$rabbitmq_home/log" \
        RABBITMQ_ENABLED_PLUGINS_FILE="$rabbitmq_home/plugins" RABBITMQ_DIST_PORT="$rabbitmq_dist_port" \
        RABBITMQ_PID_FILE="$rabbitmq_home/pid" ERL_EPMD_ADDRESS=127.0.0.1 ERL_EPMD_PORT="$rabbitmq_epmd_port" \
        RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1}' \
        LANG=C.UTF-8 "$@"
}

# rabbitmqctl_in DIR ARGUMENT... - the admin of the broker whose data is in DIR.
rabbitmqctl_in() (
    ctl_home=$1
    shift
    become_rabbitmq "$ctl_home" "$rabbitmq_bin/rabbitmqctl" -q "$@"
)

# start_rabbitmq DIR USER PASSWORD [CONFIG_LINE...] - a broker with users USER and admin, over TLS on
# localhost:server_port (its CA is DIR/certs/ca.crt) and without on 127.0.0.1:server_plain_port. What DIR
# holds from an earlier start is used again, ports included. An epmd of its own ends with the others.
start_rabbitmq() {
    rabbitmq_bin=/usr/lib/rabbitmq/bin rabbitmq_dir=$1
    [ -x $rabbitmq_bin/rabbitmq-server ] || {
        echo "servers: rabbitmq-server is not installed: scripts/setup all"
        return 1
    }
    if [ ! -f "$1/ports" ]; then
        make_ca_certificate "$1/certs" && rabbitmq_definitions "$2" "$3" >"$1/definitions.json" || return 1
        for rabbitmq_port in server_port server_plain_port rabbitmq_dist_port rabbitmq_epmd_port; do
            echo "$rabbitmq_port=$(free_port)" || return 1
        done >"$1/ports"
    fi
    . "$1/ports"
    shift 3
    {
        printf '%s\n' "listeners.ssl.1 = 127.0.0.1:$server_port" \
            "listeners.tcp.1 = 127.0.0.1:$server_plain_port" \
            "ssl_options.cacertfile = $rabbitmq_dir/certs/ca.crt" \
            "ssl_options.certfile = $rabbitmq_dir/certs/public.crt" \
            "ssl_options.keyfile = $rabbitmq_dir/certs/private.key" \
            "load_definitions = $rabbitmq_dir/definitions.json" "disk_free_limit.absolute = 50MB" "$@"
    } >"$rabbitmq_dir/rabbitmq.conf"
    : >"$rabbitmq_dir/plugins"
    servers_started=$((servers_started + 1))
    server_log=$tap_dir/rabbitmq.$servers_started.log
    become_rabbitmq "$rabbitmq_dir" epmd -address 127.0.0.1 -port "$rabbitmq_epmd_port" >"$server_log.epmd" 2>&1 </dev/null &
    rabbitmq_epmd=$!
    rm -f "$rabbitmq_dir/pid"
    server_pid=
    become_rabbitmq "$rabbitmq_dir" $rabbitmq_bin/rabbitmq-server >"$server_log" 2>&1 </dev/null &
    rabbitmq_script=$!
    servers_running="$servers_running $rabbitmq_script $rabbitmq_epmd"
    server_url=amqps://localhost:$server_port
    if rabbitmq_listens "$server_port" "$rabbitmq_script" 90 && server_pid=$(cat "$rabbitmq_dir/pid"); then
        servers_running="$server_pid $servers_running"
        return 0
    fi
    echo "# rabbitmq did not start; its log ends with:"
    tail -n 5 "$server_log" | sed 's/^/# /'
    stop_rabbitmq
    return 1
}

# rabbitmq_listens PORT PID SECONDS
rabbitmq_listens() {
    python3 - "$@" <<'PYTHON'
import os, socket, sys, time
port, pid, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
end = time.monotonic() + seconds
while time.monotonic() < end:
    try:
        os.kill(pid, 0)
        socket.create_connection(("127.0.0.1", port), 2).close()
        sys.exit(0)
    except ProcessLookupError:
        sys.exit("it ended at once")
    except OSError:
        time.sleep(0.2)
sys.exit(f"no answer within {seconds} s")
PYTHON
}

# stop_rabbitmq - the broker that was started last, and its epmd. server_pid is the node itself; the script
# around it passes TERM on and ends with it.
stop_rabbitmq() {
    for rabbitmq_part in ${server_pid:+"$server_pid"} "$rabbitmq_script" "$rabbitmq_epmd"; do
        stop_server "$rabbitmq_part"
    done
}

# install_servers - all of them, for scripts/test-real.
install_servers() {
    install_versitygw && install_minio && install_fake_gcs && install_bigquery_emulator &&
        install_bqemulator && install_bigtable && install_h2
}
