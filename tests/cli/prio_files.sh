#!/bin/sh
# SPDX-License-Identifier: MPL-2.0
#
# prio_files.sh BUILD ROOT - where prio reads and writes: names, directories, gzip, streams.
set -u
program=$1/prio
. "$2/tests/cli/commands.sh"
new_servers 5
make_rows 6 >rows.ndjson
encode rows.ndjson
pipeline rows.ndjson >said || exit 1

right_totals() {
    [ "$(totals A rows.ndjson)" = "6, 3, 2, 0, 6" ] &&
        [ "$(totals B rows.ndjson)" = "6, 3, 2, 0, 6" ]
}
promise "both servers publish the true totals" right_totals

printed() {
    cat >want <<END
Running verify1
0 errors out of 6 total
Running verify1
0 errors out of 6 total
Running verify2
0 errors out of 6 total
Running verify2
0 errors out of 6 total
Running aggregate
0 errors out of 6 total
Running aggregate
0 errors out of 6 total
Running publish
Running publish
END
    cmp said want
}
promise "standard output is the original's" printed

one_object() {
    for f in aggregate publish; do
        [ "$(wc -l <"A/$f/rows.ndjson")" -eq 0 ] || return 1
    done
    grep -qx '{"payload": "[A-Za-z0-9+/=]*", "error": 0, "total": 6}' A/aggregate/rows.ndjson
}
promise "aggregate and publish write one object without a newline" one_object

silent() {
    as client
    prio encode-shares --input rows.ndjson --output-A deep/er/A --output-B deep/er/B >said 2>&1 &&
        [ ! -s said ] && [ "$(wc -l <deep/er/B/rows.ndjson)" -eq 6 ]
}
promise "encode-shares creates its directories and prints nothing" silent

