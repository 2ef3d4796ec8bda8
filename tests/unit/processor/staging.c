/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/staging.h"

#include "base/cpu.h"
#include "base/log.h"
#include "codec/base64.h"
#include "folder_test.h"

#include <zlib.h>

static const char date[] = "2026-03-14";

/* The ping of the specification's worked example, 7.3. */
static const char worked_ping[] =
    "{\"type\":\"prio\",\"id\":\"7d1c2b5e-3f04-4a6b-9a51-0c2f8e6d9b10\",\"creationDate\":"
    "\"2026-03-14T09:26:53.589Z\",\"version\":4,\"application\":{\"channel\":\"nightly\","
    "\"version\":\"69.0a1\"},\"payload\":{\"version\":\"1\",\"reason\":\"periodic\",\"prioData\":["
    "{\"encoding\":\"demo.metric-0\",\"prio\":{\"a\":\"QS1zaGFyZS0x\",\"b\":\"Qi0x\"}},"
    "{\"encoding\":\"demo.metric-1\",\"prio\":{\"a\":\"QS1zaGFyZS0y\",\"b\":\"Qi0y\"}},"
    "{\"encoding\":\"demo.metric-0\",\"prio\":{\"a\":\"QS1zaGFyZS0z\",\"b\":\"Qi0z\"}}]}}";

static void add_base64(struct buf *out, const void *bytes, size_t len)
{
    struct base64_ops ops;
    base64_ops_init(&ops, 0);
    assert_int_equal(buf_reserve(out, base64_encoded_len(len) + BASE64_SLACK, NULL), 0);
    out->len += ops.encode(out->data + out->len, bytes, len);
}

static void gzip(struct buf *out, const void *bytes, size_t len)
{
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(buf_reserve(out, deflateBound(&z, len) + 32, NULL), 0);
    z.next_in = (Bytef *)(uintptr_t)bytes;
    z.avail_in = (unsigned)len;
    z.next_out = out->data + out->len;
    z.avail_out = (unsigned)(out->cap - out->len);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    out->len += z.total_out;
    deflateEnd(&z);
}

/* A line as Pub/Sub writes it. */
static void add_message(struct buf *out, const char *ping)
{
    add(out, "{\"attributeMap\":{\"document_namespace\":\"telemetry\",\"document_type\":\"prio\","
             "\"document_version\":\"4\"},\"payload\":\"");
    add_base64(out, ping, strlen(ping));
    add(out, "\"}\n");
}

/* A ping under construction: begin_ping, add_share, end_ping. */
static void begin_ping(struct buf *ping, const char *id)
{
    buf_clear(ping);
    add(ping, "{\"id\":\"%s\",\"payload\":{\"prioData\":[", id);
}

static void add_share(struct buf *ping, const char *encoding, const char *name, size_t a_chars)
{
    if (ping->data[ping->len - 1] == '}')
        add(ping, ",");
    add(ping, "{\"encoding\":\"%s\",\"prio\":{\"b\":\"B%s\",\"a\":\"%s", encoding, name, name);
    for (size_t i = strlen(name); i < a_chars; i++)
        assert_int_equal(buf_append_byte(ping, 'A', NULL), 0);
    add(ping, "\"}}");
}

static void end_ping(struct buf *out, struct buf *ping)
{
    add(ping, "]}}");
    add_message(out, text_of(ping));
}

static void put(const struct folder *f, const char *key, struct buf *text)
{
    struct err err = {0};
    assert_ok(store_put(f->store, key, buf_span(text), NULL, NULL, &err));
}

static struct staging_options options_of(const struct folder *f)
{
    return (struct staging_options){.date = date,
                                    .input = folder_place(f, "in"),
                                    .output = folder_place(f, "out"),
                                    .n_workers = 2,
                                    .cpu = cpu_detect()};
}

static struct staging_result stage(const struct staging_options *options)
{
    struct staging_result result;
    struct err err = {0};
    assert_ok(staging_run(options, &result, &err));
    return result;
}

