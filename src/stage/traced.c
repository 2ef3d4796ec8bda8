/* SPDX-License-Identifier: MPL-2.0 */
#include "stage/traced.h"

#include "codec/base64.h"
#include "codec/ndjson.h"
#include "prio/packet.h"
#include "prio/sum.h"
#include "stage/lines.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { FLUSH_BYTES = 64 << 10, TARGET_BYTES = 64 << 10 };

static void count(struct stage_counts *counts, enum stage_reason reason)
{
    counts->total++;
    if (reason == REASON_NONE)
        return;
    counts->error++;
    counts->by_reason[reason]++;
}

/* A run of traced_verify2. */
struct answerer {
    const struct traced_input *in;
    bool compact;
    const struct stage_sink *out;
    struct stage_counts *counts;
    struct digester *digester;
    struct base64_ops base64;
    struct record_ops record_ops;
    struct trace_reader trace;
    struct buf scratch, text;
};

static int mismatch(const struct answerer *a, uint64_t line, struct err *err)
{
    return err_set(err, E_FORMAT, 0,
                   "%s: line %" PRIu64 ": the own verify1 record is not the one that was traced",
                   a->in->name, line);
}

/* The own message: minimal, since verify1 wrote it. @return its length, or 0. */
static size_t own_message(const struct answerer *a, const struct record *record,
                          uint8_t out[PRIO_VERIFY1_MAX + BASE64_SLACK])
{
    if (!record->has_payload || record->payload.len > base64_encoded_len(PRIO_VERIFY1_MAX))
        return 0;
    const ptrdiff_t n = a->base64.decode(out, record->payload.ptr, record->payload.len);
    return n > 0 ? (size_t)n : 0;
}

static int write_message(struct answerer *a, const struct record *record, const uint8_t *message,
                         size_t len, struct err *err)
{
    uint8_t text[(PRIO_VERIFY2_MAX + 2) / 3 * 4 + BASE64_SLACK];
    const struct span payload = span_of(text, a->base64.encode(text, message, len));
    const int r = a->compact ? record_write_compact(&a->text, record, payload, err)
                             : record_rewrite(&a->text, record, payload, err);
    if (r < 0 || a->text.len < FLUSH_BYTES)
        return r;
    const int written = a->out->write(a->out->arg, a->text.data, a->text.len, err);
    buf_clear(&a->text);
    return written;
}

static int answer(struct answerer *a, const struct record *record, const struct trace_entry *entry,
                  enum stage_reason *reason, struct err *err)
{
    const uint8_t *found = packets_find(a->in->packets, &entry->id);
    const struct packet_pair pair =
        found ? packets_pair(a->in->packets, found) : (struct packet_pair){0};
    if (!pair.has_peer) {
        *reason = REASON_MISSING_EXTERNAL;
        return 0;
    }
    uint8_t own[PRIO_VERIFY1_MAX + BASE64_SLACK], message[PRIO_VERIFY2_MAX];
    size_t len = 0;
    const struct span own_span = span_of(own, own_message(a, record, own));
    const int r = residue_verify2(entry->residue, own_span, pair.peer, message, &len);
    if (r == PRIO_REJECT_PACKET) {
        *reason = REASON_BAD_PACKET;
        return 0;
    }
    return r == PRIO_OK ? write_message(a, record, message, len, err)
                        : stage_prio_err(err, r, "verify2");
}

static int answer_line(struct answerer *a, struct span line, uint64_t number, struct err *err)
{
    struct record record;
    struct trace_entry entry;
    struct digest id;
    if (line_is_blank(line))
        return 0;
    int r = record_parse(&record, &a->record_ops, line, &a->scratch, err);
    if (r < 0)
        return r;
    if (r == 0 || record.id_kind == RECORD_ID_NONE)
        return mismatch(a, number, err);
    r = digester_id(a->digester, &id, record.id_kind, record.id, err);
    if (r == 0)
        r = trace_next_accepted(&a->trace, &entry, err);
    if (r < 0)
        return r;
    if (r == 0 || memcmp(id.bytes, entry.id.bytes, sizeof id.bytes) != 0)
        return mismatch(a, number, err);
    enum stage_reason reason = REASON_NONE;
    r = answer(a, &record, &entry, &reason, err);
    if (r == 0)
        count(a->counts, reason);
    return r;
}

static int answer_lines(struct answerer *a, struct ndjson_reader *reader,
                        struct ndjson_chunk *chunk, struct err *err)
{
    int r;
    while ((r = ndjson_fill(reader, chunk, TARGET_BYTES, err)) == 1) {
        struct span line;
        if (chunk->too_long)
            return mismatch(a, chunk->first_line, err);
        for (r = 0; r == 0 && ndjson_line(chunk, &line);)
            r = answer_line(a, line, chunk->line, err);
        if (r < 0)
            return r;
    }
    if (r == 0 && a->text.len > 0)
        r = a->out->write(a->out->arg, a->text.data, a->text.len, err);
    return r;
}

static void answerer_deinit(struct answerer *a)
{
    trace_reader_deinit(&a->trace);
    digester_free(a->digester);
    buf_deinit(&a->scratch);
    buf_deinit(&a->text);
    free(a);
}

static int no_more_entries(struct answerer *a, struct err *err)
{
    struct trace_entry entry;
    const int r = trace_next_accepted(&a->trace, &entry, err);
    if (r == 1)
        return err_set(err, E_FORMAT, 0, "%s: own verify1 records are missing", a->in->name);
    return r;
}

