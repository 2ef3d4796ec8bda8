/* seen.h - which ids and which ciphertexts a batch has had so far. */
#pragma once

#include "stage/digest.h"

#include <stdbool.h>

/*
 * One per batch and pass (prio-v1.md 16.2: one --input of prio, all parts of a batch of process).
 * The caller asks in record order, one thread at a time.
 */
struct seen {
    struct digest_key key;
    struct table ids, shares;
};

MUST_CHECK int seen_init(struct seen *s, struct err *err);
/** With a key of the caller's, where digests must outlive the process. */
void seen_init_keyed(struct seen *s, const struct digest_key *key);
void seen_deinit(struct seen *s);

/** Note it. @return 1 the first time, 0 later, or E_NOMEM. */
MUST_CHECK int seen_id(struct seen *s, const struct digest *id, struct err *err);
MUST_CHECK int seen_share(struct seen *s, const struct digest *share, struct err *err);
