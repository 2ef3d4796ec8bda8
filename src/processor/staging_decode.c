/* SPDX-License-Identifier: MPL-2.0 */
/*
 * One line to packed share records: message, base64, gzip, ping, prioData.
 */
#include "codec/gzip.h"
#include "codec/ping.h"
#include "processor/layout.h"
#include "processor/staging_internal.h"

#include <stdlib.h>

enum {
    FULL_BYTES = 4 << 20,
    MAX_PACKED = FULL_BYTES + 4 * STAGING_MAX_LINE, // a header is shorter than three empty elements
    MAX_PARTITION_NAME = 255, // bytes of "batch_id=<escaped>": the limit of file systems
    INFLATE_STEP = 256 << 10,
    DAY_CHARS = 10,
};

/* What became of a line. */
struct outcome {
    uint64_t line;
    enum staging_reason reason; // STAGING_REASONS: none
    bool other_day;
    struct docids_ping ping;
    uint64_t n_bad;
    size_t packed; // bytes
};

struct decoder {
    struct staging_intake *in;
    struct digester *digester;
    struct buf scratch, plain, inflated; // of one line
    struct buf packed;
    struct outcome *outcomes;
    size_t n, cap;
    struct ping ping;
};

int decoder_new(struct decoder **out, struct staging_intake *in, struct err *err)
{
    struct decoder *d = calloc(1, sizeof *d);
    if (!d)
        return err_set(err, E_NOMEM, 0, "no memory for a worker");
    d->in = in;
    d->scratch = BUF_INIT(STAGING_MAX_LINE + NDJSON_SLACK);
    d->plain = BUF_INIT(STAGING_MAX_LINE + BASE64_SLACK + NDJSON_SLACK);
    d->inflated = BUF_INIT(STAGING_MAX_LINE + INFLATE_STEP + NDJSON_SLACK);
    d->packed = BUF_INIT(MAX_PACKED);
    const int r = digester_new(&d->digester, &in->key, err);
    if (r < 0) {
        decoder_free(d);
        return r;
    }
    *out = d;
    return 0;
}

void decoder_free(struct decoder *d)
{
    if (!d)
        return;
    digester_free(d->digester);
    buf_deinit(&d->scratch);
    buf_deinit(&d->plain);
    buf_deinit(&d->inflated);
    buf_deinit(&d->packed);
    free(d->outcomes);
    free(d);
}

bool decoder_is_full(const struct decoder *d)
{
    return d->packed.len >= FULL_BYTES;
}

/* @return NULL: no memory. */
static struct outcome *add_outcome(struct decoder *d, uint64_t line)
{
    if (d->n == d->cap) {
        const size_t cap = d->cap > 0 ? 2 * d->cap : 64;
        struct outcome *outcomes = realloc(d->outcomes, cap * sizeof *outcomes);
        if (!outcomes)
            return NULL;
        d->outcomes = outcomes;
        d->cap = cap;
    }
    struct outcome *o = &d->outcomes[d->n++];
    *o = (struct outcome){.line = line, .reason = STAGING_REASONS};
    return o;
}

/* Unpack d->plain. @return 1, 0: damaged or too long, or E_NOMEM. */
static int inflate_ping(struct decoder *d, struct err *err)
{
    CLEANUP(gunzip_freep) struct gunzip *gunzip = NULL;
    struct memory_source memory = {.rest = buf_span(&d->plain)};
    struct err damage;
    int r = gunzip_new(&gunzip, memory_source(&memory), err);
    if (r < 0)
        return r;
    const struct source src = gunzip_source(gunzip);
    buf_clear(&d->inflated);
    for (;;) {
        r = buf_reserve(&d->inflated, INFLATE_STEP + NDJSON_SLACK, err);
        if (r < 0)
            return r;
        const ssize_t n =
            src.read(src.arg, d->inflated.data + d->inflated.len, INFLATE_STEP, &damage);
        if (n < 0 && n != E_FORMAT)
            return err_wrap(err, (int)n, "unpacking a ping");
        if (n <= 0)
            return n == 0;
        d->inflated.len += (size_t)n;
        if (d->inflated.len > STAGING_MAX_LINE)
            return 0;
    }
}

/* The ping behind a payload's base64. @return 1, 0 with *reason, or E_NOMEM. */
static int unwrap(struct decoder *d, struct span payload, struct span *text,
                  enum staging_reason *reason, struct err *err)
{
    buf_clear(&d->plain);
    int r = buf_reserve(&d->plain, base64_decode_room(payload.len) + NDJSON_SLACK, err);
    if (r < 0)
        return r;
    const ptrdiff_t len = d->in->base64.decode(d->plain.data, payload.ptr, payload.len);
    *reason = STAGING_BAD_BASE64;
    if (len < 0)
        return 0;
    d->plain.len = (size_t)len;
    *text = buf_span(&d->plain);
    if (len < 2 || d->plain.data[0] != 0x1f || d->plain.data[1] != 0x8b)
        return 1;
    *reason = STAGING_BAD_GZIP;
    r = inflate_ping(d, err);
    *text = buf_span(&d->inflated);
    return r;
}