int traced_verify2(const struct traced_input *in, bool compact, const struct stage_sink *out,
                   struct stage_counts *counts, struct err *err)
{
    enum { MAX_LINE = 64 << 10 }; // an id of 1 KiB, escaped, and a message
    struct answerer *a = calloc(1, sizeof *a);
    if (!a)
        return err_set(err, E_NOMEM, 0, "no memory for a worker");
    a->in = in;
    a->compact = compact;
    a->out = out;
    a->counts = counts;
    a->scratch = BUF_INIT(MAX_LINE + NDJSON_SLACK);
    a->text = BUF_INIT(FLUSH_BYTES + 8 * MAX_LINE);
    base64_ops_init(&a->base64, in->cpu);
    record_ops_init(&a->record_ops, in->cpu);
    trace_reader_init(&a->trace, in->trace);
    struct ndjson_reader reader;
    struct ndjson_chunk chunk;
    ndjson_reader_init(&reader, in->own_verify1, MAX_LINE);
    ndjson_chunk_init(&chunk, MAX_LINE);
    int r = digester_new(&a->digester, &in->packets->key, err);
    if (r == 0)
        r = answer_lines(a, &reader, &chunk, err);
    if (r == 0)
        r = no_more_entries(a, err);
    ndjson_chunk_deinit(&chunk);
    ndjson_reader_deinit(&reader);
    answerer_deinit(a);
    return r;
}

static enum stage_reason verdict(const struct packets *packets, const struct digest *id)
{
    const uint8_t *found = packets_find(packets, id);
    const struct packet_pair pair = found ? packets_pair(packets, found) : (struct packet_pair){0};
    if (!pair.has_own)
        return REASON_MISSING_INTERNAL;
    if (!pair.has_peer)
        return REASON_MISSING_EXTERNAL;
    const int r = prio_verdict(pair.own.ptr, pair.own.len, pair.peer.ptr, pair.peer.len);
    return r == PRIO_OK               ? REASON_NONE
           : r == PRIO_REJECT_INVALID ? REASON_INVALID
                                      : REASON_BAD_PACKET;
}

int traced_verdicts(const struct traced_input *in, struct stage_counts *counts,
                    traced_unproved_fn *fn, void *arg, struct err *err)
{
    struct trace_reader *reader = malloc(sizeof *reader);
    if (!reader)
        return err_set(err, E_NOMEM, 0, "no memory for a worker");
    trace_reader_init(reader, in->trace);
    struct trace_entry entry;
    int r;
    while ((r = trace_next_accepted(reader, &entry, err)) == 1) {
        const enum stage_reason reason = verdict(in->packets, &entry.id);
        count(counts, reason);
        if (reason != REASON_NONE)
            r = fn(arg, &entry, err);
        if (r < 0)
            break;
    }
    trace_reader_deinit(reader);
    free(reader);
    return r < 0 ? err_wrap(err, r, "%s", in->name) : 0;
}

struct taker {
    struct prio_sum *sum;
    struct prio_packet *packet;
    struct digester *digester;
    struct base64_ops base64;
    struct record_ops record_ops;
    struct buf scratch, share;
};

int taker_new(struct taker **out, const struct prio_server *server, struct prio_sum *sum,
              const struct digest_key *key, unsigned cpu, struct err *err)
{
    const size_t max_line = stage_max_line(server);
    CLEANUP(taker_freep) struct taker *t = calloc(1, sizeof *t);
    if (!t)
        return err_set(err, E_NOMEM, 0, "no memory for a worker");
    t->sum = sum;
    t->scratch = BUF_INIT(max_line + NDJSON_SLACK);
    t->share = BUF_INIT_SECRET(base64_decode_room(max_line));
    base64_ops_init(&t->base64, cpu);
    record_ops_init(&t->record_ops, cpu);
    const int status = prio_packet_new(&t->packet, server);
    if (status != PRIO_OK)
        return stage_prio_err(err, status, "starting a worker");
    const int r = digester_new(&t->digester, key, err);
    if (r < 0)
        return r;
    *out = t;
    t = NULL;
    return 0;
}

void taker_free(struct taker *t)
{
    if (!t)
        return;
    digester_free(t->digester);
    prio_packet_free(t->packet);
    buf_deinit(&t->scratch);
    buf_deinit(&t->share);
    free(t);
}

/* @return 1: the line holds a share that opens, 0: not, or E_*. */
static int open_line(struct taker *t, struct span line, struct digest *share, struct err *err)
{
    struct record record;
    int r = record_parse(&record, &t->record_ops, line, &t->scratch, err);
    if (r <= 0 || !record.has_payload)
        return r < 0 ? r : 0;
    t->share.len = 0;
    r = buf_reserve(&t->share, base64_decode_room(record.payload.len), err);
    if (r < 0)
        return r;
    const ptrdiff_t n = t->base64.decode(t->share.data, record.payload.ptr, record.payload.len);
    if (n < PRIO_SEAL_BYTES)
        return 0;
    t->share.len = (size_t)n;
    r = packet_open_in_place(t->packet, t->share.data, t->share.len);
    if (r < 0)
        return stage_prio_err(err, r, "opening a share");
    if (r != PRIO_OK)
        return 0;
    r = digester_share(t->digester, share, buf_span(&t->share), err);
    return r < 0 ? r : 1;
}

int taker_take_back(struct taker *t, const struct trace_entry *entry, struct span line,
                    struct err *err)
{
    struct digest share;
    int r = open_line(t, line, &share, err);
    if (r < 0)
        return r;
    if (r == 0 || memcmp(share.bytes, entry->share.bytes, sizeof share.bytes) != 0)
        return err_set(err, E_FORMAT, 0,
                       "the share at byte %" PRIu64 " is not the one that verify1 summed: the raw "
                       "data has changed",
                       entry->offset);
    r = sum_take_back(t->sum, t->packet);
    return r == PRIO_OK ? 0 : stage_prio_err(err, r, "aggregate");
}
