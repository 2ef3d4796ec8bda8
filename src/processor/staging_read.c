/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The ways into staging. Workers decode side by side; what they have decoded is taken in in the
 * order of the input, so that the same input gives the same output, whatever the number of workers.
 */
#include "base/log.h"
#include "processor/inputs.h"
#include "processor/staging_internal.h"

#include <stdio.h>

enum { TARGET_BYTES = 256 << 10 };

struct run {
    struct staging_intake *in;
    struct lines lines;
};

struct worker {
    struct run *run;
    struct decoder *decoder;
};

/* Decode lines until the decoder is full. @return 1: the chunk has more, 0, or E_*. */
static int decode_some(struct worker *w, struct ndjson_chunk *chunk, struct err *err)
{
    struct span line;
    if (chunk->too_long)
        decoder_too_long(w->decoder, chunk->first_line);
    while (ndjson_line(chunk, &line)) {
        if (line_is_blank(line))
            continue;
        const int r = decoder_line(w->decoder, line, chunk->line, err);
        if (r < 0)
            return r;
        if (decoder_is_full(w->decoder))
            return 1;
    }
    return 0;
}

static int take_chunk(void *arg, struct ndjson_chunk *chunk, struct err *err)
{
    struct worker *w = arg;
    struct lines *lines = &w->run->lines;
    int more = 1;
    for (bool entered = false; more == 1; entered = true) {
        more = decode_some(w, chunk, err);
        if (more < 0)
            return more;
        int r = entered ? 0 : lines_enter(lines, TURN_COMMIT, chunk);
        if (r == 0)
            r = decoder_commit(w->decoder, err);
        if (r != 0)
            return r;
    }
    lines_leave(lines, TURN_COMMIT, chunk);
    return 0;
}

static int run_worker(unsigned index, void *arg, struct err *err)
{
    (void)index;
    struct run *run = arg;
    CLEANUP(decoder_freep) struct decoder *decoder = NULL;
    const int r = decoder_new(&decoder, run->in, err);
    if (r < 0) {
        lines_abort(&run->lines);
        return r;
    }
    struct worker w = {.run = run, .decoder = decoder};
    return lines_work(&run->lines, take_chunk, &w, err);
}

int staging_read_lines(struct staging_intake *in, struct source source, struct err *err)
{
    const struct staging_options *o = in->options;
    struct run run = {.in = in};
    int r = lines_init(&run.lines, source,
                       &(struct lines_options){.max_line = STAGING_MAX_LINE,
                                               .target_bytes = TARGET_BYTES,
                                               .progress = &in->progress},
                       err);
    if (r < 0)
        return r;
    r = pool_run(o->n_workers > 0 ? o->n_workers : 1, run_worker, &run, err);
    lines_deinit(&run.lines);
    return r;
}

/* "<hour>/<namespace>/<type>/<version>/<name>" */
static bool has_four_levels(const char *rest)
{
    unsigned n = 0;
    for (; *rest; rest++)
        n += *rest == '/';
    return n == 4;
}

static void log_dropped(const struct staging_intake *in, const struct inputs_stream *stream)
{
    for (int reason = 0; reason < STAGING_REASONS; reason++) {
        uint64_t there;
        if (in->first_dropped[reason] == 0 || reason == STAGING_DUPLICATE)
            continue; // pings are sent again every day; their number is in the result
        const char *key = inputs_locate(stream, in->first_dropped[reason], &there);
        log_event(LOG_LEVEL_WARNING,
                  reason == STAGING_BAD_ELEMENT ? "elements dropped" : "pings dropped",
                  LOG_S("reason", staging_reason_name((enum staging_reason)reason)),
                  LOG_U("n", in->result->dropped[reason]), LOG_S("first_file", key),
                  LOG_U("first_line", there));
    }
}

int staging_read_place(struct staging_intake *in, const struct place *place,
                       enum staging_source source, struct err *err)
{
    CLEANUP(inputs_deinit) struct inputs inputs = {0};
    CLEANUP(inputs_closep) struct inputs_stream *stream = NULL;
    char day[16] = "";
    int r;
    if (source == STAGING_GCS) {
        snprintf(day, sizeof day, "%.10s/", in->options->date);
        r = inputs_list(&inputs, place, day, has_four_levels, err);
    } else {
        r = inputs_find(&inputs, place, err);
    }
    if (r == E_ABSENT) // an empty export is an empty day
        return 0;
    if (r == 0)
        r = inputs_open(&stream, &inputs, err);
    if (r < 0)
        return r;
    in->result->n_objects = inputs.n;
    if (inputs.n == 0)
        log_warning("no pings of %s in %s below \"%s\": this date becomes empty", in->options->date,
                    store_name(place->store), place->dir);
    progress_start(&in->progress, "staging: pings", inputs.bytes, in->options->progress);
    r = staging_read_lines(in, inputs_source(stream), err);
    progress_end(&in->progress);
    if (r == 0)
        log_dropped(in, stream);
    return r;
}

int staging_read(struct staging_intake *in, struct err *err)
{
    const struct staging_options *o = in->options;
    return o->source == STAGING_BIGQUERY ? staging_read_table(in, err)
                                         : staging_read_place(in, &o->input, o->source, err);
}
