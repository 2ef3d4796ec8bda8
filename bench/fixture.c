/* SPDX-License-Identifier: MPL-2.0 */
#include "fixture.h"

#include "base/cpu.h"
#include "codec/base64.h"
#include "codec/uuid.h"

#include <stdio.h>
#include <stdlib.h>

enum { MAX_BYTES = 1 << 30 };

static const char batch_id[] = "bench-2020-08-03";
static const char line_head[] = "{\"id\": \"";
static const char line_middle[] = "\", \"payload\": \"";

_Noreturn void stop(const char *what)
{
    fprintf(stderr, "bench: %s failed\n", what);
    exit(1);
}

static void start_parties(struct fixture *f, const char *level)
{
    uint8_t public_key[ROLES][PRIO_KEY_BYTES], secret[PRIO_SECRET_BYTES];
    const struct prio_batch_options batch = {
        .batch_id = batch_id, .batch_id_len = strlen(batch_id), .n_data = f->n, .cpu = level};
    require(prio_batch_new(&f->batch, &batch) == PRIO_OK, "prio_batch_new");
    require(prio_shared_secret(secret) == PRIO_OK, "prio_shared_secret");
    for (int role = 0; role < ROLES; role++)
        require(prio_keygen(f->private_key[role], public_key[role]) == PRIO_OK, "prio_keygen");
    require(prio_client_new(&f->client, f->batch, public_key[0], public_key[1]) == PRIO_OK,
            "prio_client_new");
    require(prio_encoder_new(&f->encoder, f->client) == PRIO_OK, "prio_encoder_new");
    for (int role = 0; role < ROLES; role++) {
        const struct prio_server_options server = {.role = (enum prio_role)role,
                                                   .private_key = f->private_key[role],
                                                   .peer_public_key = public_key[1 - role],
                                                   .shared_secret = secret};
        require(prio_server_new(&f->server[role], f->batch, &server) == PRIO_OK, "prio_server_new");
    }
}

static void append(struct buf *to, const void *bytes, size_t len)
{
    require(buf_append(to, bytes, len, NULL) == 0, "memory");
}

static void append_row(struct fixture *f)
{
    append(&f->rows, "{\"payload\": [", 13);
    for (size_t i = 0; i < f->n; i++) {
        append(&f->rows, i > 0 ? ", " : "", i > 0 ? 2 : 0);
        append(&f->rows, f->bits[i] ? "1" : "0", 1);
    }
    append(&f->rows, "]}\n", 3);
}

static void append_record(struct fixture *f, int role, size_t i, const char *uuid,
                          struct span share)
{
    struct base64_ops base64;
    struct buf *lines = &f->lines[role], *shares = &f->shares[role];
    const size_t text_len = base64_encoded_len(share.len);
    base64_ops_init(&base64, f->cpu);
    append(lines, line_head, strlen(line_head));
    append(lines, uuid, strlen(uuid));
    append(lines, line_middle, strlen(line_middle));
    require(buf_reserve(lines, text_len + BASE64_SLACK, NULL) == 0, "memory");
    f->records[role][i] = (struct fixture_record){
        .share = shares->len, .share_len = share.len, .text = lines->len, .text_len = text_len};
    lines->len += base64.encode(lines->data + lines->len, share.ptr, share.len);
    append(lines, "\"}\n", 3);
    append(shares, share.ptr, share.len);
}

static void submit(struct fixture *f, size_t i)
{
    struct prio_shares shares;
    uint8_t random[16] = {0};
    char uuid[UUID_TEXT_BYTES];
    memcpy(random, &i, sizeof i);
    uuid4_format(uuid, random);
    for (size_t k = 0; k < f->n; k++)
        f->bits[k] = (i + k) % 3 == 0;
    require(prio_encode_bits(f->encoder, &shares, f->bits) == PRIO_OK, "prio_encode_bits");
    append_row(f);
    append_record(f, PRIO_SERVER_A, i, uuid, span_of(shares.a, shares.a_len));
    append_record(f, PRIO_SERVER_B, i, uuid, span_of(shares.b, shares.b_len));
}

void fixture_init(struct fixture *f, size_t n, size_t n_records, const char *level)
{
    unsigned mask;
    *f = (struct fixture){.n = n, .n_records = n_records, .rows = BUF_INIT(MAX_BYTES)};
    require(cpu_parse_level(&mask, level, NULL) == 0, "WEIR_CPU");
    f->cpu = cpu_detect() & mask;
    f->bits = calloc(1, n);
    require(f->bits != NULL, "memory");
    for (int role = 0; role < ROLES; role++) {
        f->lines[role] = BUF_INIT(MAX_BYTES);
        f->shares[role] = BUF_INIT(MAX_BYTES);
        f->records[role] = calloc(n_records, sizeof *f->records[role]);
        require(f->records[role] != NULL, "memory");
    }
    start_parties(f, level);
    for (size_t i = 0; i < n_records; i++)
        submit(f, i);
}

void fixture_deinit(struct fixture *f)
{
    for (int role = 0; role < ROLES; role++) {
        prio_server_free(f->server[role]);
        buf_deinit(&f->lines[role]);
        buf_deinit(&f->shares[role]);
        free(f->records[role]);
    }
    prio_encoder_free(f->encoder);
    prio_client_free(f->client);
    prio_batch_free(f->batch);
    buf_deinit(&f->rows);
    free(f->bits);
}

static int swallow(void *arg, const void *bytes, size_t len, struct err *err)
{
    (void)bytes;
    (void)err;
    *(size_t *)arg += len;
    return 0;
}

void fixture_verify1(const struct fixture *f, enum prio_role role)
{
    struct err err = {0};
    struct seen seen;
    size_t written = 0;
    struct stage_counts counts = {0};
    struct memory_source lines = {.rest = buf_span(&f->lines[role])};
    const struct stage_sink out = {swallow, &written};
    const struct stage_options options = {.n_workers = 1, .cpu = f->cpu};

    require(seen_init(&seen, &err) == 0, "seen_init");
    const struct stage_input in = {
        .server = f->server[role], .shares = memory_source(&lines), .name = "bench", .seen = &seen};
    const int r = stage_verify1(&in, &options, &out, &counts, &err);
    seen_deinit(&seen);
    require(r == 0 && counts.total == f->n_records && counts.error == 0, "stage_verify1");
}

void fixture_encode(const struct fixture *f)
{
    struct err err = {0};
    size_t written = 0;
    uint64_t n_rows = 0;
    struct memory_source rows = {.rest = buf_span(&f->rows)};
    const struct stage_sink out = {swallow, &written};
    const struct stage_options options = {.n_workers = 1, .cpu = f->cpu};
    const struct encode_input in = {
        .batch = f->batch, .client = f->client, .rows = memory_source(&rows), .name = "bench"};
    const int r = stage_encode(&in, &options, &out, &out, &n_rows, &err);
    require(r == 0 && n_rows == f->n_records, "stage_encode");
}