static void the_worked_example_comes_out_byte_for_byte(void **state)
{
    const struct folder *f = *state;
    assert_int_equal(sizeof worked_ping - 1, 431);
    TEXT(line);
    add_message(&line, worked_ping);
    put(f, "in/2026-03-14/09/telemetry/prio/4/part-0.ndjson", &line);
    put(f, "in/2026-03-14/10/telemetry/prio/4/part-0.ndjson", &line);
    const struct staging_options options = options_of(f);
    const struct staging_result r = stage(&options);
    assert_int_equal(r.n_objects, 2);
    assert_int_equal(r.n_lines, 2);
    assert_int_equal(r.n_pings, 1);
    assert_int_equal(r.n_records, 3);
    assert_int_equal(r.n_batches, 2);
    assert_int_equal(r.n_partitions, 1);
    assert_int_equal(r.a_bytes, 36);
    assert_int_equal(r.dropped[STAGING_DUPLICATE], 1);
    TEXT(tree);
    folder_tree(f, "out/", true, &tree);
    assert_string_equal(
        text_of(&tree),
        "out/_SUCCESS\n"
        "out/submission_date=2026-03-14/server_id=a/batch_id=demo.metric-0/part-00000-U.c000.json\n"
        "    {\"id\":1,\"payload\":\"QS1zaGFyZS0x\"}\n"
        "    {\"id\":2,\"payload\":\"QS1zaGFyZS0z\"}\n"
        "out/submission_date=2026-03-14/server_id=a/batch_id=demo.metric-1/part-00000-U.c000.json\n"
        "    {\"id\":1,\"payload\":\"QS1zaGFyZS0y\"}\n"
        "out/submission_date=2026-03-14/server_id=b/batch_id=demo.metric-0/part-00000-U.c000.json\n"
        "    {\"id\":1,\"payload\":\"Qi0x\"}\n"
        "    {\"id\":2,\"payload\":\"Qi0z\"}\n"
        "out/submission_date=2026-03-14/server_id=b/batch_id=demo.metric-1/part-00000-U.c000.json\n"
        "    {\"id\":1,\"payload\":\"Qi0y\"}\n");
}

/* The original's fixture: 2 hours x 2 files x 2 pings of 3 rounds of 2 pieces, and another date. */
static void put_pings(const struct folder *f, const char *day, size_t a_chars_0, size_t a_chars_1)
{
    for (int i = 0; i < 8; i += 2) {
        TEXT(text);
        TEXT(ping);
        for (int k = i; k < i + 2; k++) {
            char name[32];
            snprintf(name, sizeof name, "%s/%d", day, k);
            begin_ping(&ping, name);
            for (int round = 0; round < 3; round++) {
                snprintf(name, sizeof name, "p%dr%d", k, round);
                add_share(&ping, "m_TESTONLY-0", name, a_chars_0);
                add_share(&ping, "m_TESTONLY-1", name, a_chars_1);
            }
            end_ping(&text, &ping);
        }
        TEXT(key);
        add(&key, "in/%s/0%d/telemetry/prio/4/part-%d.ndjson", day, i / 4, i / 2 % 2);
        put(f, text_of(&key), &text);
    }
}

/* Lines of all objects whose keys contain part. */
static size_t count_lines(const struct folder *f, const char *part)
{
    CLEANUP(store_listing_deinit) struct store_listing l = {0};
    size_t n = 0;
    assert_int_equal(store_list(f->store, "out/", &l, NULL), 0);
    for (size_t i = 0; i < l.n; i++) {
        TEXT(text);
        if (!strstr(l.objects[i].key, part))
            continue;
        folder_get(f, l.objects[i].key, &text);
        for (size_t k = 0; k < text.len; k++)
            n += text.data[k] == '\n';
    }
    return n;
}

