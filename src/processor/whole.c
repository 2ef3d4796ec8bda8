/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/whole.h"

#include "base/source.h"

enum { READ_BYTES = 64 << 10 };

int read_whole(struct buf *text, const char *path, struct err *err)
{
    struct file_source file;
    uint8_t block[READ_BYTES];
    int r = file_source_open(&file, path, err);
    if (r < 0)
        return r;
    const struct source src = file_source(&file);
    ssize_t n = 0;
    while (r == 0 && (n = src.read(src.arg, block, sizeof block, err)) > 0)
        r = buf_append(text, block, (size_t)n, err);
    file_source_close(&file);
    return r < 0 ? err_wrap(err, r, "%s", path) : (int)n;
}
