/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The three passes over share records: verify1, verify2, aggregate.
 *
 * A record goes through these steps, and the first that fails gives the reason:
 *
 *   take      parse the line, find the id's messages, decode and open the share       side by side
 *   admit     is the id new, is the ciphertext new; sequential: draw its point        in order
 *   evaluate  compute the answer, or add to the worker's sum                          side by side
 *   commit    count, write the answer or the rejection                                in order
 *
 * An id that was met before is a duplicate whatever else is wrong with the later record, so admit
 * may overrule take. In `first` mode and in aggregate no point has to be waited for: evaluate
 * follows take at once, while the share is still open, and admit throws the few answers away that
 * turn out to belong to duplicates. A sum is cleaned of them by opening their lines again, which
 * are still in the chunk: the sum is optimistic until then, and does not leave before.
 *
 * In `sequential` mode a worker takes one record at a time, since it can hold one share open.
 */
#include "codec/base64.h"
#include "prio/packet.h"
#include "prio/sum.h"
#include "stage/lines.h"
#include "stage/stage.h"
#include "stage/trace.h"

#include <inttypes.h>
#include <stdlib.h>

enum pass { PASS_VERIFY1, PASS_VERIFY2, PASS_AGGREGATE };

enum {
    MAX_ITEMS = 128,        // records a worker holds between two turns
    MAX_OUTPUT = 256 << 10, // bytes of answers, likewise
    LINES_PER_CHUNK = 32,   // few enough that workers end together on a small input
    MAX_TARGET = 128 << 10,
    LINE_EXTRAS = 128, // id and punctuation of a usual line
    MIN_LINE_LIMIT = 1 << 20,
};

struct run {
    enum pass pass;
    const struct stage_input *in;
    const struct stage_options *options;
    struct packets *packets; // NULL in verify1
    const struct stage_sink *out;
    struct prio_sum *sum; // aggregate, or of the trace; under lines.lock
    struct stage_counts *counts;
    bool in_order; // points are drawn one after another
    struct prio_pass *points;
    struct prio_point first_point;
    struct identity *identity; // of the shares, or NULL; in commit order
    struct base64_ops base64;
    struct record_ops record_ops;
    struct lines lines;
};

/* A record between take and commit. */
struct item {
    struct span line; // in the chunk
    uint64_t number;
    enum stage_reason reason;
    bool has_id, opened, pending;
    uint8_t *entry; // in packets, or NULL
    struct digest id, share;
    size_t out_begin, out_len;
    uint64_t offset; // of the line in the input
    uint8_t residue[RESIDUE_BYTES];
    uint8_t identity[IDENTITY_BYTES];
};

struct worker {
    struct run *run;
    struct digester *digester;
    struct identity *identity; // NULL: not wanted
    struct prio_packet *packet;
    struct prio_sum *sum;
    struct record record;    // of the line taken last
    struct prio_point point; // of the line taken last
    struct buf scratch, share, out, rejected, trace;
    struct item *items;
    size_t n_items;
};

int stage_prio_err(struct err *err, int status, const char *what)
{
    const enum err_code code = status == PRIO_E_NOMEM    ? E_NOMEM
                               : status == PRIO_E_CRYPTO ? E_CRYPTO
                                                         : E_ARG;
    return err_set(err, code, 0, "%s: %s", what, prio_status_text(status));
}

static size_t nominal_line(const struct prio_server *server)
{
    return base64_encoded_len(prio_batch_share_max(server->batch, server->role)) + LINE_EXTRAS;
}

size_t stage_max_line(const struct prio_server *server)
{
    const size_t most = 4 * nominal_line(server);
    return most > MIN_LINE_LIMIT ? most : MIN_LINE_LIMIT;
}

