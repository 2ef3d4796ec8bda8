# SPDX-License-Identifier: MPL-2.0
# shellcheck shell=sh
# shellcheck disable=SC2016,SC2154 # backquotes are Markdown's; $guide is set by who sources it
#
# guide_checks.sh - promises that a guide keeps: sourced by the tests of $guide, after tap.sh, in a scratch
# directory.

# blocks LANGUAGE - what stands between "```LANGUAGE" and "```".
blocks() {
    awk -v from="\`\`\`$1" '$0 == from { inside = 1; next } /^```$/ { inside = 0 } inside' "$guide"
}

# runs LINES - its commands, of which there are more than so many lines.
runs() {
    blocks sh >script && [ "$(wc -l <script)" -gt "$1" ] || return 1
    sh -eu script >said 2>&1 || {
        tail -n 20 said
        return 1
    }
}

says() {
    grep -F "$1" said
}

tables() {
    "$root/scripts/guide-table" "$build" "$guide" | diff "$guide" -
}

# anchor per heading, as the common renderers make them
links() {
    grep '^## \|^### ' "$guide" | sed 's/^#* //' | tr 'A-Z ' 'a-z-' | tr -d "',.?\`" >anchors
    grep -o '](#[^)]*)' "$guide" | sed 's/](#\(.*\))/\1/' | sort -u | grep -vxFf anchors
    [ $? -eq 1 ] && grep -o '](\([a-z0-9-]*\.md\)' "$guide" | sed 's/](//' | sort -u | while read -r file; do
        [ -f "$root/docs/$file" ] || { echo "no docs/$file"; exit 1; }
    done
}

# "..." in the table of messages stands for anything; what is in backquotes there, the sources say.
messages() {
    find "$root/src" -name '*.c' -exec cat {} + | tr -d '\n' | sed 's/" *"//g; s/\\"/"/g' >sources
    sed -n '/^## Messages/,/^## [^M]/s/^| \(`.*`\) *\(([^|]*)\)* *| .*/\1/p' "$guide" | grep -o '`[^`]*`' |
        tr -d '`' | sed 's/ X / %s /; s/ N / %d /; s/ *\.\.\. */\n/g' | grep . | while read -r text; do
        grep -qF -e "$text" sources || { echo "nobody says: $text"; exit 1; }
    done
}
