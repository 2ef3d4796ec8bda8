/* generate_sides.h - part files of both servers, below one output or below two. */
#pragma once

#include "processor/part_out.h"
#include "processor/share_batch.h"

struct generate_sides {
    struct buf dirs[N_SERVERS];
    char uuid[LAYOUT_UUID_BYTES]; // of the job: names are the same on both sides
    struct part_out out[N_SERVERS];
};

/** Zeroed first by the caller. places: of A and B. */
MUST_CHECK int generate_sides_init(struct generate_sides *s, const struct place places[N_SERVERS],
                                   enum layout_name form, struct err *err);
/** Below output: "server_id=a" and "server_id=b". */
MUST_CHECK int generate_sides_below(struct generate_sides *s, const struct place *output,
                                    struct err *err);
MUST_CHECK int generate_sides_close(struct generate_sides *s, struct err *err);
void generate_sides_deinit(struct generate_sides *s);
