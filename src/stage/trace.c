/* SPDX-License-Identifier: MPL-2.0 */
#include "stage/trace.h"

#include "base/secret.h"

#include <string.h>

enum { TAG_MET = 'm', TAG_ACCEPTED = 'a' };

static uint8_t *put_uint(uint8_t *to, uint64_t v, int n_bytes)
{
    for (int k = 0; k < n_bytes; k++)
        *to++ = (uint8_t)(v >> (8 * k));
    return to;
}

static uint64_t get_uint(const uint8_t *from, int n_bytes)
{
    uint64_t v = 0;
    for (int k = n_bytes; k-- > 0;)
        v = v << 8 | from[k];
    return v;
}

void trace_encode(uint8_t out[TRACE_ENTRY_BYTES], const struct trace_entry *entry)
{
    memset(out, 0, TRACE_ENTRY_BYTES);
    *out = entry->accepted ? TAG_ACCEPTED : TAG_MET;
    memcpy(out + 1, entry->id.bytes, DIGEST_BYTES);
    if (!entry->accepted)
        return;
    memcpy(out + 1 + DIGEST_BYTES, entry->share.bytes, DIGEST_BYTES);
    memcpy(out + 1 + 2 * DIGEST_BYTES, entry->residue, RESIDUE_BYTES);
    uint8_t *to = put_uint(out + 1 + 2 * DIGEST_BYTES + RESIDUE_BYTES, entry->offset, 8);
    (void)put_uint(to, entry->len, 4);
}

static bool decode(struct trace_entry *entry, const uint8_t *in)
{
    *entry = (struct trace_entry){.accepted = *in == TAG_ACCEPTED};
    if (*in != TAG_ACCEPTED && *in != TAG_MET)
        return false;
    memcpy(entry->id.bytes, in + 1, DIGEST_BYTES);
    memcpy(entry->share.bytes, in + 1 + DIGEST_BYTES, DIGEST_BYTES);
    memcpy(entry->residue, in + 1 + 2 * DIGEST_BYTES, RESIDUE_BYTES);
    entry->offset = get_uint(in + 1 + 2 * DIGEST_BYTES + RESIDUE_BYTES, 8);
    entry->len = (uint32_t)get_uint(in + 9 + 2 * DIGEST_BYTES + RESIDUE_BYTES, 4);
    return true;
}

void trace_reader_init(struct trace_reader *in, struct source source)
{
    in->source = source;
    in->pos = in->len = 0;
    in->eof = false;
}

void trace_reader_deinit(struct trace_reader *in)
{
    secret_wipe(in->bytes, sizeof in->bytes);
}

static int refill(struct trace_reader *in, struct err *err)
{
    memmove(in->bytes, in->bytes + in->pos, in->len - in->pos);
    in->len -= in->pos;
    in->pos = 0;
    while (!in->eof && in->len < sizeof in->bytes) {
        const ssize_t n =
            in->source.read(in->source.arg, in->bytes + in->len, sizeof in->bytes - in->len, err);
        if (n < 0)
            return (int)n;
        in->eof = n == 0;
        in->len += (size_t)n;
    }
    return 0;
}

int trace_next(struct trace_reader *in, struct trace_entry *entry, struct err *err)
{
    if (in->len - in->pos < TRACE_ENTRY_BYTES) {
        const int r = refill(in, err);
        if (r < 0)
            return r;
        if (in->len == 0)
            return 0;
        if (in->len < TRACE_ENTRY_BYTES)
            return err_set(err, E_FORMAT, 0, "a trace ends within an entry");
    }
    if (!decode(entry, in->bytes + in->pos))
        return err_set(err, E_FORMAT, 0, "an entry of a trace is damaged");
    in->pos += TRACE_ENTRY_BYTES;
    return 1;
}

int trace_next_accepted(struct trace_reader *in, struct trace_entry *entry, struct err *err)
{
    int r;
    do {
        r = trace_next(in, entry, err);
    } while (r == 1 && !entry->accepted);
    return r;
}
