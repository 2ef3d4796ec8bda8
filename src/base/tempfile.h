/* tempfile.h - a nameless file for what does not fit in memory; it is gone with the process. */
#pragma once

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct tempfile {
    int fd; // -1: not open
    uint64_t end;
    const char *dir; // for messages, borrowed
};

#define TEMPFILE_INIT ((struct tempfile){.fd = -1})

/** dir: an existing folder with room. @return 0 or E_IO. */
MUST_CHECK int tempfile_open(struct tempfile *t, const char *dir, struct err *err);
void tempfile_close(struct tempfile *t); // idempotent
/** Append at t->end. @return 0 or E_IO, naming the folder. */
MUST_CHECK int tempfile_append(struct tempfile *t, const void *bytes, size_t len, struct err *err);
/** Read exactly len bytes, which were appended. @return 0 or E_IO. */
MUST_CHECK int tempfile_read(const struct tempfile *t, uint64_t offset, void *dst, size_t len,
                             struct err *err);
