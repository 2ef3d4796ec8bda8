/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A chunk never holds more than max_line + 2 bytes: a longest line and "\r\n". In such a chunk a
 * line can be too long only if it begins the chunk and fills it, so nobody has to measure lines
 * while filling.
 *
 * Workers want line numbers, so the newlines of a chunk are counted before it is handed out. Where
 * lines are long that is one pass of memchr over the bytes, and the marks it leaves spare
 * ndjson_line the second pass; where lines are short the counting is small beside the parsing.
 */
#include "codec/ndjson.h"

#include <inttypes.h>

static size_t ceiling(size_t max_line)
{
    return max_line + 2;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* @return the offset behind the first (last) newline of [from, b->len), or 0. */
static size_t behind_first_newline(const struct buf *b, size_t from)
{
    const uint8_t *nl = b->len > from ? memchr(b->data + from, '\n', b->len - from) : NULL;
    return nl ? (size_t)(nl - b->data) + 1 : 0;
}

static size_t behind_last_newline(const struct buf *b, size_t from)
{
    const uint8_t *nl = b->len > from ? memrchr(b->data + from, '\n', b->len - from) : NULL;
    return nl ? (size_t)(nl - b->data) + 1 : 0;
}

/* Read until b holds want bytes or the source ends. */
static int read_up_to(struct ndjson_reader *in, struct buf *b, size_t want, struct err *err)
{
    while (!in->eof && b->len < want) {
        int r = buf_reserve(b, want - b->len + NDJSON_SLACK, err);
        if (r < 0)
            return r;
        const ssize_t n = in->src.read(in->src.arg, b->data + b->len, want - b->len, err);
        if (n < 0)
            return err_wrap(err, (int)n, "reading on from line %" PRIu64, in->next_line);
        in->eof = n == 0;
        b->len += (size_t)n;
        in->n_read += (size_t)n;
    }
    return 0;
}

/* whole: the bytes of c up to its last newline, 0 where it has none. */
static bool begins_too_long(const struct ndjson_reader *in, const struct buf *b, size_t whole)
{
    if (whole == 0)
        return b->len > in->max_line;
    return whole == ceiling(in->max_line) && behind_first_newline(b, 0) == whole &&
           b->data[whole - 2] != '\r';
}

/* Drop the line that begins b, and read on to its end where that has not been seen (whole is 0). */
static int skip_line(struct ndjson_reader *in, struct buf *b, size_t whole, size_t step,
                     struct err *err)
{
    size_t rest = whole;
    while (rest == 0 && !in->eof) {
        b->len = 0;
        const int r = read_up_to(in, b, step, err);
        if (r < 0)
            return r;
        rest = behind_first_newline(b, 0);
    }
    return rest == 0 ? 0 : buf_append(&in->carry, b->data + rest, b->len - rest, err);
}

/* Number the lines of c, leave marks, and make the slack readable. */
static int seal_chunk(struct ndjson_reader *in, struct ndjson_chunk *c, struct err *err)
{
    const int r = buf_reserve(&c->bytes, NDJSON_SLACK, err);
    if (r < 0)
        return r;
    memset(c->bytes.data + c->bytes.len, 0, NDJSON_SLACK);

    uint64_t n_lines = 0;
    size_t pos = 0, next;
    while ((next = behind_first_newline(&c->bytes, pos)) > 0) {
        if (c->n_marks < NDJSON_MARKS)
            c->marks[c->n_marks++] = next - 1;
        n_lines++;
        pos = next;
    }
    in->next_line += n_lines + (pos < c->bytes.len);
    return 0;
}

void ndjson_reader_init(struct ndjson_reader *in, struct source src, size_t max_line)
{
    *in = (struct ndjson_reader){
        .src = src, .max_line = max_line, .carry = BUF_INIT(ceiling(max_line)), .next_line = 1};
}

void ndjson_reader_deinit(struct ndjson_reader *in)
{
    buf_deinit(&in->carry);
}

void ndjson_chunk_init(struct ndjson_chunk *c, size_t max_line)
{
    *c = (struct ndjson_chunk){.bytes = BUF_INIT(ceiling(max_line) + NDJSON_SLACK)};
}

void ndjson_chunk_deinit(struct ndjson_chunk *c)
{
    buf_deinit(&c->bytes);
}

int ndjson_fill(struct ndjson_reader *in, struct ndjson_chunk *c, size_t target_bytes,
                struct err *err)
{
    struct buf *b = &c->bytes;
    const size_t most = ceiling(in->max_line);
    const size_t step = smaller(target_bytes > 0 ? target_bytes : 1, most);

    buf_clear(b);
    c->pos = c->n_marks = c->next_mark = 0;
    c->offset = in->n_read - in->carry.len;
    int r = buf_append(b, in->carry.data, in->carry.len, err);
    if (r < 0)
        return r;
    buf_clear(&in->carry);

    r = read_up_to(in, b, step, err);
    size_t whole = behind_last_newline(b, 0);
    while (r == 0 && whole == 0 && !in->eof && b->len < most) {
        const size_t searched = b->len;
        r = read_up_to(in, b, smaller(most, b->len + step), err);
        whole = behind_last_newline(b, searched);
    }
    if (r < 0)
        return r;
    if (b->len == 0)
        return 0;

    c->seq = in->next_chunk;
    c->first_line = in->next_line;
    c->line = c->first_line - 1;
    c->too_long = begins_too_long(in, b, whole);
    if (c->too_long) {
        r = skip_line(in, b, whole, step, err);
        buf_clear(b);
        in->next_line++;
    } else {
        // At the end of the input b is shorter than `most`, and so its last line is not too long.
        const size_t stop = in->eof ? b->len : whole;
        r = buf_append(&in->carry, b->data + stop, b->len - stop, err);
        b->len = stop;
        if (r == 0)
            r = seal_chunk(in, c, err);
    }
    if (r < 0)
        return r;
    in->next_chunk++;
    return 1;
}

bool ndjson_line(struct ndjson_chunk *c, struct span *line)
{
    const struct buf *b = &c->bytes;
    if (c->pos >= b->len)
        return false;
    size_t next;
    if (c->next_mark < c->n_marks)
        next = c->marks[c->next_mark++] + 1;
    else
        next = behind_first_newline(b, c->pos);
    size_t stop = next > 0 ? next - 1 : b->len;
    if (next > 0 && stop > c->pos && b->data[stop - 1] == '\r')
        stop--;
    *line = span_of(b->data + c->pos, stop - c->pos);
    c->pos = next > 0 ? next : b->len;
    c->line++;
    return true;
}
