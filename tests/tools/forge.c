/* SPDX-License-Identifier: MPL-2.0 */
#include "forge.h"

#include "base/cpu.h"
#include "codec/uuid.h"
#include "prio/client.h"

#include <stdlib.h>
#include <string.h>

enum {
    LINE_EXTRAS = 128,
    TOO_LONG_BYTES = 2 << 20, // twice what is read at least (prio-v1.md 16.3)
    TOO_LONG_SHARES = 8,      // and twice as many times a share as is read at least
};

static int failed(struct err *err, int status, const char *what)
{
    return err_set(err, status == PRIO_E_NOMEM ? E_NOMEM : E_ARG, 0, "%s: %s", what,
                   prio_status_text(status));
}

static void encoder_deinit(struct forge_encoder *e)
{
    prio_encoder_free(e->encoder);
    prio_client_free(e->client);
    prio_batch_free(e->batch);
    *e = (struct forge_encoder){0};
}

static int encoder_init(struct forge_encoder *e, const struct forge_options *o,
                        enum forge_target target, struct err *err)
{
    uint8_t unused[PRIO_KEY_BYTES], other_a[PRIO_KEY_BYTES], other_b[PRIO_KEY_BYTES];
    char other_id[512];
    const bool other_keys = target == FOR_WRONG_KEY;
    const char *id = o->batch_id;
    if (target == FOR_WRONG_BATCH) {
        snprintf(other_id, sizeof other_id, "other %.500s", o->batch_id);
        id = other_id;
    }
    const struct prio_batch_options batch = {.batch_id = id,
                                             .batch_id_len = strlen(id),
                                             .n_data = o->n_data + (target == FOR_WRONG_N),
                                             .prg = o->prg};
    int r = prio_batch_new(&e->batch, &batch);
    if (r == PRIO_OK && other_keys)
        r = prio_keygen(unused, other_a);
    if (r == PRIO_OK && other_keys)
        r = prio_keygen(unused, other_b);
    if (r == PRIO_OK)
        r = prio_client_new(&e->client, e->batch, other_keys ? other_a : o->key_a,
                            other_keys ? other_b : o->key_b);
    if (r == PRIO_OK)
        r = prio_encoder_new(&e->encoder, e->client);
    return r == PRIO_OK ? 0 : failed(err, r, "encoder");
}

int forge_init(struct forge *f, const struct forge_options *options, struct err *err)
{
    *f = (struct forge){.options = *options, .dice = {options->seed}};
    base64_ops_init(&f->base64, cpu_detect());
    for (size_t s = 0; s < N_SERVERS; s++) {
        f->payloads[s] = BUF_INIT(SIZE_MAX / 2);
        f->lines[s] = BUF_INIT(SIZE_MAX / 2);
    }
    f->values = malloc(options->n_data + 1);
    if (!f->values)
        return err_set(err, E_NOMEM, 0, "no memory for %zu values", options->n_data);
    return encoder_init(&f->encoders[FOR_RIGHT], options, FOR_RIGHT, err);
}

void forge_deinit(struct forge *f)
{
    for (size_t i = 0; i < FORGE_TARGETS; i++)
        encoder_deinit(&f->encoders[i]);
    for (size_t s = 0; s < N_SERVERS; s++) {
        buf_deinit(&f->payloads[s]);
        buf_deinit(&f->lines[s]);
    }
    free(f->values);
}

static enum forge_target target_of(enum cheat_kind kind)
{
    switch (kind) {
    case CHEAT_WRONG_BATCH:
        return FOR_WRONG_BATCH;
    case CHEAT_WRONG_N:
        return FOR_WRONG_N;
    case CHEAT_WRONG_KEY:
        return FOR_WRONG_KEY;
    default:
        return FOR_RIGHT;
    }
}

/* Flip the lowest bit of an element of the packet for A: its c, or one of its h points. The packet
 * still parses, since no element of it is p - 1 but with negligible probability. */
