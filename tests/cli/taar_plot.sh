#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
# taar-etl plot: well-formed pictures with all that the objects hold, and readable axes.
#
# usage: taar_plot.sh BUILD SOURCE
set -u
build=$1
source=$2
. "$source/tests/build/tap.sh"
vectors=$source/tests/vectors/taar
cd "$tap_dir" || exit 1
unset WEIR_STORE TAAR_GENERATION
export WEIR_HOME="$tap_dir/home"

plot() { timeout 20 "$build/taar-etl" plot "$@" 2>log; }

cat >see.py <<'PY'
"""see.py FILE - what a picture shows: {"texts": {class: [..]}, "lines": {class: points}, "bars": [..]}; its
elements lie within it, and no label of a tick on another."""
import json, re, sys, xml.etree.ElementTree as tree
root = tree.parse(sys.argv[1]).getroot()
svg = "{http://www.w3.org/2000/svg}"
assert root.tag == svg + "svg"
width, height = float(root.get("width")), float(root.get("height"))
seen = {"texts": {}, "lines": {}, "bars": []}
ticks = {}
for e in root:
    if e.tag == svg + "text":
        x, y = float(e.get("x")), float(e.get("y"))
        assert 0 <= x <= width and 0 <= y <= height, e.text
        seen["texts"].setdefault(e.get("class"), []).append(e.text)
        if e.get("class") == "tick":
            assert (x, y) not in ticks, (x, y)
            ticks[x, y] = e.text
    elif e.tag == svg + "polyline":
        points = [tuple(map(float, pair.split(","))) for pair in e.get("points").split()]
        assert all(0 <= x <= width and 0 <= y <= height for x, y in points)
        seen["lines"].setdefault(e.get("class"), []).append(len(points))
    elif e.tag == svg + "rect" and e.get("class") == "bar":
        assert float(e.get("width")) >= 0 and float(e.get("x")) + float(e.get("width")) <= width
        seen["bars"].append(e.find(svg + "title").text)
    elif e.tag == svg + "line":
        assert all(0 <= float(e.get(k)) <= width for k in ("x1", "x2"))
        assert all(0 <= float(e.get(k)) <= height for k in ("y1", "y2"))
print(json.dumps(seen))
PY

python3 - "$vectors/similarity/lr_curves.json" <<'PY'
import json, sys
vectors = json.load(open(sys.argv[1], encoding="utf-8"))
for i, case in enumerate(vectors["cases"]):
    key = next(k for k, v in case.items() if isinstance(v, list) and v and isinstance(v[0], list))
    json.dump(case[key], open(f"curve{i}.json", "w"))
    open(f"points{i}", "w").write(str(len(case[key])))
PY
curves() {
    for i in 0 1; do
        plot lr-curves "curve$i.json" -o curve.svg && python3 see.py curve.svg >seen &&
            python3 - "$(cat "points$i")" <<'PY' || return 1
import json, sys
seen, n = json.load(open("seen")), int(sys.argv[1])
assert n > 0 and seen["lines"]["two"] == [n] and seen["lines"]["one"][0] == n, seen["lines"]
assert sum(seen["lines"]["one"][1:]) <= n
numbers = [float(t) for t in seen["texts"]["tick"]]
assert len(numbers) >= 16 and "density" in seen["texts"]["label"]
PY
    done
}
promise "curves have every point, ticks and names" curves

gaps() {
    echo '[[0, [1, 2]], [1, [0, 2]], [2, [1, 0]], [3, [2, 1]], [4, [3, 1]]]' >gaps.json &&
        plot lr-curves gaps.json -o - >gaps.svg && python3 see.py gaps.svg | python3 -c 'import json, sys
lines = json.load(sys.stdin)["lines"]
assert lines == {"one": [5, 1, 2], "two": [5]}, lines' && echo '[[1, [1, 1]]]' >one.json &&
        plot lr-curves one.json -o one.svg && python3 see.py one.svg >seen &&
        echo '[[1e99, [-1e100, 1e100]], [1e99, [1e-300, 0]]]' >far.json && plot lr-curves far.json -o far.svg &&
        ! grep -q nan far.svg && python3 see.py far.svg >seen
}
promise "a ratio that is none is a gap; one point will do" gaps

