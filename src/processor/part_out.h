/* part_out.h - records of one server into part files, one after another. */
#pragma once

#include "processor/layout.h"
#include "processor/place.h"

struct part_out {
    struct place place; // below it: [batch_id=<id>/]part-NNNNN-<uuid>...
    const char *uuid;   // of the job, borrowed
    enum layout_name form;
    struct store_writer *writer; // NULL: no file is open
    struct buf pending;          // bytes not handed to it yet
    struct buf batch;            // of the open file
    unsigned range;
    uint64_t n_files;
};

void part_out_init(struct part_out *out, const struct place *place, const char *uuid,
                   enum layout_name form);
/** A file that is still open is dropped. */
void part_out_deinit(struct part_out *out);

/**
 * What follows belongs to this range and batch; the file before it is completed where one of them
 * differs. batch: without NUL; ptr NULL: no batch folder. @return 0 or E_*.
 */
MUST_CHECK int part_out_turn(struct part_out *out, unsigned range, struct span batch,
                             struct err *err);
/** After part_out_turn. @return 0 or E_*. */
MUST_CHECK int part_out_write(struct part_out *out, const void *bytes, size_t len, struct err *err);
/** Complete the open file, if there is one. */
MUST_CHECK int part_out_close(struct part_out *out, struct err *err);
