/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Rows are asked for in pages, so that no call lasts as long as a table is. A stream that broke
 * goes on behind the last row that was whole.
 */
#include "profiles/bigtable_impl.h"
#include "profiles/bigtable_messages.h"
#include "profiles/bigtable_rows.h"

enum { PAGE_ROWS = 10000, REQUEST_BYTES = 3 * BIGTABLE_MAX_KEY };

struct reading {
    struct bigtable *b;
    struct row_reader rows;
    struct span key; // the one row that is wanted; len 0: all of them
    struct buf framed;
    struct grpc_status status;
};

static int take_message(void *arg, struct span message, struct err *err)
{
    return row_reader_take(arg, message, err);
}

/* @return 0 with rd->status, or as grpc_call. */
static int try_once(struct reading *rd, int64_t limit, uint64_t timeout_ms, struct err *err)
{
    struct bigtable *b = rd->b;
    int r = rd->key.len > 0 ? bigtable_pack_read_row(&rd->framed, b->table, rd->key, err)
                            : bigtable_pack_read_rows(&rd->framed, b->table,
                                                      buf_span(&rd->rows.last), limit, err);
    if (r < 0)
        return r;
    const struct bigtable_request request = {.service = BIGTABLE_DATA,
                                             .method = "ReadRows",
                                             .parameter = "table_name",
                                             .resource = b->table,
                                             .framed = buf_span(&rd->framed),
                                             .timeout_ms = timeout_ms,
                                             .fn = take_message,
                                             .arg = &rd->rows};
    r = bigtable_call(b, &request, &rd->status, err);
    return r == 0 && rd->status.code == GRPC_OK ? row_reader_end(&rd->rows, err) : r;
}

/* @return 0, what the caller's function returned, or E_*; *n: rows of the page. */
static int read_page(struct reading *rd, uint64_t *n, struct err *err)
{
    const uint64_t before = rd->rows.n_rows;
    uint64_t seen = before, wait_ms;
    struct retry retry;
    bigtable_retry_init(&retry, rd->b);
    for (;;) {
        const int64_t limit = PAGE_ROWS - (int64_t)(rd->rows.n_rows - before);
        const int r = try_once(rd, limit, bigtable_try_ms(rd->b, &retry), err);
        *n = rd->rows.n_rows - before;
        if (r != 0 || rd->status.code == GRPC_OK || *n >= PAGE_ROWS)
            return r;
        if (rd->key.len > 0 && *n > 0)
            return 0; // all that was wanted
        row_reader_restart(&rd->rows);
        if (rd->rows.n_rows > seen)
            bigtable_retry_init(&retry, rd->b); // it gets on
        seen = rd->rows.n_rows;
        if (!bigtable_may_pass(rd->status.code) || !retry_next(&retry, retry_now_ms(), 0, &wait_ms))
            return err_wrap(err, bigtable_fail(&rd->status, err), "read table %s", rd->b->table);
        retry_sleep_ms(wait_ms);
    }
}

static void begin(struct reading *rd, void *impl, profiles_fn *fn, void *arg)
{
    *rd = (struct reading){.b = impl, .framed = BUF_INIT(REQUEST_BYTES)};
    row_reader_init(&rd->rows, fn, arg);
}

static void end(struct reading *rd)
{
    row_reader_deinit(&rd->rows);
    buf_deinit(&rd->framed);
}

static int append_value(void *arg, struct span key, struct span value, int64_t timestamp_us,
                        struct err *err)
{
    (void)key;
    (void)timestamp_us;
    return value.len > 0 ? buf_append(arg, value.ptr, value.len, err) : 0;
}

int bigtable_get(void *impl, struct span key, struct buf *value, struct err *err)
{
    struct reading rd;
    begin(&rd, impl, append_value, value);
    rd.key = key;
    uint64_t n = 0;
    int r = read_page(&rd, &n, err);
    if (r == 0 && n == 0)
        r = err_set(err, E_ABSENT, 0, "there is no such row in table %s", rd.b->table);
    end(&rd);
    return r;
}

int bigtable_each(void *impl, profiles_fn *fn, void *arg, struct err *err)
{
    struct reading rd;
    begin(&rd, impl, fn, arg);
    uint64_t n;
    int r;
    do {
        r = read_page(&rd, &n, err);
    } while (r == 0 && n >= PAGE_ROWS);
    end(&rd);
    return r;
}
