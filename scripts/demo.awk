# SPDX-License-Identifier: MPL-2.0
#
# demo.awk - the tables and charts of the demo. what: clients, times, rejects or sums. Runs under
# mawk, whose strings are bytes: characters beyond ASCII are only ever put side by side, and widths
# are counted by hand.

function comma(n,    text, out) {
    text = sprintf("%d", n)
    while (length(text) > 3) {
        out = "," substr(text, length(text) - 2) out
        text = substr(text, 1, length(text) - 3)
    }
    return text out
}

function bytes(n) {
    return n >= 1e8 ? sprintf("%.0f MB", n / 1e6) : n >= 1e6 ? sprintf("%.1f MB", n / 1e6) : sprintf("%.0f kB", n / 1e3)
}

function seconds_and_rate(us, n) {
    return sprintf("%6.2f s %9s/s", us / 1e6, comma(n / (us / 1e6)))
}

function repeat(text, n,    out) {
    while (n-- > 0)
        out = out text
    return out
}

# The name of the batch that a file is about.
function batch_of_file(    parts, n) {
    n = split(FILENAME, parts, "/")
    sub(/\..*/, "", parts[n])
    return parts[n]
}

BEGIN {
    n_names = split(names, name, " ")
    n_blocks = utf8 ? split("▏ ▎ ▍ ▌ ▋ ▊ ▉ █", across, " ") : split("#", across, " ")
    utf8 ? split("▁ ▂ ▃ ▄ ▅ ▆ ▇ █", upward, " ") : split(". : #", upward, " ")
    n_upward = utf8 ? 8 : 3
    n_shades = utf8 ? split("░ ▒ ▓ █", shade, " ") : split(". : * #", shade, " ")
    nothing = utf8 ? "·" : "."
}

$1 == "honest" { honest[batch_of_file()] = $2 }
$1 == "cheat" {
    batch = batch_of_file()
    n_cheats[batch] += $3
    cheats[batch] = cheats[batch] (cheats[batch] == "" ? "" : ", ") $3 " " $2
}
$1 == "encode" { encode_us[$2] = $3 }
$1 == "lines" { lines[batch_of_file(), $2] = n_lines[$2] = $3 }
$1 == "error" { errors[$2, $3] = $4 }
$1 == "reject" { rejected[$2, $3, $4] = $5; reasons[$4] = 1 }
$1 == "totals" {
    sub(/^totals \[/, "")
    sub(/\].*/, "")
    n_data = split($0, total, ", *")
}
/^(verify1|verify2|aggregate|publish) / { stage_us[$1, $2, $3] = $4 }

# "  cheaters of river: 40 bit2, 40 proof, .." broken at the width of the terminal.
function cheaters(batch,    words, n, i, line, word) {
    n = split(cheats[batch], words, ", ")
    line = "  Cheaters in " batch ":"
    for (i = 1; i <= n; i++) {
        word = " " words[i] (i < n ? "," : ".")
        if (length(line word) > columns - 2) {
            print dim line plain
            line = "   "
        }
        line = line word
    }
    print dim line plain
}

# sizes lists A's files by name, then B's; so do shell patterns.
function clients_table(    i, b, at, order, n, j, size) {
    n = split(sizes, size, " ")
    printf "  %s%-8s %7s %9s %9s %9s %9s %18s%s\n", dim, "batch", "bits", "honest", "cheaters", "for A", "for B", "encoding", plain
    for (i = 1; i <= n_names; i++) {
        b = name[i]
        at = 1
        for (j = 1; j <= n_names; j++)
            at += name[j] < b
        printf "  %-8s %7s %9s %9s %9s %9s %s\n", b, comma(bits[b]), comma(honest[b]), comma(n_cheats[b]), \
            bytes(size[at]), bytes(size[at + n_names]), seconds_and_rate(encode_us[b], honest[b])
    }
    for (i = 1; i <= n_names; i++)
        cheaters(name[i])
}
# The truth's totals tell the bits.
what == "clients" && FILENAME ~ /truth/ && n_data > 0 { bits[batch_of_file()] = n_data; n_data = 0 }

function times_table(    i, b, s, stage, us_a, us_b) {
    split("verify1 verify2 aggregate publish", stage, " ")
    printf "  %s%-8s %11s  %-10s %20s %20s%s\n", dim, "batch", "submissions", "stage", "A", "B", plain
    for (i = 1; i <= n_names; i++)
        for (s = 1; s <= 4; s++) {
            b = name[i]
            us_a = stage_us[stage[s], b, "A"]
            us_b = stage_us[stage[s], b, "B"]
            printf "  %-8s %11s  %-10s", s == 1 ? b : "", s == 1 ? comma(lines[b, "A"]) : "", stage[s]
            if (s < 4)
                printf " %s %s\n", seconds_and_rate(us_a, lines[b, "A"]), seconds_and_rate(us_b, lines[b, "B"])
            else
                printf " %6.2f s %18.2f s\n", us_a / 1e6, us_b / 1e6
        }
}

