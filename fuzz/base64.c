/* SPDX-License-Identifier: MPL-2.0 */
#include "codec/base64.h"

#include "base/cpu.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct base64_ops plain, fast;
    base64_ops_init(&plain, 0);
    base64_ops_init(&fast, cpu_detect());
    uint8_t *a = malloc(base64_decode_room(size)), *b = malloc(base64_decode_room(size));
    uint8_t *back = malloc(size + BASE64_SLACK);
    if (!a || !b || !back)
        abort();

    const ptrdiff_t n = plain.decode(a, data, size);
    if (fast.decode(b, data, size) != n || (n > 0 && memcmp(a, b, (size_t)n) != 0))
        abort(); // two versions, two opinions
    // There is one text for any bytes: what decodes must encode to itself.
    if (n >= 0 && (fast.encode(back, a, (size_t)n) != size || memcmp(back, data, size) != 0))
        abort();
    free(back);
    free(b);
    free(a);
    return 0;
}