/* Decode and open the share of w->record. *reason is untouched when it opens. */
static int open_share(struct worker *w, enum stage_reason *reason, struct err *err)
{
    const struct span text = w->record.payload;
    if (!w->record.has_payload) {
        *reason = REASON_BAD_BASE64;
        return 0;
    }
    w->share.len = 0; // clearing would wipe what the next share overwrites anyway
    int r = buf_reserve(&w->share, base64_decode_room(text.len), err);
    if (r < 0)
        return r;
    const ptrdiff_t n = w->run->base64.decode(w->share.data, text.ptr, text.len);
    if (n < 0) {
        *reason = REASON_BAD_BASE64;
        return 0;
    }
    w->share.len = (size_t)n;
    r = packet_open_in_place(w->packet, w->share.data, w->share.len);
    if (r == PRIO_REJECT_DECRYPT)
        *reason = REASON_DECRYPT;
    else if (r == PRIO_REJECT_PARSE)
        *reason = REASON_PARSE;
    else if (r != PRIO_OK)
        return stage_prio_err(err, r, "opening a share");
    return 0;
}

/* Append the line of w->record with message as its payload. */
static int write_answer(struct worker *w, struct item *item, const uint8_t *message, size_t len,
                        struct err *err)
{
    uint8_t text[(PRIO_VERIFY1_MAX + 2) / 3 * 4 + BASE64_SLACK];
    const size_t text_len = w->run->base64.encode(text, message, len);
    const struct span payload = span_of(text, text_len);
    item->out_begin = w->out.len;
    const int r = w->run->options->compact ? record_write_compact(&w->out, &w->record, payload, err)
                                           : record_rewrite(&w->out, &w->record, payload, err);
    item->out_len = w->out.len - item->out_begin;
    return r;
}

static int answer_verify1(struct worker *w, struct item *item, struct err *err)
{
    uint8_t message[PRIO_VERIFY1_MAX];
    size_t len;
    int r = w->run->options->trace ? packet_verify1_residue(w->packet, message, &len, item->residue)
                                   : prio_packet_verify1(w->packet, &w->point, message, &len);
    if (r == PRIO_OK && w->sum) {
        r = sum_add_pending(w->sum, w->packet);
        item->pending = r == PRIO_OK;
    }
    if (r != PRIO_OK)
        return stage_prio_err(err, r, "verify1");
    return write_answer(w, item, message, len, err);
}

static int answer_verify2(struct worker *w, struct item *item, struct err *err)
{
    const struct packet_pair pair = packets_pair(w->run->packets, item->entry);
    uint8_t message[PRIO_VERIFY2_MAX];
    size_t len;
    const int r = prio_packet_verify2(w->packet, &w->point, pair.own.ptr, pair.own.len,
                                      pair.peer.ptr, pair.peer.len, message, &len);
    if (r == PRIO_REJECT_PACKET) {
        item->reason = REASON_BAD_PACKET;
        return 0;
    }
    if (r != PRIO_OK)
        return stage_prio_err(err, r, "verify2");
    return write_answer(w, item, message, len, err);
}

static int add_to_sum(struct worker *w, struct item *item, struct err *err)
{
    const struct packet_pair pair = packets_pair(w->run->packets, item->entry);
    int r = prio_verdict(pair.own.ptr, pair.own.len, pair.peer.ptr, pair.peer.len);
    if (r == PRIO_REJECT_PACKET || r == PRIO_REJECT_INVALID) {
        item->reason = r == PRIO_REJECT_PACKET ? REASON_BAD_PACKET : REASON_INVALID;
        return 0;
    }
    if (r == PRIO_OK)
        r = sum_add_pending(w->sum, w->packet);
    if (r != PRIO_OK)
        return stage_prio_err(err, r, "aggregate");
    item->pending = true;
    return 0;
}

static int evaluate(struct worker *w, struct item *item, struct err *err)
{
    switch (w->run->pass) {
    case PASS_VERIFY1:
        return answer_verify1(w, item, err);
    case PASS_VERIFY2:
        return answer_verify2(w, item, err);
    case PASS_AGGREGATE:
        return add_to_sum(w, item, err);
    }
    return err_set(err, E_ARG, 0, "no such pass");
}

/* Are the id's messages there? */
static void find_messages(struct worker *w, struct item *item)
{
    const struct packets *packets = w->run->packets;
    item->entry = packets_find(packets, &item->id);
    const struct packet_pair pair =
        item->entry ? packets_pair(packets, item->entry) : (struct packet_pair){0};
    if (!pair.has_own)
        item->reason = REASON_MISSING_INTERNAL;
    else if (!pair.has_peer)
        item->reason = REASON_MISSING_EXTERNAL;
}

