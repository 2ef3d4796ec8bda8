/* SPDX-License-Identifier: MPL-2.0 */
#include "net/grpc.h"

#include <stdio.h>
#include <strings.h>

static const char *const code_names[] = {
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
};

const char *grpc_code_name(int code)
{
    return code_names[code >= 0 && (size_t)code < ARRAY_LEN(code_names) ? code : GRPC_UNKNOWN];
}

/* @return -1: no hexadecimal digit. */
static int digit_of(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Percent-decoded; what is badly encoded stays as it is. */
static void decode_message(char out[GRPC_MESSAGE_BYTES], struct span text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.len && n < GRPC_MESSAGE_BYTES - 1; i++) {
        uint8_t c = text.ptr[i];
        if (c == '%' && text.len - i > 2 && digit_of(text.ptr[i + 1]) >= 0 &&
            digit_of(text.ptr[i + 2]) >= 0) {
            c = (uint8_t)(digit_of(text.ptr[i + 1]) << 4 | digit_of(text.ptr[i + 2]));
            i += 2;
        }
        out[n++] = (char)(c < 0x20 || c == 0x7f ? ' ' : c);
    }
    out[n] = '\0';
}

/* @return false: no number of 0 to 16. */
static bool read_code(int *code, struct span text)
{
    int n = 0;
    if (text.len == 0 || text.len > 2)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        n = n * 10 + (text.ptr[i] - '0');
    }
    if ((size_t)n >= ARRAY_LEN(code_names))
        return false;
    *code = n;
    return true;
}

/* What an HTTP status stands for that came from something on the way. */
static int code_of_http(int status)
{
    switch (status) {
    case 400:
        return GRPC_INTERNAL;
    case 401:
        return GRPC_UNAUTHENTICATED;
    case 403:
        return GRPC_PERMISSION_DENIED;
    case 404:
        return GRPC_UNIMPLEMENTED;
    case 429:
    case 502:
    case 503:
    case 504:
        return GRPC_UNAVAILABLE;
    default:
        return GRPC_UNKNOWN;
    }
}

void grpc_status_of(struct grpc_status *status, const struct http_response *response)
{
    static const char type[] = "application/grpc";
    const struct span code = http_response_header(response, "grpc-status");
    const struct span content = http_response_header(response, "content-type");
    const bool is_grpc = content.len >= sizeof type - 1 &&
                         strncasecmp((const char *)content.ptr, type, sizeof type - 1) == 0;
    status->code = GRPC_UNKNOWN;
    if (code.len > 0) {
        if (read_code(&status->code, code))
            decode_message(status->message, http_response_header(response, "grpc-message"));
        else
            decode_message(status->message, span_str("the server's grpc-status is none"));
    } else if (response->status == 200) {
        decode_message(status->message, span_str(is_grpc ? "the answer ends without a grpc-status"
                                                         : "the answer is not gRPC's"));
    } else {
        status->code = code_of_http(response->status);
        (void)snprintf(status->message, sizeof status->message, "HTTP status %d", response->status);
    }
}