function cell(n) {
    # "·" is two bytes and one column.
    return n > 0 ? sprintf("%8s", comma(n)) : "       " dim nothing plain
}

function count(reason, stage, server) {
    if (reason == "all")
        return errors[stage, server]
    if (reason == "accepted")
        return n_lines[server] - errors[stage, server]
    return rejected[stage, server, reason]
}

function rejects_row(reason,    s, v, row) {
    row = sprintf("  %-18s", reason)
    for (s = 1; s <= 3; s++)
        for (v = 1; v <= 2; v++)
            row = row (v == 1 ? "  " : "") cell(count(reason, stage_name[s], server_name[v]))
    print row
}

function rejects_table(    order, n, i) {
    split("verify1 verify2 aggregate", stage_name, " ")
    split("A B", server_name, " ")
    n = split("bad-json no-id bad-base64 too-long decrypt parse duplicate-id replay missing-internal missing-external bad-packet invalid", order, " ")
    printf "  %s%-18s%18s%18s%18s%s\n", dim, "", "verify1", "verify2", "aggregate", plain
    printf "  %s%-18s  %8s%8s  %8s%8s  %8s%8s%s\n", dim, "", "A", "B", "A", "B", "A", "B", plain
    for (i = 1; i <= n; i++)
        if (order[i] in reasons)
            rejects_row(order[i])
    rejects_row("all")
    rejects_row("accepted")
}

# A bar of at most width columns, in eighths of a column where the terminal has them. Totals of a
# server that lies may be larger than the number of clients.
function bar(part, width,    eighths, out) {
    part = part > 1 ? 1 : part
    eighths = int(part * width * n_blocks + .5)
    out = repeat(across[n_blocks], int(eighths / n_blocks))
    if (eighths % n_blocks)
        out = out across[eighths % n_blocks]
    return out
}

# Positions with the largest totals, in top[1..n].
function find_top(n,    i, k, best, used) {
    for (k = 1; k <= n && k <= n_data; k++) {
        best = 0
        for (i = 1; i <= n_data; i++)
            if (!(i in used) && (best == 0 || total[i] + 0 > total[best] + 0))
                best = i
        used[best] = 1
        top[k] = best
    }
    return k - 1
}

function top_row(k, width) {
    return sprintf("%sbit %4d%s %6s  %s%s%s", dim, top[k] - 1, plain, comma(total[top[k]]), blue, \
        bar(clients > 0 ? total[top[k]] / clients : 0, width), plain)
}

# Mean total of each column of the terminal, as a bar that stands.
function curve_chart(    width, height, c, r, i, from, to, sum, level, line, steps) {
    height = 8
    width = columns - 12
    for (c = 0; c < width; c++) {
        from = int(c * n_data / width) + 1
        to = int((c + 1) * n_data / width)
        sum = 0
        for (i = from; i <= to; i++)
            sum += total[i]
        level[c] = clients > 0 && to >= from ? int(sum / (to - from + 1) / clients * height * n_upward + .5) : 0
    }
    for (r = height - 1; r >= 0; r--) {
        line = ""
        for (c = 0; c < width; c++) {
            steps = level[c] - r * n_upward
            line = line (steps <= 0 ? " " : upward[steps > n_upward ? n_upward : steps])
        }
        sub(/ +$/, "", line)
        printf "  %s%7s%s%s\n", dim, r == height - 1 ? comma(clients) : r == 0 ? "0" : "", plain, \
            line == "" ? "" : " " blue line plain
    }
    printf "  %s%7s bit 0%*s%s\n", dim, "", width - 5, "bit " (n_data - 1), plain
}

function curve_sums(    k, n) {
    curve_chart()
    n = find_top(5)
    for (k = 1; k <= n; k++)
        print "  " (k == 1 ? "top sums" : "        ") "  " top_row(k, columns - 36)
}

# A square of shades, two columns a bit; the top sums stand beside it.
function picture_sums(    side, r, c, i, k, n, most, line, level, beside) {
    side = int(sqrt(n_data))
    for (i = 1; i <= n_data; i++)
        if (total[i] + 0 > most)
            most = total[i] + 0
    n = find_top(side - 3 < 16 ? side - 3 : 16)
    for (r = 0; r < side; r++) {
        line = ""
        for (c = 0; c < side; c++) {
            level = most > 0 ? int(total[r * side + c + 1] / most * n_shades + .45) : 0
            if (level > n_shades)
                level = n_shades
            line = line (level == 0 ? "  " : shade[level] shade[level])
        }
        k = r - 1
        if (r > n + 1)
            sub(/ +$/, "", line)
        beside = r == 0 ? "   top sums" : (k >= 1 && k <= n) ? "   " top_row(k, columns - 2 * side - 26) : ""
        print "  " blue line plain beside
    }
}

END {
    if (what == "clients")
        clients_table()
    else if (what == "times")
        times_table()
    else if (what == "rejects")
        rejects_table()
    else if (what == "sums" && pattern == "curve")
        curve_sums()
    else if (what == "sums")
        picture_sums()
}