static void the_originals_pings_give_96_rows(void **state)
{
    const struct folder *f = *state;
    put_pings(f, date, 100, 40);
    put_pings(f, "2026-03-15", 100, 40);
    const struct staging_options options = options_of(f);
    const struct staging_result r = stage(&options);
    assert_int_equal(r.n_pings, 8);
    assert_int_equal(r.n_objects, 4);
    assert_int_equal(count_lines(f, "server_id="), 96);
    assert_int_equal(count_lines(f, "server_id=a"), 48);
    assert_int_equal(count_lines(f, "server_id=a/batch_id=m_TESTONLY-0/"), 24);
    TEXT(text);
    folder_tree(f, "out/submission_date=2026-03-14/server_id=b/batch_id=m_TESTONLY-0/", true,
                &text);
    for (int i = 1; i <= 24; i++) {
        char id[32];
        snprintf(id, sizeof id, "{\"id\":%d,", i);
        assert_contains(text_of(&text), id);
    }
}

static void equal_records_are_cut_by_their_number(void **state)
{
    const struct folder *f = *state;
    TEXT(text);
    TEXT(ping);
    begin_ping(&ping, "x");
    for (int i = 0; i < 100; i++)
        add_share(&ping, "b", "", 100);
    end_ping(&text, &ping);
    put(f, "in/2026-03-14/00/t/p/4/x", &text);
    struct staging_options options = options_of(f);
    options.partition_bytes = 1000;
    const struct staging_result r = stage(&options);
    assert_int_equal(r.n_partitions, 10);
    assert_int_equal(r.n_files, 10);
    for (int i = 0; i < 10; i++) {
        char part[64];
        snprintf(part, sizeof part, "server_id=a/batch_id=b/part-%05d", i);
        assert_int_equal(count_lines(f, part), 10);
    }
}

/* Files of both sides have the same names and, line by line, the same ids. */
static void assert_sides_match(const struct folder *f)
{
    CLEANUP(store_listing_deinit) struct store_listing a = {0}, b = {0};
    static const char base[] = "out/submission_date=2026-03-14/server_id=";
    TEXT(prefix);
    add(&prefix, "%sa/", base);
    assert_int_equal(store_list(f->store, text_of(&prefix), &a, NULL), 0);
    buf_clear(&prefix);
    add(&prefix, "%sb/", base);
    assert_int_equal(store_list(f->store, text_of(&prefix), &b, NULL), 0);
    assert_int_equal(a.n, b.n);
    for (size_t i = 0; i < a.n; i++) {
        assert_string_equal(a.objects[i].key + sizeof base, b.objects[i].key + sizeof base);
        TEXT(at);
        TEXT(bt);
        folder_get(f, a.objects[i].key, &at);
        folder_get(f, b.objects[i].key, &bt);
        const char *p = text_of(&at), *q = text_of(&bt);
        assert_true(*p != '\0');
        while (*p && *q) {
            const size_t len = strcspn(p, ",");
            assert_memory_equal(p, q, len + 1);
            p = strchr(p, '\n') + 1;
            q = strchr(q, '\n') + 1;
        }
        assert_true(*p == '\0' && *q == '\0');
    }
}

static void a_forced_number_of_partitions_is_kept(void **state)
{
    const struct folder *f = *state;
    put_pings(f, date, 60, 60);
    struct staging_options options = options_of(f);
    options.n_partitions = 4;
    const struct staging_result r = stage(&options);
    assert_int_equal(r.n_files, 4);
    assert_int_equal(folder_count(f, "server_id=a/batch_id=m_TESTONLY-0/"), 2);
    assert_int_equal(folder_count(f, "server_id=b/batch_id=m_TESTONLY-1/"), 2);
    assert_sides_match(f);
}

