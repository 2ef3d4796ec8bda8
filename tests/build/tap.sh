# SPDX-License-Identifier: MPL-2.0
# shellcheck shell=sh
#
# tap.sh - what every shell test shares: a scratch directory, TAP lines, a verdict at the end.
#
#   . "$(dirname "$0")/../build/tap.sh"
#   promise "a bad option exits 2" exits 2 prog --nonsense
#   skip_promise "needs IFMA" "this CPU has none"
#   done_promising
#
# What a promise printed is shown when it is broken.

tap_n=0
tap_failed=0
tap_dir=$(mktemp -d "${TMPDIR:-/tmp}/weir-test.XXXXXX")
trap 'rm -rf "$tap_dir"' EXIT
trap 'exit 1' HUP INT TERM

# promise NAME COMMAND... - kept if the command succeeds.
promise() {
    tap_name=$1
    shift
    tap_n=$((tap_n + 1))
    if "$@" >"$tap_dir/.tap" 2>&1 </dev/null; then
        echo "ok $tap_n - $tap_name"
    else
        tap_failed=$((tap_failed + 1))
        sed 's/^/# /' "$tap_dir/.tap"
        echo "not ok $tap_n - $tap_name"
    fi
}

skip_promise() {
    tap_n=$((tap_n + 1))
    echo "ok $tap_n - $1 # SKIP $2"
}

# adopt NAME COMMAND... - run a program that prints TAP; its promises become ours, behind NAME. One
# that ends badly or before its plan breaks a promise, too.
adopt() {
    tap_name=$1
    shift
    tap_status=0
    "$@" >"$tap_dir/.adopted" 2>"$tap_dir/.tap" </dev/null || tap_status=$?
    sed 's/^/# /' "$tap_dir/.tap"
    tap_planned=$(sed -n 's/^1\.\.\([0-9]*\).*/\1/p' "$tap_dir/.adopted")
    tap_seen=$tap_n
    tap_failed_before=$tap_failed
    while IFS= read -r tap_line; do
        case $tap_line in
        'not ok '*'# SKIP'*) tap_line=${tap_line#not } ;; # cmocka's way
        'not ok '*) tap_failed=$((tap_failed + 1)) ;;
        'ok '*) ;;
        *) continue ;;
        esac
        tap_n=$((tap_n + 1))
        printf '%s\n' "$tap_line" | sed "s/ok [0-9]* *-* */ok $tap_n - $tap_name: /"
    done <"$tap_dir/.adopted"
    if [ "$((tap_n - tap_seen))" -ne "${tap_planned:--1}" ] ||
        { [ "$tap_status" -ne 0 ] && [ "$tap_failed" -eq "$tap_failed_before" ]; }; then
        tap_n=$((tap_n + 1))
        tap_failed=$((tap_failed + 1))
        echo "not ok $tap_n - $tap_name: ends well (status $tap_status)"
    fi
}

# exits STATUS COMMAND... - does the command exit with exactly that status?
exits() {
    tap_want=$1
    shift
    tap_got=0
    "$@" || tap_got=$?
    [ "$tap_got" -eq "$tap_want" ] || {
        echo "exit status $tap_got, not $tap_want: $*"
        return 1
    }
}

# A script that dies before this line leaves no plan and a non-zero status: a failure to Meson.
done_promising() {
    echo "1..$tap_n"
    [ "$tap_failed" -eq 0 ]
    exit $?
}
