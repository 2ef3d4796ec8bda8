/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/encode_shares.h"

#include "codec/ndjson.h"
#include "processor/generate_sides.h"
#include "processor/inputs.h"
#include "processor/share_rows.h"
#include "stage/lines.h"
#include "stage/stage.h"

enum { PARTITION_MB = 250, CHUNK_BYTES = 256 << 10, COUNT_MAX_LINE = 64 << 20 };

__extension__ typedef unsigned __int128 wide;

/* One server's lines, cut into ranges by their number. */
struct cutter {
    struct part_out *out;
    uint64_t line, n_lines;
    unsigned n_partitions;
};

static int cut(void *arg, const void *bytes, size_t len, struct err *err)
{
    struct cutter *c = arg;
    const char *p = bytes, *const end = p + len;
    while (p < end) {
        const char *newline = memchr(p, '\n', (size_t)(end - p)); // lines are whole
        const size_t line_len = (size_t)(newline ? newline + 1 - p : end - p);
        const wide at = c->line < c->n_lines ? c->line : c->n_lines - 1; // input that has grown
        int r = part_out_turn(c->out, (unsigned)(at * c->n_partitions / c->n_lines),
                              (struct span){0}, err);
        if (r == 0)
            r = part_out_write(c->out, p, line_len, err);
        if (r < 0)
            return r;
        c->line++;
        p += line_len;
    }
    return 0;
}

/* Lines that are not blank, as stage_encode counts them. */
static int count_rows(uint64_t *n, const struct inputs *inputs, struct err *err)
{
    CLEANUP(inputs_closep) struct inputs_stream *stream = NULL;
    struct ndjson_reader reader;
    struct ndjson_chunk chunk;
    struct span line;
    int r = inputs_open(&stream, inputs, err);
    if (r < 0)
        return r;
    ndjson_reader_init(&reader, inputs_source(stream), COUNT_MAX_LINE);
    ndjson_chunk_init(&chunk, COUNT_MAX_LINE);
    reader.carry.secret = chunk.bytes.secret = true;
    while ((r = ndjson_fill(&reader, &chunk, CHUNK_BYTES, err)) == 1) {
        *n += chunk.too_long;
        while (ndjson_line(&chunk, &line))
            *n += !line_is_blank(line);
    }
    ndjson_chunk_deinit(&chunk);
    ndjson_reader_deinit(&reader);
    return r;
}

static int encode(const struct encode_shares_options *o, const struct share_batch *batch,
                  const struct inputs *inputs, struct generate_sides *sides,
                  struct encode_shares_result *result, struct err *err)
{
    CLEANUP(inputs_closep) struct inputs_stream *stream = NULL;
    struct cutter cutters[N_SERVERS];
    struct stage_sink sinks[N_SERVERS];
    struct progress progress;
    uint64_t n_rows = 0;
    int r = inputs_open(&stream, inputs, err);
    if (r < 0)
        return r;
    for (int i = 0; i < N_SERVERS; i++) {
        cutters[i] = (struct cutter){.out = &sides->out[i],
                                     .n_lines = result->n_rows > 0 ? result->n_rows : 1,
                                     .n_partitions = (unsigned)result->n_partitions};
        sinks[i] = (struct stage_sink){.write = cut, .arg = &cutters[i]};
    }
    progress_start(&progress, "encode-shares", inputs->bytes, o->shares.progress);
    r = stage_encode(&(struct encode_input){.batch = batch->batch,
                                            .client = batch->client,
                                            .rows = inputs_source(stream),
                                            .name = o->input.dir,
                                            .n_bad = &result->n_bad},
                     &(struct stage_options){.n_workers = o->shares.n_workers,
                                             .cpu = o->shares.cpu,
                                             .compact = true,
                                             .progress = &progress},
                     &sinks[PRIO_SERVER_A], &sinks[PRIO_SERVER_B], &n_rows, err);
    progress_end(&progress);
    result->n_rows = n_rows;
    return r < 0 ? r : generate_sides_close(sides, err);
}

/* Everything that can go wrong before the outputs are touched. */
static int prepare(const struct encode_shares_options *o, struct share_batch *batch,
                   struct inputs *inputs, struct encode_shares_result *result, struct err *err)
{
    size_t len = 0;
    int r = share_batch_init(batch, &o->shares, span_str(o->batch_id), o->n_data, err);
    if (r == 0)
        r = share_base64_len(&len, batch, err);
    if (r == 0)
        r = inputs_find(inputs, &o->input, err);
    for (int i = 0; i < N_SERVERS && r == 0; i++)
        if (inputs_lie_in(inputs, &o->output[i]))
            r = err_set(err, E_ARG, 0, "An output is replaced, and --input lies in it.");
    if (r == 0)
        r = count_rows(&result->n_rows, inputs, err);
    if (r < 0)
        return r;
    result->n_partitions =
        share_partitions(len, result->n_rows, o->partition_mb > 0 ? o->partition_mb : PARTITION_MB);
    return result->n_partitions <= UINT32_MAX ? 0 : err_set(err, E_ARG, 0, "too many partitions");
}

int encode_shares_run(const struct encode_shares_options *options,
                      struct encode_shares_result *result, struct err *err)
{
    CLEANUP(generate_sides_deinit) struct generate_sides sides = {0};
    CLEANUP(share_batch_deinit) struct share_batch batch = {0};
    CLEANUP(inputs_deinit) struct inputs inputs = {0};
    *result = (struct encode_shares_result){0};
    int r = prepare(options, &batch, &inputs, result, err);
    if (r == 0 && options->dry_run)
        return 0;
    for (int i = 0; i < N_SERVERS && r == 0; i++)
        r = place_overwrite(&options->output[i], err);
    if (r == 0)
        r = generate_sides_init(&sides, options->output, LAYOUT_STAGE, err);
    if (r == 0)
        r = encode(options, &batch, &inputs, &sides, result, err);
    for (int i = 0; i < N_SERVERS && r == 0; i++)
        r = place_mark(&options->output[i], "_SUCCESS", err);
    return r;
}