same_ids() {
    sed 's/", .*//' A/raw/rows.ndjson >ids.A
    sed 's/", .*//' B/raw/rows.ndjson >ids.B
    cmp ids.A ids.B && [ "$(sort -u ids.A | wc -l)" -eq 6 ] &&
        [ "$(grep -cx '{"id": "[0-9a-f]\{8\}-[0-9a-f]\{4\}-4[0-9a-f]\{3\}-[89ab][0-9a-f]\{3\}-[0-9a-f]\{12\}' ids.A)" -eq 6 ]
}
promise "both share files have the same UUIDs in the same order" same_ids

from_gzip() {
    gzip -c A/raw/rows.ndjson >packed.ndjson.gz
    cp packed.ndjson.gz plain-name
    as A
    prio verify1 --input packed.ndjson.gz --output gz >said &&
        cmp gz/packed.ndjson A/verify1/rows.ndjson &&
        prio verify1 --input plain-name --output gz >said &&
        cmp gz/plain-name A/verify1/rows.ndjson || return 1
    gzip -c A/verify1/rows.ndjson >own.gz
    gzip -c B/verify1/rows.ndjson >peer
    prio verify2 --input packed.ndjson.gz --input-internal own.gz --input-external peer \
        --output gz >said && cmp gz/own A/verify2/rows.ndjson || return 1
    gzip -c A/aggregate/rows.ndjson >sum.gz
    prio publish --input-internal sum.gz --input-external B/aggregate/rows.ndjson \
        --output gz >said && grep -q '\[6, 3, 2, 0, 6\]' gz/sum
}
promise "every input may be packed, and .gz is dropped from the name" from_gzip

cut_gzip() {
    head -c 300 packed.ndjson.gz >cut.gz
    as A
    refuses 1 "cut.gz" prio verify1 --input cut.gz --output cutdir && [ ! -e cutdir/cut ]
}
promise "a damaged gzip file is an error and leaves no output" cut_gzip

through_streams() {
    as A
    prio verify1 --input - --output std <A/raw/rows.ndjson >said &&
        cmp std/data.ndjson A/verify1/rows.ndjson &&
        prio verify1 --input - --output - <A/raw/rows.ndjson >out 2>counts &&
        cmp out A/verify1/rows.ndjson && grep -qx "0 errors out of 6 total" counts &&
        grep -qx "Running verify1" counts &&
        gzip -c A/raw/rows.ndjson | prio verify1 --input - --output - 2>counts >out &&
        cmp out A/verify1/rows.ndjson
}
promise "- is standard input and standard output, with the counts on standard error" through_streams

later_streams() {
    as A
    prio verify2 --input A/raw/rows.ndjson --input-internal - \
        --input-external B/verify1/rows.ndjson --output std2 <A/verify1/rows.ndjson >said &&
        cmp std2/data.ndjson A/verify2/rows.ndjson &&
        prio aggregate --input - --input-internal A/verify2/rows.ndjson \
            --input-external B/verify2/rows.ndjson --output - <A/raw/rows.ndjson 2>said >out &&
        cmp out A/aggregate/rows.ndjson &&
        prio publish --input-internal A/aggregate/rows.ndjson --input-external - \
            --output - <B/aggregate/rows.ndjson 2>said | grep -q '\[6, 3, 2, 0, 6\]'
}
promise "the other commands do the same" later_streams

encode_stream() {
    as client
    prio encode-shares --input - --output-A - --output-B enc <rows.ndjson >out &&
        [ "$(wc -l <out)" -eq 6 ] && [ "$(wc -l <enc/data.ndjson)" -eq 6 ]
}
promise "one of the two share files may go to standard output" encode_stream

own_input() {
    as A
    cp A/raw/rows.ndjson before
    refuses 2 "overwrite" prio verify1 --input A/raw/rows.ndjson --output A/raw &&
        cmp A/raw/rows.ndjson before || return 1
    ln -s raw A/link
    refuses 2 "overwrite" prio verify1 --input A/raw/rows.ndjson --output A/link &&
        refuses 2 "overwrite" prio verify2 --input A/raw/rows.ndjson \
            --input-internal A/verify1/rows.ndjson --input-external B/verify1/rows.ndjson \
            --output A/verify1 &&
        cmp A/raw/rows.ndjson before
}
promise "an input is never overwritten" own_input

same_output() {
    as A
    refuses 2 "same file" prio verify1 --input A/raw/rows.ndjson --output twice \
        --rejects twice/rows.ndjson && nothing_in twice &&
        refuses 2 "overwrite" prio verify1 --input A/raw/rows.ndjson --output twice \
            --rejects A/raw/rows.ndjson && cmp A/raw/rows.ndjson before || return 1
    as client
    refuses 2 "same file" prio encode-shares --input rows.ndjson --output-A twice \
        --output-B ./twice && nothing_in twice
}
promise "two outputs are never the same file" same_output

leftover() {
    as A
    mkdir -p left
    echo rubbish >left/.rows.ndjson.tmp
    echo old >left/rows.ndjson
    prio verify1 --input A/raw/rows.ndjson --output left >said &&
        cmp left/rows.ndjson A/verify1/rows.ndjson && [ ! -e left/.rows.ndjson.tmp ]
}
promise "the leftovers of a killed run do not matter" leftover

full_disk() {
    as A
    refuses 1 "standard output" sh -c "'$program' verify1 --input A/raw/rows.ndjson --output - >/dev/full"
}
promise "a full disk is an error" full_disk

broken_pipe() {
    make_rows 2000 >many # whose verify1 records fill more than a pipe
    encode many
    as A
    { prio verify1 --input A/raw/many --output - 2>errors; echo $? >status; } | head -c 10 >said
    cat errors status
    [ "$(cat status)" -eq 1 ] && grep -q "standard output" errors
}
promise "a reader that leaves does not kill with a signal" broken_pipe

special_rejects() {
    as A
    echo broken >bad
    prio verify1 --input bad --output sp --rejects /dev/null >said && [ -c /dev/null ] &&
        prio verify1 --input bad --output sp --rejects sp/rejects >said &&
        [ "$(cat sp/rejects)" = '{"line": 1, "reason": "bad-json"}' ] &&
        refuses 2 "--rejects" prio verify1 --input bad --output sp2 --rejects -
}
promise "rejects go to a file, and a device stays a device" special_rejects

empty_file() {
    mkdir -p A/raw B/raw
    : >A/raw/empty
    : >B/raw/empty
    pipeline empty >said && [ -f A/verify1/empty ] && [ ! -s A/verify1/empty ] &&
        grep -q '"error": 0, "total": 0}' A/aggregate/empty &&
        [ "$(totals A empty)" = "0, 0, 0, 0, 0" ]
}
promise "an empty batch goes through to zeros" empty_file
done_promising
