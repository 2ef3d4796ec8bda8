#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# The checker is itself checked: each violation, planted alone in a small tree, must be found, and
# what looks like one must not.
set -u
root=$1
. "$root/tests/build/tap.sh"

tree=$tap_dir/tree
spdx='/* SPDX-License-Identifier: MPL-2.0 */'

# plant FILE LINE... - a tree that holds this one source, below its SPDX line.
plant() {
    rm -rf "$tree"
    mkdir -p "$tree/$(dirname "$1")"
    file=$tree/$1
    shift
    { echo "$spdx" && printf '%s\n' "$@"; } >"$file"
}

accepts() {
    plant "$@"
    "$root/scripts/check-source" "$tree"
}

# finds TEXT FILE LINE... - exactly one violation, with TEXT in it.
finds() {
    text=$1
    shift
    plant "$@"
    if "$root/scripts/check-source" "$tree" >"$tap_dir/found"; then
        echo "accepted: $*"
        return 1
    fi
    cat "$tap_dir/found"
    [ "$(wc -l <"$tap_dir/found")" -eq 1 ] && grep -qF -- "$text" "$tap_dir/found"
}

promise "a lower floor may be included" accepts src/codec/a.c '#include "base/err.h"'
promise "the own folder may be included" accepts src/prio/a.c '#include "prio/kernels/vec.h"'
promise "the public header belongs to prio" accepts src/stage/a.c '#include "weir/prio.h"'
promise "codec cannot include the public header" finds 'codec must not include prio' \
    src/codec/a.c '#include "weir/prio.h"'
promise "base cannot include codec" finds 'base must not include codec' \
    src/base/a.c '#include "codec/hex.h"'
promise "a neighbour on the same floor cannot be included" finds 'prio must not include net' \
    src/prio/a.c '#include "net/http.h"'
promise "stage knows no buckets" finds 'stage must not include store' \
    src/stage/a.c '#include "store/store.h"'
for pair in fxci:processor processor:taar taar:fxci; do
    promise "$pair never include each other" finds 'must not include' \
        "src/${pair%:*}/a.c" "#include \"${pair#*:}/a.h\""
done
promise "a door is open at its header" accepts src/processor/a.c '#include "store/store.h"'
promise "nobody sees behind a door" finds 'store has one door' \
    src/processor/a.c '#include "store/backend.h"'
promise "a backend sees its own folder" accepts src/store/s3.c '#include "store/backend.h"'
promise "includes are written from src/" finds 'write the path' src/base/a.c '#include "err.h"'
promise "a new folder must get a floor" finds 'is in no floor' src/extra/a.c 'int x;'
promise "prio includes no other library" finds 'not on <jansson.h>' \
    src/prio/a.c '#include <jansson.h>'
promise "prio includes libcrypto" accepts src/prio/a.c '#include <openssl/evp.h>'
promise "only net calls libcurl" finds 'store must not include <curl/curl.h>' \
    src/store/a.c '#include <curl/curl.h>'
promise "a library does not print" finds 'printf: only cli' src/prio/a.c 'printf("x");'
promise "a library has no stderr" finds 'stderr: only cli' src/stage/a.c 'fputs(x, stderr);'
promise "a library does not exit" finds 'exit: only cli' src/stage/a.c '{ exit(1); }'
promise "a library has no environment" finds 'getenv: only cli' src/prio/a.c '{ getenv("X"); }'
promise "a program prints" accepts src/cli/a.c 'void f(void) { printf("x"); }'
promise "a format attribute is no print" accepts src/base/a.c '__attribute__((format(printf, 1, 2)))'
promise "strcpy is banned everywhere" finds 'strcpy is banned' tests/a.c '{ strcpy(a, b); }'
promise "a comment bans nothing" accepts src/prio/a.c '/* not strcpy,' ' * not printf() */'
promise "a literal bans nothing" accepts src/prio/a.c 'x = "strcpy(); /* \" stdout";'
promise "memcmp in prio needs a reason" finds 'memcmp on secrets' src/prio/a.c '{ memcmp(a, b, n); }'
promise "memcmp of public bytes passes" accepts src/prio/a.c '// both ids are public' '{ memcmp(a, b, n); }'
promise "an open end is found" finds 'an open end' src/base/a.c '// TODO later'
promise "a header needs its guard" finds '#pragma once' src/base/a.h 'int x;'

no_spdx() {
    plant src/base/a.c 'int x;'
    echo 'int x;' >"$tree/src/base/a.c"
    "$root/scripts/check-source" "$tree" | grep -qF 'src/base/a.c:1: the first line must be'
}
promise "a source needs its licence line" no_spdx

nothing() {
    mkdir -p "$tap_dir/void"
    ! "$root/scripts/check-source" "$tap_dir/void"
}
promise "an empty tree is no clean tree" nothing
promise "this tree keeps the rules" "$root/scripts/check-source" "$root"
done_promising
