/* SPDX-License-Identifier: MPL-2.0 */
/*
 * profiles_steps URL STEP... - steps of a profile store's user, for the scripts beside it.
 * Endpoint, CA, credentials and deadline come from WEIR_TEST_ENDPOINT, _CA_FILE,
 * _GOOGLE_CREDENTIALS and _DEADLINE_MS.
 *
 *   ensure       make the table
 *   put=N        N rows, then a flush
 *   delete=N     the first N of them, then a flush
 *   get=I        the I-th row, which must be as it was put
 *   rows=N       all rows, which must be the N last that were put, in order
 */
#include "base/buf.h"
#include "profiles/profiles.h"

#include <stdio.h>

enum { KEY_BYTES = 32, VALUE_BYTES = 128 };
static const int64_t timestamp_us = INT64_C(1600000000123000);

static struct span key_of(char out[KEY_BYTES], unsigned long i)
{
    return span_of(out, (size_t)snprintf(out, KEY_BYTES, "row %08lu", i));
}

static struct span value_of(char out[VALUE_BYTES], unsigned long i)
{
    return span_of(out, (size_t)snprintf(out, VALUE_BYTES, "%060lu|%08lx", i, i * 2654435761ul));
}

static int put(struct profiles *p, unsigned long n, struct err *err)
{
    char key[KEY_BYTES], value[VALUE_BYTES];
    int r = 0;
    for (unsigned long i = 0; i < n && r == 0; i++)
        r = profiles_put(p, key_of(key, i), value_of(value, i), timestamp_us, err);
    const int flushed = profiles_flush(p, err);
    return r < 0 ? r : flushed;
}

static int delete_rows(struct profiles *p, unsigned long n, struct err *err)
{
    char key[KEY_BYTES];
    int r = 0;
    for (unsigned long i = 0; i < n && r == 0; i++)
        r = profiles_delete(p, key_of(key, i), err);
    return r < 0 ? r : profiles_flush(p, err);
}

static int get(struct profiles *p, unsigned long i, struct err *err)
{
    char key[KEY_BYTES], value[VALUE_BYTES];
    CLEANUP(buf_deinit) struct buf found = BUF_INIT(VALUE_BYTES);
    const int r = profiles_get(p, key_of(key, i), &found, err);
    if (r < 0)
        return r;
    return span_equal(buf_span(&found), value_of(value, i))
               ? 0
               : err_set(err, E_FORMAT, 0, "row %lu has another value", i);
}

static int check_row(void *arg, struct span key, struct span value, int64_t at_us, struct err *err)
{
    char wanted_key[KEY_BYTES], wanted[VALUE_BYTES];
    unsigned long *next = arg;
    if (*next == 0 && key.len == 12) // the first one says where they begin
        *next = strtoul((const char[]){(char)key.ptr[8], (char)key.ptr[9], (char)key.ptr[10],
                                       (char)key.ptr[11], '\0'},
                        NULL, 10);
    if (!span_equal(key, key_of(wanted_key, *next)) || at_us != timestamp_us ||
        !span_equal(value, value_of(wanted, *next)))
        return err_set(err, E_FORMAT, 0, "row %lu is missing or another", *next);
    ++*next;
    return 0;
}

static int rows(struct profiles *p, unsigned long n, struct err *err)
{
    unsigned long next = 0;
    const int r = profiles_each(p, check_row, &next, err);
    if (r < 0)
        return r;
    return next == n ? 0 : err_set(err, E_FORMAT, 0, "rows end at %lu, not at %lu", next, n);
}

static int run_step(struct profiles *p, const char *step, struct err *err)
{
    const char *equals = strchr(step, '=');
    const unsigned long n = equals ? strtoul(equals + 1, NULL, 10) : 0;
    switch (step[0]) {
    case 'e':
        return profiles_ensure_table(p, err);
    case 'p':
        return put(p, n, err);
    case 'd':
        return delete_rows(p, n, err);
    case 'g':
        return get(p, n, err);
    case 'r':
        return rows(p, n, err);
    default:
        return err_set(err, E_ARG, 0, "no such step: %s", step);
    }
}

int main(int argc, char **argv)
{
    const char *deadline = getenv("WEIR_TEST_DEADLINE_MS");
    const struct profiles_config config = {
        .url = argc > 1 ? argv[1] : "",
        .table = "taar_profile",
        .endpoint = getenv("WEIR_TEST_ENDPOINT"),
        .ca_file = getenv("WEIR_TEST_CA_FILE"),
        .google_credentials = getenv("WEIR_TEST_GOOGLE_CREDENTIALS"),
        .deadline_ms = deadline ? strtoul(deadline, NULL, 10) : 10000,
    };
    CLEANUP(profiles_closep) struct profiles *p = NULL;
    struct err err = {0};
    int r = profiles_open(&p, &config, &err);
    for (int i = 2; i < argc && r == 0; i++)
        r = run_step(p, argv[i], &err);
    if (r == 0)
        return 0;
    (void)fprintf(stderr, "%s\n", err.text);
    return 1;
}
