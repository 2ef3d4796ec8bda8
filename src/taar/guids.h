/* guids.h - a growing list of different texts, each with its place, found by a hash. */
#pragma once

#include "base/err.h"
#include "base/span.h"

struct guids {
    struct span *list; // in the order in which they came; borrowed
    size_t n, cap;
    uint32_t *slots; // place + 1, 0: free
    size_t n_slots;
};
void guids_deinit(struct guids *g); // zeroed is fine
/** *place: of the text, which is added where it is new; text must outlive g. At most UINT32_MAX
 * - 1.
 * @return 1: it is new, 0: it was there, or E_NOMEM. */
MUST_CHECK int guids_add(struct guids *g, struct span text, size_t *place, struct err *err);
/** @return its place, or SIZE_MAX. */
size_t guids_find(const struct guids *g, struct span text);
/** Append a guid as a JSON text, ASCII only. */
struct buf;
MUST_CHECK int append_json_text(struct buf *out, struct span text, struct err *err);