static void a_range_may_hold_the_end_of_one_batch_and_the_start_of_the_next(void **state)
{
    const struct folder *f = *state;
    put_pings(f, date, 60, 60);
    struct staging_options options = options_of(f);
    options.n_partitions = 3;
    const struct staging_result r = stage(&options);
    assert_int_equal(r.n_files, 4);
    assert_int_equal(count_lines(f, "server_id=a/batch_id=m_TESTONLY-0/part-00001"), 8);
    assert_int_equal(count_lines(f, "server_id=a/batch_id=m_TESTONLY-1/part-00001"), 8);
    assert_sides_match(f);
}

/* Sizes of the 2,046-bit and the 441-bit records, over 10. */
static void large_and_small_records_give_ranges_of_equal_bytes(void **state)
{
    const struct folder *f = *state;
    enum { LARGE = 6570, SMALL = 1548, LIMIT = 20000 };
    put_pings(f, date, LARGE, SMALL);
    struct staging_options options = options_of(f);
    options.partition_bytes = LIMIT;
    const struct staging_result r = stage(&options);
    assert_int_equal(r.a_bytes, 24 * (LARGE + SMALL));
    assert_int_equal(r.n_partitions, (24 * (LARGE + SMALL) + LIMIT - 1) / LIMIT);
    for (unsigned i = 0; i < r.n_partitions; i++) {
        char large[64], small[64];
        snprintf(large, sizeof large, "server_id=a/batch_id=m_TESTONLY-0/part-%05u", i);
        snprintf(small, sizeof small, "server_id=a/batch_id=m_TESTONLY-1/part-%05u", i);
        const size_t n_large = count_lines(f, large), n_small = count_lines(f, small);
        const size_t bytes = n_large * LARGE + n_small * SMALL;
        assert_true(bytes > 0 && bytes <= LIMIT + (n_large > 0 ? LARGE : SMALL));
    }
    assert_sides_match(f);
}

static void dates_stand_beside_each_other_and_a_rerun_changes_nothing(void **state)
{
    const struct folder *f = *state;
    put_pings(f, date, 100, 40);
    put_pings(f, "2026-03-15", 100, 40);
    struct staging_options options = options_of(f);
    TEXT(first);
    TEXT(second);
    (void)stage(&options);
    folder_tree(f, "out/submission_date=2026-03-14/", true, &first);
    options.date = "2026-03-15";
    (void)stage(&options);
    options.date = date;
    (void)stage(&options);
    folder_tree(f, "out/submission_date=2026-03-14/", true, &second);
    assert_string_equal(text_of(&first), text_of(&second));
    assert_int_equal(count_lines(f, "submission_date=2026-03-15"), 96);
    assert_true(folder_has(f, "out/_SUCCESS"));
}

static void what_a_rerun_no_longer_has_is_removed_for_its_date_only(void **state)
{
    const struct folder *f = *state;
    static const char stale[] =
        "out/submission_date=2026-03-14/server_id=a/batch_id=gone/part-00000-x.c000.json";
    static const char extra[] =
        "out/submission_date=2026-03-14/server_id=a/batch_id=m_TESTONLY-0/part-00009-x.c000.json";
    static const char other[] =
        "out/submission_date=2026-03-13/server_id=a/batch_id=gone/part-00000-x.c000.json";
    folder_put(f, stale, "x");
    folder_put(f, extra, "x");
    folder_put(f, other, "x");
    put_pings(f, date, 10, 10);
    const struct staging_options options = options_of(f);
    (void)stage(&options);
    assert_false(folder_has(f, stale));
    assert_false(folder_has(f, extra));
    assert_true(folder_has(f, other));
}

static void a_day_without_pings_leaves_only_the_marker(void **state)
{
    const struct folder *f = *state;
    folder_put(f, "out/submission_date=2026-03-14/server_id=a/batch_id=gone/part-0", "x");
    const struct staging_options options = options_of(f);
    const struct staging_result r = stage(&options);
    assert_int_equal(r.n_records, 0);
    TEXT(tree);
    folder_tree(f, "out/", false, &tree);
    assert_string_equal(text_of(&tree), "out/_SUCCESS\n");
}

