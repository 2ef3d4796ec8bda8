/*
 * inputs.h - the objects that a command reads, and all of them as one stream of lines.
 */
#pragma once

#include "base/source.h"
#include "processor/place.h"

#include <stdbool.h>

struct inputs {
    struct store *store;
    struct store_listing listing; // objects that are not wanted are left out of keys
    const char **keys;            // in order
    size_t n;
    uint64_t bytes; // as they lie there
};

/** wanted: judges the key behind "dir/prefix"; NULL takes all that layout_is_data does.
 * @return 0 (an absent folder has no objects), or E_*. */
MUST_CHECK int inputs_list(struct inputs *inputs, const struct place *place, const char *prefix,
                           bool (*wanted)(const char *rest), struct err *err);
/**
 * What --input of a directory command names: one object, a glob ("*", "?", "[..]", which do not
 * match "/"; of a folder that matches, all data objects below it), or all data objects below a
 * folder, which may hold nothing but markers. @return 0, E_ABSENT when there is nothing, or E_*.
 */
MUST_CHECK int inputs_find(struct inputs *inputs, const struct place *place, struct err *err);
void inputs_deinit(struct inputs *inputs); // zeroed is fine
/** Does one of them lie in this folder, which is about to be replaced? */
bool inputs_lie_in(const struct inputs *inputs, const struct place *folder);

struct inputs_stream;
/** Lines of all objects, each unpacked where its bytes are gzip and ended by a newline. */
MUST_CHECK int inputs_open(struct inputs_stream **out, const struct inputs *inputs,
                           struct err *err);
void inputs_close(struct inputs_stream *stream); // NULL is fine
DEFINE_FREEP(struct inputs_stream, inputs_close)
struct source inputs_source(struct inputs_stream *stream);
/** Where line number `line` (from 1) of the stream stands. Not while the stream is read.
 * @return the key, and its line there. */
const char *inputs_locate(const struct inputs_stream *stream, uint64_t line, uint64_t *there);
