/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Rows of plain values to pairs of sealed shares.
 *
 * The rows are the clients' secrets: every buffer that holds them is wiped. A bad row ends the run,
 * but only when its turn has come, so that it is the first bad row of the file that is named.
 */
#include "base/secret.h"
#include "codec/base64.h"
#include "codec/uuid.h"
#include "stage/lines.h"
#include "stage/stage.h"

#include <inttypes.h>
#include <openssl/rand.h>
#include <stdlib.h>

enum {
    TARGET_BYTES = 16 << 10,
    MAX_OUTPUT = 512 << 10, // bytes of one server's records a worker holds between two turns
    MIN_LINE_LIMIT = 1 << 20,
    ENTRY_TEXT = 3, // "0, "
    LINE_EXTRAS = 128,
};

struct run {
    const struct encode_input *in;
    const struct stage_options *options;
    const struct stage_sink *out_a, *out_b;
    uint64_t *n_rows;
    size_t n_entries; // of a row
    struct base64_ops base64;
    struct record_ops record_ops;
    struct lines lines;
};

struct worker {
    struct run *run;
    struct prio_encoder *encoder;
    uint64_t *values; // precision > 0, else NULL
    uint8_t *bits;    // precision 0, else NULL
    struct buf scratch, out_a, out_b;
    uint64_t n_rows, n_bad;
    int failed; // E_* of a row; what came before it is still encoded
    struct err failure;
};

static size_t max_line(const struct encode_input *in)
{
    // An integer of b bits is never longer than the b bits that it stands for.
    const size_t most = 4 * (ENTRY_TEXT * prio_batch_n_data(in->batch) + LINE_EXTRAS);
    return most > MIN_LINE_LIMIT ? most : MIN_LINE_LIMIT;
}

static struct span trim(struct span text)
{
    while (text.len > 0 && line_is_blank(span_of(text.ptr, 1)))
        text = span_of(text.ptr + 1, text.len - 1);
    while (text.len > 0 && line_is_blank(span_of(text.ptr + text.len - 1, 1)))
        text.len--;
    return text;
}

static int row_err(const struct run *run, struct err *err, uint64_t number, const char *what)
{
    return err_set(err, E_FORMAT, 0, "%s: line %" PRIu64 ": %s", run->in->name, number, what);
}

/* What is wrong, without telling the values. bad: as bit_array_parse and uint_array_parse say. */
static int bad_row(const struct run *run, struct err *err, uint64_t number, size_t bad)
{
    if (bad == SIZE_MAX)
        return row_err(run, err, number, "the payload is not an array of unsigned integers");
    if (bad >= run->n_entries)
        return err_set(err, E_FORMAT, 0, "%s: line %" PRIu64 ": not exactly %zu entries",
                       run->in->name, number, run->n_entries);
    if (run->in->precision == 0)
        return err_set(err, E_FORMAT, 0, "%s: line %" PRIu64 ": entry %zu is neither 0 nor 1",
                       run->in->name, number, bad + 1);
    return err_set(err, E_FORMAT, 0, "%s: line %" PRIu64 ": entry %zu is not an integer below 2^%u",
                   run->in->name, number, bad + 1, run->in->precision);
}

/* Find the array of a row and read it into bits or values. */
static int read_row(struct worker *w, struct span line, uint64_t number, struct err *err)
{
    const struct run *run = w->run;
    struct span text = trim(line);
    if (text.ptr[0] != '[') {
        struct record record;
        const int r = record_parse(&record, &run->record_ops, line, &w->scratch, err);
        if (r < 0)
            return r;
        if (r == 0)
            return row_err(run, err, number, "neither a JSON object nor an array");
        if (!record.payload_is_array)
            return row_err(run, err, number, "no payload that is an array");
        text = record.payload_raw;
    }
    size_t bad = SIZE_MAX;
    const int ok = w->bits ? bit_array_parse(w->bits, run->n_entries, text, &bad)
                           : uint_array_parse(w->values, run->n_entries,
                                              UINT64_C(1) << run->in->precision, text, &bad);
    return ok == 1 ? 0 : bad_row(run, err, number, bad);
}