static void what_cannot_be_used_is_counted_by_reason(void **state)
{
    const struct folder *f = *state;
    TEXT(text);
    TEXT(ping);
    TEXT(packed);
    add(&text, "not json\n{\"payload\":7}\n{}\n\n  \n");                  // bad-message x 3
    add(&text, "{\"payload\":\"%%%%\"}\n");                               // bad-base64
    add_message(&text, "{\"id\":");                                       // not-json
    add_message(&text, "{\"payload\":{\"prioData\":[]}}");                // no-id
    add_message(&text, "{\"id\":\"n\",\"payload\":{\"prioData\":null}}"); // no-prio-data
    add_message(&text, "{\"id\":\"e\",\"payload\":{\"prioData\":[]}}");   // fine, but empty
    gzip(&packed, "x", 1);
    add(&text, "{\"payload\":\"");
    add_base64(&text, packed.data, packed.len - 1); // bad-gzip
    add(&text, "\"}\n");
    begin_ping(&ping, "x"); // four bad elements, and a good one
    add(&ping, "1,{\"encoding\":\"x\"},");
    add_share(&ping, "", "empty", 5);
    add_share(&ping, "a\\u0000b", "nul", 5);
    add_share(&ping, "good", "g", 5);
    end_ping(&text, &ping);
    begin_ping(&ping, "x"); // duplicate
    add_share(&ping, "good", "h", 5);
    end_ping(&text, &ping);
    put(f, "in/2026-03-14/00/t/p/4/x", &text);
    const struct staging_options options = options_of(f);
    const struct staging_result r = stage(&options);
    static const uint64_t want[STAGING_REASONS] = {3, 1, 1, 1, 1, 1, 1, 4};
    for (int i = 0; i < STAGING_REASONS; i++)
        if (r.dropped[i] != want[i])
            fail_msg("%s: %d, not %d", staging_reason_name((enum staging_reason)i),
                     (int)r.dropped[i], (int)want[i]);
    assert_int_equal(r.n_lines, 11);
    assert_int_equal(r.n_pings, 2);
    assert_int_equal(r.n_records, 1);
    assert_int_equal(count_lines(f, "server_id=a/batch_id=good/"), 1);
}

static void only_files_at_the_right_depth_are_read_packed_or_not(void **state)
{
    const struct folder *f = *state;
    TEXT(line);
    TEXT(packed);
    add_message(&line, worked_ping);
    line.len--; // a last line without newline
    gzip(&packed, line.data, line.len);
    put(f, "in/2026-03-14/09/telemetry/prio/4/part-0.ndjson.gz", &packed);
    put(f, "in/2026-03-14/09/telemetry/prio/4/deeper/part-0.ndjson", &line);
    put(f, "in/2026-03-14/09/telemetry/prio/part-0.ndjson", &line);
    put(f, "in/2026-03-14/09/telemetry/prio/4/_SUCCESS", &line);
    put(f, "in/2026-03-14/09/telemetry/prio/4/.hidden", &line);
    const struct staging_options options = options_of(f);
    const struct staging_result r = stage(&options);
    assert_int_equal(r.n_objects, 1);
    assert_int_equal(r.n_records, 3);
}

static void exported_rows_hold_packed_pings_and_their_day_counts(void **state)
{
    const struct folder *f = *state;
    static const char *const times[] = {"2026-03-14 00:00:00 UTC", "2026-03-14 23:59:59.9 UTC",
                                        "2026-03-15 00:00:00 UTC", "2026-03-13 23:59:59 UTC"};
    TEXT(text);
    for (int i = 0; i < 4; i++) {
        TEXT(ping);
        TEXT(packed);
        add(&ping, "{\"id\":%d,\"payload\":{\"prioData\":[", i);
        add_share(&ping, "b", "x", 3);
        add(&ping, "]}}");
        gzip(&packed, ping.data, ping.len);
        add(&text, "{\"submission_timestamp\":\"%s\",\"payload\":\"", times[i]);
        add_base64(&text, packed.data, packed.len);
        add(&text, "\"}\n");
    }
    put(f, "in/rows-000.json", &text);
    struct staging_options options = options_of(f);
    options.source = STAGING_EXPORT;
    const struct staging_result r = stage(&options);
    assert_int_equal(r.n_other_days, 2);
    assert_int_equal(r.n_records, 2);
}

