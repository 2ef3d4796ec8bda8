/* SPDX-License-Identifier: MPL-2.0 */
#include "store/s3_xml.h"

#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
    size_t n;
    struct buf again; // the leaves, written as XML
};

static void must(int r)
{
    if (r != 0)
        abort();
}

static int see(void *arg, const char *path, struct span text, struct err *err)
{
    struct outcome *o = arg;
    (void)err;
    if (path[0] == '\0' || strlen(path) >= S3_XML_MAX_PATH || text.len > S3_XML_MAX_TEXT)
        abort();
    o->n++;
    must(buf_append_str(&o->again, "<t>", NULL));
    for (size_t i = 0; i < text.len; i++) // every byte by its number, were it a character
        if (text.ptr[i] < 0x80)
            must(buf_printf(&o->again, NULL, "&#%u;", text.ptr[i]));
    must(buf_append_str(&o->again, "</t>", NULL));
    return 0;
}

static int count(void *arg, const char *path, struct span text, struct err *err)
{
    (void)path;
    (void)text;
    (void)err;
    ++*(size_t *)arg;
    return 0;
}

/* What was read can be written so that as many elements are read again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct outcome o = {.again = BUF_INIT(64 << 20)};
    size_t n = 0;
    must(buf_append_str(&o.again, "<r>", NULL));
    const int r = s3_xml_walk(span_of(data, size), see, &o, NULL);
    if (r != 0 && r != E_FORMAT)
        abort();
    must(buf_append_str(&o.again, "</r>", NULL));
    if (s3_xml_walk(buf_span(&o.again), count, &n, NULL) != 0 || n != o.n + 1)
        abort();
    buf_deinit(&o.again);
    return 0;
}
