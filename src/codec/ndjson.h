/*
 * ndjson.h - lines in and out.
 *
 * Reading hands out chunks of whole lines, each chunk into the buffer of the worker that asked, so
 * that many workers can share one input with one copy of the bytes and without a reader thread. A
 * line that is longer than the limit is skipped without being buffered and comes out as a chunk of
 * its own that says so.
 *
 * Where lines are secret (a client's bits), set `secret` of carry and of each chunk's bytes after
 * their init.
 */
#pragma once

#include "base/buf.h"
#include "base/source.h"

#include <stdbool.h>
#include <stdint.h>

enum { NDJSON_SLACK = 64 }; // zeros behind a chunk's last line, for SIMD loads

struct ndjson_reader {
    struct source src;
    size_t max_line;     // bytes without "\n" or "\r\n"; longer lines are skipped
    struct buf carry;    // the beginning of the next chunk's first line
    uint64_t next_line;  // 1-based number of the first line not handed out yet
    uint64_t next_chunk; // 0-based
    uint64_t n_read;     // bytes taken from src
    bool eof;
};

enum { NDJSON_MARKS = 32 };

/* Owned by a worker and reused: after warm-up, filling allocates nothing. */
struct ndjson_chunk {
    struct buf bytes; // whole lines; the last may lack its newline at the end of the input
    size_t pos;       // of ndjson_line
    size_t marks[NDJSON_MARKS]; // where the first newlines stand: long lines are not searched twice
    size_t n_marks, next_mark;
    uint64_t seq; // 0, 1, 2 ... in input order
    uint64_t first_line;
    uint64_t offset; // of the chunk's first byte in the input
    uint64_t line;   // number of the line that ndjson_line returned last
    bool too_long;   // no bytes: line first_line is longer than max_line
};

void ndjson_reader_init(struct ndjson_reader *in, struct source src, size_t max_line);
void ndjson_reader_deinit(struct ndjson_reader *in);
/** max_line: the reader's. */
void ndjson_chunk_init(struct ndjson_chunk *c, size_t max_line);
void ndjson_chunk_deinit(struct ndjson_chunk *c);

/**
 * Fill c with the next lines: at least one, and as many as fit in target_bytes, or in max_line
 * bytes if that is less. How the source cuts its reads makes no difference.
 * Shape: memory stays near target_bytes or the longest line met.
 * Thread: one caller at a time per reader (hold a lock); chunks are independent.
 * @return 1, 0 at the end of the input, or E_*: then this chunk's lines are lost, do not go on.
 */
MUST_CHECK int ndjson_fill(struct ndjson_reader *in, struct ndjson_chunk *c, size_t target_bytes,
                           struct err *err);

/** The next line of a chunk, without "\n" or "\r\n". @return false at the chunk's end. */
bool ndjson_line(struct ndjson_chunk *c, struct span *line);
