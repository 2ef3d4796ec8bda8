/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Messages stand in the table itself, in slots of the longest minimal message: 24 or 12 bytes. A
 * peer may write the same elements longer (wide headers, leading zeros, bytes behind the end, all
 * of which readers must accept); such a message is put into minimal form first.
 */
#include "stage/packets.h"

#include "codec/base64.h"
#include "codec/msgpack.h"
#include "codec/ndjson.h"
#include "stage/lines.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    ELEMENT_BYTES = 11,
    SLOT_BYTES = ELEMENT_BYTES + 1, // of one element
    ENTRY_SEEN = 0,
    ENTRY_LEN = 1, // one byte a side
    ENTRY_HEAD = 3,
    ABSENT = 0,
    MALFORMED = 255,
    TARGET_BYTES = 64 << 10,
};

struct loader {
    struct packets *packets;
    enum packet_side side;
    const struct packets_load *load;
    struct digester *digester;
    struct base64_ops base64;
    struct record_ops record_ops;
    struct buf scratch, message;
    uint64_t n_skipped;
};

static size_t slot_bytes(const struct packets *p)
{
    return SLOT_BYTES * (size_t)p->kind;
}

void packets_init(struct packets *p, enum packet_kind kind, const struct digest_key *key)
{
    p->kind = kind;
    p->key = *key;
    table_init(&p->table, ENTRY_HEAD + 2 * SLOT_BYTES * (size_t)kind);
}

void packets_deinit(struct packets *p)
{
    table_deinit(&p->table);
}

/* Write message into slot, shortened where it has to be. @return its length, or MALFORMED. */
static uint8_t put_message(const struct packets *p, uint8_t *slot, struct span message)
{
    if (message.len > 0 && message.len <= slot_bytes(p)) {
        memcpy(slot, message.ptr, message.len);
        return (uint8_t)message.len;
    }
    struct msgpack_reader in = {message.ptr, message.ptr + message.len};
    size_t len = 0;
    for (int i = 0; i < (int)p->kind; i++) {
        struct span body;
        if (message.len == 0 || !msgpack_read_str(&in, &body) || body.len == 0)
            return MALFORMED;
        while (body.len > 1 && body.ptr[0] == 0)
            body = span_of(body.ptr + 1, body.len - 1);
        if (body.len > ELEMENT_BYTES)
            return MALFORMED;
        slot[len++] = (uint8_t)(0xa0 | body.len);
        memcpy(slot + len, body.ptr, body.len);
        len += body.len;
    }
    return (uint8_t)len;
}

static int load_record(struct loader *l, const struct record *record, struct err *err)
{
    struct digest id;
    uint8_t *entry;
    int r = digester_id(l->digester, &id, record->id_kind, record->id, err);
    if (r == 0)
        r = table_put(&l->packets->table, &id, &entry, err);
    if (r < 0)
        return r;
    struct span message = {0};
    if (record->has_payload) {
        buf_clear(&l->message);
        r = buf_reserve(&l->message, base64_decode_room(record->payload.len), err);
        if (r < 0)
            return r;
        const ptrdiff_t n =
            l->base64.decode(l->message.data, record->payload.ptr, record->payload.len);
        message = span_of(l->message.data, n > 0 ? (size_t)n : 0);
    }
    uint8_t *slot = entry + ENTRY_HEAD + (size_t)l->side * slot_bytes(l->packets);
    entry[ENTRY_LEN + l->side] = put_message(l->packets, slot, message);
    return 0;
}

static int load_line(struct loader *l, struct span line, uint64_t number, struct err *err)
{
    struct record record;
    if (line_is_blank(line))
        return 0;
    const int r = record_parse(&record, &l->record_ops, line, &l->scratch, err);
    if (r < 0)
        return r;
    if (r == 0 && l->load->strict)
        return err_set(err, E_FORMAT, 0, "%s: line %" PRIu64 ": not a JSON object", l->load->name,
                       number);
    if (r == 1 && record.id_kind != RECORD_ID_NONE)
        return load_record(l, &record, err);
    l->n_skipped++;
    return 0;
}

static int load_chunk(struct loader *l, struct ndjson_chunk *chunk, struct err *err)
{
    if (chunk->too_long) {
        l->n_skipped++;
        return l->load->strict ? err_set(err, E_FORMAT, 0, "%s: line %" PRIu64 ": too long",
                                         l->load->name, chunk->first_line)
                               : 0;
    }
    struct span line;
    int r = 0;
    while (r == 0 && ndjson_line(chunk, &line))
        r = load_line(l, line, chunk->line, err);
    return r;
}

int packets_load(struct packets *p, enum packet_side side, const struct packets_load *load,
                 uint64_t *n_skipped, struct err *err)
{
    CLEANUP(digester_freep) struct digester *digester = NULL;
    int r = digester_new(&digester, &p->key, err);
    if (r < 0)
        return r;
    struct loader l = {.packets = p, .side = side, .load = load, .digester = digester};
    l.scratch = BUF_INIT(load->max_line + NDJSON_SLACK);
    l.message = BUF_INIT(base64_decode_room(load->max_line));
    base64_ops_init(&l.base64, load->cpu);
    record_ops_init(&l.record_ops, load->cpu);

    struct ndjson_reader reader;
    struct ndjson_chunk chunk;
    ndjson_reader_init(&reader, load->source, load->max_line);
    ndjson_chunk_init(&chunk, load->max_line);
    while ((r = ndjson_fill(&reader, &chunk, TARGET_BYTES, err)) == 1) {
        r = load_chunk(&l, &chunk, err);
        if (r < 0)
            break;
    }
    ndjson_chunk_deinit(&chunk);
    ndjson_reader_deinit(&reader);
    buf_deinit(&l.message);
    buf_deinit(&l.scratch);
    if (r == 0 && n_skipped)
        *n_skipped = l.n_skipped;
    return r;
}

uint8_t *packets_find(const struct packets *p, const struct digest *id)
{
    return table_find(&p->table, id);
}

static struct span side_message(const struct packets *p, const uint8_t *entry,
                                enum packet_side side)
{
    const uint8_t len = entry[ENTRY_LEN + side];
    return span_of(entry + ENTRY_HEAD + (size_t)side * slot_bytes(p), len == MALFORMED ? 0 : len);
}

struct packet_pair packets_pair(const struct packets *p, const uint8_t *entry)
{
    return (struct packet_pair){
        .has_own = entry[ENTRY_LEN + PACKET_OWN] != ABSENT,
        .has_peer = entry[ENTRY_LEN + PACKET_PEER] != ABSENT,
        .own = side_message(p, entry, PACKET_OWN),
        .peer = side_message(p, entry, PACKET_PEER),
    };
}

bool packets_seen(uint8_t *entry)
{
    const bool seen = entry[ENTRY_SEEN] != 0;
    entry[ENTRY_SEEN] = 1;
    return seen;
}
