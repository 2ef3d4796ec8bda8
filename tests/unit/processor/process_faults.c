/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Faults of share records, row by row of prio-processor.md 5.4: what each server says of them in
 * each stage, and what is published. Every row is a batch of its own, with three good records
 * around the bad one; all rows go through one run.
 */
#include "pair_steps.h"
#include "processor/layout.h"

#include <jansson.h>

enum { N_DATA = 4, MOST_PARTS = 3, GOOD = 3 };

struct row;
typedef void row_fn(struct pair *p, struct row *row);

struct row {
    const char *batch_id;
    row_fn *fill;
    /* rejections by stage and server as the report spells them; NULL: none */
    const char *verify1[2], *verify2[2], *aggregate[2];
    int n_summed; // of the records with bits 1,0,1,1; the rest are not in the sum
    int error, total;
    const char *part_names[MOST_PARTS]; // NULL: part-00000-x.c000.json, ...
    struct buf parts[2][MOST_PARTS];
};

static const uint8_t bits[N_DATA + 1] = {1, 0, 1, 1, 1};

static void put(struct row *row, int role, int part, const char *line)
{
    assert_int_equal(buf_printf(&row->parts[role][part], NULL, "%s\n", line), 0);
}

static void put_share(struct row *row, int role, int part, const char *id, const char *share)
{
    assert_int_equal(
        buf_printf(&row->parts[role][part], NULL, "{\"id\":%s,\"payload\":\"%s\"}\n", id, share),
        0);
}

/* A pair of shares of one client. */
struct shares {
    char *text[2];
};

static struct shares encode(struct pair *p, const struct row *row)
{
    struct shares s;
    pair_encode(p, row->batch_id, N_DATA, bits, s.text);
    return s;
}

static void drop(struct shares *s)
{
    free(s->text[0]);
    free(s->text[1]);
}

static void put_good(struct pair *p, struct row *row, int part, const char *id)
{
    struct shares s = encode(p, row);
    for (int role = 0; role < 2; role++)
        put_share(row, role, part, id, s.text[role]);
    drop(&s);
}

/* The usual frame: good, bad, good, good. */
static void put_both(struct row *row, const char *line)
{
    put(row, 0, 0, line);
    put(row, 1, 0, line);
}

static void nothing_wrong(struct pair *p, struct row *row)
{
    put_good(p, row, 0, "\"last\"");
}

static void other_key(struct pair *p, struct row *row)
{
    struct pair *stranger = pair_new(false);
    struct shares s = encode(stranger, row);
    put_share(row, 0, 0, "7", s.text[0]);
    put_share(row, 1, 0, "7", s.text[1]);
    drop(&s);
    pair_free(stranger);
    (void)p;
}

static void other_batch(struct pair *p, struct row *row)
{
    struct shares s;
    pair_encode(p, "another", N_DATA, bits, s.text);
    put_share(row, 0, 0, "7", s.text[0]);
    put_share(row, 1, 0, "7", s.text[1]);
    drop(&s);
}

static void swapped_roles(struct pair *p, struct row *row)
{
    struct shares s = encode(p, row);
    put_share(row, 0, 0, "7", s.text[1]);
    put_share(row, 1, 0, "7", s.text[0]);
    drop(&s);
}

static void one_element_more(struct pair *p, struct row *row)
{
    struct shares s;
    pair_encode(p, row->batch_id, N_DATA + 1, bits, s.text);
    put_share(row, 0, 0, "7", s.text[0]);
    put_share(row, 1, 0, "7", s.text[1]);
    drop(&s);
}

static void bad_base64(struct pair *p, struct row *row)
{
    struct shares s = encode(p, row);
    for (int role = 0; role < 2; role++) {
        s.text[role][strlen(s.text[role]) - 1] = '\0'; // broken padding, or none at all
        put_share(row, role, 0, "7", s.text[role]);
        put_share(row, role, 0, "8", "####");
        put_share(row, role, 0, "9", "");
    }
    drop(&s);
}

static void no_payload(struct pair *p, struct row *row)
{
    (void)p;
    put_both(row, "{\"id\":7}");
    put_both(row, "{\"id\":8,\"payload\":null}");
    put_both(row, "{\"id\":9,\"payload\":12}");
}

static void no_id(struct pair *p, struct row *row)
{
    static const char *const ids[] = {"null", "true", "[1]", "{\"a\":1}"};
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        struct shares s = encode(p, row);
        for (int role = 0; role < 2; role++)
            put_share(row, role, 0, ids[i], s.text[role]);
        drop(&s);
    }
    struct shares s = encode(p, row);
    for (int role = 0; role < 2; role++)
        assert_int_equal(
            buf_printf(&row->parts[role][0], NULL, "{\"payload\":\"%s\"}\n", s.text[role]), 0);
    drop(&s);
}

