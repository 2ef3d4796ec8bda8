/* SPDX-License-Identifier: MPL-2.0 */
/*
 * DuckDB: one program at a time, in turn. DuckDB itself refuses a file that another program holds;
 * a program that opens it again and again would leave others no gap. So FILE.lock has two places:
 * whoever waits for the file keeps the turn, and whoever wants to come back waits for the turn
 * first. Locks go with the descriptor, also when the process is killed. The lock file stays.
 */
#include "base/log.h"
#include "warehouse/duckdb_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const uint64_t silent_ms = 1000;
enum { TURN_PLACE = 0, FILE_PLACE = 1 }; // bytes of the lock file

void duckdb_wait_init(struct duckdb_wait *wait, const char *path, uint64_t limit_ms)
{
    const struct retry_policy policy = {.max_retries = UINT32_MAX,
                                        .first_wait_ms = 2,
                                        .multiplier = 1.5,
                                        .max_wait_ms = 25,
                                        .deadline_ms = limit_ms > 0 ? limit_ms : 30000,
                                        .jitter = 0.5};
    *wait = (struct duckdb_wait){.path = path};
    retry_init(&wait->retry, &policy, retry_now_ms(), (uint64_t)getpid());
}

/* The process that has DuckDB's own lock on the file, or 0. */
static pid_t find_holder(const char *path)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    const bool known = fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK && lock.l_pid > 0;
    (void)close(fd);
    return known ? lock.l_pid : 0;
}

int duckdb_wait_more(struct duckdb_wait *wait, struct err *err)
{
    const uint64_t limit_ms = wait->retry.policy.deadline_ms;
    uint64_t wait_ms;
    if (!wait->said && retry_now_ms() - wait->retry.started_ms >= silent_ms) {
        wait->said = true;
        log_info("%s is held by another program; waiting up to %" PRIu64 " s", wait->path,
                 limit_ms / 1000);
    }
    if (retry_next(&wait->retry, retry_now_ms(), 0, &wait_ms)) {
        retry_sleep_ms(wait_ms);
        return 0;
    }
    char who[32] = "";
    const pid_t holder = find_holder(wait->path);
    if (holder > 0)
        (void)snprintf(who, sizeof who, ", process %d,", (int)holder);
    return err_set(err, E_AGAIN, 0,
                   "%s is still held by another program%s after %" PRIu64
                   " ms; end that one, or try again later",
                   wait->path, who, limit_ms);
}

static int lock_place(int fd, short type, off_t place, struct duckdb_wait *wait, struct err *err)
{
    for (;;) {
        struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = place, .l_len = 1};
        if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
            return 0;
        if (errno != EAGAIN && errno != EACCES && errno != EINTR)
            return err_set(err, E_IO, errno, "%s.lock: lock", wait->path);
        const int r = duckdb_wait_more(wait, err);
        if (r < 0)
            return r;
    }
}

static int lock_in_turn(int fd, bool shared, struct duckdb_wait *wait, struct err *err)
{
    const short type = shared ? F_RDLCK : F_WRLCK;
    struct flock pass_on = {.l_type = F_UNLCK, .l_whence = SEEK_SET, .l_len = 1};
    int r = lock_place(fd, type, TURN_PLACE, wait, err);
    if (r == 0)
        r = lock_place(fd, type, FILE_PLACE, wait, err);
    if (r == 0 && fcntl(fd, F_OFD_SETLK, &pass_on) != 0)
        r = err_set(err, E_IO, errno, "%s.lock: unlock", wait->path);
    return r;
}

static int open_lock_file(int *fd, const char *path, bool shared, struct err *err)
{
    char *lock_path = NULL;
    if (asprintf(&lock_path, "%s.lock", path) < 0)
        return err_set(err, E_NOMEM, 0, "no memory for a path");
    *fd = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666);
    if (*fd < 0 && shared)
        *fd = open(lock_path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    // Who may only read finds no lock file and may make none: DuckDB's own lock must do.
    const int r = *fd < 0 && !shared ? err_set(err, E_IO, errno, "%s: open", lock_path) : 0;
    free(lock_path);
    return r;
}

int duckdb_lock(int *fd, struct duckdb_wait *wait, bool shared, struct err *err)
{
    int r = open_lock_file(fd, wait->path, shared, err);
    if (r == 0 && *fd >= 0)
        r = lock_in_turn(*fd, shared, wait, err);
    return r;
}
