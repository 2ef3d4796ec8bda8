/* SPDX-License-Identifier: MPL-2.0 */
#include "base/cpu.h"
#include "stage/stage.h"
#include "stage_test.h"

static int make_world(void **state)
{
    *state = world_new();
    return 0;
}

static int free_world(void **state)
{
    world_free(*state);
    return 0;
}

static int append(void *arg, const void *bytes, size_t len, struct err *err)
{
    return buf_append(arg, bytes, len, err);
}

static int full(void *arg, const void *bytes, size_t len, struct err *err)
{
    (void)arg, (void)bytes, (void)len;
    return err_set(err, E_IO, 0, "full");
}

struct encoded {
    int status;
    struct err err;
    struct buf a, b;
    uint64_t n_rows;
};

static void encoded_free(struct encoded *e)
{
    buf_deinit(&e->a);
    buf_deinit(&e->b);
}

static struct encoded encode(const struct world *w, const char *rows, unsigned precision,
                             unsigned n_workers)
{
    struct encoded e = {.a = BUF_INIT(TEXT_MAX), .b = BUF_INIT(TEXT_MAX)};
    struct memory_source memory = {.rest = span_str(rows), .step = 1000};
    const struct encode_input in = {.batch = w->batch,
                                    .client = w->client,
                                    .precision = precision,
                                    .rows = memory_source(&memory),
                                    .name = "rows"};
    const struct stage_options options = {.n_workers = n_workers, .cpu = cpu_detect()};
    const struct stage_sink a = {append, &e.a}, b = {append, &e.b};
    e.status = stage_encode(&in, &options, &a, &b, &e.n_rows, &e.err);
    return e;
}

static void rows_of_both_shapes_come_back_as_sums(void **state)
{
    const struct world *w = *state;
    TEXT(rows);
    for (int i = 0; i < 700; i++)
        add(&rows, i % 2 ? "{\"id\": 5, \"payload\": [1,0,1, 0 ,0,0,1]}\n"
                         : "\n  [0, 0, 1, 1, 0, 0, 0]\r\n");
    assert_int_equal(buf_append_byte(&rows, 0, NULL), 0);
    for (unsigned n = 1; n <= 4; n += 3) {
        CLEANUP(encoded_free) struct encoded e = encode(w, (char *)rows.data, 0, n);
        assert_int_equal(e.status, 0);
        assert_int_equal(e.n_rows, 700);
        const struct totals t = run_all(w, &e.a, &e.b, (struct how){.n_workers = 2});
        static const uint64_t want[N_DATA] = {350, 0, 700, 350, 0, 0, 350};
        assert_memory_equal(t.sums, want, sizeof want);
        assert_counts(&t.aggregate[0], 700, 0);
    }
}

/* The id of a line, which begins {"id": "…". */
static const char *id_of(const char *line)
{
    assert_int_equal(strncmp(line, "{\"id\": \"", 8), 0);
    return line + 8;
}

static const char *line_after(const char *line)
{
    const char *end = strchr(line, '\n');
    assert_non_null(end);
    return end + 1;
}

static void both_files_have_the_same_fresh_ids_in_the_same_order(void **state)
{
    const struct world *w = *state;
    TEXT(rows);
    for (int i = 0; i < 50; i++)
        add(&rows, "[0,0,0,0,0,0,0]\n");
    assert_int_equal(buf_append_byte(&rows, 0, NULL), 0);
    CLEANUP(encoded_free) struct encoded e = encode(w, (char *)rows.data, 0, 3);
    char *const text_a = span_to_text(buf_span(&e.a));
    char *const text_b = span_to_text(buf_span(&e.b));
    const char *a = text_a, *b = text_b, *before = NULL;
    static const char behind_id[] = "\", \"payload\": \"";
    for (int i = 0; i < 50; i++) {
        assert_memory_equal(id_of(a), id_of(b), 36);
        assert_int_equal(id_of(a)[14], '4'); // the version
        assert_memory_equal(id_of(a) + 36, behind_id, strlen(behind_id));
        if (before)
            assert_memory_not_equal(id_of(a), id_of(before), 36);
        before = a;
        a = line_after(a);
        b = line_after(b);
    }
    assert_int_equal(*a, '\0');
    assert_int_equal(*b, '\0');
    free(text_a);
    free(text_b);
}

static void integers_become_bits_most_significant_first(void **state)
{
    const struct world *w = *state;
    CLEANUP(encoded_free) struct encoded e = encode(w, "[5]\n{\"payload\": [127]}\n", 7, 1);
    assert_int_equal(e.status, 0);
    const struct totals t = run_all(w, &e.a, &e.b, (struct how){0});
    static const uint64_t want[N_DATA] = {1, 1, 1, 1, 2, 1, 2};
    assert_memory_equal(t.sums, want, sizeof want);
}

