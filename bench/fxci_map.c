/* SPDX-License-Identifier: MPL-2.0 */
/*
 * fxci_map FILE [ROUNDS] - what mapping one task event costs. FILE: messages as `pulse drain
 * --source` reads them. Printed are the median over the rounds of CPU time a message, and messages
 * a second, of all kinds as they come in the file.
 */
#include "base/buf.h"
#include "base/compiler.h"
#include "base/cpu.h"
#include "codec/ndjson.h"
#include "fxci/event.h"
#include "fxci/member.h"
#include "timing.h"

#include <stdio.h>
#include <stdlib.h>

enum { MAX_LINES = 100000, MAX_BYTES = 256 << 20, MESSAGES_A_ROUND = 200000 };

struct bodies {
    struct buf bytes; // each with slack behind it
    size_t at[MAX_LINES], len[MAX_LINES], n;
};

static _Noreturn void stop(const char *what)
{
    (void)fprintf(stderr, "fxci_map: %s\n", what);
    exit(1);
}

static void add_body(struct bodies *b, struct span body)
{
    static const uint8_t slack[NDJSON_SLACK];
    if (b->n == MAX_LINES)
        stop("too many lines");
    b->at[b->n] = b->bytes.len;
    b->len[b->n++] = body.len;
    if (buf_append(&b->bytes, body.ptr, body.len, NULL) < 0 ||
        buf_append(&b->bytes, slack, sizeof slack, NULL) < 0)
        stop("too many bytes");
}

static void read_bodies(struct bodies *b, const char *path, const struct record_ops *ops)
{
    static const struct span name = {(const uint8_t *)"payload", 7};
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t size = 0;
    ssize_t len;
    if (!file)
        stop("no such file");
    while ((len = getline(&line, &size, file)) > 0) {
        struct member payload;
        char *padded = realloc(line, (size_t)len + NDJSON_SLACK);
        if (!padded)
            stop("out of memory");
        line = padded;
        size = (size_t)len + NDJSON_SLACK;
        if (members_of_text(ops, span_of(line, (size_t)len), RECORD_MAX_DEPTH, &name, 1, &payload))
            add_body(b, payload.text);
    }
    free(line);
    (void)fclose(file);
    if (b->n == 0)
        stop("no messages");
}

static double round_us(struct event_mapper *m, const struct bodies *b)
{
    static struct event event;
    const double started = cpu_us();
    for (size_t i = 0; i < MESSAGES_A_ROUND; i++) {
        const size_t k = i % b->n;
        if (event_map(m, &event, span_of(b->bytes.data + b->at[k], b->len[k]), NULL) < 0)
            stop("out of memory");
    }
    return (cpu_us() - started) / MESSAGES_A_ROUND;
}

int main(int argc, char **argv)
{
    static struct bodies bodies = {.bytes = {.max = MAX_BYTES}};
    struct series us = {0};
    struct event_mapper m;
    const long rounds = argc > 2 ? strtol(argv[2], NULL, 10) : 15;
    if (argc < 2 || rounds < 1 || rounds > SERIES_MAX)
        stop("usage: fxci_map FILE [ROUNDS up to 101]");
    event_mapper_init(&m, cpu_detect(), 20685);
    read_bodies(&bodies, argv[1], &m.ops);
    for (long i = 0; i < rounds; i++)
        series_add(&us, round_us(&m, &bodies));
    (void)printf("%zu messages, %.0f bytes each: %.2f us, %.0f a second\n", bodies.n,
                 (double)(bodies.bytes.len - bodies.n * NDJSON_SLACK) / (double)bodies.n,
                 series_median(&us), 1e6 / series_median(&us));
    event_mapper_deinit(&m);
    buf_deinit(&bodies.bytes);
    return 0;
}
