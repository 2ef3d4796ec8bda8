#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# cheats.sh BUILD ROOT - every kind of cheater is rejected for its reason, at its stage, on the right
# server, and none of them leaves a trace in the sums.
set -u
build=$1 root=$2
. "$root/tests/build/tap.sh"
prio=$build/prio cheat=$build/prio-cheat
cd "$tap_dir" || exit 1
mkdir keys

value() {
    sed 's/.*"'"$1"'": "\([^"]*\)".*/\1/'
}

for server in A B; do
    "$prio" keygen >keys/pair
    value private_key <keys/pair >keys/$server.private
    value public_key <keys/pair >keys/$server.public
done
"$prio" shared-seed | value shared_seed >keys/secret
key_a=$(cat keys/A.public) key_b=$(cat keys/B.public)
export SHARED_SECRET_FILE="$tap_dir/keys/secret" BATCH_ID=cheats WEIR_WORKERS=2

# make_batch DIR CHEATS [OPTION...]
make_batch() {
    mb_dir=$1 mb_cheats=$2
    shift 2
    "$cheat" shares --clients 60 --seed 3 --cheats "$mb_cheats" --public-key-hex-internal "$key_a" \
        --public-key-hex-external "$key_b" --output-A "$mb_dir/A/shares" --output-B "$mb_dir/B/shares" \
        --truth "$mb_dir/truth" "$@"
}

# stage DIR SERVER COMMAND [INPUTS_OF]: run it, write down what it finds in the truth's words.
stage() {
    st_own=$key_a st_peer=$key_b st_other=B
    [ "$2" = A ] || { st_own=$key_b st_peer=$key_a st_other=A; }
    PRIVATE_KEY_HEX_FILE=$tap_dir/keys/$2.private "$prio" "$3" --server-id "$2" \
        --public-key-hex-internal "$st_own" --public-key-hex-external "$st_peer" \
        ${4:+--input-internal "$1/$2/$4/data.ndjson" --input-external "$1/$st_other/$4/data.ndjson"} \
        --input "$1/$2/shares/data.ndjson" --output "$1/$2/$3" --rejects "$1/rejects" >"$1/said" ||
        return 1
    awk -v stage="$3" -v server="$2" '/errors out of/ {
        print "error", stage, server, $1
        if (stage == "verify1") print "lines", server, $5
    }' "$1/said"
    sed 's/.*"reason": "\([^"]*\)".*/\1/' "$1/rejects" | sort | uniq -c |
        awk -v stage="$3" -v server="$2" '{ print "reject", stage, server, $2, $1 }'
}

publish() {
    st_own=$key_a st_peer=$key_b st_other=B
    [ "$2" = A ] || { st_own=$key_b st_peer=$key_a st_other=A; }
    PRIVATE_KEY_HEX_FILE=$tap_dir/keys/$2.private "$prio" publish --server-id "$2" \
        --public-key-hex-internal "$st_own" --public-key-hex-external "$st_peer" \
        --input-internal "$1/$2/aggregate/data.ndjson" \
        --input-external "$1/$st_other/aggregate/data.ndjson" --output "$1/$2/publish" >"$1/said" &&
        sed 's/.*"payload": \(\[[0-9, ]*\]\).*/totals \1/' "$1/$2/publish/data.ndjson" && echo
}

# Both servers through all stages, against the truth.
holds() {
    {
        stage "$1" A verify1 && stage "$1" B verify1 &&
            stage "$1" A verify2 verify1 && stage "$1" B verify2 verify1 &&
            stage "$1" A aggregate verify2 && stage "$1" B aggregate verify2 &&
            publish "$1" A && publish "$1" B
    } >"$1/found" || return 1
    LC_ALL=C sort -u "$1/found" >"$1/found.sorted"
    grep -v -e '^honest' -e '^cheat' "$1/truth" | LC_ALL=C sort | diff - "$1/found.sorted"
}

every_kind() {
    export PRIO_POINTS=first PRIO_PRG=hashed N_DATA="$1"
    make_batch "every$1" all=3 && holds "every$1"
}

# One kind alone, so that no kind leans on another's victims.
each_alone() {
    export PRIO_POINTS=first PRIO_PRG=hashed N_DATA=7
    "$cheat" kinds >list || return 1
    [ "$(wc -l <list)" -ge 19 ] || return 1
    while read -r kind help; do
        rm -rf alone
        if ! make_batch alone "$kind=2" || ! holds alone; then
            echo "$kind: $help"
            return 1
        fi
    done <list
}

# A kind that hits one server alone shifts all points behind it in this mode: that is the protocol.
in_sequence() {
    export PRIO_POINTS=sequential PRIO_PRG=legacy N_DATA=33
    make_batch "sequence" bit2=2,proof=2,mismatch=2,replay=3,duplicate-id=2,truncated=2,wrong-batch=2,wrong-key=1,swapped=1,garbage=1,bad-base64=1,no-id=1,bad-json=1,too-long=1 &&
        holds "sequence"
}

only_cheaters() {
    export PRIO_POINTS=first PRIO_PRG=hashed N_DATA=5
    make_batch hostile bit2=4,garbage=3,no-id=1 --clients 0 && holds hostile
}

# Keys are fresh in each run; what the seed decides is not.
same_seed_same_truth() {
    export PRIO_PRG=hashed N_DATA=20
    make_batch one all=2 && make_batch two all=2 && make_batch three all=2 --seed 4 &&
        cmp one/truth two/truth && ! cmp -s one/truth three/truth &&
        sed 's/^ *//; s/"payload.*//' one/A/shares/data.ndjson >one/ids &&
        sed 's/^ *//; s/"payload.*//' two/A/shares/data.ndjson | cmp - one/ids &&
        ! cmp -s one/A/shares/data.ndjson two/A/shares/data.ndjson
}

refuses() {
    N_DATA=3 exits 1 make_batch refused "$1" 2>err && ! [ -e refused/truth ] && grep -F "$2" err
}

promise "every kind at once is found by its reason" every_kind 441
promise "with a single bit, too" every_kind 1
promise "each kind alone is found by its reason" each_alone
promise "kinds that hit both servers alike do no harm in sequential mode" in_sequence
promise "a batch of nothing but cheaters sums to zero" only_cheaters
promise "the seed decides who cheats, and nothing secret" same_seed_same_truth
promise "an unknown kind is refused" refuses nonsense=1 nonsense
promise "a kind without a number is refused" refuses bit2 bit2
promise "a negative number is refused" refuses bit2=-1 bit2
done_promising
