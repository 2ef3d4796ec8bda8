/* pair_steps.h - two servers driven step by step, and hands in their folders meanwhile. */
#pragma once

#include "pair_test.h"

/** Run one server in a child until it ends or its next wait lasts; @return its exit status. */
int pair_step(struct pair *p, int role, const struct pair_how *how);
/** One after the other, in turns, so that each wait is a new process. @return true: both done. */
bool pair_alternate(struct pair *p, const struct pair_how *how);
/** Run in a child that is killed before the nth change that matches a pattern. */
void pair_run_until(struct pair *p, int role, const struct pair_how *how, const char *at,
                    unsigned nth);
/** Spawn a child that stops there. */
int pair_spawn_stopping(struct pair *p, int role, const struct pair_how *how, const char *at);

/** Wait until a child has stopped at its fate (SIGSTOP); let it go on. */
void pair_await_stop(int pid);
void pair_go_on(int pid);

/** Bytes of an object below a server's own prefix; NULL: absent. Owner: the caller. */
char *pair_get(struct pair *p, int role, const char *bucket, const char *key);
void pair_put(struct pair *p, int role, const char *bucket, const char *key, const char *text);
void pair_remove(struct pair *p, int role, const char *bucket, const char *key);
bool pair_has(struct pair *p, int role, const char *bucket, const char *key);
/** The first key below the own prefix that matches a pattern of fnmatch(3), or NULL. Owner: the
 * caller. */
char *pair_find(struct pair *p, int role, const char *bucket, const char *pattern);
/** Take the last line of the object that matches away. @return what it was; *key: its key. Owner:
 * the caller. */
char *pair_shorten(struct pair *p, int role, const char *bucket, const char *pattern, char **key);
/** Names and bytes of all objects below a folder, in order. Owner: the caller. */
char *pair_bytes(struct pair *p, int role, const char *bucket, const char *folder);
/** Names and versions (inode, times, size) likewise. */
char *pair_versions(struct pair *p, int role, const char *bucket, const char *folder);
/** Delete everything but the raw shares. */
void pair_forget(struct pair *p);
/** A path in the scratch folder, in turn one of four buffers. */
const char *pair_file(struct pair *p, const char *name);
/** The text of such a file; "" when absent. Owner: the caller. */
char *pair_read_file(const char *path);

/** A watcher that appends each change to the file `arg` names, a line each. */
void pair_note_change(void *arg, const char *change);

/** One client's shares in base64. Owner: the caller. */
void pair_encode(struct pair *p, const char *batch_id, size_t n_data, const uint8_t *bits,
                 char *text[2]);
/** Take these batches; entries: borrowed. */
void pair_configure(struct pair *p, struct data_entry *entries, size_t n);
/** The marker behind raw shares. */
void pair_mark(struct pair *p, int role);
