/*
 * pair_watch.h - what a process changes in its stores, seen before it happens. The program must be
 * linked with --wrap for renameat, renameat2 and unlinkat.
 */
#pragma once

/** change: "put", "delete" or "rmdir", a space, and the path below the scratch folder. */
typedef void pair_watch_fn(void *arg, const char *change);

/* What becomes of this process (and its later children); all zero: nothing. */
struct pair_fate {
    unsigned kill_before; // this many changes, 1 is the first; 0: never
    unsigned fail_at;     // this change fails as on a full disk
    const char *at;       // a pattern of fnmatch(3) over changes, "put *verify1/_SUCCESS"
    unsigned nth;         // before the nth match of it; 0 is 1
    int signal;           // this is raised
    pair_watch_fn *watch; // called before every change, one at a time; may change stores itself
    void *watch_arg;
};
void pair_set_fate(const struct pair_fate *fate);
