/* tags.h - the tags of a task, as the columns that they belong to. Source: fxci-etl.md 3.3, X11. */
#pragma once

#include "fxci/member.h"
#include "fxci/tables.h"

struct tags {
    struct member values[N_TAGS]; // without text: no tag has this column
    uint32_t seen[N_TAGS];        // the spellings met, a bit each
    uint8_t spelling[N_TAGS];     // the one that counts
    unsigned n_overridden;        // values other than text that a later one took the place of
    bool failed;                  // a value is not text
};

/** Walk the object to its end; *t is begun anew. @return false: the grammar is broken. */
bool tags_read(struct json_members *it, struct tags *t);