locales() {
    top=$vectors/locale/window/top10_unlimited.json
    plot locale "$top" --output locale.svg && python3 see.py locale.svg >seen && python3 - "$top" <<'PY'
import json, sys
seen, top = json.load(open("seen")), json.load(open(sys.argv[1], encoding="utf-8"))
assert len(seen["bars"]) == sum(map(len, top.values()))
want = sorted(guid for row in top.values() for guid, _ in row)
assert sorted(bar.rsplit(": ", 1)[0] for bar in seen["bars"]) == want
assert all((locale or "(empty locale)") in seen["texts"]["label"] for locale in top)
assert any(not t.replace(".", "").isdigit() for t in seen["texts"]["tick"]) and "0.2" in seen["texts"]["tick"]
PY
}
promise "every locale has its bars" locales

coinstallation() {
    counts=$vectors/lite/guid_coinstallation.json
    bucket=$WEIR_HOME/buckets/models/taar
    mkdir -p "$bucket" && cp "$counts" "$bucket/guid_coinstallation.json.bz2" &&
        plot coinstallation models/taar/guid_coinstallation.json -o pairs.svg && python3 see.py pairs.svg >seen &&
        python3 - "$counts" <<'PY'
import json, sys
seen, counts = json.load(open("seen")), json.load(open(sys.argv[1], encoding="utf-8"))
sums = sorted(((guid, sum(row.values())) for guid, row in counts.items()), key=lambda x: (-x[1], x[0].encode()))
assert seen["bars"] == [f"{guid}: {n}" for guid, n in sums[:20]], seen["bars"]
PY
}
promise "coinstallation shows the 20 add-ons with most neighbours, of an object, too" coinstallation

escaped() {
    printf '{"<&\\">": [["a<b>&c\\"\\u0001%s", 0.5], ["x", 0.0]]}' "$(printf '\303\251%.0s' $(seq 60))" >odd.json &&
        plot locale odd.json -o odd.svg && python3 see.py odd.svg | python3 -c 'import json, sys
seen = json.load(sys.stdin)
assert "<&\">" in seen["texts"]["label"]
assert seen["bars"][0].startswith("a<b>&c\"?é"), seen["bars"]
assert max(map(len, seen["texts"]["tick"])) == 44'
}
promise "texts are escaped, long ones cut" escaped

# refuses STATUS TEXT ARGUMENT...
refuses() {
    status=$1 text=$2
    shift 2
    plot "$@"
    [ $? -eq "$status" ] && grep -qF -- "$text" log && [ ! -e never.svg ]
}
echo '{"a": 1}' >wrong.json
echo '{' >broken.json
for kind in lr-curves coinstallation locale; do
    promise "$kind: another object is an error" refuses 1 "wrong.json: this is no" $kind wrong.json -o never.svg
    promise "$kind: what is no JSON is an error" refuses 1 "broken.json: line" $kind broken.json -o never.svg
done
echo '[[0, [1, 1e200]]]' >wrong.json
promise "numbers that no axis holds are an error" refuses 1 "wrong.json: this is no" lr-curves wrong.json -o never.svg
echo '{"de": [["a", -1]]}' >wrong.json
promise "weights below 0 are an error" refuses 1 "wrong.json: this is no" locale wrong.json -o never.svg
promise "no input is wrong use" refuses 2 "INPUT" locale -o never.svg
promise "no output is wrong use" refuses 2 "output" locale wrong.json
promise "a file that is not there is an error" refuses 1 "nowhere" locale ./nowhere/x.json -o never.svg
done_promising
