/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/share_rows.h"

#include "codec/base64.h"
#include "codec/uuid.h"
#include "processor/ordered.h"
#include "stage/stage.h"

#include <stdlib.h>

enum { ROWS_AT_ONCE = 8, LINE_EXTRAS = 128, MAX_LINES = 256 << 20 };

__extension__ typedef unsigned __int128 wide;

struct worker {
    const struct share_rows *rows;
    struct base64_ops base64;
    struct prio_encoder *encoder, *last_encoder;
    uint8_t *bits;
    struct buf lines[N_SERVERS];   // of a piece
    struct buf lengths[N_SERVERS]; // size_t, of each line
};

int fill_pattern(uint8_t *bits, size_t n, struct err *err)
{
    (void)err;
    for (size_t i = 0; i < n; i++)
        bits[i] = i % 3 == 0 || i % 5 == 0;
    return 0;
}

int fill_random(uint8_t *bits, size_t n, struct err *err)
{
    const int r = random_bytes(bits, n, err);
    for (size_t i = 0; i < n; i++)
        bits[i] &= 1;
    return r;
}

static void stop(void *arg, void *unused)
{
    struct worker *w = arg;
    (void)unused;
    prio_encoder_free(w->encoder);
    prio_encoder_free(w->last_encoder);
    free(w->bits);
    for (int i = 0; i < N_SERVERS; i++) {
        buf_deinit(&w->lines[i]);
        buf_deinit(&w->lengths[i]);
    }
    free(w);
}

static int start_encoders(struct worker *w, struct err *err)
{
    const struct share_rows *rows = w->rows;
    const size_t n = prio_batch_n_data(rows->batch->batch);
    const size_t n_last = rows->last ? prio_batch_n_data(rows->last->batch) : 0;
    w->bits = malloc(n + n_last + 1);
    if (!w->bits)
        return err_set(err, E_NOMEM, 0, "no memory for a row");
    int status = prio_encoder_new(&w->encoder, rows->batch->client);
    if (status == PRIO_OK && rows->last)
        status = prio_encoder_new(&w->last_encoder, rows->last->client);
    return status == PRIO_OK ? 0 : stage_prio_err(err, status, "starting a worker");
}

static int start(void **out, void *arg, struct err *err)
{
    const struct share_rows *rows = arg;
    struct worker *w = calloc(1, sizeof *w);
    if (!w)
        return err_set(err, E_NOMEM, 0, "no memory for a worker");
    w->rows = rows;
    base64_ops_init(&w->base64, rows->options->cpu);
    for (int i = 0; i < N_SERVERS; i++)
        w->lines[i] = w->lengths[i] = BUF_INIT(MAX_LINES);
    const int r = start_encoders(w, err);
    if (r < 0) {
        stop(w, NULL);
        return r;
    }
    *out = w;
    return 0;
}

static int add_line(struct worker *w, int role, const char *uuid, struct span share,
                    struct err *err)
{
    struct buf *lines = &w->lines[role];
    const size_t before = lines->len;
    int r = buf_printf(lines, err, "{\"id\":\"%s\",\"payload\":\"", uuid);
    if (r == 0)
        r = buf_reserve(lines, base64_encoded_len(share.len) + BASE64_SLACK, err);
    if (r < 0)
        return r;
    lines->len += w->base64.encode(lines->data + lines->len, share.ptr, share.len);
    r = buf_append_str(lines, "\"}\n", err);
    const size_t len = lines->len - before;
    return r < 0 ? r : buf_append(&w->lengths[role], &len, sizeof len, err);
}

/* The copies of one row. */
static int add_row(struct worker *w, uint64_t row, const struct prio_shares *shares,
                   struct err *err)
{
    const struct share_rows *rows = w->rows;
    const uint64_t n = rows->n_rows * rows->scale;
    int r = 0;
    for (unsigned copy = 0; copy < rows->scale && r == 0; copy++) {
        char uuid[UUID_TEXT_BYTES];
        r = random_uuid_in_order(uuid, row * rows->scale + copy, n, err);
        if (r == 0)
            r = add_line(w, PRIO_SERVER_A, uuid, span_of(shares->a, shares->a_len), err);
        if (r == 0)
            r = add_line(w, PRIO_SERVER_B, uuid, span_of(shares->b, shares->b_len), err);
    }
    return r;
}