static void a_bad_row_ends_the_run_and_is_named(void **state)
{
    static const struct {
        const char *row, *says;
        unsigned precision;
    } cases[] = {
        {"[0,0,0,0,0,0,2]", "entry 7 is neither 0 nor 1", 0},
        {"[0,0,-1,0,0,0,0]", "payload is not an array", 0},
        {"[0,0,0,0,0,0]", "not exactly 7 entries", 0},
        {"[0,0,0,0,0,0,0,0]", "not exactly 7 entries", 0},
        {"[]", "not exactly 7 entries", 0},
        {"[0,0,true,0,0,0,0]", "payload is not an array", 0},
        {"{\"payload\": \"0000000\"}", "no payload that is an array", 0},
        {"{\"payloads\": [0,0,0,0,0,0,0]}", "no payload that is an array", 0},
        {"{\"payload\": [0,0,0,0,0,0,0]", "neither a JSON object nor an array", 0},
        {"7", "neither a JSON object nor an array", 0},
        {"[128]", "entry 1 is not an integer below 2^7", 7},
        {"[1,1]", "not exactly 1 entries", 7},
        {"[1.0]", "payload is not an array", 7},
    };
    const struct world *w = *state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        for (unsigned n = 1; n <= 3; n += 2) {
            TEXT(rows);
            for (int k = 0; k < 8; k++)
                add(&rows, cases[i].precision ? "[1]\n" : "[0,0,0,0,0,0,0]\n");
            add(&rows, "\n%s\n%s\n%s\n", cases[i].row, cases[i].row, "worse");
            assert_int_equal(buf_append_byte(&rows, 0, NULL), 0);
            CLEANUP(encoded_free)
            struct encoded e = encode(w, (char *)rows.data, cases[i].precision, n);
            assert_int_equal(e.status, E_FORMAT);
            assert_contains(e.err.text, "rows: line 10: ");
            // How a value that is no unsigned integer is described is the codec's choice.
            if (!strstr(cases[i].says, "is not an array"))
                assert_contains(e.err.text, cases[i].says);
        }
}

static void precision_must_divide_the_bits(void **state)
{
    const struct world *w = *state;
    CLEANUP(encoded_free) struct encoded two = encode(w, "", 2, 1);
    CLEANUP(encoded_free) struct encoded many = encode(w, "", 49, 1);
    assert_int_equal(two.status, E_ARG);
    assert_int_equal(many.status, E_ARG);
}

static void a_failing_sink_is_reported(void **state)
{
    const struct world *w = *state;
    struct memory_source memory = {.rest = span_str("[0,0,0,0,0,0,0]\n")};
    TEXT(a);
    const struct encode_input in = {
        .batch = w->batch, .client = w->client, .rows = memory_source(&memory), .name = "rows"};
    const struct stage_options options = {.n_workers = 2};
    const struct stage_sink good = {append, &a}, bad = {full, NULL};
    uint64_t n_rows = 0;
    assert_int_equal(stage_encode(&in, &options, &good, &bad, &n_rows, NULL), E_IO);
}

static void bad_rows_may_come_out_without_payload(void **state)
{
    const struct world *w = *state;
    struct memory_source memory = {
        .rest = span_str("[0,0,0,0,0,0,1]\n\n[0,0]\nnonsense\n[2,0,0,0,0,0,0]\n[1,1,1,1,1,1,1]\n")};
    TEXT(a);
    TEXT(b);
    uint64_t n_rows = 0, n_bad = 0;
    const struct encode_input in = {.batch = w->batch,
                                    .client = w->client,
                                    .rows = memory_source(&memory),
                                    .name = "rows",
                                    .n_bad = &n_bad};
    const struct stage_options options = {.n_workers = 1, .compact = true};
    const struct stage_sink sink_a = {append, &a}, sink_b = {append, &b};
    assert_int_equal(stage_encode(&in, &options, &sink_a, &sink_b, &n_rows, NULL), 0);
    assert_int_equal(n_rows, 5);
    assert_int_equal(n_bad, 3);
    for (const struct buf *out = &a; out; out = out == &a ? &b : NULL) {
        int n_lines = 0, n_bare = 0;
        for (const char *line = (const char *)out->data, *end = line + out->len; line < end;
             n_lines++) {
            const char *next = memchr(line, '\n', (size_t)(end - line));
            assert_non_null(next);
            assert_int_equal(strncmp(line, "{\"id\":\"", 7), 0);
            n_bare += next - line == 45; // {"id":"<36>"}
            line = next + 1;
        }
        assert_int_equal(n_lines, 5);
        assert_int_equal(n_bare, 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_of_both_shapes_come_back_as_sums),
        cmocka_unit_test(both_files_have_the_same_fresh_ids_in_the_same_order),
        cmocka_unit_test(integers_become_bits_most_significant_first),
        cmocka_unit_test(a_bad_row_ends_the_run_and_is_named),
        cmocka_unit_test(precision_must_divide_the_bits),
        cmocka_unit_test(a_failing_sink_is_reported),
        cmocka_unit_test(bad_rows_may_come_out_without_payload),
    };
    return cmocka_run_group_tests(tests, make_world, free_world);
}
