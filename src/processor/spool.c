/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/spool.h"

#include "base/tempfile.h"

#include <stdlib.h>

enum {
    WINDOW_BYTES = 256 << 10,
    MAX_PACKED = 64 << 20, // of one ping, and of one record
    FLUSH_BYTES = 1 << 20,
};

/* In memory and in the temporary file: this, batch id, a, b. */
struct head {
    uint64_t ping;
    uint32_t batch_len, a_len, b_len, zero;
};

static size_t packed_len(const struct head *h)
{
    return sizeof *h + h->batch_len + h->a_len + h->b_len;
}

/* A sorted part of the temporary file, read from `at` on. */
struct run {
    uint64_t at, end;
    bool loaded; // the record at `at` is known
    struct head head;
    char batch[SPOOL_MAX_BATCH_ID];
};

struct spool {
    size_t memory_bytes;
    struct buf records; // packed, in order of arrival
    size_t *index;      // where each begins
    size_t n_index, cap_index;
    struct tempfile file;
    struct run *runs;
    size_t n_runs, cap_runs;
    /* Reading: records of the runs' batch `batch`, now those of run `current`. */
    size_t current;
    char batch[SPOOL_MAX_BATCH_ID];
    size_t batch_len;
    struct buf window; // bytes of the file from window_at on; while writing: what goes there
    uint64_t window_at;
};

int spool_new(struct spool **out, const char *tmp_dir, size_t memory_bytes, struct err *err)
{
    CLEANUP(spool_freep) struct spool *s = calloc(1, sizeof *s);
    if (!s)
        return err_set(err, E_NOMEM, 0, "no memory for staging");
    s->memory_bytes = memory_bytes;
    s->records = BUF_INIT(memory_bytes + MAX_PACKED);
    s->window = BUF_INIT(MAX_PACKED + WINDOW_BYTES);
    s->file = TEMPFILE_INIT;
    // At once, since growing by steps would take more than that for a while.
    int r = buf_reserve(&s->records, memory_bytes, err);
    if (r == 0)
        r = tempfile_open(&s->file, tmp_dir, err);
    if (r < 0)
        return r;
    *out = s;
    s = NULL;
    return 0;
}

void spool_free(struct spool *s)
{
    if (!s)
        return;
    tempfile_close(&s->file);
    buf_deinit(&s->records);
    buf_deinit(&s->window);
    free(s->index);
    free(s->runs);
    free(s);
}

size_t spool_runs(const struct spool *s)
{
    return s->n_runs;
}

int spool_pack(struct buf *out, const struct spool_record *record, struct err *err)
{
    const struct head h = {.batch_len = (uint32_t)record->batch.len,
                           .a_len = (uint32_t)record->a.len,
                           .b_len = (uint32_t)record->b.len};
    const size_t before = out->len;
    int r = buf_append(out, &h, sizeof h, err);
    if (r == 0)
        r = buf_append(out, record->batch.ptr, record->batch.len, err);
    if (r == 0)
        r = buf_append(out, record->a.ptr, record->a.len, err);
    if (r == 0)
        r = buf_append(out, record->b.ptr, record->b.len, err);
    if (r < 0)
        out->len = before;
    return r;
}

static struct head head_at(const struct spool *s, size_t at)
{
    struct head h;
    memcpy(&h, s->records.data + at, sizeof h);
    return h;
}

/* By batch id, then by arrival. */
static int compare(const void *a, const void *b, void *arg)
{
    const struct spool *s = arg;
    const size_t at = *(const size_t *)a, bt = *(const size_t *)b;
    const struct head ha = head_at(s, at), hb = head_at(s, bt);
    const size_t shorter = ha.batch_len < hb.batch_len ? ha.batch_len : hb.batch_len;
    const uint8_t *const texts = s->records.data + sizeof ha;
    const int order = memcmp(texts + at, texts + bt, shorter);
    if (order != 0)
        return order;
    if (ha.batch_len != hb.batch_len)
        return ha.batch_len < hb.batch_len ? -1 : 1;
    return at < bt ? -1 : 1;
}

static int flush(struct spool *s, struct err *err)
{
    const int r = tempfile_append(&s->file, s->window.data, s->window.len, err);
    buf_clear(&s->window);
    return r;
}

static int add_run(struct spool *s, struct err *err)
{
    if (s->n_runs == s->cap_runs) {
        const size_t cap = s->cap_runs > 0 ? 2 * s->cap_runs : 16;
        struct run *runs = realloc(s->runs, cap * sizeof *runs);
        if (!runs)
            return err_set(err, E_NOMEM, 0, "no memory for %zu runs", cap);
        s->runs = runs;
        s->cap_runs = cap;
    }
    s->runs[s->n_runs++] = (struct run){.at = s->file.end};
    return 0;
}

/* Write what is in memory as a run. */
static int spill(struct spool *s, struct err *err)
{
    if (s->n_index == 0)
        return 0;
    qsort_r(s->index, s->n_index, sizeof *s->index, compare, s);
    int r = add_run(s, err);
    for (size_t i = 0; i < s->n_index && r == 0; i++) {
        const struct head h = head_at(s, s->index[i]);
        r = buf_append(&s->window, s->records.data + s->index[i], packed_len(&h), err);
        if (r == 0 && s->window.len >= FLUSH_BYTES)
            r = flush(s, err);
    }
    if (r == 0)
        r = flush(s, err);
    if (r < 0)
        return r;
    s->runs[s->n_runs - 1].end = s->file.end;
    s->n_index = 0;
    buf_clear(&s->records);
    return 0;
}

