#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# What setup-duckdb finds, and that it takes nothing but what was pinned. npm is a stub here, which
# packs whatever lies in $packed.
# shellcheck disable=SC2119,SC2120 # what exits calls has arguments
set -u
root=$1
. "$root/tests/build/tap.sh"

bin=$tap_dir/bin packed=$tap_dir/packed
mkdir "$bin" "$packed"
cat >"$bin/npm" <<STUB
#!/bin/sh
echo "\$*" >>"$tap_dir/npm"
tar -czf package-1.0.0.tgz -C "$packed" .
STUB
# A compiler without DuckDB, whatever the machine has.
printf '#!/bin/sh\nexit 1\n' >"$bin/cc"
chmod +x "$bin"/*
unset DUCKDB_DIR CC

find_duckdb() {
    XDG_CACHE_HOME=$tap_dir/cache PATH=$bin:$PATH "$root/scripts/setup-duckdb" "$@" 2>"$tap_dir/err"
}

fill() {
    mkdir -p "$1" "$2" && touch "$1/libduckdb.so" "$2/duckdb.h"
}

takes_a_given_directory() {
    fill "$tap_dir/own/lib" "$tap_dir/own/include"
    [ "$(DUCKDB_DIR=$tap_dir/own find_duckdb)" = "$tap_dir/own/lib
$tap_dir/own/include" ]
}

takes_a_flat_directory() {
    fill "$tap_dir/flat" "$tap_dir/flat"
    [ "$(DUCKDB_DIR=$tap_dir/flat find_duckdb)" = "$tap_dir/flat
$tap_dir/flat" ]
}

refuses_an_empty_directory() {
    mkdir -p "$tap_dir/empty"
    ! DUCKDB_DIR=$tap_dir/empty find_duckdb && grep -q 'has no libduckdb.so' "$tap_dir/err"
}

takes_the_systems() {
    printf '#!/bin/sh\nexit 0\n' >"$bin/good-cc"
    chmod +x "$bin/good-cc"
    [ "$(CC=good-cc find_duckdb)" = system ]
}

refuses_other_packages() {
    mkdir -p "$packed/package"
    echo 'not the library' >"$packed/package/libduckdb.so"
    ! find_duckdb && grep -q 'SHA-512 differs' "$tap_dir/err" && [ -s "$tap_dir/npm" ] &&
        [ -z "$(ls "$tap_dir/cache/weir")" ]
}

fetches_nothing_when_asked_whether() {
    : >"$tap_dir/npm"
    exits 1 find_duckdb --present && [ ! -s "$tap_dir/npm" ]
}

fetches_nothing_twice() {
    : >"$tap_dir/npm"
    cache=$tap_dir/cache/weir/duckdb-1.5.6
    fill "$cache/lib" "$cache/include"
    [ "$(find_duckdb)" = "$cache/lib
$cache/include" ] && [ ! -s "$tap_dir/npm" ]
}

promise "DUCKDB_DIR with lib and include is taken" takes_a_given_directory
promise "DUCKDB_DIR with both files in it is taken" takes_a_flat_directory
promise "DUCKDB_DIR without them is an error" refuses_an_empty_directory
promise "what the compiler finds by itself is taken" takes_the_systems
promise "a package that was not pinned is refused, and leaves nothing" refuses_other_packages
promise "--present fetches nothing" fetches_nothing_when_asked_whether
promise "what is in the cache is not fetched again" fetches_nothing_twice
promise "an unknown option exits 2" exits 2 find_duckdb --nonsense
done_promising
