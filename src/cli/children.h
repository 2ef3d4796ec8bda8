/* children.h - other runs of this program, side by side, with an environment of their own. */
#pragma once

#include "base/err.h"

#include <stddef.h>
#include <sys/types.h>

enum { CHILD_MAX_VARIABLES = 48 };

/* The variables of a child: only what is said here, so that nothing of the caller's leaks in. */
struct child_env {
    char *variables[CHILD_MAX_VARIABLES + 1]; // "NAME=value", owned; NULL-terminated
    size_t n;
};
/** printf "NAME=value"; a later one of the same name wins. @return 0 or E_NOMEM. */
MUST_CHECK int child_env_set(struct child_env *env, struct err *err, const char *name,
                             const char *fmt, ...) PRINTF_LIKE(4, 5);
/** Hand on those of the names (NULL ends the list) that this process has. */
MUST_CHECK int child_env_inherit(struct child_env *env, const char *const *names, struct err *err);
void child_env_deinit(struct child_env *env);

struct child {
    const char *label; // borrowed, for messages: "server A"
    char log[4096];    // file of its output; "": goes where the caller's goes
    pid_t pid;         // 0: not running
};
/**
 * Run this program. argv: as main gets it, NULL-terminated. It is terminated when the caller goes.
 * @return 0 or E_IO.
 */
MUST_CHECK int child_start(struct child *child, char *const *argv, const struct child_env *env,
                           struct err *err);
/** Wait for all; at the first that fails the others are terminated, and the end of its log is shown
 * on standard error. @return 0, or E_IO naming it. */
MUST_CHECK int children_wait(struct child *const *children, size_t n, struct err *err);
/** Terminate it and wait for its end; nothing when it is not running. */
void child_stop(struct child *child);
