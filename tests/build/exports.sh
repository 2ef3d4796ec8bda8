#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# exports.sh ROOT LIBRARY.so LIBRARY.a - both libraries export what the header declares, no more.
set -u
root=$1 shared=$2 static=$3
. "$root/tests/build/tap.sh"

sed -n 's/^PRIO_API.*[ *]\(prio_[a-z0-9_]*\)(.*/\1/p' "$root/include/weir/prio.h" |
    sort >"$tap_dir/declared"

# The version node of the shared library shows up as an absolute symbol.
exported() {
    nm "$@" | awk 'NF == 3 && $2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort
}

shared_exports() {
    exported -D --defined-only "$shared" >"$tap_dir/exported"
    diff "$tap_dir/declared" "$tap_dir/exported"
}

static_exports() {
    exported -g --defined-only "$static" >"$tap_dir/exported"
    diff "$tap_dir/declared" "$tap_dir/exported"
}

soname() {
    readelf -d "$shared" | grep -qF 'Library soname: [libweir-prio.so.0]'
}

# State that all callers share would sit in .data or .bss; tables of pointers are in .data.rel.ro.
no_globals() {
    test -s "$static" || return 1
    ! size -A "$static" | awk '$1 ~ /^\.(data|bss|tdata|tbss)$/ && $2 > 0' | grep .
}

promise "the header declares something" test -s "$tap_dir/declared"
promise "the shared library exports what the header declares" shared_exports
promise "the static library exports what the header declares" static_exports
promise "the library keeps no writable data" no_globals
promise "the shared library's name carries its ABI number" soname
done_promising
