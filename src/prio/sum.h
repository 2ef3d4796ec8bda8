/* sum.h - sums that are taken before a record's fate is known, and settled before anything leaves
 * (section 16, 8). */
#pragma once

#include "prio/packet.h"

/** Add the open packet now; it counts as pending until it is confirmed or taken back. */
int sum_add_pending(struct prio_sum *sum, const struct prio_packet *packet);
/** n pending records have had their positive verdict. Range: n <= pending. */
void sum_confirm(struct prio_sum *sum, uint64_t n);
/** The open packet, added before with sum_add_pending, is out: subtract it. */
int sum_take_back(struct prio_sum *sum, const struct prio_packet *packet);
/** prio_sum_merge for a sum that is still optimistic: its pending records stay pending in sum. */
int sum_merge_pending(struct prio_sum *sum, const struct prio_sum *other);
/** Records added and neither confirmed nor taken back. While there are any, the sum cannot be
 * serialised or merged. */
uint64_t sum_pending(const struct prio_sum *sum);
