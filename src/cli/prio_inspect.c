/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What a file of the pipeline contains, for people who find out with a partner why records fail.
 *
 * The kind of a record is told from its structure. Messages between the servers are shown, since
 * the partner has them anyway; shares, seeds, triples, plain values and total shares only with
 * --reveal. Text from the file is printed as JSON strings, so that it cannot steer a terminal.
 */
#include "base/cpu.h"
#include "base/secret.h"
#include "cli/prio.h"
#include "codec/base64.h"
#include "codec/msgpack.h"
#include "codec/ndjson.h"
#include "prio/seal.h"
#include "stage/keys.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_LINE_BYTES = 64 << 20,
    TARGET_BYTES = 64 << 10,
    ELEMENT_BYTES = 11,
    SHARE_B_BYTES = 90,  // of plaintext beside the batch id, about (prio-v1.md section 14)
    SHARE_B_MOST = 1024, // a longer one has a very long batch id, or is A's
    SHARE_A_BYTES = 73,  // beside the batch id and the two arrays
    ELEMENT_TEXT = 12,
};

struct inspector {
    const struct prio_args *args;
    struct base64_ops base64;
    bool has_key;
    struct suite suite;
    struct opener opener;
    struct buf bytes, plain, text;
};

static void row(const char *name, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void row(const char *name, const char *fmt, ...)
{
    va_list list;
    (void)printf("  %-15s ", name);
    va_start(list, fmt);
    (void)vprintf(fmt, list);
    va_end(list);
    (void)putchar('\n');
}

/* Text of strangers as a JSON string, cut where it is long. */
static int row_text(struct inspector *in, const char *name, struct span text, struct err *err)
{
    enum { SHOWN = 200 };
    const bool cut = text.len > SHOWN;
    buf_clear(&in->text);
    const int r = json_write_string(&in->text, span_of(text.ptr, cut ? SHOWN : text.len), err);
    if (r == 0)
        row(name, "%.*s%s", (int)in->text.len, (const char *)in->text.data, cut ? "..." : "");
    return r;
}

static void print_hex(struct span bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        (void)printf("%02x", bytes.ptr[i]);
}

static bool is_element(struct msgpack_reader *r, struct span *body)
{
    return msgpack_read_str(r, body) && body->len >= 1;
}

static void row_element(const char *name, struct span body)
{
    (void)printf("  %-15s ", name);
    print_hex(body);
    (void)printf(body.len > ELEMENT_BYTES ? " (longer than an element is written)\n" : "\n");
}

/* n secret elements: their number, or with --reveal their values. @return false when malformed. */
static bool show_elements(const struct inspector *in, const char *name, struct msgpack_reader *r,
                          size_t n)
{
    struct span body;
    (void)printf("  %-15s %zu element%s%s", name, n, n == 1 ? "" : "s",
                 in->args->reveal ? ":" : ", not shown");
    bool ok = true;
    for (size_t i = 0; i < n && ok; i++) {
        ok = is_element(r, &body);
        if (ok && in->args->reveal) {
            (void)putchar(' ');
            print_hex(body);
        }
    }
    (void)printf(ok ? "\n" : " (malformed)\n");
    return ok;
}

static void show_rest(const struct msgpack_reader *r)
{
    if (r->pos != r->end)
        row("behind the end", "%td bytes, which readers ignore", r->end - r->pos);
}

static const char *role_name(uint64_t id)
{
    return id == 0 ? "A" : id == 1 ? "B" : "neither A nor B";
}

static bool show_array(const struct inspector *in, const char *name, struct msgpack_reader *r)
{
    uint32_t n;
    if (msgpack_read_array(r, &n))
        return show_elements(in, name, r, n);
    row(name, "malformed: no array");
    return false;
}

static bool show_seed(const struct inspector *in, struct msgpack_reader *r)
{
    struct span seed;
    if (!msgpack_read_str(r, &seed) || seed.len != PRIO_SECRET_BYTES) {
        row("seed", "malformed");
        return false;
    }
    (void)printf("  %-15s ", "seed");
    if (in->args->reveal)
        print_hex(seed);
    else
        (void)printf("%zu bytes, not shown", seed.len);
    (void)putchar('\n');
    return true;
}

static int show_packet(struct inspector *in, struct span plain, struct err *err)
{
    static const char *const heads[] = {"a", "b", "c", "f0", "g0", "h0"};
    struct msgpack_reader r = {plain.ptr, plain.ptr + plain.len};
    struct span batch_id;
    uint64_t server_id;
    if (!msgpack_read_str(&r, &batch_id)) {
        row("packet", "malformed: it does not begin with a batch id");
        return 0;
    }
    const int status = row_text(in, "batch id", batch_id, err);
    if (status < 0)
        return status;
    if (in->args->batch_id && !span_equal(batch_id, span_str(in->args->batch_id)))
        row("", "is not --batch-id: this packet is rejected");
    for (size_t i = 0; i < ARRAY_LEN(heads); i++)
        if (!show_elements(in, heads[i], &r, 1))
            return 0;
    if (!msgpack_read_uint(&r, &server_id)) {
        row("server id", "malformed");
        return 0;
    }
    row("server id", "%s", role_name(server_id));
    if (server_id == PRIO_SERVER_B) {
        if (show_seed(in, &r))
            show_rest(&r);
    } else if (show_array(in, "data shares", &r) && show_array(in, "h points", &r)) {
        show_rest(&r);
    }
    return 0;
}

static int open_share(struct inspector *in, struct span share, struct err *err)
{
    buf_clear(&in->plain);
    int r = buf_reserve(&in->plain, share.len - SEAL_BYTES + 1, err);
    if (r < 0)
        return r;
    r = opener_open(&in->opener, in->plain.data, share.ptr, share.len);
    if (r == PRIO_REJECT_DECRYPT) {
        row("opens", "no: sealed to another key, or damaged");
        return 0;
    }
    if (r != PRIO_OK)
        return stage_prio_err(err, r, "opening a share");
    in->plain.len = share.len - SEAL_BYTES;
    row("opens", "yes");
    return show_packet(in, buf_span(&in->plain), err);
}

/* A's share grows with n + N, where N is the power of two above n; B's has a seed instead. */
static void guess_share(size_t plain_bytes)
{
    if (plain_bytes < SHARE_B_BYTES / 2) {
        row("looks like", "too short for a packet");
        return;
    }
    const size_t n_elements =
        plain_bytes > SHARE_A_BYTES ? (plain_bytes - SHARE_A_BYTES) / ELEMENT_TEXT : 0;
    size_t n_points = 2;
    while (2 * n_points <= n_elements)
        n_points *= 2;
    const size_t n_data = n_elements > n_points ? n_elements - n_points : 1;
    if (plain_bytes < SHARE_B_MOST)
        row("looks like",
            "a share for B with a batch id of about %zu bytes, or one for A of a few bits",
            plain_bytes > SHARE_B_BYTES ? plain_bytes - SHARE_B_BYTES : 0);
    else
        row("looks like", "a share for A of about %zu bits", n_data);
}

static int show_share(struct inspector *in, struct span share, struct err *err)
{
    const size_t body = share.len - SEAL_BYTES;
    row("share", "%zu bytes: ephemeral key %d, IV %d, packet %zu, tag %d", share.len,
        SEAL_KEY_BYTES, SEAL_IV_BYTES, body, SEAL_TAG_BYTES);
    (void)printf("  %-15s ", "ephemeral key");
    print_hex(span_of(share.ptr, SEAL_KEY_BYTES));
    (void)putchar('\n');
    if (in->has_key)
        return open_share(in, share, err);
    guess_share(body);
    return 0;
}

/* Exactly n elements and nothing behind them? */
static bool is_message(struct span bytes, size_t n)
{
    struct msgpack_reader r = {bytes.ptr, bytes.ptr + bytes.len};
    struct span body;
    for (size_t i = 0; i < n; i++)
        if (!is_element(&r, &body))
            return false;
    return r.pos == r.end;
}

static void show_message(struct span bytes, const char *const *names)
{
    struct msgpack_reader r = {bytes.ptr, bytes.ptr + bytes.len};
    struct span body;
    for (; *names && is_element(&r, &body); names++)
        row_element(*names, body);
}

static void show_total_share(const struct inspector *in, struct span bytes)
{
    struct msgpack_reader r = {bytes.ptr, bytes.ptr + bytes.len};
    uint64_t server_id;
    row("total share", "%zu bytes", bytes.len);
    if (!msgpack_read_uint(&r, &server_id)) {
        row("server id", "malformed");
        return;
    }
    row("server id", "%s", role_name(server_id));
    if (show_array(in, "sums", &r))
        show_rest(&r);
}

static void show_number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    if (json_is_integer(value))
        row(key, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
}

static int show_id(struct inspector *in, const json_t *object, struct err *err)
{
    const json_t *id = json_object_get(object, "id");
    if (json_is_string(id))
        return row_text(in, "id", span_of(json_string_value(id), json_string_length(id)), err);
    if (json_is_number(id))
        row("id", "%.17g (a number)", json_number_value(id));
    else
        row("id", "none");
    return 0;
}

/* Published totals, or plain values to encode. */
static int show_values(struct inspector *in, const json_t *object, const json_t *values,
                       struct err *err)
{
    const json_t *timestamp = json_is_object(object) ? json_object_get(object, "timestamp") : NULL;
    const size_t n = json_array_size(values);
    (void)printf("%s\n", timestamp ? "published totals" : "plain values of a client");
    if (timestamp) {
        int r = show_id(in, object, err);
        if (r == 0 && json_is_string(timestamp))
            r = row_text(in, "timestamp", span_str(json_string_value(timestamp)), err);
        if (r < 0)
            return r;
    }
    (void)printf("  %-15s %zu entries%s", "payload", n, in->args->reveal ? ":" : ", not shown");
    for (size_t i = 0; in->args->reveal && i < n; i++) {
        const json_t *value = json_array_get(values, i);
        if (json_is_integer(value))
            (void)printf(" %" JSON_INTEGER_FORMAT, json_integer_value(value));
        else
            (void)printf(" ?");
    }
    (void)putchar('\n');
    return 0;
}

static int decode(struct inspector *in, const json_t *payload, bool *ok, struct err *err)
{
    const size_t len = json_string_length(payload);
    buf_clear(&in->bytes);
    const int r = buf_reserve(&in->bytes, base64_decode_room(len), err);
    if (r < 0)
        return r;
    const ptrdiff_t n =
        in->base64.decode(in->bytes.data, (const uint8_t *)json_string_value(payload), len);
    *ok = n >= 0;
    in->bytes.len = n >= 0 ? (size_t)n : 0;
    return 0;
}

static int show_record(struct inspector *in, const json_t *object, const json_t *payload,
                       struct err *err)
{
    static const char *const verify1[] = {"d", "e", NULL}, *const verify2[] = {"sigma", NULL};
    bool ok;
    int r = decode(in, payload, &ok, err);
    if (r < 0)
        return r;
    const struct span bytes = buf_span(&in->bytes);
    if (json_object_get(object, "error") && json_object_get(object, "total")) {
        (void)printf("aggregate\n");
        show_number(object, "total");
        show_number(object, "error");
        if (ok)
            show_total_share(in, bytes);
        else
            row("total share", "not base64");
        return 0;
    }
    const bool is1 = ok && is_message(bytes, 2), is2 = ok && is_message(bytes, 1);
    const bool is_share = ok && !is1 && !is2 && bytes.len >= SEAL_BYTES;
    (void)printf("%s\n", is1        ? "verify1 message"
                         : is2      ? "verify2 message"
                         : is_share ? "share"
                                    : "unknown record");
    r = show_id(in, object, err);
    if (r < 0)
        return r;
    if (is_share)
        return show_share(in, bytes, err);
    if (is1 || is2)
        show_message(bytes, is1 ? verify1 : verify2);
    else if (ok)
        row("payload", "%zu bytes that are no share and no message", bytes.len);
    else
        row("payload", "not base64");
    return 0;
}

static int show_line(struct inspector *in, struct span line, uint64_t number, struct err *err)
{
    json_error_t where;
    json_t *json = json_loadb((const char *)line.ptr, line.len, 0, &where);
    const json_t *payload = json_is_object(json) ? json_object_get(json, "payload") : json;
    int r = 0;
    (void)printf("line %" PRIu64 ": ", number);
    if (json_is_array(payload))
        r = show_values(in, json, payload, err);
    else if (json_is_object(json) && json_is_string(payload))
        r = show_record(in, json, payload, err);
    else
        (void)printf("%s\n", json_is_object(json) ? "a JSON object without a payload"
                                                  : "neither a JSON object nor an array");
    json_decref(json);
    return r;
}

static int show_chunk(struct inspector *in, struct ndjson_chunk *chunk, struct err *err)
{
    struct span line;
    int r = 0;
    if (chunk->too_long)
        (void)printf("line %" PRIu64 ": longer than %d bytes\n", chunk->first_line, MAX_LINE_BYTES);
    while (r == 0 && ndjson_line(chunk, &line))
        if (line.len > 0)
            r = show_line(in, line, chunk->line, err);
    if (r == 0 && ferror(stdout))
        r = err_set(err, E_IO, errno, "write standard output");
    return r;
}

static int show_file(struct inspector *in, struct infile *file, struct err *err)
{
    struct ndjson_reader reader;
    struct ndjson_chunk chunk;
    int r;
    ndjson_reader_init(&reader, infile_source(file), MAX_LINE_BYTES);
    ndjson_chunk_init(&chunk, MAX_LINE_BYTES);
    while ((r = ndjson_fill(&reader, &chunk, TARGET_BYTES, err)) == 1) {
        r = show_chunk(in, &chunk, err);
        if (r < 0)
            break;
    }
    ndjson_chunk_deinit(&chunk);
    ndjson_reader_deinit(&reader);
    if (r == 0 && fflush(stdout) != 0)
        r = err_set(err, E_IO, errno, "write standard output");
    return r;
}

static void inspector_deinit(struct inspector *in)
{
    if (in->has_key) {
        opener_deinit(&in->opener);
        suite_deinit(&in->suite);
    }
    buf_deinit(&in->bytes);
    buf_deinit(&in->plain);
    buf_deinit(&in->text);
}

static int take_key(struct inspector *in, struct err *err)
{
    uint8_t key[PRIO_KEY_BYTES];
    int r = private_key_read(key, &in->args->private_key, err);
    if (r < 0)
        return r;
    r = suite_init(&in->suite);
    if (r == PRIO_OK) {
        r = opener_init(&in->opener, &in->suite, key);
        in->has_key = r == PRIO_OK;
        if (!in->has_key)
            suite_deinit(&in->suite);
    }
    secret_wipe(key, sizeof key);
    return r == PRIO_OK ? 0 : stage_prio_err(err, r, "--private-key-hex");
}

int cmd_inspect(void *args, struct err *err)
{
    const struct prio_args *a = args;
    struct setup setup;
    CLEANUP(infile_close) struct infile file = INFILE_INIT;
    CLEANUP(inspector_deinit)
    struct inspector in = {.args = a,
                           .bytes = BUF_INIT_SECRET(2 * (size_t)MAX_LINE_BYTES),
                           .plain = BUF_INIT_SECRET(2 * (size_t)MAX_LINE_BYTES),
                           .text = BUF_INIT(MAX_LINE_BYTES)};
    int r = setup_start(&setup, a, err);
    if (r == 0) {
        base64_ops_init(&in.base64, setup.cpu);
        r = a->private_key.len > 0 ? take_key(&in, err) : 0;
    }
    if (r == 0)
        r = infile_open(&file, a->file, err);
    if (r == 0)
        r = show_file(&in, &file, err);
    return r < 0 ? setup_exit(r) : EXIT_DONE;
}
