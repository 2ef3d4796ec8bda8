/* SPDX-License-Identifier: MPL-2.0 */
/* An answer of ReadRows: gRPC's frames, and rows out of chunks. Byte 0: the bytes of a piece. */
#include "profiles/bigtable_rows.h"

#include "net/grpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    uint8_t last[BIGTABLE_MAX_KEY];
    size_t last_len;
    uint64_t n, value_bytes;
};

static int see(void *arg, struct span key, struct span value, int64_t timestamp_us, struct err *err)
{
    struct seen *s = arg;
    (void)timestamp_us;
    (void)err;
    if (key.len == 0 || key.len > BIGTABLE_MAX_KEY || value.len > PROFILES_MAX_VALUE)
        abort();
    const size_t common = key.len < s->last_len ? key.len : s->last_len;
    const int order = memcmp(s->last, key.ptr, common);
    if (order > 0 || (order == 0 && s->last_len >= key.len))
        abort(); // out of order
    memcpy(s->last, key.ptr, key.len);
    s->last_len = key.len;
    s->n++;
    s->value_bytes += value.len;
    return 0;
}

static int on_message(void *arg, struct span message, struct err *err)
{
    return row_reader_take(arg, message, err);
}

static int read_all(struct seen *seen, struct span bytes, size_t step)
{
    struct grpc_reader frames = {.message = BUF_INIT(1 << 20)};
    struct row_reader rows;
    int r = 0;
    row_reader_init(&rows, see, seen);
    for (size_t at = 0; at < bytes.len && r == 0; at += step) {
        const size_t left = bytes.len - at;
        r = grpc_reader_feed(&frames, span_of(bytes.ptr + at, left < step ? left : step),
                             on_message, &rows, NULL);
    }
    if (r == 0)
        r = grpc_reader_end(&frames, NULL);
    if (r == 0)
        r = row_reader_end(&rows, NULL);
    if (seen->n > rows.n_rows)
        abort(); // handed out before it was committed
    row_reader_deinit(&rows);
    grpc_reader_deinit(&frames);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const struct span bytes = span_of(data + 1, size - 1);
    struct seen whole = {0}, pieces = {0};
    const int r = read_all(&whole, bytes, size);
    if (read_all(&pieces, bytes, (size_t)data[0] + 1) != r || whole.n != pieces.n ||
        whole.value_bytes != pieces.value_bytes)
        abort(); // it matters where the network cuts
    return 0;
}