static void tamper(struct prio_encoder *e, struct dice *dice)
{
    const uint64_t n_points = e->client->batch->n_points;
    const uint64_t point = dice_below(dice, n_points + 1); // n_points: c instead
    struct msgpack_reader r = {e->plain_a, e->plain_a + e->plain_a_len};
    struct span body;
    uint32_t count;
    uint64_t id;
    size_t steps = 1 + 3; // batch id, a, b, c
    if (point < n_points) {
        for (size_t i = 0; i < 1 + 6; i++)
            (void)msgpack_read_str(&r, &body); // our own bytes: they are well-formed
        (void)msgpack_read_uint(&r, &id);
        (void)msgpack_read_array(&r, &count);
        for (size_t i = 0; i < count; i++)
            (void)msgpack_read_str(&r, &body);
        (void)msgpack_read_array(&r, &count);
        steps = (size_t)point + 1;
    }
    for (size_t i = 0; i < steps; i++)
        (void)msgpack_read_str(&r, &body);
    e->plain_a[body.ptr + body.len - 1 - e->plain_a] ^= 1;
}

/* Encode and seal one submission; its shares stay in the encoder. */
static int encode(struct forge *f, enum cheat_kind kind, const uint8_t *bits,
                  struct prio_shares *out, struct err *err)
{
    const enum forge_target target = target_of(kind);
    struct forge_encoder *fe = &f->encoders[target];
    int r = fe->encoder ? 0 : encoder_init(fe, &f->options, target, err);
    if (r < 0)
        return r;
    struct prio_encoder *e = fe->encoder;
    struct client_random random;
    memcpy(f->values, bits, f->options.n_data);
    f->values[f->options.n_data] = 1;
    if (kind == CHEAT_BIT2)
        f->values[dice_below(&f->dice, f->options.n_data)] = 2;
    r = client_random_draw(&random);
    if (r == PRIO_OK)
        r = client_make_packets(e, f->values, &random);
    if (r == PRIO_OK && kind == CHEAT_PROOF)
        tamper(e, &f->dice);
    if (r == PRIO_OK)
        r = sealer_seal(&e->to_a, e->share_a, e->plain_a, e->plain_a_len);
    if (r == PRIO_OK)
        r = sealer_seal(&e->to_b, e->share_b, e->plain_b, e->plain_b_len);
    if (r != PRIO_OK)
        return failed(err, r, "encode");
    *out = (struct prio_shares){.a = e->share_a,
                                .b = e->share_b,
                                .a_len = e->plain_a_len + SEAL_BYTES,
                                .b_len = e->plain_b_len + SEAL_BYTES};
    return 0;
}

static int put_payload(struct forge *f, size_t server, const uint8_t *share, size_t len,
                       struct err *err)
{
    struct buf *text = &f->payloads[server];
    buf_clear(text);
    const int r = buf_reserve(text, base64_encoded_len(len) + BASE64_SLACK, err);
    if (r == 0)
        text->len = f->base64.encode(text->data, share, len);
    return r;
}

/* Both payloads of a submission, as that kind of cheat sends them. */
static int make_payloads(struct forge *f, enum cheat_kind kind, const uint8_t *bits,
                         struct err *err)
{
    struct prio_shares shares = {0};
    int r = encode(f, kind, bits, &shares, err);
    if (r < 0)
        return r;
    if (kind == CHEAT_TRUNCATED || kind == CHEAT_TRUNCATED_A)
        shares.a_len -= 1 + dice_below(&f->dice, shares.a_len);
    if (kind == CHEAT_TRUNCATED || kind == CHEAT_TRUNCATED_B)
        shares.b_len -= 1 + dice_below(&f->dice, shares.b_len);
    if (kind == CHEAT_SWAPPED)
        shares = (struct prio_shares){shares.b, shares.a, shares.b_len, shares.a_len};
    if (kind == CHEAT_GARBAGE &&
        (suite_random(f->encoders[FOR_RIGHT].encoder->share_a, shares.a_len) != PRIO_OK ||
         suite_random(f->encoders[FOR_RIGHT].encoder->share_b, shares.b_len) != PRIO_OK))
        return failed(err, PRIO_E_CRYPTO, "random bytes");
    r = put_payload(f, 0, shares.a, shares.a_len, err);
    if (r == 0 && kind == CHEAT_MISMATCH)
        r = encode(f, CHEAT_NONE, bits, &shares, err);
    if (r == 0)
        r = put_payload(f, 1, shares.b, shares.b_len, err);
    if (r == 0 && kind == CHEAT_BAD_BASE64)
        for (size_t s = 0; s < N_SERVERS; s++)
            f->payloads[s].data[dice_below(&f->dice, f->payloads[s].len)] = '!';
    return r;
}

