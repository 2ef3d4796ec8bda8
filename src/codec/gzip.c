/* SPDX-License-Identifier: MPL-2.0 */
#include "codec/gzip.h"

#include <stdlib.h>
#include <zlib.h>

enum { INPUT_BYTES = 64 * 1024, GZIP_ONLY = 16 };

struct gunzip {
    struct source from;
    z_stream z;
    enum { UNDECIDED, PLAIN, BETWEEN_MEMBERS, IN_MEMBER, FAILED } state;
    bool eof;
    uint8_t input[INPUT_BYTES]; // z.next_in and z.avail_in say what is left of it, also when plain
};

/* Add what from has to the input. @return 0 or E_*. */
static int refill(struct gunzip *g, struct err *err)
{
    if (g->z.avail_in > 0)
        memmove(g->input, g->z.next_in, g->z.avail_in);
    g->z.next_in = g->input;
    const ssize_t n =
        g->from.read(g->from.arg, g->input + g->z.avail_in, sizeof g->input - g->z.avail_in, err);
    if (n < 0)
        return (int)n;
    g->eof = n == 0;
    g->z.avail_in += (unsigned)n;
    return 0;
}

static int need(struct gunzip *g, unsigned n_bytes, struct err *err)
{
    int r = 0;
    while (r == 0 && g->z.avail_in < n_bytes && !g->eof)
        r = refill(g, err);
    return r;
}

static bool at_magic(const struct gunzip *g)
{
    return g->z.avail_in >= 2 && g->z.next_in[0] == 0x1f && g->z.next_in[1] == 0x8b;
}

static int fail(struct gunzip *g, struct err *err, const char *what)
{
    g->state = FAILED;
    return err_set(err, E_FORMAT, 0, "gzip: %s", what);
}

/* Decide what comes next where no member is open. @return 1 to go on, 0 at the end, or E_*. */
static int look_ahead(struct gunzip *g, struct err *err)
{
    const int r = need(g, 2, err);
    if (r < 0)
        return r;
    if (at_magic(g)) {
        if (inflateReset(&g->z) != Z_OK)
            return fail(g, err, "zlib cannot start over");
        g->state = IN_MEMBER;
        return 1;
    }
    if (g->state == UNDECIDED) {
        g->state = PLAIN;
        return 1;
    }
    return g->z.avail_in == 0 ? 0 : fail(g, err, "the end is followed by something else");
}

static ssize_t read_plain(struct gunzip *g, uint8_t *dst, size_t cap, struct err *err)
{
    if (g->z.avail_in == 0)
        return g->from.read(g->from.arg, dst, cap, err);
    const size_t n = cap < g->z.avail_in ? cap : g->z.avail_in;
    memcpy(dst, g->z.next_in, n);
    g->z.next_in += n;
    g->z.avail_in -= (unsigned)n;
    return (ssize_t)n;
}

/* @return bytes, 0 where the member ended or more input is needed first, or E_*. */
static ssize_t read_member(struct gunzip *g, uint8_t *dst, size_t cap, struct err *err)
{
    const int r = need(g, 1, err);
    if (r < 0)
        return r;
    if (g->z.avail_in == 0)
        return fail(g, err, "the input ends too early");
    const unsigned room = cap < UINT32_MAX ? (unsigned)cap : UINT32_MAX;
    g->z.next_out = dst;
    g->z.avail_out = room;
    switch (inflate(&g->z, Z_NO_FLUSH)) {
    case Z_STREAM_END:
        g->state = BETWEEN_MEMBERS;
        break;
    case Z_OK:
    case Z_BUF_ERROR:
        break;
    case Z_MEM_ERROR:
        return err_set(err, E_NOMEM, 0, "gzip: no memory to inflate");
    default:
        return fail(g, err, "the data is damaged");
    }
    return (ssize_t)(room - g->z.avail_out);
}

static ssize_t gunzip_read(void *arg, void *dst, size_t cap, struct err *err)
{
    struct gunzip *g = arg;
    if (cap == 0)
        return 0;
    for (;;) {
        ssize_t n;
        switch (g->state) {
        case PLAIN:
            return read_plain(g, dst, cap, err);
        case IN_MEMBER:
            n = read_member(g, dst, cap, err);
            if (n != 0)
                return n;
            break;
        case UNDECIDED:
        case BETWEEN_MEMBERS:
            n = look_ahead(g, err);
            if (n <= 0)
                return n;
            break;
        case FAILED:
            return fail(g, err, "read again after a failure");
        }
    }
}

int gunzip_new(struct gunzip **out, struct source from, struct err *err)
{
    struct gunzip *g = calloc(1, sizeof *g);
    if (!g || inflateInit2(&g->z, MAX_WBITS + GZIP_ONLY) != Z_OK) {
        free(g);
        return err_set(err, E_NOMEM, 0, "no memory for a gzip reader");
    }
    g->from = from;
    *out = g;
    return 0;
}

void gunzip_free(struct gunzip *g)
{
    if (!g)
        return;
    inflateEnd(&g->z);
    free(g);
}

struct source gunzip_source(struct gunzip *g)
{
    return (struct source){.read = gunzip_read, .arg = g};
}

bool gunzip_is_packed(const struct gunzip *g)
{
    return g->state != UNDECIDED && g->state != PLAIN;
}
