/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/part_out.h"

enum { PENDING_BYTES = 256 << 10, BATCH_BYTES = 64 << 10 };

void part_out_init(struct part_out *out, const struct place *place, const char *uuid,
                   enum layout_name form)
{
    *out = (struct part_out){.place = *place,
                             .uuid = uuid,
                             .form = form,
                             .pending = BUF_INIT(PENDING_BYTES),
                             .batch = BUF_INIT(BATCH_BYTES)};
}

void part_out_deinit(struct part_out *out)
{
    store_writer_abandon(out->writer);
    out->writer = NULL;
    buf_deinit(&out->pending);
    buf_deinit(&out->batch);
}

static int append_folder(struct buf *rest, const struct part_out *out, struct err *err)
{
    if (out->batch.len == 0)
        return 0;
    const int r = layout_append_partition(rest, "batch_id", (const char *)out->batch.data, err);
    return r < 0 ? r : buf_append_byte(rest, '/', err);
}

static int open_file(struct part_out *out, struct err *err)
{
    CLEANUP(buf_deinit) struct buf rest = PLACE_KEY_INIT;
    CLEANUP(buf_deinit) struct buf key = PLACE_KEY_INIT;
    char name[LAYOUT_NAME_BYTES];
    layout_part_name(name, out->range, out->uuid, out->form);
    int r = append_folder(&rest, out, err);
    if (r == 0)
        r = buf_append(&rest, name, strlen(name) + 1, err);
    if (r < 0)
        return r;
    const char *text = place_key(&key, &out->place, (const char *)rest.data, err);
    r = text ? store_put_begin(&out->writer, out->place.store, text, NULL, err) : E_NOMEM;
    out->n_files += r == 0;
    return r;
}

static bool same_batch(const struct part_out *out, struct span batch)
{
    // The open file's batch id carries its NUL.
    return batch.ptr ? out->batch.len == batch.len + 1 &&
                           memcmp(out->batch.data, batch.ptr, batch.len) == 0
                     : out->batch.len == 0;
}

int part_out_turn(struct part_out *out, unsigned range, struct span batch, struct err *err)
{
    if (out->writer && out->range == range && same_batch(out, batch))
        return 0;
    int r = part_out_close(out, err);
    if (r < 0)
        return r;
    out->range = range;
    buf_clear(&out->batch);
    if (batch.ptr) {
        r = buf_append(&out->batch, batch.ptr, batch.len, err);
        if (r == 0)
            r = buf_append_byte(&out->batch, '\0', err);
    }
    return r < 0 ? r : open_file(out, err);
}

static int flush(struct part_out *out, struct err *err)
{
    const size_t len = out->pending.len;
    buf_clear(&out->pending);
    return len > 0 ? store_writer_write(out->writer, out->pending.data, len, err) : 0;
}

int part_out_write(struct part_out *out, const void *bytes, size_t len, struct err *err)
{
    if (len > PENDING_BYTES - out->pending.len) {
        const int r = flush(out, err);
        if (r < 0)
            return r;
    }
    return len > PENDING_BYTES ? store_writer_write(out->writer, bytes, len, err)
                               : buf_append(&out->pending, bytes, len, err);
}

int part_out_close(struct part_out *out, struct err *err)
{
    if (!out->writer)
        return 0;
    int r = flush(out, err);
    if (r < 0)
        return r;
    struct store_writer *writer = out->writer;
    out->writer = NULL; // commit frees it in any case
    r = store_writer_commit(writer, NULL, err);
    return r < 0 ? r : 0;
}
