/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/docids.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// cmocka.h leans on the standard headers above it.
#include <cmocka.h>

enum { N_PINGS = 20000, N_IDS = 7000 };

static struct docids_ping ping_of(uint64_t number)
{
    struct docids_ping p = {.number = number, .n_records = 1};
    const uint32_t id = (uint32_t)(number * 2654435761u % N_IDS) * 2654435761u;
    memcpy(p.digest.bytes, &id, sizeof id);
    p.digest.bytes[DIGEST_BYTES - 1] = 1;
    return p;
}

static void drop(void *arg, const struct docids_ping *ping)
{
    bool *kept = arg;
    assert_true(kept[ping->number]);
    kept[ping->number] = false;
}

/* Whatever the memory, the first ping of each id is kept and no other. */
static void check(size_t memory_bytes)
{
    static bool kept[N_PINGS], seen[N_IDS];
    struct docids *d;
    memset(seen, 0, sizeof seen);
    assert_int_equal(docids_new(&d, "/tmp", memory_bytes, NULL), 0);
    for (uint64_t i = 0; i < N_PINGS; i++) {
        const struct docids_ping p = ping_of(i);
        const int r = docids_add(d, &p, NULL);
        assert_true(r >= 0);
        kept[i] = r == 1;
    }
    assert_int_equal(docids_finish(d, drop, kept, NULL), 0);
    for (uint64_t i = 0; i < N_PINGS; i++) {
        const size_t id = i * 2654435761u % N_IDS;
        assert_int_equal(kept[i], !seen[id]);
        seen[id] = true;
    }
    docids_free(d);
}

static void the_first_ping_of_an_id_is_kept_whatever_the_memory(void **state)
{
    (void)state;
    check(0);
    check(5000);
    check(100000);
    check(1 << 20);
}

static void a_missing_folder_is_named(void **state)
{
    (void)state;
    struct docids *d;
    struct err err = {0};
    assert_int_equal(docids_new(&d, "/nonexistent", 0, &err), E_IO);
    assert_non_null(strstr(err.text, "/nonexistent"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_ping_of_an_id_is_kept_whatever_the_memory),
        cmocka_unit_test(a_missing_folder_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