static int write_share(const struct run *run, struct buf *out, const char *uuid,
                       const uint8_t *share, size_t len, struct err *err)
{
    int r = buf_printf(out, err,
                       run->options->compact ? "{\"id\":\"%s\",\"payload\":\""
                                             : "{\"id\": \"%s\", \"payload\": \"",
                       uuid);
    if (r == 0)
        r = buf_reserve(out, base64_encoded_len(len) + BASE64_SLACK, err);
    if (r < 0)
        return r;
    out->len += run->base64.encode(out->data + out->len, share, len);
    return buf_append_str(out, "\"}\n", err);
}

static int fresh_uuid(char uuid[UUID_TEXT_BYTES], struct err *err)
{
    uint8_t random[16];
    if (RAND_bytes(random, sizeof random) != 1)
        return err_set(err, E_CRYPTO, 0, "no random numbers from libcrypto");
    uuid4_format(uuid, random);
    return 0;
}

/* A row that cannot be encoded: both servers get its id. */
static int write_bad_row(struct worker *w, struct err *err)
{
    const bool compact = w->run->options->compact;
    char uuid[UUID_TEXT_BYTES];
    int r = fresh_uuid(uuid, err);
    struct buf *const outs[] = {&w->out_a, &w->out_b};
    for (size_t i = 0; i < ARRAY_LEN(outs) && r == 0; i++)
        r = buf_printf(outs[i], err, compact ? "{\"id\":\"%s\"}\n" : "{\"id\": \"%s\"}\n", uuid);
    w->n_bad++;
    return r;
}

static int encode_row(struct worker *w, struct err *err)
{
    struct prio_shares shares;
    char uuid[UUID_TEXT_BYTES];
    int r = w->bits ? prio_encode_bits(w->encoder, &shares, w->bits)
                    : prio_encode_uints(w->encoder, &shares, w->values, w->run->in->precision);
    if (r != PRIO_OK)
        return stage_prio_err(err, r, "encoding a row");
    r = fresh_uuid(uuid, err);
    if (r == 0)
        r = write_share(w->run, &w->out_a, uuid, shares.a, shares.a_len, err);
    return r < 0 ? r : write_share(w->run, &w->out_b, uuid, shares.b, shares.b_len, err);
}

/* Is what failed a row that the run goes on without? */
static bool may_go_on(const struct worker *w, int r)
{
    return r == E_FORMAT && w->run->in->n_bad != NULL;
}

/* One row, good or bad. */
static int take_row(struct worker *w, struct span line, uint64_t number)
{
    const int r = read_row(w, line, number, &w->failure);
    if (r == 0)
        return encode_row(w, &w->failure);
    return may_go_on(w, r) ? write_bad_row(w, &w->failure) : r;
}

/* Encode the next rows. @return 1 when the chunk has more, 0 at its end or after a failure. */
static int encode_some(struct worker *w, struct ndjson_chunk *chunk)
{
    struct span line;
    w->n_rows = w->n_bad = 0;
    buf_clear(&w->out_a);
    buf_clear(&w->out_b);
    if (chunk->too_long) {
        w->failed = row_err(w->run, &w->failure, chunk->first_line, "too long");
        if (may_go_on(w, w->failed))
            w->failed = write_bad_row(w, &w->failure);
        w->n_rows += w->failed == 0;
    }
    while (w->failed == 0 && ndjson_line(chunk, &line)) {
        if (line_is_blank(line))
            continue;
        w->failed = take_row(w, line, chunk->line);
        if (w->failed == 0)
            w->n_rows++;
        if (w->out_a.len >= MAX_OUTPUT)
            return 1;
    }
    return 0;
}

