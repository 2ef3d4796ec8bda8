/* SPDX-License-Identifier: MPL-2.0 */
/* Headers of an answer, and what Cloud Storage's say about an object. Byte 0: status 200 or 206. */
#include "net/http.h"
#include "store/gcs_internal.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_value(const struct http_response *r, const char *name)
{
    const struct span value = http_response_header(r, name);
    if (value.len == 0)
        return;
    if (value.ptr < r->headers.data || value.ptr + value.len > r->headers.data + r->headers.len)
        abort(); // from somewhere else
    if (memchr(value.ptr, '\n', value.len) || value.ptr[0] == ' ' || value.ptr[0] == '\t')
        abort(); // more than a line's value
}

static void check_object(const struct http_response *r)
{
    struct store_object object;
    if (gcs_object_read_head(&object, r, NULL) != 0)
        return;
    if (object.version[0] == '\0' || object.version[strspn(object.version, "0123456789")] != '\0')
        abort();
    if (object.content[0] != '\0' && strlen(object.content) != strlen("md5:") + 32)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_response r;
    http_response_init(&r);
    if (size == 0 || buf_append(&r.headers, data + 1, size - 1, NULL) < 0) {
        http_response_deinit(&r);
        return 0;
    }
    r.status = data[0] % 2 == 0 ? 200 : 206;
    check_value(&r, "Retry-After");
    check_value(&r, "X-Goog-Hash");
    if (http_response_retry_after_ms(&r) > UINT64_C(1000) * UINT32_MAX)
        abort();
    check_object(&r);
    http_response_deinit(&r);
    return 0;
}
