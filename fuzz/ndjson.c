/* SPDX-License-Identifier: MPL-2.0 */
#include "codec/ndjson.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What two ways of cutting have to agree about: how many lines, and a digest of them all. */
struct tally {
    uint64_t lines, digest;
};

static struct tally read_all(struct span text, size_t max_line, size_t target, size_t step)
{
    struct memory_source memory = {text, step};
    struct ndjson_reader in;
    struct ndjson_chunk c;
    struct span line;
    struct tally t = {0};
    ndjson_reader_init(&in, memory_source(&memory), max_line);
    ndjson_chunk_init(&c, max_line);
    while (ndjson_fill(&in, &c, target, NULL) == 1) {
        if (c.first_line != t.lines + 1)
            abort(); // a line was counted twice or not at all
        if (c.too_long) {
            t.lines++;
            t.digest = t.digest * 31 + 257;
        } else if (c.bytes.cap - c.bytes.len < NDJSON_SLACK) {
            abort();
        }
        while (ndjson_line(&c, &line)) {
            if (line.len > max_line || c.line != ++t.lines)
                abort();
            for (size_t i = 0; i < line.len; i++)
                t.digest = t.digest * 31 + line.ptr[i];
            t.digest = t.digest * 31 + 256;
        }
    }
    ndjson_chunk_deinit(&c);
    ndjson_reader_deinit(&in);
    return t;
}

/* The first three bytes pick how the rest is cut. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    const struct span text = span_of(data + 3, size - 3);
    const size_t max_line = data[0];
    const struct tally t = read_all(text, max_line, 1u + data[1], data[2] % 16u);
    const struct tally whole = read_all(text, max_line, SIZE_MAX, 0);
    uint64_t newlines = 0;
    for (size_t i = 0; i < text.len; i++)
        newlines += text.ptr[i] == '\n';
    const bool open = text.len > 0 && text.ptr[text.len - 1] != '\n';
    if (t.lines != newlines + open)
        abort();
    if (whole.lines != t.lines || whole.digest != t.digest)
        abort(); // the cuts were seen in the lines
    return 0;
}
