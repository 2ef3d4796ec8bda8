/* SPDX-License-Identifier: MPL-2.0 */
#include "stage/totals.h"

#include "codec/base64.h"
#include "stage/stage.h"
#include "weir/prio.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

enum {
    ELEMENT_TEXT = 16, // base64 of an element of 12 bytes
    MIN_OBJECT_LIMIT = 1 << 20,
};

static void json_freep(json_t **json)
{
    json_decref(*json);
}

void aggregate_init(struct aggregate *a)
{
    *a = (struct aggregate){.total_share = BUF_INIT_SECRET(SIZE_MAX / 4)};
}

void aggregate_deinit(struct aggregate *a)
{
    buf_deinit(&a->total_share);
}

size_t aggregate_max_bytes(size_t n_data)
{
    const size_t most = 4 * ELEMENT_TEXT * n_data;
    return most > MIN_OBJECT_LIMIT ? most : MIN_OBJECT_LIMIT;
}

static int read_count(uint64_t *out, const json_t *object, const char *key, struct err *err)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return err_set(err, E_FORMAT, 0, "\"%s\" is not a count", key);
    *out = (uint64_t)json_integer_value(value);
    return 0;
}

static int read_payload(struct aggregate *a, const json_t *object, unsigned cpu, struct err *err)
{
    const json_t *payload = json_object_get(object, "payload");
    if (!json_is_string(payload))
        return err_set(err, E_FORMAT, 0, "\"payload\" is not a string");
    struct base64_ops base64;
    base64_ops_init(&base64, cpu);
    const size_t len = json_string_length(payload);
    buf_clear(&a->total_share);
    const int r = buf_reserve(&a->total_share, base64_decode_room(len), err);
    if (r < 0)
        return r;
    const ptrdiff_t n =
        base64.decode(a->total_share.data, (const uint8_t *)json_string_value(payload), len);
    if (n <= 0)
        return err_set(err, E_FORMAT, 0, "\"payload\" is %s", n < 0 ? "not base64" : "empty");
    a->total_share.len = (size_t)n;
    return 0;
}

int aggregate_parse(struct aggregate *a, struct span text, unsigned cpu, struct err *err)
{
    json_error_t where;
    CLEANUP(json_freep)
    json_t *object = json_loadb((const char *)text.ptr, text.len, JSON_ALLOW_NUL, &where);
    if (!object)
        return err_set(err, E_FORMAT, 0, "not one JSON object (line %d, column %d)", where.line,
                       where.column); // where.text may quote a share
    if (!json_is_object(object))
        return err_set(err, E_FORMAT, 0, "not one JSON object");
    int r = read_count(&a->error, object, "error", err);
    if (r == 0)
        r = read_count(&a->total, object, "total", err);
    if (r == 0 && a->error > a->total)
        r = err_set(err, E_FORMAT, 0, "more errors than records");
    return r < 0 ? r : read_payload(a, object, cpu, err);
}

int aggregate_format(struct buf *out, const struct aggregate *a, bool compact, unsigned cpu,
                     struct err *err)
{
    const char *const gap = compact ? "" : " ";
    struct base64_ops base64;
    base64_ops_init(&base64, cpu);
    int r = buf_printf(out, err, "{\"payload\":%s\"", gap);
    if (r == 0)
        r = buf_reserve(out, base64_encoded_len(a->total_share.len) + BASE64_SLACK, err);
    if (r < 0)
        return r;
    out->len += base64.encode(out->data + out->len, a->total_share.data, a->total_share.len);
    return buf_printf(out, err, "\",%s\"error\":%s%" PRIu64 ",%s\"total\":%s%" PRIu64 "}", gap, gap,
                      a->error, gap, gap, a->total);
}

size_t totals_count(const struct totals_input *in)
{
    return in->precision > 0 ? in->n_data / in->precision : in->n_data;
}

/* The total share itself, or, with a precision, the one of integers made of it. */
static int prepare(struct buf *out, const struct totals_input *in, const struct aggregate *a,
                   const char *whose, struct err *err)
{
    const struct buf *share = &a->total_share;
    int r = buf_append(out, share->data, share->len, err);
    if (r < 0 || in->precision == 0)
        return r;
    size_t len = 0;
    r = prio_total_share_to_uints(share->data, share->len, in->n_data, in->precision, out->data,
                                  out->cap, &len);
    if (r == PRIO_REJECT_PACKET)
        return err_set(err, E_FORMAT, 0, "the %s total share does not have %zu elements", whose,
                       in->n_data);
    out->len = len;
    return r == PRIO_OK ? 0 : stage_prio_err(err, r, "combining bits to integers");
}

int totals_combine(uint64_t *totals, const struct totals_input *in, struct err *err)
{
    const uint64_t own_valid = in->own->total - in->own->error;
    const uint64_t peer_valid = in->peer->total - in->peer->error;
    if (own_valid != peer_valid)
        return err_set(err, E_FORMAT, 0,
                       "the own server summed %" PRIu64 " records, the peer %" PRIu64
                       ": their total shares do not belong together",
                       own_valid, peer_valid);
    CLEANUP(buf_deinit) struct buf own = BUF_INIT_SECRET(SIZE_MAX / 4);
    CLEANUP(buf_deinit) struct buf peer = BUF_INIT_SECRET(SIZE_MAX / 4);
    int r = prepare(&own, in, in->own, "own", err);
    if (r == 0)
        r = prepare(&peer, in, in->peer, "peer's", err);
    if (r < 0)
        return r;
    const struct buf *a = in->own_is_a ? &own : &peer;
    const struct buf *b = in->own_is_a ? &peer : &own;
    r = prio_final(totals, totals_count(in), a->data, a->len, b->data, b->len);
    if (r == PRIO_REJECT_PACKET)
        return err_set(
            err, E_FORMAT, 0,
            "the total shares are not those of the server itself and of its peer, of %zu "
            "elements each",
            in->n_data);
    if (r == PRIO_E_RANGE)
        return err_set(err, E_FORMAT, 0,
                       "a total does not fit 64 bits: the servers summed different records");
    return r == PRIO_OK ? 0 : stage_prio_err(err, r, "publish");
}

static int append_totals(struct buf *out, const uint64_t *totals, size_t n, const char *comma,
                         struct err *err)
{
    int r = 0;
    for (size_t i = 0; i < n && r == 0; i++)
        r = buf_printf(out, err, "%s%" PRIu64, i > 0 ? comma : "", totals[i]);
    return r;
}

int totals_format(struct buf *out, const char *uuid, const char *timestamp, const uint64_t *totals,
                  size_t n, struct err *err)
{
    int r = buf_printf(out, err, "{\"id\": \"%s\", \"timestamp\": \"%s\", \"payload\": [", uuid,
                       timestamp);
    if (r == 0)
        r = append_totals(out, totals, n, ", ", err);
    return r < 0 ? r : buf_append_str(out, "]}", err);
}

int totals_format_compact(struct buf *out, const char *uuid, const char *timestamp,
                          const uint64_t *totals, size_t n, const struct aggregate *own,
                          struct err *err)
{
    int r =
        buf_printf(out, err, "{\"id\":\"%s\",\"timestamp\":\"%s\",\"payload\":[", uuid, timestamp);
    if (r == 0)
        r = append_totals(out, totals, n, ",", err);
    return r < 0 ? r
                 : buf_printf(out, err, "],\"error\":%" PRIu64 ",\"total\":%" PRIu64 "}",
                              own->error, own->total);
}
