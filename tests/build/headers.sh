#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# headers.sh ROOT CC [INCLUDE_DIR] - every header can be the first that a file includes.
set -u
root=$1 cc=$2 more=${3:-}
. "$root/tests/build/tap.sh"

# Left out are the templates of the SIMD levels (lanes, limbs, loops), which make sense only under
# the definitions and compiler flags of a level.
for header in $(cd "$root/src" && find . -name '*.h' ! -path './prio/kernels/l*' | sort); do
    header=${header#./}
    echo "#include \"$header\"" >"$tap_dir/alone.c"
    promise "$header stands alone" "$cc" -std=c17 -D_GNU_SOURCE -Wall -Wextra -Werror \
        -fsyntax-only -I "$root/include" -I "$root/src" ${more:+-isystem "$more"} "$tap_dir/alone.c"
done
done_promising
