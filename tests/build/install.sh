#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# install.sh ROOT BUILD PREFIX LIBDIR CC DUCKDB - what is installed is complete, and enough to build a program with.
set -u
root=$1 build=$2 prefix=$3 libdir=$4 cc=$5 duckdb=$6
. "$root/tests/build/tap.sh"
stage=$tap_dir/stage
lib=$stage$prefix/$libdir

install_it() {
    DESTDIR=$stage meson install -C "$build" --no-rebuild
}

# The jobs of taar-etl by both of their names, and the sensors.
taar_jobs() {
    for job in amodump amowhitelist lite lite_guid_ranking lite_guidguid locale profile_bigtable similarity \
        update_whitelist; do
        echo "libexec/weir/bin/taar_$job libexec/weir/bin/taar_etl.taar_$job"
    done
    for export in clients_daily_export clients_last_seen main_summary_export; do
        echo "libexec/weir/bin/wait_for_$export"
    done
}

listing() {
    (cd "$stage$prefix" && find . ! -type d | LC_ALL=C sort) >"$tap_dir/is"
    # shellcheck disable=SC2046 # names are words
    printf './%s\n' bin/fxci-etl bin/prio bin/prio-processor bin/taar-etl include/weir/prio.h "$libdir/libweir-prio.a" \
        "$libdir/libweir-prio.so" "$libdir/libweir-prio.so.0" "$libdir/libweir-prio.so.0.1.0" \
        "$libdir/pkgconfig/weir-prio.pc" \
        libexec/weir/bin/cleanup libexec/weir/bin/fetch-origins libexec/weir/bin/generate \
        libexec/weir/bin/insert libexec/weir/bin/integrate libexec/weir/bin/prio-spark libexec/weir/bin/process \
        libexec/weir/bin/staging $(taar_jobs) ${duckdb:+"$libdir/$duckdb"} | LC_ALL=C sort >"$tap_dir/must"
    grep -v '^\./share/' "$tap_dir/is" | diff "$tap_dir/must" -
}

flags() {
    PKG_CONFIG_SYSROOT_DIR=$stage PKG_CONFIG_PATH=$lib/pkgconfig pkg-config "$@" weir-prio
}

# Neither include path nor archive of the source tree is in reach of these two.
with_shared() {
    # shellcheck disable=SC2046 # flags are words
    "$cc" -std=c99 -Wall -Wextra -Werror -pedantic -o "$tap_dir/shared" "$root/examples/sum.c" \
        $(flags --cflags --libs) &&
        LD_LIBRARY_PATH=$lib "$tap_dir/shared" &&
        readelf -d "$tap_dir/shared" | grep -qF 'libweir-prio.so.0'
}

with_static() {
    # shellcheck disable=SC2046
    "$cc" -static -o "$tap_dir/static" "$root/examples/sum.c" $(flags --static --cflags --libs) &&
        "$tap_dir/static"
}

header_alone() {
    echo '#include <weir/prio.h>' >"$tap_dir/alone.c"
    # shellcheck disable=SC2046
    "$cc" -std=c99 -Wall -Wextra -Werror -pedantic -fsyntax-only "$tap_dir/alone.c" $(flags --cflags)
}

header_in_cxx() {
    echo '#include <weir/prio.h>' >"$tap_dir/alone.cc"
    # shellcheck disable=SC2046
    c++ -Wall -Wextra -Werror -pedantic -fsyntax-only "$tap_dir/alone.cc" $(flags --cflags)
}

version() {
    said=$("$stage$prefix/bin/prio" --version | grep -o '[0-9.]*$')
    [ -n "$said" ] && [ "$said" = "$(flags --modversion)" ]
}

# Whoever embeds Prio gets libcrypto, and nothing that fetches or keeps data.
prio_stays_small() {
    for file in "$stage$prefix/bin/prio" "$lib/libweir-prio.so"; do
        needed=$(readelf -d "$file" | grep NEEDED) || return 1
        echo "$needed"
        ! echo "$needed" | grep -qE 'duckdb|curl|stdc|lmdb|protobuf' || return 1
    done
}

# By its own name and by another, with the library and the configurations that came with it.
processor_runs() {
    key=$(printf '%064d' 9)
    "$stage$prefix/bin/prio-processor" --version &&
        (cd "$tap_dir" && "$stage$prefix/libexec/weir/bin/prio-spark" generate-integration \
            --public-key-hex-internal "$key" --public-key-hex-external "$key" --n-rows 1 \
            --output made) && [ -d "$tap_dir/made/server_id=b/batch_id=test-2" ]
}

# It is 70 MB, and its thousands of relocations took most of the time of a --help.
duckdb_waits() {
    for program in fxci-etl prio-processor taar-etl; do
        ! readelf -d "$stage$prefix/bin/$program" | grep -E 'NEEDED.*duckdb' || return 1
    done
}

fxci_runs() {
    "$stage$prefix/bin/fxci-etl" --version &&
        "$stage$prefix/bin/fxci-etl" derive --home "$tap_dir/home" --date 2026-08-19 &&
        [ -f "$tap_dir/home/warehouse.duckdb" ]
}

promise "install succeeds below DESTDIR" install_it
promise "what is installed is what is listed here" listing
promise "prio and its library need neither DuckDB, libcurl nor the profile stores" prio_stays_small
promise "programs start without DuckDB" duckdb_waits
promise "prio-processor runs where it was installed" processor_runs
promise "fxci-etl runs where it was installed" fxci_runs
promise "the header compiles alone as C99" header_alone
if command -v c++ >/dev/null; then
    promise "the header compiles alone as C++" header_in_cxx
else
    skip_promise "the header compiles alone as C++" "no C++ compiler"
fi
promise "a program builds with the shared library and runs" with_shared
promise "a program builds with the static library and runs" with_static
promise "the program and the pkg-config file tell the same version" version
done_promising
