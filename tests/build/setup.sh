#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# What setup does to a machine, on a machine made of stubs: dpkg-query lists the packages in the
# file "there", id tells the user in "user", apt-get writes down how it was called and installs.
set -u
root=$1
. "$root/tests/build/tap.sh"

bin=$tap_dir/bin
mkdir "$bin"
cat >"$bin/dpkg-query" <<STUB
#!/bin/sh
while read -r package; do echo "\$package install ok installed"; done <"$tap_dir/there"
echo "gone deinstall ok config-files"
STUB
cat >"$bin/id" <<STUB
#!/bin/sh
cat "$tap_dir/user"
STUB
cat >"$bin/apt-get" <<STUB
#!/bin/sh
echo "\$*" >>"$tap_dir/apt"
case "\$*" in *install*) for word; do echo "\$word"; done >>"$tap_dir/there" ;; esac
STUB
chmod +x "$bin"/*

# machine USER_ID PACKAGE... - a machine on which these packages are installed.
machine() {
    echo "$1" >"$tap_dir/user"
    shift
    printf '%s\n' "$@" >"$tap_dir/there"
    : >"$tap_dir/apt"
}

setup() {
    PATH=$bin:$PATH "$root/scripts/setup" "$@" >"$tap_dir/out" 2>"$tap_dir/err"
    setup_status=$?
    cat "$tap_dir/out" "$tap_dir/err"
    return $setup_status
}

machine 0
setup all >/dev/null
all=$(cat "$tap_dir/there")

silent_when_complete() {
    # shellcheck disable=SC2086 # one word a package
    machine 1000 $all
    setup all && [ ! -s "$tap_dir/out" ] && [ ! -s "$tap_dir/err" ] && [ ! -s "$tap_dir/apt" ]
}

root_installs_what_is_missing() {
    machine 0 gcc meson
    setup || return 1
    grep -q ' install .* zlib1g-dev' "$tap_dir/apt" &&
        ! grep -qE ' (gcc|meson)( |$)' "$tap_dir/apt" &&
        grep -q 'zlib1g-dev  *gzip' "$tap_dir/out"
}

others_get_one_line() {
    machine 1000 gcc
    exits 1 setup || return 1
    [ ! -s "$tap_dir/apt" ] && [ "$(grep -c 'apt-get install' "$tap_dir/err")" -eq 1 ]
}

says_what_did_not_come() {
    machine 0 gcc
    sed -i '/install/d' "$bin/apt-get"
    exits 1 setup && grep -q 'still missing' "$tap_dir/err"
}

more_than_building() {
    machine 1000
    setup build
    grep -q clang "$tap_dir/err" && return 1
    setup lint
    grep -q clang-tidy-14 "$tap_dir/err"
}

promise "setup is silent when nothing is missing" silent_when_complete
promise "root gets what is missing, and is told" root_installs_what_is_missing
promise "others get one line to type, and exit 1" others_get_one_line
promise "a build needs no analysers" more_than_building
promise "an unknown group exits 2" exits 2 setup everything
promise "what apt-get did not bring is named" says_what_did_not_come
done_promising
