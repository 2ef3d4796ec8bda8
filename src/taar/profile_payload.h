/* profile_payload.h - an Avro record as a row's payload. Source: taar-etl.md 4. */
#pragma once

#include "codec/zstream.h"
#include "taar/profile.h"

enum profile_outcome { PROFILE_MADE, PROFILE_NULL_ID, PROFILE_NOT_FINITE };

enum { PROFILE_MAX_TEXT = 64 << 20 };
struct profile_payload {
    bool fetcher_keys;
    char key[PROFILE_KEY_BYTES + 1];
    struct buf text;   // JSON
    struct buf packed; // the cell
    struct zstream *packer;
};
/** On failure profile_payload_deinit is still due. */
MUST_CHECK int profile_payload_init(struct profile_payload *p, bool fetcher_keys, struct err *err);
void profile_payload_deinit(struct profile_payload *p); // zeroed is fine
/** Spell and pack a record. @return enum profile_outcome, or E_*. */
MUST_CHECK int profile_payload_make(struct profile_payload *p, const struct avro_value *record,
                                    struct err *err);
