/* SPDX-License-Identifier: MPL-2.0 */
#include "profiles/bigtable_rows.h"

#include "profiles/bigtable.pb-c.h"
#include "profiles/bigtable_messages.h"

void row_reader_init(struct row_reader *r, profiles_fn *fn, void *arg)
{
    *r = (struct row_reader){.key = BUF_INIT(BIGTABLE_MAX_KEY),
                             .last = BUF_INIT(BIGTABLE_MAX_KEY),
                             .value = BUF_INIT(PROFILES_MAX_VALUE),
                             .fn = fn,
                             .arg = arg};
}

void row_reader_deinit(struct row_reader *r)
{
    buf_deinit(&r->key);
    buf_deinit(&r->last);
    buf_deinit(&r->value);
}

static int broken(struct err *err, const char *why)
{
    return err_set(err, E_FORMAT, 0, "Bigtable's answer is broken: %s", why);
}

static struct span span_of_bytes(ProtobufCBinaryData bytes)
{
    return span_of(bytes.data, bytes.len);
}

/* Is key behind the last one, bytewise? */
static bool is_ascending(const struct buf *last, struct span key)
{
    const size_t common = last->len < key.len ? last->len : key.len;
    const int order = common > 0 ? memcmp(last->data, key.ptr, common) : 0;
    return order < 0 || (order == 0 && last->len < key.len);
}

static int replace(struct buf *b, struct span bytes, struct err *err)
{
    buf_clear(b);
    return bytes.len > 0 ? buf_append(b, bytes.ptr, bytes.len, err) : 0;
}

static int open_row(struct row_reader *r, const Bigtable__CellChunk *chunk, struct err *err)
{
    const struct span key = span_of_bytes(chunk->row_key);
    if (key.len == 0 || key.len > BIGTABLE_MAX_KEY)
        return broken(err, "a row's first chunk has no key, or one that is too long");
    if (!is_ascending(&r->last, key))
        return broken(err, "rows are out of order");
    if (!chunk->family_name || !chunk->qualifier)
        return broken(err, "a row's first chunk names no column");
    r->has_value = r->our_family = r->our_column = false;
    buf_clear(&r->value);
    return replace(&r->key, key, err);
}

static int open_cell(struct row_reader *r, const Bigtable__CellChunk *chunk, struct err *err)
{
    const struct span key = span_of_bytes(chunk->row_key);
    if (key.len > 0 && !span_equal(key, buf_span(&r->key)))
        return broken(err, "a row begins within another");
    if (chunk->family_name && !chunk->qualifier)
        return broken(err, "a family without a column");
    if (chunk->family_name)
        r->our_family = strcmp(chunk->family_name->value, PROFILES_FAMILY) == 0;
    if (chunk->qualifier)
        r->our_column =
            span_equal(span_of_bytes(chunk->qualifier->value), span_str(PROFILES_QUALIFIER));
    // Newer cells of a column come first.
    r->keeps_cell = r->our_family && r->our_column && !r->has_value;
    if (r->keeps_cell) {
        r->has_value = true;
        r->timestamp_us = chunk->timestamp_micros;
    }
    r->cell_len = r->cell_total = 0;
    return 0;
}

static int check_continued(const Bigtable__CellChunk *chunk, struct err *err)
{
    const bool names = chunk->row_key.len > 0 || chunk->family_name || chunk->qualifier ||
                       chunk->timestamp_micros != 0;
    return names ? broken(err, "a cell begins within another") : 0;
}

static int add_value(struct row_reader *r, const Bigtable__CellChunk *chunk, struct err *err)
{
    const size_t len = chunk->value.len;
    if (chunk->value_size < 0 || len > PROFILES_MAX_VALUE || r->cell_len + len > PROFILES_MAX_VALUE)
        return broken(err, "a cell is too long");
    r->cell_len += len;
    if (chunk->value_size > 0) {
        r->cell_total = (size_t)chunk->value_size;
        r->state = IN_CELL;
    } else {
        r->state = IN_ROW;
    }
    if (r->cell_total > 0 &&
        (r->state == IN_CELL ? r->cell_len > r->cell_total : r->cell_len != r->cell_total))
        return broken(err, "a cell has another length than was announced");
    return r->keeps_cell && len > 0 ? buf_append(&r->value, chunk->value.data, len, err) : 0;
}

static int reset_row(struct row_reader *r, const Bigtable__CellChunk *chunk, struct err *err)
{
    if (r->state == BETWEEN_ROWS)
        return broken(err, "no row is open that could be taken back");
    if (chunk->row_key.len > 0 || chunk->family_name || chunk->qualifier || chunk->value.len > 0)
        return broken(err, "what takes a row back holds a cell");
    row_reader_restart(r);
    return 0;
}

static int commit_row(struct row_reader *r, struct err *err)
{
    if (r->state != IN_ROW)
        return broken(err, "a row ends within a cell");
    r->state = BETWEEN_ROWS;
    const struct buf committed = r->key;
    r->key = r->last;
    r->last = committed;
    r->n_rows++;
    return r->has_value
               ? r->fn(r->arg, buf_span(&r->last), buf_span(&r->value), r->timestamp_us, err)
               : 0;
}

static int take_chunk(struct row_reader *r, const Bigtable__CellChunk *chunk, struct err *err)
{
    if (chunk->row_status_case == BIGTABLE__CELL_CHUNK__ROW_STATUS_RESET_ROW && chunk->reset_row)
        return reset_row(r, chunk, err);
    int result = 0;
    if (r->state == BETWEEN_ROWS)
        result = open_row(r, chunk, err);
    if (result == 0)
        result = r->state == IN_CELL ? check_continued(chunk, err) : open_cell(r, chunk, err);
    if (result == 0)
        result = add_value(r, chunk, err);
    if (result == 0 && chunk->row_status_case == BIGTABLE__CELL_CHUNK__ROW_STATUS_COMMIT_ROW &&
        chunk->commit_row)
        result = commit_row(r, err);
    return result;
}

/* The server read that far and found nothing. */
static int pass_over(struct row_reader *r, struct span key, struct err *err)
{
    if (key.len == 0)
        return 0;
    if (r->state != BETWEEN_ROWS || key.len > BIGTABLE_MAX_KEY)
        return broken(err, "a row is passed over within another");
    return is_ascending(&r->last, key) ? replace(&r->last, key, err) : 0;
}

int row_reader_take(struct row_reader *r, struct span message, struct err *err)
{
    Bigtable__ReadRowsResponse *response =
        bigtable__read_rows_response__unpack(NULL, message.len, message.ptr);
    if (!response)
        return broken(err, "no message of rows");
    int result = 0;
    for (size_t i = 0; i < response->n_chunks && result == 0; i++)
        result = take_chunk(r, response->chunks[i], err);
    if (result == 0)
        result = pass_over(r, span_of_bytes(response->last_scanned_row_key), err);
    bigtable__read_rows_response__free_unpacked(response, NULL);
    return result;
}

int row_reader_end(const struct row_reader *r, struct err *err)
{
    return r->state == BETWEEN_ROWS ? 0 : broken(err, "it ends within a row");
}

void row_reader_restart(struct row_reader *r)
{
    r->state = BETWEEN_ROWS;
}