enum { ID_BYTES = UUID_TEXT_BYTES + 2 };

/* As JSON text, with its quotes. */
static void new_id(struct forge *f, char id[ID_BYTES])
{
    const uint64_t random[2] = {dice_next(&f->dice), dice_next(&f->dice)};
    char uuid[UUID_TEXT_BYTES];
    uuid4_format(uuid, (const uint8_t *)random);
    (void)snprintf(id, ID_BYTES, "\"%s\"", uuid);
}

static int put_line(struct buf *line, const char *id, struct span payload, struct err *err)
{
    buf_clear(line);
    int r = buf_append_str(line, "{", err);
    if (r == 0 && id)
        r = buf_printf(line, err, "\"id\": %s, ", id);
    if (r == 0)
        r = buf_append_str(line, "\"payload\": \"", err);
    if (r == 0)
        r = buf_append(line, payload.ptr, payload.len, err);
    return r < 0 ? r : buf_append_str(line, "\"}\n", err);
}

static int put_lines(struct forge *f, const char *id, struct span payload_a, struct span payload_b,
                     struct err *err)
{
    const int r = put_line(&f->lines[0], id, payload_a, err);
    return r < 0 ? r : put_line(&f->lines[1], id, payload_b, err);
}

/* Put spaces in front, so that the line would be fine if anyone read it. */
static int make_too_long(struct forge *f, struct err *err)
{
    for (size_t s = 0; s < N_SERVERS; s++) {
        struct buf *line = &f->lines[s];
        const size_t extra = TOO_LONG_BYTES + TOO_LONG_SHARES * (line->len + LINE_EXTRAS);
        const int r = buf_reserve(line, extra, err);
        if (r < 0)
            return r;
        memmove(line->data + extra, line->data, line->len);
        memset(line->data, ' ', extra);
        line->len += extra;
    }
    return 0;
}

int forge_record(struct forge *f, enum cheat_kind kind, const uint8_t *bits, const char *id,
                 struct err *err)
{
    char own_id[ID_BYTES];
    new_id(f, own_id);
    int r = make_payloads(f, kind, bits, err);
    if (r == 0)
        r = put_lines(f,
                      kind == CHEAT_NO_ID ? NULL
                      : id                ? id
                                          : own_id,
                      buf_span(&f->payloads[0]), buf_span(&f->payloads[1]), err);
    if (r == 0 && kind == CHEAT_TOO_LONG)
        r = make_too_long(f, err);
    for (size_t s = 0; r == 0 && s < N_SERVERS; s++) {
        if (kind == CHEAT_BAD_JSON) {
            f->lines[s].len /= 2;
            r = buf_append_byte(&f->lines[s], '\n', err);
        }
        if (kind != CHEAT_NONE && CHEATS[kind].absent[s])
            buf_clear(&f->lines[s]);
    }
    return r;
}

int forge_copy(struct forge *f, struct span payload_a, struct span payload_b, struct err *err)
{
    char id[ID_BYTES];
    new_id(f, id);
    return put_lines(f, id, payload_a, payload_b, err);
}