static void not_json(struct pair *p, struct row *row)
{
    (void)p;
    put_both(row, "this is no record");
    put_both(row, "{\"id\":7,\"payload\":\"AAAA\"");
    put_both(row, "[1,2]");
}

static void blank_lines(struct pair *p, struct row *row)
{
    (void)p;
    put_both(row, "");
    put_both(row, "   \t");
    put_both(row, "\r");
}

static void only_at_a(struct pair *p, struct row *row)
{
    struct shares s = encode(p, row);
    put_share(row, 0, 0, "7", s.text[0]);
    drop(&s);
}

static void only_at_b(struct pair *p, struct row *row)
{
    struct shares s = encode(p, row);
    put_share(row, 1, 0, "7", s.text[1]);
    drop(&s);
}

static void same_id_in_a_part(struct pair *p, struct row *row)
{
    put_good(p, row, 0, "1"); // as the first good one has it
    put_good(p, row, 0, "\"x\"");
    put_good(p, row, 0, "\"x\"");
}

/* An id that did not open is taken all the same. */
static void same_id_after_garbage(struct pair *p, struct row *row)
{
    put_both(row, "{\"id\":7,\"payload\":\"AAAA\"}");
    put_good(p, row, 0, "7");
}

/* The order of names is what counts: part b is listed, and was written, behind part a. */
static void same_id_in_two_parts(struct pair *p, struct row *row)
{
    struct shares s = encode(p, row), other = encode(p, row);
    // Only the halves of one client belong together: the first must win on both sides.
    put_share(row, 0, 2, "7", s.text[0]);
    put_share(row, 1, 2, "7", s.text[1]);
    put_share(row, 0, 1, "7", other.text[0]);
    put_share(row, 1, 1, "7", other.text[1]);
    drop(&s);
    drop(&other);
}

static void resent_share(struct pair *p, struct row *row)
{
    struct shares s = encode(p, row);
    for (int role = 0; role < 2; role++) {
        put_share(row, role, 0, "7", s.text[role]);
        put_share(row, role, 0, "8", s.text[role]);
        put_share(row, role, 1, "9", s.text[role]);
    }
    drop(&s);
}

static void halves_of_two_clients(struct pair *p, struct row *row)
{
    struct shares s = encode(p, row), other = encode(p, row);
    put_share(row, 0, 0, "7", s.text[0]);
    put_share(row, 1, 0, "7", other.text[1]);
    drop(&s);
    drop(&other);
}

static void number_and_string(struct pair *p, struct row *row)
{
    static const char *const ids[] = {
        "7", "\"7\"", "7.0", "70e-1", "\"\"", "-0", "123456789012345678901234567890"};
    for (size_t i = 0; i < ARRAY_LEN(ids); i++)
        put_good(p, row, 0, ids[i]);
}

static void uneven_parts(struct pair *p, struct row *row)
{
    struct shares s[6];
    static const char *const ids[6] = {"10", "11", "12", "13", "14", "15"};
    static const int at[2][6] = {{0, 0, 1, 1, 2, 2}, {2, 1, 0, 0, 0, 0}};
    for (int i = 0; i < 6; i++)
        s[i] = encode(p, row);
    for (int i = 0; i < 6; i++) {
        put_share(row, 0, at[0][i], ids[i], s[i].text[0]);
        put_share(row, 1, at[1][i], ids[5 - i], s[5 - i].text[1]);
    }
    for (int i = 0; i < 6; i++)
        drop(&s[i]);
}