static void output_is_the_same_whatever_memory_and_workers(void **state)
{
    const struct folder *f = *state;
    TEXT(text);
    TEXT(ping);
    uint64_t expected = 0;
    for (int i = 0; i < 3000; i++) {
        char id[32], batch[32], name[32];
        const int document = i % 7 == 3 ? i / 3 : i; // some come again
        snprintf(id, sizeof id, "d%d", document);
        begin_ping(&ping, id);
        for (int k = 0; k < 1 + document % 3; k++) {
            snprintf(batch, sizeof batch, "m%d-%d", document % 5, k);
            snprintf(name, sizeof name, "%d.%d", i, k);
            add_share(&ping, batch, name, 20 + (size_t)(document % 50));
        }
        end_ping(&text, &ping);
        expected += document == i;
    }
    put(f, "in/2026-03-14/00/t/p/4/x", &text);
    static const struct {
        size_t memory;
        unsigned workers;
    } ways[] = {{0, 1}, {4096, 1}, {4096, 4}, {100000, 3}};
    TEXT(first);
    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        struct staging_options options = options_of(f);
        options.memory_bytes = ways[i].memory;
        options.n_workers = ways[i].workers;
        options.partition_bytes = 10000;
        const struct staging_result r = stage(&options);
        assert_true(ways[i].memory == 0 ? r.n_runs == 1 : r.n_runs > 1);
        TEXT(tree);
        folder_tree(f, "out/", true, &tree);
        if (i == 0)
            assert_int_equal(buf_append(&first, tree.data, tree.len, NULL), 0);
        assert_string_equal(text_of(&first), text_of(&tree));
        assert_int_equal(r.n_pings + r.dropped[STAGING_DUPLICATE], 3000);
        assert_true(r.n_pings >= expected);
    }
    assert_sides_match(f);
}

static void a_damaged_file_is_named_and_output_stays(void **state)
{
    const struct folder *f = *state;
    put_pings(f, date, 10, 10);
    const struct staging_options options = options_of(f);
    (void)stage(&options);
    TEXT(packed);
    gzip(&packed, "{}", 2);
    packed.len -= 4;
    put(f, "in/2026-03-14/05/t/p/4/broken.gz", &packed);
    struct staging_result r;
    struct err err = {0};
    assert_int_equal(staging_run(&options, &r, &err), E_FORMAT);
    assert_contains(err.text, "in/2026-03-14/05/t/p/4/broken.gz");
    assert_true(folder_has(f, "out/_SUCCESS"));
    assert_int_equal(count_lines(f, "server_id="), 96);
}

static void unusable_options_are_refused(void **state)
{
    const struct folder *f = *state;
    struct staging_options options = options_of(f);
    struct staging_result r;
    struct err err = {0};
    options.date = "2026-02-30";
    assert_int_equal(staging_run(&options, &r, &err), E_ARG);
    assert_contains(err.text, "2026-02-30");
    options = options_of(f);
    options.tmp_dir = "/nonexistent";
    assert_int_equal(staging_run(&options, &r, &err), E_IO);
    assert_contains(err.text, "TMPDIR");
    options = options_of(f);
    put_pings(f, date, 1000, 10);
    options.partition_bytes = 1;
    options.n_partitions = STAGING_MAX_PARTITIONS + 1;
    assert_int_equal(staging_run(&options, &r, &err), E_ARG);
}

