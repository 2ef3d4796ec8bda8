/* fixture.h - a batch of honest submissions in memory, and both servers. A bench that fails stops
 * the program with a message. */
#pragma once

#include "base/buf.h"
#include "stage/stage.h"

#include <stddef.h>
#include <stdint.h>

enum { ROLES = 2 };

/* Where one submission stands: the sealed bytes in shares, their base64 in lines. */
struct fixture_record {
    size_t share, share_len, text, text_len;
};

struct fixture {
    size_t n, n_records;
    unsigned cpu;
    struct prio_batch *batch;
    struct prio_client *client;
    struct prio_encoder *encoder;
    struct prio_server *server[ROLES];
    uint8_t private_key[ROLES][PRIO_KEY_BYTES];
    uint8_t *bits;            // [n], of one client
    struct buf rows;          // {"payload": [..]} a line, one for each submission
    struct buf lines[ROLES];  // share records
    struct buf shares[ROLES]; // the same, sealed bytes only
    struct fixture_record *records[ROLES];
};

/** level: a --cpu level, or NULL. */
void fixture_init(struct fixture *f, size_t n, size_t n_records, const char *level);
void fixture_deinit(struct fixture *f);

/** Record i's share, as the client sealed it. */
static inline struct span fixture_share(const struct fixture *f, enum prio_role role, size_t i)
{
    const struct fixture_record *r = &f->records[role][i];
    return span_of(f->shares[role].data + r->share, r->share_len);
}

/** The same in base64. */
static inline struct span fixture_text(const struct fixture *f, enum prio_role role, size_t i)
{
    const struct fixture_record *r = &f->records[role][i];
    return span_of(f->lines[role].data + r->text, r->text_len);
}

/** verify1 over all lines, NDJSON to NDJSON, as one worker of the program does it. */
void fixture_verify1(const struct fixture *f, enum prio_role role);
/** All rows to both servers' records, likewise. */
void fixture_encode(const struct fixture *f);

/** Say that it failed, and exit. */
_Noreturn void stop(const char *what);

/** Stop unless ok. In sight of the compiler, which then knows that what follows was checked. */
static inline void require(int ok, const char *what)
{
    if (!ok)
        stop(what);
}
