/* SPDX-License-Identifier: MPL-2.0 */
/*
 * run TIMES COMMAND [ARG...] - runs the command so often, its output thrown away, and prints the
 * median of user and system CPU time and the shortest wall time (both in microseconds), and the
 * largest peak of resident memory (KiB).
 *
 * It links nothing and holds nothing: the kernel counts the memory of the process that starts a
 * program in that program's peak.
 */
#include "timing.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static double wall_us(void)
{
    struct timespec t;
    if (clock_gettime(CLOCK_MONOTONIC, &t) != 0)
        abort();
    return 1e6 * (double)t.tv_sec + 1e-3 * (double)t.tv_nsec;
}

static double us_of(struct timeval t)
{
    return 1e6 * (double)t.tv_sec + (double)t.tv_usec;
}

/* @return 0 when the command ran and succeeded. */
static int run_once(char **argv, struct rusage *usage)
{
    posix_spawn_file_actions_t actions;
    pid_t pid;
    int status = 0;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    const int failed = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0 || wait4(pid, &status, 0, usage) != pid)
        return -1;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

int main(int argc, char **argv)
{
    struct series cpu = {.n = 0};
    double shortest_us = 1e12;
    long peak_kib = 0;
    if (argc < 3) {
        fprintf(stderr, "usage: run TIMES COMMAND [ARG...]\n");
        return 2;
    }
    for (unsigned long left = strtoul(argv[1], NULL, 10); left > 0; left--) {
        struct rusage usage = {0};
        const double start = wall_us();
        if (run_once(argv + 2, &usage) != 0) {
            fprintf(stderr, "run: %s failed\n", argv[2]);
            return 1;
        }
        const double us = wall_us() - start;
        shortest_us = us < shortest_us ? us : shortest_us;
        series_add(&cpu, us_of(usage.ru_utime) + us_of(usage.ru_stime));
        peak_kib = usage.ru_maxrss > peak_kib ? usage.ru_maxrss : peak_kib;
    }
    printf("%.0f %.0f %ld\n", series_median(&cpu), shortest_us, peak_kib);
    return 0;
}