static int add_index(struct spool *s, size_t at, struct err *err)
{
    if (s->n_index == s->cap_index) {
        const size_t cap = s->cap_index > 0 ? 2 * s->cap_index : 1024;
        size_t *index = realloc(s->index, cap * sizeof *index);
        if (!index)
            return err_set(err, E_NOMEM, 0, "no memory for %zu records", cap);
        s->index = index;
        s->cap_index = cap;
    }
    s->index[s->n_index++] = at;
    return 0;
}

int spool_append(struct spool *s, struct span packed, uint64_t ping, struct err *err)
{
    const size_t used = s->records.len + s->n_index * sizeof *s->index;
    int r = used + packed.len > s->memory_bytes ? spill(s, err) : 0;
    size_t at = s->records.len;
    if (r == 0)
        r = buf_append(&s->records, packed.ptr, packed.len, err);
    while (r == 0 && at < s->records.len) {
        memcpy(s->records.data + at + offsetof(struct head, ping), &ping, sizeof ping);
        const struct head h = head_at(s, at);
        r = add_index(s, at, err);
        at += packed_len(&h);
    }
    return r;
}

int spool_finish(struct spool *s, struct err *err)
{
    const int r = spill(s, err);
    buf_deinit(&s->records);
    free(s->index);
    s->index = NULL;
    s->cap_index = 0;
    s->current = s->n_runs;
    return r;
}

/* len bytes of the file at `at`, valid until the next call; `end`: of what may be read ahead. */
static int look(struct spool *s, uint64_t at, size_t len, uint64_t end, const uint8_t **bytes,
                struct err *err)
{
    if (at < s->window_at || at + len > s->window_at + s->window.len) {
        size_t want = len > WINDOW_BYTES ? len : WINDOW_BYTES;
        if (want > end - at)
            want = (size_t)(end - at);
        buf_clear(&s->window);
        int r = buf_reserve(&s->window, want, err);
        if (r == 0)
            r = tempfile_read(&s->file, at, s->window.data, want, err);
        if (r < 0)
            return r;
        s->window.len = want;
        s->window_at = at;
    }
    *bytes = s->window.data + (at - s->window_at);
    return 0;
}

/* Learn which batch a run goes on with. */
static int load_head(struct spool *s, struct run *run, struct err *err)
{
    const uint8_t *bytes;
    if (run->loaded || run->at == run->end)
        return 0;
    int r = look(s, run->at, sizeof run->head, run->end, &bytes, err);
    if (r < 0)
        return r;
    memcpy(&run->head, bytes, sizeof run->head);
    r = look(s, run->at, sizeof run->head + run->head.batch_len, run->end, &bytes, err);
    if (r < 0)
        return r;
    memcpy(run->batch, bytes + sizeof run->head, run->head.batch_len);
    run->loaded = true;
    return 0;
}

static bool is_before(const struct run *run, const char *batch, size_t len)
{
    const size_t shorter = run->head.batch_len < len ? run->head.batch_len : len;
    const int order = memcmp(run->batch, batch, shorter);
    return order < 0 || (order == 0 && run->head.batch_len < len);
}

/* The least batch that any run goes on with. @return 1, 0: there is none, or E_*. */
static int next_batch(struct spool *s, struct err *err)
{
    const struct run *least = NULL;
    for (size_t i = 0; i < s->n_runs; i++) {
        struct run *run = &s->runs[i];
        const int r = load_head(s, run, err);
        if (r < 0)
            return r;
        if (run->loaded && (!least || is_before(run, least->batch, least->head.batch_len)))
            least = run;
    }
    if (!least)
        return 0;
    s->batch_len = least->head.batch_len;
    memcpy(s->batch, least->batch, s->batch_len);
    s->current = 0;
    return 1;
}

static int take(struct spool *s, struct run *run, struct spool_record *record, struct err *err)
{
    const uint8_t *bytes;
    const struct head *h = &run->head;
    const int r = look(s, run->at, packed_len(h), run->end, &bytes, err);
    if (r < 0)
        return r;
    const uint8_t *const a = bytes + sizeof *h + h->batch_len;
    *record = (struct spool_record){.batch = span_of(s->batch, s->batch_len),
                                    .a = span_of(a, h->a_len),
                                    .b = span_of(a + h->a_len, h->b_len),
                                    .ping = h->ping};
    run->at += packed_len(h);
    run->loaded = false;
    return 1;
}

int spool_next(struct spool *s, struct spool_record *record, struct err *err)
{
    for (;;) {
        for (; s->current < s->n_runs; s->current++) {
            struct run *run = &s->runs[s->current];
            const int r = load_head(s, run, err);
            if (r < 0)
                return r;
            if (run->loaded && run->head.batch_len == s->batch_len &&
                memcmp(run->batch, s->batch, s->batch_len) == 0)
                return take(s, run, record, err);
        }
        const int more = next_batch(s, err);
        if (more <= 0)
            return more;
    }
}