static struct row rows[] = {
    {"good", nothing_wrong, .n_summed = 4, .total = 4},
    {"other-key", other_key, {"decrypt=1", "decrypt=1"}, .n_summed = 3, .total = 3},
    {"other-batch", other_batch, {"parse=1", "parse=1"}, .n_summed = 3, .total = 3},
    {"swapped", swapped_roles, {"decrypt=1", "decrypt=1"}, .n_summed = 3, .total = 3},
    // A's share has a length, B's is a seed.
    {"longer",
     one_element_more,
     {"parse=1", NULL},
     {NULL, "missing-external=1"},
     .n_summed = 3,
     .total = 3},
    {"base64",
     bad_base64,
     {"bad-base64=2 decrypt=1", "bad-base64=2 decrypt=1"},
     .n_summed = 3,
     .total = 3},
    {"no-payload", no_payload, {"bad-base64=3", "bad-base64=3"}, .n_summed = 3, .total = 3},
    {"no-id", no_id, {"no-id=5", "no-id=5"}, .n_summed = 3, .total = 3},
    {"not-json", not_json, {"bad-json=3", "bad-json=3"}, .n_summed = 3, .total = 3},
    {"blank", blank_lines, .n_summed = 3, .total = 3},
    {"only-a", only_at_a, .verify2 = {"missing-external=1", NULL}, .n_summed = 3, .total = 3},
    {"only-b", only_at_b, .verify2 = {NULL, "missing-external=1"}, .n_summed = 3, .total = 3},
    {"same-id", same_id_in_a_part, {"duplicate-id=2", "duplicate-id=2"}, .n_summed = 4, .total = 4},
    {"garbage-id",
     same_id_after_garbage,
     {"decrypt=1 duplicate-id=1", "decrypt=1 duplicate-id=1"},
     .n_summed = 3,
     .total = 3},
    {"two-parts",
     same_id_in_two_parts,
     {"duplicate-id=1", "duplicate-id=1"},
     .n_summed = 4,
     .total = 4,
     .part_names = {"a.json", "z", "b.txt"}},
    {"resent", resent_share, {"replay=2", "replay=2"}, .n_summed = 4, .total = 4},
    {"mixed", halves_of_two_clients, .aggregate = {"invalid=1", "invalid=1"}, .n_summed = 3,
     .error = 1, .total = 4},
    {"ids", number_and_string, .n_summed = 10, .total = 10},
    {"uneven", uneven_parts, .n_summed = 9, .total = 9},
    {"a/b%c=d?\"e\\f:{g}~\xc3\xa9 *'#^[]", nothing_wrong, .n_summed = 4, .total = 4},
    {"x-1", nothing_wrong, .n_summed = 4, .total = 4}, // beside x-10 and x-1-0
    {"x-10", nothing_wrong, .n_summed = 4, .total = 4},
    {"x-1-0", nothing_wrong, .n_summed = 4, .total = 4},
};

static void row_dir(const struct row *row, char *out, size_t cap)
{
    struct buf dir = BUF_INIT(1024);
    assert_int_equal(layout_append_partition(&dir, "batch_id", row->batch_id, NULL), 0);
    (void)snprintf(out, cap, "raw/shares/%.*s", (int)dir.len, (const char *)dir.data);
    buf_deinit(&dir);
}

static void stage_row(struct pair *p, struct row *row)
{
    char dir[512], key[1024], name[64];
    row_dir(row, dir, sizeof dir);
    for (int role = 0; role < 2; role++)
        for (int i = 0; i < MOST_PARTS; i++)
            row->parts[role][i] = BUF_INIT(1 << 20);
    put_good(p, row, 0, "1");
    row->fill(p, row);
    put_good(p, row, 0, "\"c-2\"");
    put_good(p, row, 0, "3");
    for (int role = 0; role < 2; role++)
        for (int i = 0; i < MOST_PARTS; i++) {
            struct buf *text = &row->parts[role][i];
            assert_int_equal(buf_append_byte(text, '\0', NULL), 0);
            (void)snprintf(name, sizeof name, "part-%05d-x.c000.json", i);
            (void)snprintf(key, sizeof key, "%s/%s", dir,
                           row->part_names[i] ? row->part_names[i] : name);
            if (text->len > 1)
                pair_put(p, role, "ingest", key, (const char *)text->data);
            buf_deinit(text);
        }
}

static struct data_entry entries[ARRAY_LEN(rows)];

static struct pair *stage_rows(void)
{
    struct pair *p = pair_new(false);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        entries[i] = (struct data_entry){.batch_id = (char *)rows[i].batch_id, .n_data = N_DATA};
        stage_row(p, &rows[i]);
    }
    pair_configure(p, entries, ARRAY_LEN(rows));
    pair_mark(p, 0);
    pair_mark(p, 1);
    return p;
}

/* "reason=n reason=n" of a batch in a stage of a report. */
static void rejected(const json_t *report, const char *stage, const char *batch_id, char *out,
                     size_t cap)
{
    const json_t *batches = json_object_get(json_object_get(report, "counts"), stage);
    out[0] = '\0';
    for (size_t i = 0; i < json_array_size(batches); i++) {
        const json_t *entry = json_array_get(batches, i);
        const char *name;
        json_t *n;
        json_int_t sum = 0;
        if (strcmp(json_string_value(json_object_get(entry, "batch_id")), batch_id) != 0)
            continue;
        json_object_foreach(json_object_get(entry, "rejected"), name, n)
        {
            const size_t len = strlen(out);
            (void)snprintf(out + len, cap - len, "%s%s=%d", len > 0 ? " " : "", name,
                           (int)json_integer_value(n));
            sum += json_integer_value(n);
        }
        assert_int_equal(json_integer_value(json_object_get(entry, "total")),
                         json_integer_value(json_object_get(entry, "accepted")) + sum);
        return;
    }
    (void)snprintf(out, cap, "the batch is not there");
}