static int take(struct worker *w, struct item *item, struct err *err)
{
    int r = w->identity ? identity_of_line(w->identity, item->identity, item->line, err) : 0;
    if (r < 0)
        return r;
    r = record_parse(&w->record, &w->run->record_ops, item->line, &w->scratch, err);
    if (r <= 0) {
        item->reason = REASON_BAD_JSON;
        return r;
    }
    if (w->record.id_kind == RECORD_ID_NONE) {
        item->reason = REASON_NO_ID;
        return 0;
    }
    item->has_id = true;
    r = digester_id(w->digester, &item->id, w->record.id_kind, w->record.id, err);
    if (r < 0)
        return r;
    if (w->run->packets)
        find_messages(w, item);
    if (item->reason == REASON_NONE)
        r = open_share(w, &item->reason, err);
    if (r < 0 || item->reason != REASON_NONE)
        return r;
    item->opened = true;
    r = digester_share(w->digester, &item->share, buf_span(&w->share), err);
    if (r < 0 || w->run->in_order)
        return r;
    return evaluate(w, item, err);
}

static struct item *add_item(struct worker *w, struct span line, uint64_t number)
{
    struct item *item = &w->items[w->n_items++];
    *item = (struct item){.line = line, .number = number, .reason = REASON_NONE};
    return item;
}

static int take_too_long(struct worker *w, const struct ndjson_chunk *chunk, struct err *err)
{
    struct item *item = add_item(w, (struct span){0}, chunk->first_line);
    item->reason = REASON_TOO_LONG;
    return w->identity ? identity_of_line(w->identity, item->identity, item->line, err) : 0;
}

/* Take the next records of a chunk. @return 1 when the chunk has more, 0 at its end, or E_*. */
static int take_some(struct worker *w, struct ndjson_chunk *chunk, struct err *err)
{
    const size_t most = w->run->in_order ? 1 : MAX_ITEMS;
    w->n_items = 0;
    buf_clear(&w->out);
    if (chunk->too_long)
        return take_too_long(w, chunk, err);
    struct span line;
    while (ndjson_line(chunk, &line)) {
        if (line_is_blank(line))
            continue;
        struct item *item = add_item(w, line, chunk->line);
        item->offset = chunk->offset + (uint64_t)(line.ptr - chunk->bytes.data);
        const int r = take(w, item, err);
        if (r < 0)
            return r;
        if (w->n_items == most || w->out.len >= MAX_OUTPUT)
            return 1;
    }
    return 0;
}

/* In record order: drop what was met before, and hand out the point. */
static int admit(struct worker *w, struct err *err)
{
    struct seen *seen = w->run->in->seen;
    for (size_t i = 0; i < w->n_items; i++) {
        struct item *item = &w->items[i];
        if (!item->has_id)
            continue;
        int is_new = item->entry ? !packets_seen(item->entry) : seen_id(seen, &item->id, err);
        if (is_new < 0)
            return is_new;
        if (!is_new) {
            item->reason = REASON_DUPLICATE_ID;
            continue;
        }
        if (!item->opened)
            continue;
        is_new = seen_share(seen, &item->share, err);
        if (is_new < 0)
            return is_new;
        if (!is_new) {
            item->reason = REASON_REPLAY;
        } else if (w->run->in_order) {
            const int r = prio_pass_next(w->run->points, &w->point);
            if (r != PRIO_OK)
                return stage_prio_err(err, r, "evaluation point");
        }
    }
    return 0;
}

/* The record was added before admit dropped it: subtract it again. */
static int take_back(struct worker *w, struct item *item, struct err *err)
{
    enum stage_reason reason = REASON_NONE;
    int r = record_parse(&w->record, &w->run->record_ops, item->line, &w->scratch, err);
    if (r >= 0)
        r = open_share(w, &reason, err);
    if (r < 0)
        return r;
    r = sum_take_back(w->sum, w->packet);
    return r == PRIO_OK ? 0 : stage_prio_err(err, r, "aggregate");
}

