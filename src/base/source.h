/* source.h - the pull side of a byte stream, and the plain file behind it. */
#pragma once

#include "base/err.h"
#include "base/span.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Lent for a call or for the life of a reader; the owner of arg closes it. */
struct source {
    /** @return bytes read (1..cap), 0 at the end, or E_*. */
    ssize_t (*read)(void *arg, void *dst, size_t cap, struct err *err);
    void *arg;
};

struct buf;
/** Append all that is left, which must be less than out's limit. @return 0, E_FORMAT (there is
 * more), or E_*. */
MUST_CHECK int source_read_all(struct source from, struct buf *out, struct err *err);

/* A file or standard input. */
struct file_source {
    int fd;
    bool owned;
    uint64_t size_bytes; // 0 when not a regular file
    char name[256];      // for messages; a longer path keeps its end
};

/**
 * path "-" is standard input. A directory is an error.
 * @return 0, E_ABSENT or E_IO, with the path in err.
 */
MUST_CHECK int file_source_open(struct file_source *f, const char *path, struct err *err);
struct source file_source(struct file_source *f); // f must outlive it
void file_source_close(struct file_source *f);    // idempotent

/* Bytes in memory, handed out at most `step` at a time (0: all at once): for tests, small texts. */
struct memory_source {
    struct span rest;
    size_t step;
};
struct source memory_source(struct memory_source *m);
