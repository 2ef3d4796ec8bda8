/* SPDX-License-Identifier: MPL-2.0 */
/*
 * profiles.c - rows of 1 KB into LMDB, keys as profiles have them: hashes, without order. Then all
 * of them again, as next week's load does, and read.
 *
 * Usage: bench-profiles DIR [ROWS]: DIR on a real disk, for every batch of 1,000 rows is an fsync.
 */
#include "profiles/profiles.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

enum { KEY_BYTES = 64, VALUE_BYTES = 1024, TEXT_BYTES = 512 };

static double seconds(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(int r, const struct err *err)
{
    if (r == 0)
        return;
    (void)fprintf(stderr, "%s\n", err->text);
    exit(1);
}

/* Always the same for i, and as good as random. */
static uint64_t mix(uint64_t i)
{
    i = (i ^ (i >> 31)) * UINT64_C(0x7fb5d329728ea185);
    i = (i ^ (i >> 27)) * UINT64_C(0x81dadef4bc2dd44d);
    return i ^ (i >> 33);
}

static void put_all(struct profiles *p, uint64_t n, int64_t timestamp_us, const char *what)
{
    struct err err = {0};
    char key[KEY_BYTES + 1];
    uint8_t value[VALUE_BYTES];
    const double started = seconds();
    for (uint64_t i = 0; i < n; i++) {
        const uint64_t h = mix(i + 1);
        (void)snprintf(key, sizeof key, "%016" PRIx64 "%016" PRIx64 "%032" PRIx64, h, mix(h), i);
        memset(value, (int)(h & 0xff), sizeof value);
        must(profiles_put(p, span_of(key, KEY_BYTES), span_of(value, sizeof value), timestamp_us,
                          &err),
             &err);
    }
    must(profiles_flush(p, &err), &err);
    const double took = seconds() - started;
    (void)printf("%-9s %.0f rows/s (%.1f s)\n", what, (double)n / took, took);
}

static int count(void *arg, struct span key, struct span value, int64_t timestamp_us,
                 struct err *err)
{
    (void)key;
    (void)timestamp_us;
    (void)err;
    *(uint64_t *)arg += value.len / VALUE_BYTES;
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        (void)fprintf(stderr, "usage: bench-profiles DIR [ROWS]\n");
        return 2;
    }
    char url[TEXT_BYTES];
    (void)snprintf(url, sizeof url, "lmdb://%s", argv[1]);
    const uint64_t n = argc > 2 ? strtoull(argv[2], NULL, 10) : 300000;
    const struct profiles_config config = {
        .url = url, .instance = "bench", .table = "taar_profile"};
    CLEANUP(profiles_closep) struct profiles *p = NULL;
    struct err err = {0};
    must(profiles_open(&p, &config, &err), &err);
    must(profiles_ensure_table(p, &err), &err);
    put_all(p, n, 1000, "new");
    put_all(p, n, 2000, "replaced");
    uint64_t seen = 0;
    const double started = seconds();
    must(profiles_each(p, count, &seen, &err), &err);
    (void)printf("%-9s %.0f rows/s\n", "read", (double)seen / (seconds() - started));
    return seen == n ? 0 : 1;
}