/* Can the id name a folder? */
static bool is_usable_batch(struct span batch)
{
    static const char null_name[] = "__HIVE_DEFAULT_PARTITION__"; // stands for "no id"
    char name[SPOOL_MAX_BATCH_ID + 1];
    uint8_t escaped[MAX_PARTITION_NAME];
    struct buf partition = {.data = escaped, .cap = sizeof escaped, .max = sizeof escaped};
    if (batch.len == 0 || batch.len > SPOOL_MAX_BATCH_ID || memchr(batch.ptr, 0, batch.len) ||
        span_equal(batch, span_str(null_name)))
        return false;
    memcpy(name, batch.ptr, batch.len);
    name[batch.len] = '\0';
    // At its ceiling the buffer never grows, and so never frees what is not its own.
    return layout_append_partition(&partition, "batch_id", name, NULL) == 0;
}

/* Pack the records of a ping. */
static int pack_shares(struct decoder *d, struct outcome *o, struct err *err)
{
    const size_t before = d->packed.len;
    struct ping_share share;
    int r = 0;
    while (r == 0 && ping_next(&d->ping, &share)) {
        if (!share.usable || !is_usable_batch(share.encoding)) {
            o->n_bad++;
            continue;
        }
        r = spool_pack(&d->packed,
                       &(struct spool_record){.batch = share.encoding, .a = share.a, .b = share.b},
                       err);
        o->ping.n_records++;
        o->ping.a_bytes += share.a.len;
    }
    o->packed = d->packed.len - before;
    return r;
}

static int take_ping(struct decoder *d, struct outcome *o, struct span text, struct err *err)
{
    o->reason = STAGING_NOT_JSON;
    if (!ping_read(&d->ping, &d->in->record_ops, text))
        return 0;
    o->reason = STAGING_NO_ID;
    if (d->ping.id_kind == RECORD_ID_NONE)
        return 0;
    o->reason = STAGING_NO_PRIO_DATA;
    if (!d->ping.has_data)
        return 0;
    o->reason = STAGING_REASONS;
    const int r = digester_id(d->digester, &o->ping.digest, d->ping.id_kind, d->ping.id, err);
    return r < 0 ? r : pack_shares(d, o, err);
}

static int take_payload(struct decoder *d, struct outcome *o, struct span payload, struct err *err)
{
    struct span text;
    const int r = unwrap(d, payload, &text, &o->reason, err);
    return r <= 0 ? r : take_ping(d, o, text, err);
}

static int no_memory(struct err *err)
{
    return err_set(err, E_NOMEM, 0, "no memory for a ping");
}

int decoder_payload(struct decoder *d, struct span payload, uint64_t number, struct err *err)
{
    struct outcome *o = add_outcome(d, number);
    if (!o)
        return no_memory(err);
    o->reason = STAGING_BAD_MESSAGE;
    return payload.len > STAGING_MAX_LINE ? 0 : take_payload(d, o, payload, err);
}

int decoder_line(struct decoder *d, struct span line, uint64_t number, struct err *err)
{
    struct ping_message m;
    struct outcome *o = add_outcome(d, number);
    if (!o)
        return no_memory(err);
    const int r = ping_read_message(&m, &d->in->record_ops, line, &d->scratch, err);
    if (r < 0)
        return r;
    o->reason = STAGING_BAD_MESSAGE;
    if (r == 0 || !m.has_payload)
        return 0;
    o->reason = STAGING_REASONS;
    o->other_day = m.has_time && (m.time.len < DAY_CHARS ||
                                  memcmp(m.time.ptr, d->in->options->date, DAY_CHARS) != 0);
    return o->other_day ? 0 : take_payload(d, o, m.payload, err);
}

void decoder_too_long(struct decoder *d, uint64_t number)
{
    struct outcome *o = add_outcome(d, number);
    if (o)
        o->reason = STAGING_BAD_MESSAGE;
}

static void drop(struct staging_intake *in, enum staging_reason reason, uint64_t n, uint64_t line)
{
    in->result->dropped[reason] += n;
    if (in->first_dropped[reason] == 0)
        in->first_dropped[reason] = line;
}

static int commit_ping(struct staging_intake *in, struct outcome *o, struct span packed,
                       struct err *err)
{
    o->ping.number = in->n_accepted;
    const int is_new = docids_add(in->docids, &o->ping, err);
    if (is_new < 0)
        return is_new;
    if (!is_new) {
        drop(in, STAGING_DUPLICATE, 1, o->line);
        return 0;
    }
    in->n_accepted++;
    in->result->n_pings++;
    in->result->n_records += o->ping.n_records;
    in->result->a_bytes += o->ping.a_bytes;
    if (o->n_bad > 0)
        drop(in, STAGING_BAD_ELEMENT, o->n_bad, o->line);
    return packed.len > 0 ? spool_append(in->spool, packed, o->ping.number, err) : 0;
}

int decoder_commit(struct decoder *d, struct err *err)
{
    struct staging_intake *in = d->in;
    size_t at = 0;
    int r = 0;
    for (size_t i = 0; i < d->n && r == 0; i++) {
        struct outcome *o = &d->outcomes[i];
        in->result->n_lines++;
        if (o->reason != STAGING_REASONS)
            drop(in, o->reason, 1, o->line);
        else if (o->other_day)
            in->result->n_other_days++;
        else
            r = commit_ping(in, o, span_of(d->packed.data + at, o->packed), err);
        at += o->packed;
    }
    d->n = 0;
    buf_clear(&d->packed);
    return r;
}
