/* SPDX-License-Identifier: MPL-2.0 */
#include "codec/bzip2.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_UNPACKED = 1 << 20 }; // a few bytes can unpack to a million times as many

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf out = BUF_INIT(MAX_UNPACKED), packed = BUF_INIT(2 * MAX_UNPACKED),
               again = BUF_INIT(MAX_UNPACKED);
    const int r = bzip2_decompress(&out, span_of(data, size), NULL);
    if (r != 0 && (out.len != 0 || (r != E_FORMAT && r != E_NOMEM)))
        abort();
    if (r == 0 && (bzip2_compress(&packed, buf_span(&out), NULL) != 0 ||
                   bzip2_decompress(&again, buf_span(&packed), NULL) != 0 ||
                   !span_equal(buf_span(&out), buf_span(&again))))
        abort();
    buf_deinit(&out);
    buf_deinit(&packed);
    buf_deinit(&again);
    return 0;
}
