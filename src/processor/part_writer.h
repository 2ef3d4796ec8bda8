/* part_writer.h - an object that is written by a stage, hashed on its way. */
#pragma once

#include "processor/object_list.h"
#include "stage/stage.h"

struct part_writer {
    struct store_writer *writer;
    struct hasher *hasher;
    uint64_t n_bytes;
};

/** Zeroed first by the caller, so that part_writer_abandon can always be called. */
MUST_CHECK int part_writer_open(struct part_writer *w, struct store *store, const char *key,
                                struct err *err);
struct stage_sink part_writer_sink(struct part_writer *w); // w must outlive it
/** *object: its size, version and hash; its key is untouched. @return 0 or E_*. */
MUST_CHECK int part_writer_commit(struct part_writer *w, struct noted_object *object,
                                  struct err *err);
/** For CLEANUP: nothing becomes visible; harmless after a commit. */
void part_writer_abandon(struct part_writer *w);
