/* SPDX-License-Identifier: MPL-2.0 */
/*
 * libfault-at.so - harm at a chosen moment, for tests: LD_PRELOAD it, and every call by which the
 * program changes something outside of it is counted (files and sockets; not its standard streams
 * and not what threads tell each other).
 *
 *   FAULT_AT=K     harm before the K-th call takes effect; without it they are only counted
 *   FAULT=kill     the process kills itself with SIGKILL (default)
 *   FAULT=full     from the K-th call on, whatever needs room in a file fails with ENOSPC
 *   FAULT=once     only the K-th does
 *   FAULT_COUNT=FILE  the number of calls is written there when the process ends well
 */
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_ulong n_calls;
static unsigned long fault_at;
static enum { FAULT_KILL, FAULT_FULL, FAULT_ONCE } fault;

__attribute__((constructor)) static void begin(void)
{
    const char *at = getenv("FAULT_AT"), *how = getenv("FAULT");
    fault_at = at ? strtoul(at, NULL, 10) : 0;
    fault = how && strcmp(how, "full") == 0   ? FAULT_FULL
            : how && strcmp(how, "once") == 0 ? FAULT_ONCE
                                              : FAULT_KILL;
}

__attribute__((destructor)) static void end(void)
{
    const char *path = getenv("FAULT_COUNT");
    FILE *file = path ? fopen(path, "w") : NULL;
    if (!file)
        return;
    const unsigned long n = atomic_load(&n_calls);
    fault_at = 0;
    (void)fprintf(file, "%lu\n", n);
    (void)fclose(file);
}

/* Count a call. @return must it fail for want of room? */
static bool harm(bool needs_room)
{
    const unsigned long n = atomic_fetch_add(&n_calls, 1) + 1;
    if (fault_at == 0 || n < fault_at)
        return false;
    if (fault == FAULT_KILL)
        (void)kill(getpid(), SIGKILL);
    if (!needs_room || (fault == FAULT_ONCE && n > fault_at))
        return false;
    errno = ENOSPC;
    return true;
}

static bool harm_fd(int fd)
{
    struct stat st;
    if (fd <= STDERR_FILENO || fstat(fd, &st) != 0)
        return false;
    return S_ISREG(st.st_mode) ? harm(true) : S_ISSOCK(st.st_mode) && harm(false);
}

/* The next definition of NAME, as this one's type. */
#define REAL(NAME)                                                                                 \
    static __typeof__(NAME) *real;                                                                 \
    if (!real)                                                                                     \
    *(void **)(&real) = dlsym(RTLD_NEXT, #NAME)

ssize_t write(int fd, const void *data, size_t n)
{
    REAL(write);
    return harm_fd(fd) ? -1 : real(fd, data, n);
}

ssize_t writev(int fd, const struct iovec *parts, int n)
{
    REAL(writev);
    return harm_fd(fd) ? -1 : real(fd, parts, n);
}

ssize_t pwrite(int fd, const void *data, size_t n, off_t at)
{
    REAL(pwrite);
    return harm_fd(fd) ? -1 : real(fd, data, n, at);
}

ssize_t pwrite64(int fd, const void *data, size_t n, off64_t at)
{
    REAL(pwrite64);
    return harm_fd(fd) ? -1 : real(fd, data, n, at);
}

ssize_t send(int fd, const void *data, size_t n, int flags)
{
    REAL(send);
    return harm_fd(fd) ? -1 : real(fd, data, n, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    REAL(sendmsg);
    return harm_fd(fd) ? -1 : real(fd, message, flags);
}

int fsync(int fd)
{
    REAL(fsync);
    return harm(true) ? -1 : real(fd);
}

int fdatasync(int fd)
{
    REAL(fdatasync);
    return harm(true) ? -1 : real(fd);
}

int ftruncate(int fd, off_t len)
{
    REAL(ftruncate);
    return harm(false) ? -1 : real(fd, len);
}

int ftruncate64(int fd, off64_t len)
{
    REAL(ftruncate64);
    return harm(false) ? -1 : real(fd, len);
}

int rename(const char *from, const char *to)
{
    REAL(rename);
    return harm(false) ? -1 : real(from, to);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    REAL(renameat);
    return harm(false) ? -1 : real(from_dir, from, to_dir, to);
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
    REAL(renameat2);
    return harm(false) ? -1 : real(from_dir, from, to_dir, to, flags);
}

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
    REAL(linkat);
    return harm(true) ? -1 : real(from_dir, from, to_dir, to, flags);
}

int unlink(const char *path)
{
    REAL(unlink);
    return harm(false) ? -1 : real(path);
}

int unlinkat(int dir, const char *path, int flags)
{
    REAL(unlinkat);
    return harm(false) ? -1 : real(dir, path, flags);
}

int mkdir(const char *path, mode_t mode)
{
    REAL(mkdir);
    return harm(true) ? -1 : real(path, mode);
}

int mkdirat(int dir, const char *path, mode_t mode)
{
    REAL(mkdirat);
    return harm(true) ? -1 : real(dir, path, mode);
}