/* After admit, outside of the turns. */
static int settle(struct worker *w, struct err *err)
{
    uint64_t n_kept = 0;
    for (size_t i = 0; i < w->n_items; i++) {
        struct item *item = &w->items[i];
        int r = 0;
        if (w->run->in_order && item->reason == REASON_NONE)
            r = evaluate(w, item, err);
        if (item->pending && item->reason != REASON_NONE)
            r = take_back(w, item, err);
        else if (item->pending)
            n_kept++;
        if (r < 0)
            return r;
    }
    // In verify1 they stay pending: whether they are proved is known much later.
    if (n_kept > 0 && w->run->pass == PASS_AGGREGATE)
        sum_confirm(w->sum, n_kept);
    return 0;
}

static int append_id(struct buf *out, const struct record *record, struct err *err)
{
    int r = buf_append_str(out, ", \"id\": ", err);
    if (r < 0)
        return r;
    return record->id_kind == RECORD_ID_STRING
               ? json_write_string(out, record->id, err)
               : buf_append(out, record->id.ptr, record->id.len, err);
}

/* Rejections are rare: their line is parsed once more here, where somebody wants to see the id. */
static int append_rejection(struct worker *w, const struct item *item, struct err *err)
{
    int r = buf_printf(&w->rejected, err, "{\"line\": %" PRIu64, item->number);
    if (r == 0 && item->has_id) {
        r = record_parse(&w->record, &w->run->record_ops, item->line, &w->scratch, err);
        if (r >= 0)
            r = append_id(&w->rejected, &w->record, err);
    }
    if (r < 0)
        return r;
    return buf_printf(&w->rejected, err, ", \"reason\": \"%s\"}\n",
                      stage_reason_name(item->reason));
}

static int note_rejection(struct worker *w, const struct item *item, struct err *err)
{
    struct run *run = w->run;
    const bool broken = item->reason == REASON_BAD_JSON || item->reason == REASON_TOO_LONG;
    if (broken && run->options->strict)
        return err_set(err, E_FORMAT, 0, "%s: line %" PRIu64 ": %s", run->in->name, item->number,
                       item->reason == REASON_TOO_LONG ? "too long" : "not a JSON object");
    run->counts->error++;
    run->counts->by_reason[item->reason]++;
    if (run->options->progress)
        progress_reject(run->options->progress, 1);
    if (!run->options->rejects.write)
        return 0;
    const int r = append_rejection(w, item, err);
    if (r < 0 || w->rejected.len < MAX_OUTPUT)
        return r;
    const struct stage_sink *sink = &run->options->rejects;
    const int written = sink->write(sink->arg, w->rejected.data, w->rejected.len, err);
    buf_clear(&w->rejected);
    return written;
}

/* In record order: the item's place in what outlives the pass. */
static int note_item(struct worker *w, const struct item *item, struct err *err)
{
    struct run *run = w->run;
    const int r = run->identity ? identity_add(run->identity, item->identity, err) : 0;
    if (r < 0 || !run->options->trace || !item->has_id)
        return r;
    struct trace_entry entry = {.accepted = item->reason == REASON_NONE,
                                .id = item->id,
                                .share = item->share,
                                .offset = item->offset,
                                .len = (uint32_t)item->line.len};
    memcpy(entry.residue, item->residue, sizeof entry.residue);
    uint8_t bytes[TRACE_ENTRY_BYTES];
    trace_encode(bytes, &entry);
    return buf_append(&w->trace, bytes, sizeof bytes, err);
}

static int write_trace(struct worker *w, struct err *err)
{
    if (w->trace.len == 0)
        return 0;
    const struct stage_sink *sink = &w->run->options->trace->entries;
    const int r = sink->write(sink->arg, w->trace.data, w->trace.len, err);
    buf_clear(&w->trace);
    return r;
}

