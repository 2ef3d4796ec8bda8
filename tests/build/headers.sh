#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# headers.sh ROOT CC - every header can be the first that a file includes.
set -u
root=$1 cc=$2
. "$root/tests/build/tap.sh"

# A header that only makes sense after a macro (a template) ends in _tmpl.h and is left out.
for header in $(cd "$root/src" && find . -name '*.h' ! -name '*_tmpl.h' | sort); do
    header=${header#./}
    echo "#include \"$header\"" >"$tap_dir/alone.c"
    promise "$header stands alone" "$cc" -std=c17 -D_GNU_SOURCE -Wall -Wextra -Werror \
        -fsyntax-only -I "$root/include" -I "$root/src" "$tap_dir/alone.c"
done
done_promising
