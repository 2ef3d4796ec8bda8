/*
 * trace.h - what verify1 leaves behind of each record, so that no later stage opens its share
 * again.
 *
 * A trace is a file of entries of fixed size, one for each line of a part that has a usable id, in
 * the part's order. It is as secret as the shares and stays with the server that wrote it.
 */
#pragma once

#include "base/buf.h"
#include "base/source.h"
#include "prio/residue.h"
#include "stage/digest.h"

#include <stdbool.h>

enum { TRACE_ENTRY_BYTES = 1 + 2 * DIGEST_BYTES + RESIDUE_BYTES + 8 + 4 };

struct trace_entry {
    bool accepted;    // verify1 answered; else only `id` means something: it has been met
    struct digest id; // under the batch's digest key
    struct digest share;
    uint8_t residue[RESIDUE_BYTES];
    uint64_t offset; // of the record's line in its part
    uint32_t len;    // of the line, without its end
};

void trace_encode(uint8_t out[TRACE_ENTRY_BYTES], const struct trace_entry *entry);

struct trace_reader {
    struct source source;
    size_t pos, len;
    bool eof;
    uint8_t bytes[256 * TRACE_ENTRY_BYTES];
};
void trace_reader_init(struct trace_reader *in, struct source source);
/** Wipes what was read. */
void trace_reader_deinit(struct trace_reader *in);
/** @return 1 and *entry, 0 at the end, E_FORMAT for bytes that are no trace, or E_IO. */
MUST_CHECK int trace_next(struct trace_reader *in, struct trace_entry *entry, struct err *err);
/** The next accepted entry; the others are skipped. */
MUST_CHECK int trace_next_accepted(struct trace_reader *in, struct trace_entry *entry,
                                   struct err *err);