/* In record order: count and write. Answers of dropped records are squeezed out of the buffer. */
static int commit(struct worker *w, struct err *err)
{
    struct run *run = w->run;
    size_t len = 0;
    for (size_t i = 0; i < w->n_items; i++) {
        const struct item *item = &w->items[i];
        run->counts->total++;
        int r = note_item(w, item, err);
        if (r == 0 && item->reason != REASON_NONE)
            r = note_rejection(w, item, err);
        if (r < 0)
            return r;
        if (item->reason == REASON_NONE && item->out_len > 0) {
            if (len != item->out_begin)
                memmove(w->out.data + len, w->out.data + item->out_begin, item->out_len);
            len += item->out_len;
        }
    }
    if (w->rejected.len > 0) {
        const struct stage_sink *sink = &run->options->rejects;
        const int r = sink->write(sink->arg, w->rejected.data, w->rejected.len, err);
        buf_clear(&w->rejected);
        if (r < 0)
            return r;
    }
    const int r = write_trace(w, err);
    return r == 0 && len > 0 ? run->out->write(run->out->arg, w->out.data, len, err) : r;
}

/*
 * A chunk of unusually many records is taken in several goes; from the first one on it keeps its
 * turns until the last is through.
 */
static int check_chunk(void *arg, struct ndjson_chunk *chunk, struct err *err)
{
    struct worker *w = arg;
    struct lines *lines = &w->run->lines;
    int more = 1;
    for (bool entered = false; more; entered = true) {
        more = take_some(w, chunk, err);
        int r = more < 0 ? more : 0;
        if (r == 0 && !entered)
            r = lines_enter(lines, TURN_ADMIT, chunk);
        if (r == 0)
            r = admit(w, err);
        if (r != 0)
            return r;
        if (!more)
            lines_leave(lines, TURN_ADMIT, chunk);
        r = settle(w, err);
        if (r == 0 && !entered)
            r = lines_enter(lines, TURN_COMMIT, chunk);
        if (r == 0)
            r = commit(w, err);
        if (r != 0)
            return r;
    }
    lines_leave(lines, TURN_COMMIT, chunk);
    return 0;
}

static void worker_deinit(struct worker *w)
{
    digester_free(w->digester);
    identity_free(w->identity);
    prio_packet_free(w->packet);
    prio_sum_free(w->sum);
    buf_deinit(&w->scratch);
    buf_deinit(&w->share);
    buf_deinit(&w->out);
    buf_deinit(&w->rejected);
    buf_deinit(&w->trace);
    free(w->items);
}

static int worker_init(struct worker *w, struct run *run, struct err *err)
{
    const size_t max_line = run->lines.options.max_line;
    *w = (struct worker){.run = run, .point = run->first_point};
    w->scratch = BUF_INIT(max_line + NDJSON_SLACK);
    w->share = BUF_INIT_SECRET(base64_decode_room(max_line));
    // An answer escapes what its line wrote as UTF-8: up to six bytes for two, or for one invalid.
    w->out = BUF_INIT(MAX_OUTPUT + 6 * max_line);
    w->rejected = BUF_INIT(MAX_OUTPUT + 8 * RECORD_MAX_ID_BYTES);
    w->trace = BUF_INIT_SECRET(MAX_ITEMS * TRACE_ENTRY_BYTES);
    w->items = malloc(MAX_ITEMS * sizeof *w->items);
    if (!w->items)
        return err_set(err, E_NOMEM, 0, "no memory for a worker");
    // Once for all usual shares: the first to be a few bytes longer would otherwise double it.
    const size_t usual = prio_batch_share_max(run->in->server->batch, run->in->server->role);
    int r = buf_reserve(&w->share, base64_decode_room(base64_encoded_len(usual)), err);
    if (r < 0)
        return r;
    r = prio_packet_new(&w->packet, run->in->server);
    if (r == PRIO_OK && run->sum)
        r = prio_sum_new(&w->sum, run->in->server);
    if (r != PRIO_OK)
        return stage_prio_err(err, r, "starting a worker");
    if (run->identity) {
        r = identity_new(&w->identity, err);
        if (r < 0)
            return r;
    }
    return digester_new(&w->digester, &run->in->seen->key, err);
}

