/* SPDX-License-Identifier: MPL-2.0 */
#include "pair_watch.h"

#include <errno.h>
#include <fnmatch.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct pair_fate fate;
static unsigned n_changes, n_matches;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local bool is_watching; // changes of the watcher itself do not count

void pair_set_fate(const struct pair_fate *wanted)
{
    fate = *wanted;
    n_changes = n_matches = 0;
}

static void describe(char *out, size_t cap, const char *what, int dir, const char *name)
{
    char link[64], path[2048];
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", dir);
    const ssize_t n = readlink(link, path, sizeof path - 1);
    path[n > 0 ? n : 0] = '\0';
    const char *root = strstr(path, "weir-pair.");
    const char *below = root ? strchr(root, '/') : NULL;
    (void)snprintf(out, cap, "%s %s%s%s", what, below ? below + 1 : "", below ? "/" : "", name);
}

/* @return false: it is to fail. */
static bool may(const char *what, int dir, const char *name)
{
    char change[4096];
    if (is_watching)
        return true;
    pthread_mutex_lock(&mutex);
    is_watching = true;
    describe(change, sizeof change, what, dir, name);
    if (fate.watch)
        fate.watch(fate.watch_arg, change);
    if (++n_changes == fate.kill_before)
        (void)raise(SIGKILL);
    if (fate.at && fnmatch(fate.at, change, 0) == 0 && ++n_matches == (fate.nth > 0 ? fate.nth : 1))
        (void)kill(getpid(), fate.signal);
    const bool fails = n_changes == fate.fail_at;
    is_watching = false;
    pthread_mutex_unlock(&mutex);
    if (fails)
        errno = ENOSPC;
    return !fails;
}

int __real_renameat(int, const char *, int, const char *);
int __wrap_renameat(int, const char *, int, const char *);
int __wrap_renameat(int a, const char *from, int b, const char *to)
{
    return may("put", b, to) ? __real_renameat(a, from, b, to) : -1;
}

int __real_renameat2(int, const char *, int, const char *, unsigned);
int __wrap_renameat2(int, const char *, int, const char *, unsigned);
int __wrap_renameat2(int a, const char *from, int b, const char *to, unsigned flags)
{
    return may("put", b, to) ? __real_renameat2(a, from, b, to, flags) : -1;
}

int __real_unlinkat(int, const char *, int);
int __wrap_unlinkat(int, const char *, int);
int __wrap_unlinkat(int fd, const char *name, int flags)
{
    return may(flags != 0 ? "rmdir" : "delete", fd, name) ? __real_unlinkat(fd, name, flags) : -1;
}