/* A table of a DuckDB file; rows of three days. */
static struct warehouse *make_table(const struct folder *f)
{
    struct warehouse *w;
    struct err err = {0};
    TEXT(url);
    add(&url, "duckdb://%s/pings.duckdb", f->path);
    assert_ok(warehouse_open(&w, &(struct warehouse_config){.url = text_of(&url)}, &err));
    TEXT(packed);
    TEXT(sql);
    gzip(&packed, worked_ping, strlen(worked_ping));
    assert_ok(warehouse_query(w, "CREATE SCHEMA decoded", NULL, NULL, NULL, &err));
    add(&sql, "CREATE TABLE decoded.pings AS SELECT t AS submission_timestamp, from_base64('");
    add_base64(&sql, packed.data, packed.len);
    add(&sql, "') AS payload FROM (VALUES (TIMESTAMPTZ '2026-03-13 23:59:59+00'), "
              "(TIMESTAMPTZ '2026-03-14 09:27:10+00'), (TIMESTAMPTZ '2026-03-14 10:27:10+00'), "
              "(TIMESTAMPTZ '2026-03-15 00:00:00+00')) AS v(t)");
    assert_ok(warehouse_query(w, text_of(&sql), NULL, NULL, NULL, &err));
    return w;
}

static void a_table_is_read_directly_or_through_an_export(void **state)
{
    const struct folder *f = *state;
    TEXT(url);
    TEXT(first);
    add(&url, "%s/export", f->path);
    struct staging_options options = options_of(f);
    options.source = STAGING_BIGQUERY;
    options.table = "decoded.pings";
    options.warehouse = make_table(f);
    for (int exported = 0; exported < 2; exported++) {
        if (exported) {
            options.export_to = folder_place(f, "export");
            options.export_url = text_of(&url);
            options.export_above_bytes = 1;
        }
        const struct staging_result r = stage(&options);
        assert_int_equal(r.n_lines, 2);
        assert_int_equal(r.n_objects, exported);
        assert_int_equal(r.n_records, 3);
        assert_int_equal(r.dropped[STAGING_DUPLICATE], 1);
        TEXT(tree);
        folder_tree(f, "out/", true, &tree);
        if (!exported)
            assert_int_equal(buf_append(&first, tree.data, tree.len, NULL), 0);
        assert_string_equal(text_of(&first), text_of(&tree));
    }
    assert_int_equal(folder_count(f, "export/"), 0);
    struct err err = {0};
    struct staging_result r;
    options.table = "pings; DROP TABLE x";
    assert_int_equal(staging_run(&options, &r, &err), E_ARG);
    warehouse_close(options.warehouse);
}

#define FOLDER_TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
    log_init("test", LOG_FORMAT_TEXT, LOG_LEVEL_ERROR); // warnings are what some tests are about
    const struct CMUnitTest tests[] = {
        FOLDER_TEST(the_worked_example_comes_out_byte_for_byte),
        FOLDER_TEST(the_originals_pings_give_96_rows),
        FOLDER_TEST(equal_records_are_cut_by_their_number),
        FOLDER_TEST(a_forced_number_of_partitions_is_kept),
        FOLDER_TEST(a_range_may_hold_the_end_of_one_batch_and_the_start_of_the_next),
        FOLDER_TEST(large_and_small_records_give_ranges_of_equal_bytes),
        FOLDER_TEST(dates_stand_beside_each_other_and_a_rerun_changes_nothing),
        FOLDER_TEST(what_a_rerun_no_longer_has_is_removed_for_its_date_only),
        FOLDER_TEST(a_day_without_pings_leaves_only_the_marker),
        FOLDER_TEST(what_cannot_be_used_is_counted_by_reason),
        FOLDER_TEST(only_files_at_the_right_depth_are_read_packed_or_not),
        FOLDER_TEST(exported_rows_hold_packed_pings_and_their_day_counts),
        FOLDER_TEST(output_is_the_same_whatever_memory_and_workers),
        FOLDER_TEST(a_damaged_file_is_named_and_output_stays),
        FOLDER_TEST(unusable_options_are_refused),
        FOLDER_TEST(a_table_is_read_directly_or_through_an_export),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
