/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/publish_dirs.h"

#include "base/utc.h"
#include "codec/uuid.h"
#include "processor/share_batch.h"
#include "stage/lines.h"
#include "stage/totals.h"

#include <stdlib.h>

static void free_totals(uint64_t **totals)
{
    free(*totals);
}

static size_t count_lines(struct span text)
{
    size_t n = 0;
    while (text.len > 0) {
        const uint8_t *end = memchr(text.ptr, '\n', text.len);
        const size_t len = end ? (size_t)(end - text.ptr) : text.len;
        n += !line_is_blank(span_of(text.ptr, len));
        text = span_of(text.ptr + len + (end != NULL), text.len - len - (end != NULL));
    }
    return n;
}

static int read_aggregate(struct aggregate *out, const struct inputs *in, const char *option,
                          const struct stage_dirs_options *o, struct err *err)
{
    CLEANUP(buf_deinit) struct buf text = BUF_INIT_SECRET(aggregate_max_bytes(o->n_data) + 4096);
    CLEANUP(inputs_closep) struct inputs_stream *stream = NULL;
    int r = inputs_open(&stream, in, err);
    if (r == 0)
        r = source_read_all(inputs_source(stream), &text, err);
    if (r < 0)
        return err_wrap(err, r, "%s", option);
    const size_t n_lines = count_lines(buf_span(&text));
    if (n_lines != 1)
        return err_set(err, E_FORMAT, 0, "%s: %zu aggregates, where there must be one", option,
                       n_lines);
    r = aggregate_parse(out, buf_span(&text), o->cpu, err);
    return r < 0 ? err_wrap(err, r, "%s", option) : 0;
}

static int combine(uint64_t **totals, size_t *n, const struct stage_dirs_options *o,
                   const struct aggregate *own, const struct aggregate *peer, struct err *err)
{
    const struct totals_input in = {
        .own = own, .peer = peer, .own_is_a = o->role == PRIO_SERVER_A, .n_data = o->n_data};
    *n = totals_count(&in);
    *totals = calloc(*n, sizeof **totals);
    if (!*totals)
        return err_set(err, E_NOMEM, 0, "no memory for %zu totals", *n);
    return totals_combine(*totals, &in, err);
}

static int format_line(struct buf *line, const struct stage_dirs_options *o, const uint64_t *totals,
                       size_t n, const struct aggregate *own, struct err *err)
{
    uint8_t random[16];
    char uuid[UUID_TEXT_BYTES], timestamp[UTC_TEXT_BYTES];
    int r = random_bytes(random, sizeof random, err);
    if (r < 0)
        return r;
    uuid4_format(uuid, random);
    utc_format_naive(timestamp, o->now_us);
    r = totals_format_compact(line, uuid, timestamp, totals, n, own, err);
    return r < 0 ? r : buf_append_byte(line, '\n', err);
}

int publish_line(struct buf *line, const struct stage_dirs_options *options,
                 const struct inputs *own, const struct inputs *peer, struct err *err)
{
    CLEANUP(aggregate_deinit) struct aggregate mine;
    CLEANUP(aggregate_deinit) struct aggregate theirs;
    CLEANUP(free_totals) uint64_t *totals = NULL;
    size_t n = 0;
    aggregate_init(&mine);
    aggregate_init(&theirs);
    int r = read_aggregate(&mine, own, "--input-internal", options, err);
    if (r == 0)
        r = read_aggregate(&theirs, peer, "--input-external", options, err);
    if (r == 0)
        r = combine(&totals, &n, options, &mine, &theirs, err);
    return r < 0 ? r : format_line(line, options, totals, n, &mine, err);
}
