/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/amo_journal.h"

#include "amo_test.h"
#include "base/pool.h"

#include <ftw.h>
#include <stdatomic.h>
#include <unistd.h>

enum { MANY = 900, WORKERS = 4 };

struct place {
    char path[64];
    struct store *store;
    struct record_ops ops;
};

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->ops = plain_ops();
    (void)snprintf(p->path, sizeof p->path, "/tmp/weir-journal-XXXXXX");
    assert_non_null(mkdtemp(p->path));
    const struct store_config config = {.url = p->path};
    assert_int_equal(store_open(&p->store, &config, NULL), 0);
    *state = p;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *at)
{
    (void)st;
    (void)flag;
    (void)at;
    return remove(path);
}

static int teardown(void **state)
{
    struct place *p = *state;
    store_close(p->store);
    const int r = nftw(p->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(p);
    return r;
}

static struct amo_journal *opened_of(struct place *p, const char *date, const char *source)
{
    const struct amo_journal_place place = {
        .store = p->store, .prefix = "pre/fix/", .date = date, .source = source};
    struct amo_journal *j = NULL;
    assert_int_equal(amo_journal_open(&j, &place, &p->ops, NULL), 0);
    return j;
}

static struct amo_journal *opened(struct place *p)
{
    return opened_of(p, "20200601", "http://x");
}

static size_t n_objects(struct place *p, const char *prefix)
{
    struct store_listing all;
    assert_int_equal(store_list(p->store, prefix, &all, NULL), 0);
    const size_t n = all.n;
    store_listing_deinit(&all);
    return n;
}

static void pages_come_back(void **state)
{
    struct place *p = *state;
    CLEANUP(buf_deinit) struct buf body = BUF_INIT(TEXT_MAX);
    int status;
    struct amo_journal *j = opened(p);
    assert_false(amo_journal_resumes(j));
    assert_int_equal(amo_journal_put(j, "0-/000001", 200, span_str("one"), NULL), 0);
    assert_int_equal(amo_journal_put(j, "0-/000010", 404, (struct span){0}, NULL), 0);
    amo_journal_close(j);
    j = opened_of(p, "2020-06-01", "http://x"); // the same day
    assert_true(amo_journal_resumes(j));
    assert_int_equal(amo_journal_get(j, "0-/000001", &status, &body, NULL), 1);
    assert_int_equal(status, 200);
    assert_text(&body, "one");
    buf_clear(&body);
    assert_int_equal(amo_journal_get(j, "0-/000010", &status, &body, NULL), 1);
    assert_int_equal(status, 404);
    assert_int_equal(amo_journal_get(j, "0-/000002", &status, &body, NULL), 0);
    assert_int_equal(amo_journal_remove(j, NULL), 0);
    assert_int_equal(n_objects(p, ""), 0);
    amo_journal_close(j);
}

struct adders {
    struct amo_journal *journal;
    atomic_uint next;
};

static int add_some(unsigned index, void *arg, struct err *err)
{
    struct adders *a = arg;
    (void)index;
    for (unsigned i; (i = a->next++) < MANY;) {
        char guid[32], text[64];
        (void)snprintf(guid, sizeof guid, "{%u}\n\"", i);
        (void)snprintf(text, sizeof text, "2020-%u-and so on and on, to fill it", i);
        const struct amo_line half = {
            .guid = span_str(guid), .ending = AMO_HALF_WAY, .page_count = i + 2};
        const struct amo_line whole = {.guid = span_str(guid),
                                       .ending = i % 2 ? AMO_DATED : AMO_DROPPED,
                                       .text = span_str(text)};
        int r = amo_journal_add(a->journal, &half, err);
        if (r == 0)
            r = amo_journal_add(a->journal, &whole, err);
        if (r < 0)
            return r;
    }
    return 0;
}

struct seen {
    unsigned n_half[MANY], n_whole[MANY];
};

static int see(void *arg, const struct amo_line *line, struct err *err)
{
    struct seen *seen = arg;
    char guid[32], text[64];
    unsigned i;
    (void)err;
    (void)snprintf(guid, sizeof guid, "%.*s", (int)line->guid.len, (const char *)line->guid.ptr);
    assert_int_equal(sscanf(guid, "{%u}\n\"", &i), 1);
    assert_true(i < MANY);
    if (line->ending == AMO_HALF_WAY) {
        assert_int_equal(line->page_count, i + 2);
        assert_int_equal(seen->n_whole[i], 0);
        seen->n_half[i]++;
        return 0;
    }
    assert_int_equal(line->ending, i % 2 ? AMO_DATED : AMO_DROPPED);
    (void)snprintf(text, sizeof text, "2020-%u-and so on and on, to fill it", i);
    assert_true(span_equal(line->text, span_str(text)));
    seen->n_whole[i]++;
    return 0;
}

static void lines_come_back(void **state)
{
    struct place *p = *state;
    struct adders adders = {.journal = opened(p)};
    assert_int_equal(pool_run(WORKERS, add_some, &adders, NULL), 0);
    amo_journal_close(adders.journal);
    struct amo_journal *j = opened(p);
    struct seen *seen = calloc(1, sizeof *seen);
    assert_int_equal(amo_journal_lines(j, see, seen, NULL), 0);
    for (size_t i = 0; i < MANY; i++)
        assert_true(seen->n_half[i] == 1 && seen->n_whole[i] == 1);
    free(seen);
    // What a later run adds stands beside it.
    const size_t before = n_objects(p, "pre/fix/.journal/20200601/addons-");
    const struct amo_line line = {.guid = span_str("{1}\n\""), .ending = AMO_HALF_WAY};
    assert_int_equal(amo_journal_add(j, &line, NULL), 0);
    assert_int_equal(n_objects(p, "pre/fix/.journal/20200601/addons-"), before + 1);
    assert_int_equal(amo_journal_remove(j, NULL), 0);
    amo_journal_close(j);
}

static void others_are_not_mixed_in(void **state)
{
    struct place *p = *state;
    CLEANUP(buf_deinit) struct buf body = BUF_INIT(TEXT_MAX);
    int status;
    struct amo_journal *old = opened_of(p, "20200531", "http://x");
    assert_int_equal(amo_journal_put(old, "0-/000001", 200, span_str("one"), NULL), 0);
    amo_journal_close(old);
    struct amo_journal *j = opened(p); // another date: left alone
    assert_int_equal(amo_journal_get(j, "0-/000001", &status, &body, NULL), 0);
    assert_int_equal(n_objects(p, "pre/fix/.journal/20200531/"), 2);
    assert_int_equal(amo_journal_put(j, "0-/000001", 200, span_str("two"), NULL), 0);
    amo_journal_close(j);
    j = opened_of(p, "20200601", "http://y"); // another address: thrown away
    assert_false(amo_journal_resumes(j));
    assert_int_equal(amo_journal_get(j, "0-/000001", &status, &body, NULL), 0);
    amo_journal_close(j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(pages_come_back, setup, teardown),
        cmocka_unit_test_setup_teardown(lines_come_back, setup, teardown),
        cmocka_unit_test_setup_teardown(others_are_not_mixed_in, setup, teardown),
    };
    return cmocka_run_group_tests_name("taar/amo_journal", tests, NULL, NULL);
}
