/* packet.h - the inside of an opened submission. */
#pragma once

#include "prio/server.h"

struct prio_packet {
    const struct prio_server *server;
    bool open;
    struct packet_head head;
    struct fvec shares; // [n + N]: shares of the data, then of the h points
    struct opener opener;
    struct prg prg; // B's expansion; idle on A
    uint8_t *plain; // room for a plaintext of plain_cap bytes and VEC_SLACK
    size_t plain_cap;
    struct weights own; // of the last point that was not the server's first
    struct inverter scratch;
    struct fe own_point;
    bool own_ready;
};

/* A server's shares of f, g and h at a point. */
struct evaluation {
    struct fe f, g, h;
};

/** Needs an open packet. Computes the weights where the point is not the one of the last call.
 * @return PRIO_OK or PRIO_E_NOMEM. */
int packet_evaluate(struct prio_packet *packet, struct fe r, struct evaluation *out);
/** Parse a plaintext as packet_open does after decryption. VEC_SLACK readable bytes behind it. */
int packet_parse(struct prio_packet *packet, const uint8_t *plain, size_t len);
/**
 * prio_packet_open for a share that may be overwritten: its body becomes the plaintext, which
 * spares a second buffer; ephemeral key, IV and tag stay. The caller wipes it. VEC_SLACK readable
 * bytes behind it.
 */
int packet_open_in_place(struct prio_packet *packet, uint8_t *share, size_t len);
