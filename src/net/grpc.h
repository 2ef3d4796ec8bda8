/*
 * grpc.h - gRPC calls, unary and with a streamed answer, over net/http's HTTP/2. Source: the gRPC
 * project's PROTOCOL-HTTP2. Messages are never compressed, and one that says so is refused.
 *
 * libgrpc would do all this and more, at the price of a C API without a stable ABI and of abseil.
 */
#pragma once

#include "net/http.h"

enum grpc_code {
    GRPC_OK = 0,
    GRPC_CANCELLED = 1,
    GRPC_UNKNOWN = 2,
    GRPC_DEADLINE_EXCEEDED = 4,
    GRPC_NOT_FOUND = 5,
    GRPC_ALREADY_EXISTS = 6,
    GRPC_PERMISSION_DENIED = 7,
    GRPC_ABORTED = 10,
    GRPC_UNIMPLEMENTED = 12,
    GRPC_INTERNAL = 13,
    GRPC_UNAVAILABLE = 14,
    GRPC_UNAUTHENTICATED = 16,
};
/** "UNAVAILABLE"; of codes outside of 0 to 16 "UNKNOWN". */
const char *grpc_code_name(int code);

enum { GRPC_MESSAGE_BYTES = 256, GRPC_PREFIX_BYTES = 5 };

struct grpc_status {
    int code;                         // enum grpc_code, or another of 0 to 16
    char message[GRPC_MESSAGE_BYTES]; // the server's, cut; control characters are blanks
};

/** A message of the answer, borrowed during the call. @return 0 to go on, else what ends it. */
typedef int grpc_message_fn(void *arg, struct span message, struct err *err);

struct grpc_call {
    const char *url;     // "https://host/package.Service/Method"; http:// is without encryption
    const char *routing; // value of x-goog-request-params; NULL: none
    struct http_signer signer; // zeroed: none
    struct span request;       // one message, framed
    uint64_t timeout_ms;       // of the call; the server learns of it
    size_t max_message;        // bytes of a message of the answer
    grpc_message_fn *fn;
    void *arg;
};

/**
 * One try. A connection that breaks or cannot be made is the status UNAVAILABLE, as the gRPC
 * libraries have it. A token that is refused is replaced once.
 * @return 0 with any status, also after messages; what fn returned; or E_IO (a failure that stays,
 * such as an untrusted certificate), E_FORMAT (the answer is no gRPC), E_NOMEM, E_ARG.
 */
MUST_CHECK int grpc_call(struct http *http, const struct grpc_call *call,
                         struct grpc_status *status, struct err *err);

/** Empty the buf and leave room for a frame's head; the message is then appended. */
MUST_CHECK int grpc_frame_begin(struct buf *framed, struct err *err);
/** Fill in the head. @return 0 or E_ARG: longer than 32 bits say. */
MUST_CHECK int grpc_frame_end(struct buf *framed, struct err *err);

/* Frames out of a stream of bytes. Zeroed but for message.max, the longest one allowed. */
struct grpc_reader {
    uint8_t prefix[GRPC_PREFIX_BYTES];
    size_t n_prefix; // of these are there
    size_t left;     // bytes of the message that are still to come
    struct buf message;
};
/** @return 0, what fn returned, E_FORMAT (compressed, too long), or E_NOMEM. After a failure only
 * the deinit is left. */
MUST_CHECK int grpc_reader_feed(struct grpc_reader *r, struct span bytes, grpc_message_fn *fn,
                                void *arg, struct err *err);
/** @return 0, or E_FORMAT: the stream ended within a message. */
MUST_CHECK int grpc_reader_end(const struct grpc_reader *r, struct err *err);
void grpc_reader_deinit(struct grpc_reader *r);

/** What an answer says of itself: its grpc-status, or what its HTTP status stands for. */
void grpc_status_of(struct grpc_status *status, const struct http_response *response);
