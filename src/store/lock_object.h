/*
 * lock_object.h - a lock kept in an object, for stores that have no locks of their own (D6).
 *
 * The object is JSON: {"host", "boot_id", "pid_namespace", "pid", "start_time", "renewed",
 * "token"}. Without a token it is free. Who takes it writes it with a precondition; who holds it
 * writes it again every renew_ms. Nobody compares clocks: a newcomer watches the object's version.
 */
#pragma once

#include "store/backend.h"

enum { LOCK_TEXT_BYTES = 128, LOCK_MAX_BYTES = 4096 };

struct lock_owner {
    char host[LOCK_TEXT_BYTES], boot_id[LOCK_TEXT_BYTES], pid_namespace[LOCK_TEXT_BYTES];
    int64_t pid;
    uint64_t start_time;         // in clock ticks since boot
    char token[LOCK_TEXT_BYTES]; // of one taking of the lock; "": nobody's
};

/** This process, with a fresh token. @return 0 or E_CRYPTO. */
MUST_CHECK int lock_owner_self(struct lock_owner *owner, struct err *err);
/** Append the object's text. */
struct buf;
MUST_CHECK int lock_owner_format(struct buf *out, const struct lock_owner *owner, int64_t now_us,
                                 struct err *err);
/** A text that is no such object is an owner without a name, who may only be waited for. */
void lock_owner_parse(struct lock_owner *owner, struct span text);
/** Did owner run on this host, in this PID namespace, so that its end can be seen? */
bool lock_owner_is_here(const struct lock_owner *owner, const struct lock_owner *self);
/** Has such an owner ended? */
bool lock_owner_is_gone(const struct lock_owner *owner);

/** The lock of backends without one. @return as store_lock. */
MUST_CHECK int lock_object(struct store_lock **out, struct store *store, const char *key,
                           struct err *err);