static int add_worker_sum(struct run *run, const struct worker *w, struct err *err)
{
    pthread_mutex_lock(&run->lines.lock);
    const int r = sum_merge_pending(run->sum, w->sum);
    pthread_mutex_unlock(&run->lines.lock);
    return r == PRIO_OK ? 0 : stage_prio_err(err, r, "aggregate");
}

static int run_worker(unsigned index, void *arg, struct err *err)
{
    (void)index;
    struct run *run = arg;
    CLEANUP(worker_deinit) struct worker w;
    int r = worker_init(&w, run, err);
    if (r < 0)
        lines_abort(&run->lines);
    else
        r = lines_work(&run->lines, check_chunk, &w, err);
    if (r == 0 && w.sum) // where another worker has failed, the sum is not used
        r = add_worker_sum(run, &w, err);
    return r;
}

static int start_identity(struct run *run, struct err *err)
{
    if (!run->options->identity)
        return 0;
    const int r = identity_new(&run->identity, err);
    return r < 0 ? r : identity_start(run->identity, err);
}

static int start_points(struct run *run, struct err *err)
{
    int r = prio_pass_new(&run->points, run->in->server);
    if (r == PRIO_OK && !run->in_order)
        r = prio_pass_next(run->points, &run->first_point);
    return r == PRIO_OK ? 0 : stage_prio_err(err, r, "evaluation points");
}

/*
 * A whole number of usual lines: then a chunk ends a little behind a line's end, and hardly a byte
 * is carried over into the next.
 */
static size_t target_bytes(const struct run *run)
{
    const size_t line = nominal_line(run->in->server);
    size_t n_lines = run->in_order ? 1 : MAX_TARGET / line;
    if (n_lines > LINES_PER_CHUNK)
        n_lines = LINES_PER_CHUNK;
    return n_lines > 0 ? n_lines * line : line;
}

static int run_pass(struct run *run, struct err *err)
{
    const unsigned n_workers = run->options->n_workers > 0 ? run->options->n_workers : 1;
    run->in_order =
        run->in->server->points == PRIO_POINTS_SEQUENTIAL && run->pass != PASS_AGGREGATE;
    base64_ops_init(&run->base64, run->options->cpu);
    record_ops_init(&run->record_ops, run->options->cpu);
    int r = start_points(run, err);
    if (r == 0)
        r = start_identity(run, err);
    if (r == 0)
        r = lines_init(&run->lines, run->in->shares,
                       &(struct lines_options){.max_line = stage_max_line(run->in->server),
                                               .target_bytes = target_bytes(run),
                                               .progress = run->options->progress},
                       err);
    if (r == 0) {
        r = pool_run(n_workers, run_worker, run, err);
        lines_deinit(&run->lines);
    }
    if (r == 0 && run->identity)
        r = identity_finish(run->identity, run->options->identity, err);
    identity_free(run->identity);
    prio_pass_free(run->points);
    return r;
}

int stage_verify1(const struct stage_input *in, const struct stage_options *options,
                  const struct stage_sink *out, struct stage_counts *counts, struct err *err)
{
    struct run run = {
        .pass = PASS_VERIFY1, .in = in, .options = options, .out = out, .counts = counts};
    if (options->trace && in->server->points != PRIO_POINTS_FIRST)
        return err_set(err, E_ARG, 0, "a trace needs the points mode `first`");
    run.sum = options->trace ? options->trace->sum : NULL;
    return run_pass(&run, err);
}

int stage_verify2(const struct stage_input *in, struct packets *verify1,
                  const struct stage_options *options, const struct stage_sink *out,
                  struct stage_counts *counts, struct err *err)
{
    struct run run = {.pass = PASS_VERIFY2,
                      .in = in,
                      .options = options,
                      .packets = verify1,
                      .out = out,
                      .counts = counts};
    return run_pass(&run, err);
}

int stage_aggregate(const struct stage_input *in, struct packets *verify2,
                    const struct stage_options *options, struct prio_sum *sum,
                    struct stage_counts *counts, struct err *err)
{
    struct run run = {.pass = PASS_AGGREGATE,
                      .in = in,
                      .options = options,
                      .packets = verify2,
                      .sum = sum,
                      .counts = counts};
    return run_pass(&run, err);
}