static void check_stage(const json_t *report, const struct row *row, int role, const char *stage,
                        const char *wanted)
{
    char got[256];
    rejected(report, stage, row->batch_id, got, sizeof got);
    if (strcmp(got, wanted ? wanted : "") != 0)
        fail_msg("%s, server %c, %s: \"%s\", should be \"%s\"", row->batch_id,
                 role == 0 ? 'A' : 'B', stage, got, wanted ? wanted : "");
}

static void check_published(struct pair *p, int role, const struct row *row)
{
    char dir[512], pattern[1024];
    struct buf escaped = BUF_INIT(1024);
    assert_int_equal(layout_append_partition(&escaped, "batch_id", row->batch_id, NULL), 0);
    (void)snprintf(dir, sizeof dir, "processed/publish/%.*s/", (int)escaped.len,
                   (const char *)escaped.data);
    buf_deinit(&escaped);
    char *bytes = pair_bytes(p, role, "private", dir);
    const char *text = strchr(bytes, '{');
    json_t *root = text ? json_loads(text, JSON_DISABLE_EOF_CHECK, NULL) : NULL;
    if (!root)
        fail_msg("%s: server %c has published nothing", row->batch_id, role == 0 ? 'A' : 'B');
    (void)snprintf(pattern, sizeof pattern, "[%d,0,%d,%d]", row->n_summed, row->n_summed,
                   row->n_summed);
    char *payload = json_dumps(json_object_get(root, "payload"), JSON_COMPACT);
    if (strcmp(payload, pattern) != 0)
        fail_msg("%s: %s, should be %s", row->batch_id, payload, pattern);
    assert_int_equal(json_integer_value(json_object_get(root, "error")), row->error);
    assert_int_equal(json_integer_value(json_object_get(root, "total")), row->total);
    free(payload);
    json_decref(root);
    free(bytes);
}

static void check_rows(struct pair *p, json_t *const reports[2])
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (int role = 0; role < 2; role++) {
            const struct row *row = &rows[i];
            check_stage(reports[role], row, role, "verify1", row->verify1[role]);
            check_stage(reports[role], row, role, "verify2", row->verify2[role]);
            check_stage(reports[role], row, role, "aggregate", row->aggregate[role]);
            check_published(p, role, row);
        }
}

static void run_with_reports(struct pair *p, const struct pair_how *how, json_t *reports[2])
{
    const char *const files[2] = {pair_file(p, "report-a.json"), pair_file(p, "report-b.json")};
    int pids[2];
    for (int role = 0; role < 2; role++) {
        struct pair_how own = *how;
        own.report_file = files[role];
        pids[role] = pair_spawn(p, role, &own, 0);
    }
    for (int role = 0; role < 2; role++) {
        assert_int_equal(pair_wait(pids[role]), 0);
        reports[role] = json_load_file(files[role], 0, NULL);
        assert_non_null(reports[role]);
    }
}

static void each_row_of_the_table(void **state)
{
    (void)state;
    char *sent[2] = {NULL, NULL};
    for (unsigned workers = 1; workers <= 3; workers += 2) {
        struct pair *p = stage_rows();
        json_t *reports[2];
        const struct pair_how how = {.n_workers = workers, .keep_state = true};
        run_with_reports(p, &how, reports);
        check_rows(p, reports);
        json_decref(reports[0]);
        json_decref(reports[1]);
        // Whatever the number of workers, the same leaves.
        pair_forget(p);
        for (unsigned again = 1; again <= 3; again += 2) {
            const struct pair_how other = {.n_workers = again, .keep_state = true};
            assert_true(pair_run_both(p, &other));
            for (int role = 0; role < 2; role++) {
                char *bytes = pair_bytes(p, role, "shared", "");
                if (again == 1)
                    sent[role] = bytes;
                else
                    assert_string_equal(bytes, sent[role]);
                if (again == 3) {
                    free(bytes);
                    free(sent[role]);
                }
            }
            pair_forget(p);
        }
        pair_free(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row_of_the_table),
    };
    return cmocka_run_group_tests_name("process_faults", tests, NULL, NULL);
}