static int make_row(struct worker *w, uint64_t row, struct err *err)
{
    const struct share_rows *rows = w->rows;
    const bool is_last = rows->last && row + 1 == rows->n_rows;
    const struct share_batch *batch = is_last ? rows->last : rows->batch;
    struct prio_shares shares;
    const int r = rows->fill(w->bits, prio_batch_n_data(batch->batch), err);
    if (r < 0)
        return r;
    const int status = prio_encode_bits(is_last ? w->last_encoder : w->encoder, &shares, w->bits);
    return status == PRIO_OK ? add_row(w, row, &shares, err)
                             : stage_prio_err(err, status, "encoding a row");
}

static int make(void *arg, uint64_t piece, struct err *err)
{
    struct worker *w = arg;
    const uint64_t first = piece * ROWS_AT_ONCE, left = w->rows->n_rows - first;
    int r = 0;
    for (int i = 0; i < N_SERVERS; i++) {
        buf_clear(&w->lines[i]);
        buf_clear(&w->lengths[i]);
    }
    for (uint64_t row = first; row < first + (left < ROWS_AT_ONCE ? left : ROWS_AT_ONCE); row++) {
        r = make_row(w, row, err);
        if (r < 0)
            break;
    }
    return r;
}

static int take_side(struct worker *w, int role, uint64_t line, struct err *err)
{
    const struct share_rows *rows = w->rows;
    const struct buf *lengths = &w->lengths[role];
    struct part_out *out = &rows->out[role];
    const uint8_t *p = w->lines[role].data;
    int r = 0;
    for (size_t at = 0; at < lengths->len && r == 0; at += sizeof(size_t), line++) {
        size_t len;
        memcpy(&len, lengths->data + at, sizeof len);
        const unsigned range = (unsigned)((wide)line * rows->n_partitions / rows->n_lines);
        r = part_out_turn(out, range, rows->batch_id, err);
        if (r == 0)
            r = part_out_write(out, p, len, err);
        p += len;
    }
    return r;
}

static int take(void *arg, uint64_t piece, struct err *err)
{
    struct worker *w = arg;
    const uint64_t line = w->rows->first_line + piece * ROWS_AT_ONCE * w->rows->scale;
    int r = 0;
    for (int i = 0; i < N_SERVERS && r == 0; i++)
        r = take_side(w, i, line, err);
    progress_add(w->rows->progress, w->lengths[0].len / sizeof(size_t), w->lines[0].len);
    return r;
}

int share_rows_run(const struct share_rows *rows, struct err *err)
{
    const struct ordered job = {.n_pieces = (rows->n_rows + ROWS_AT_ONCE - 1) / ROWS_AT_ONCE,
                                .n_workers = rows->options->n_workers,
                                .start = start,
                                .stop = stop,
                                .make = make,
                                .take = take,
                                .arg = (void *)(uintptr_t)rows};
    return ordered_run(&job, err);
}

int share_base64_len(size_t *len, const struct share_batch *batch, struct err *err)
{
    const size_t n = prio_batch_n_data(batch->batch);
    struct prio_encoder *encoder = NULL;
    struct prio_shares shares;
    uint8_t *bits = calloc(n, 1);
    int status = bits ? prio_encoder_new(&encoder, batch->client) : PRIO_E_NOMEM;
    if (status == PRIO_OK)
        status = prio_encode_bits(encoder, &shares, bits);
    if (status == PRIO_OK)
        *len = base64_encoded_len(shares.a_len);
    prio_encoder_free(encoder);
    free(bits);
    return status == PRIO_OK ? 0 : stage_prio_err(err, status, "encoding a row");
}
