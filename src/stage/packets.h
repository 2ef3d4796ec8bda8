/* packets.h - the own and the peer's messages of the step before, by record id. */
#pragma once

#include "base/source.h"
#include "stage/digest.h"

#include <stdbool.h>

enum packet_side { PACKET_OWN, PACKET_PEER };
/* Which message a file carries; the value is its number of field elements. */
enum packet_kind { PACKET_VERIFY2 = 1, PACKET_VERIFY1 = 2 };

/* Fill it while one thread has it; afterwards any number of threads may look things up. */
struct packets {
    enum packet_kind kind;
    struct digest_key key;
    struct table table;
};

/* What is known of one id. len 0: malformed, for whatever reason. */
struct packet_pair {
    bool has_own, has_peer;
    struct span own, peer; // borrowed from the packets
};

/** key: the one of the run's struct seen, so that digests agree. */
void packets_init(struct packets *p, enum packet_kind kind, const struct digest_key *key);
void packets_deinit(struct packets *p);

struct packets_load {
    struct source source;
    const char *name; // for messages
    size_t max_line;
    bool strict;  // fail at the first line that is not a JSON object
    unsigned cpu; // cpu_feature bits
};
/**
 * Add a file: {"id": ..., "payload": base64} a line. The last line of an id counts; a payload that
 * is no message makes it malformed, a line without a usable id is skipped.
 * @return 0 and *n_skipped (may be NULL), or E_FORMAT naming file and line (strict), E_NOMEM, E_IO.
 */
MUST_CHECK int packets_load(struct packets *p, enum packet_side side,
                            const struct packets_load *load, uint64_t *n_skipped, struct err *err);

/** @return an entry for the calls below, or NULL. Thread: any number. */
uint8_t *packets_find(const struct packets *p, const struct digest *id);
struct packet_pair packets_pair(const struct packets *p, const uint8_t *entry);
/**
 * Has a share record with this id been met? Notes it. This spares the records that have an entry
 * their place in struct seen. Thread: one at a time, beside any number of packets_pair.
 */
bool packets_seen(uint8_t *entry);
