/* SPDX-License-Identifier: MPL-2.0 */
#include "broker/waiting.h"

enum { TAIL_BYTES = 1 << 20, AHEAD_BYTES = 256 << 10 };

/* The tail holds whole messages only: one that does not fit goes to the file behind it. */
static int move_to_file(struct waiting *w, struct err *err)
{
    int r = 0;
    if (!w->has_file)
        r = tempfile_open(&w->file, w->dir, err);
    if (r < 0)
        return r;
    w->has_file = true;
    r = tempfile_append(&w->file, w->tail.data + w->tail_pos, w->tail.len - w->tail_pos, err);
    w->tail_pos = 0;
    buf_clear(&w->tail);
    return r;
}

static int add_part(struct waiting *w, struct span part, bool to_file, struct err *err)
{
    if (part.len == 0)
        return 0;
    return to_file ? tempfile_append(&w->file, part.ptr, part.len, err)
                   : buf_append(&w->tail, part.ptr, part.len, err);
}

int waiting_add(struct waiting *w, const struct recorded_line *line, struct err *err)
{
    const struct waiting_head head = waiting_head_of(line);
    const size_t len = sizeof head + waiting_head_len(&head);
    const bool is_long = len > TAIL_BYTES;
    if (w->tail.max == 0)
        w->tail = BUF_INIT(TAIL_BYTES);
    int r = 0;
    if (len > TAIL_BYTES - w->tail.len)
        r = move_to_file(w, err);
    const struct span parts[] = {span_of(&head, sizeof head), line->body, line->exchange,
                                 line->routing_key, line->content_type};
    for (size_t i = 0; r == 0 && i < ARRAY_LEN(parts); i++)
        r = add_part(w, parts[i], is_long, err);
    return r;
}

static bool is_in_file(const struct waiting *w)
{
    return w->ahead_pos < w->ahead.len || (w->has_file && w->file_pos < w->file.end);
}

static int fill_ahead(struct waiting *w, struct err *err)
{
    const uint64_t left = w->file.end - w->file_pos;
    const size_t len = left < AHEAD_BYTES ? (size_t)left : AHEAD_BYTES;
    if (w->ahead.max == 0)
        w->ahead = BUF_INIT(AHEAD_BYTES);
    buf_clear(&w->ahead);
    w->ahead_pos = 0;
    int r = buf_reserve(&w->ahead, len, err);
    if (r == 0)
        r = tempfile_read(&w->file, w->file_pos, w->ahead.data, len, err);
    if (r < 0)
        return r;
    w->ahead.len = len;
    w->file_pos += len;
    return 0;
}

static int read_file(struct waiting *w, uint8_t *dst, size_t len, struct err *err)
{
    while (len > 0) {
        size_t n = w->ahead.len - w->ahead_pos;
        if (n == 0 && len >= AHEAD_BYTES) { // no detour for what is long
            const int r = tempfile_read(&w->file, w->file_pos, dst, len, err);
            w->file_pos += len;
            return r;
        }
        if (n == 0) {
            const int r = fill_ahead(w, err);
            if (r < 0)
                return r;
            n = w->ahead.len;
        }
        n = n < len ? n : len;
        memcpy(dst, w->ahead.data + w->ahead_pos, n);
        w->ahead_pos += n;
        dst += n;
        len -= n;
    }
    return 0;
}

int waiting_read(struct waiting *w, void *dst, size_t len, struct err *err)
{
    if (len == 0)
        return 0;
    if (is_in_file(w))
        return read_file(w, dst, len, err);
    memcpy(dst, w->tail.data + w->tail_pos, len);
    w->tail_pos += len;
    return 0;
}

int waiting_next(struct waiting *w, struct waiting_head *head, struct err *err)
{
    if (!is_in_file(w) && w->tail_pos == w->tail.len) {
        w->tail_pos = 0;
        buf_clear(&w->tail);
        return 0;
    }
    const int r = waiting_read(w, head, sizeof *head, err);
    return r < 0 ? r : 1;
}

void waiting_deinit(struct waiting *w)
{
    if (w->has_file)
        tempfile_close(&w->file);
    w->has_file = false;
    buf_deinit(&w->tail);
    buf_deinit(&w->ahead);
}
