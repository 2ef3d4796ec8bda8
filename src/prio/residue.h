/*
 * residue.h - what verify2 needs of a submission once verify1 has seen it: three field elements.
 *
 * sigma = (d e)/2 + d [b] + e [a] + ([c] - [h(r)]) depends on the packet only through [a], [b] and
 * [c] - [h(r)] at the one point r of `first` mode (prio-v1.md section 6). Whoever keeps these need
 * not open the share again. They are as secret as the share.
 */
#pragma once

#include "prio/packet.h"

enum { RESIDUE_BYTES = 3 * FIELD_BYTES };

/**
 * The verify1 message and the residue of the open packet, at its server's first point.
 * @return PRIO_OK, PRIO_E_ARG (nothing is open, or sequential mode).
 */
int packet_verify1_residue(struct prio_packet *packet, uint8_t out[PRIO_VERIFY1_MAX],
                           size_t *out_len, uint8_t residue[RESIDUE_BYTES]);

/**
 * The verify2 message, as prio_packet_verify2 computes it from the share.
 * @return PRIO_OK, PRIO_REJECT_PACKET (a verify1 message is malformed), PRIO_E_ARG (no residue).
 */
int residue_verify2(const uint8_t residue[RESIDUE_BYTES], struct span own_verify1,
                    struct span peer_verify1, uint8_t out[PRIO_VERIFY2_MAX], size_t *out_len);