static int commit(struct worker *w, struct err *err)
{
    const struct run *run = w->run;
    if (w->failed < 0) {
        if (err)
            *err = w->failure;
        return w->failed;
    }
    *run->n_rows += w->n_rows;
    if (run->in->n_bad)
        *run->in->n_bad += w->n_bad;
    if (w->out_a.len == 0)
        return 0;
    int r = run->out_a->write(run->out_a->arg, w->out_a.data, w->out_a.len, err);
    if (r == 0)
        r = run->out_b->write(run->out_b->arg, w->out_b.data, w->out_b.len, err);
    return r;
}

static int encode_chunk(void *arg, struct ndjson_chunk *chunk, struct err *err)
{
    struct worker *w = arg;
    struct lines *lines = &w->run->lines;
    int more = 1;
    for (bool entered = false; more; entered = true) {
        more = encode_some(w, chunk);
        int r = entered ? 0 : lines_enter(lines, TURN_COMMIT, chunk);
        if (r == 0)
            r = commit(w, err);
        if (r != 0)
            return r;
    }
    lines_leave(lines, TURN_COMMIT, chunk);
    return 0;
}

static void worker_deinit(struct worker *w)
{
    prio_encoder_free(w->encoder);
    if (w->bits)
        secret_wipe(w->bits, w->run->n_entries);
    if (w->values)
        secret_wipe(w->values, w->run->n_entries * sizeof *w->values);
    free(w->bits);
    free(w->values);
    buf_deinit(&w->scratch);
    buf_deinit(&w->out_a);
    buf_deinit(&w->out_b);
}

static int worker_init(struct worker *w, struct run *run, struct err *err)
{
    const struct prio_batch *batch = run->in->batch;
    *w = (struct worker){.run = run};
    w->scratch = BUF_INIT_SECRET(run->lines.options.max_line + NDJSON_SLACK);
    w->out_a = BUF_INIT(
        MAX_OUTPUT + 2 * (base64_encoded_len(prio_batch_share_max(batch, PRIO_SERVER_A)) + 4096));
    w->out_b = w->out_a;
    if (run->in->precision == 0)
        w->bits = malloc(run->n_entries);
    else
        w->values = malloc(run->n_entries * sizeof *w->values);
    if (!w->bits && !w->values)
        return err_set(err, E_NOMEM, 0, "no memory for a worker");
    const int r = prio_encoder_new(&w->encoder, run->in->client);
    return r == PRIO_OK ? 0 : stage_prio_err(err, r, "starting a worker");
}

static int run_worker(unsigned index, void *arg, struct err *err)
{
    (void)index;
    struct run *run = arg;
    CLEANUP(worker_deinit) struct worker w;
    const int r = worker_init(&w, run, err);
    if (r < 0) {
        lines_abort(&run->lines);
        return r;
    }
    return lines_work(&run->lines, encode_chunk, &w, err);
}

int stage_encode(const struct encode_input *in, const struct stage_options *options,
                 const struct stage_sink *out_a, const struct stage_sink *out_b, uint64_t *n_rows,
                 struct err *err)
{
    const size_t n_data = prio_batch_n_data(in->batch);
    struct run run = {.in = in, .options = options, .out_a = out_a, .out_b = out_b};
    if (in->precision > PRIO_MAX_PRECISION || (in->precision > 0 && n_data % in->precision != 0))
        return err_set(err, E_ARG, 0, "%zu bits are not made of integers of %u bits", n_data,
                       in->precision);
    run.n_rows = n_rows;
    run.n_entries = in->precision > 0 ? n_data / in->precision : n_data;
    base64_ops_init(&run.base64, options->cpu);
    record_ops_init(&run.record_ops, options->cpu);
    int r = lines_init(&run.lines, in->rows,
                       &(struct lines_options){.max_line = max_line(in),
                                               .target_bytes = TARGET_BYTES,
                                               .progress = options->progress,
                                               .secret = true},
                       err);
    if (r < 0)
        return r;
    r = pool_run(options->n_workers > 0 ? options->n_workers : 1, run_worker, &run, err);
    lines_deinit(&run.lines);
    return r;
}
