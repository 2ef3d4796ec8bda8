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

servers_running=
servers_started=0
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
import ssl, sys, time, urllib.error, urllib.request
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

# install_servers - all of them, for scripts/test-real.
install_servers() {
    install_versitygw && install_minio && install_fake_gcs && install_bigquery_emulator &&
        install_bqemulator
}
