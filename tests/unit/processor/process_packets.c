/* SPDX-License-Identifier: MPL-2.0 */
/* Faults of the partner's messages (prio-processor.md 5.4), with traces and without. */
#include "pair_steps.h"

#include <jansson.h>

static const struct pair_data usual = {.n = 30, .seed = 1};
static const struct pair_how kept = {.keep_state = true};

/* Elements of eleven bytes of ones, above the modulus. */
static const char above_1[] = "q///////////////q///////////////";
static const char above_2[] = "q///////////////";

enum edit {
    REMOVE,
    GARBAGE,
    ABOVE,
    EMPTY,
    NULL_PAYLOAD,
    BAD_BASE64,
    NO_PAYLOAD,
    TWICE_GOOD_LAST,
    TWICE_BAD_LAST,
    LONGER,
    BROKEN_LINE,
    N_EDITS
};

/* `one`: a message of one element. */
static int put_edited(struct buf *out, enum edit edit, const char *id, const char *payload,
                      bool one)
{
    static const char usual_line[] = "{\"id\":%s,\"payload\":\"%s\"}\n";
    switch (edit) {
    case REMOVE:
        return 0;
    case GARBAGE:
        return buf_printf(out, NULL, usual_line, id, "////");
    case ABOVE:
        return buf_printf(out, NULL, usual_line, id, one ? above_2 : above_1);
    case EMPTY:
        return buf_printf(out, NULL, usual_line, id, "");
    case NULL_PAYLOAD:
        return buf_printf(out, NULL, "{\"payload\":null,\"id\":%s}\n", id);
    case BAD_BASE64:
        return buf_printf(out, NULL, usual_line, id, "qqq");
    case NO_PAYLOAD:
        return buf_printf(out, NULL, "{\"id\":%s}\n", id);
    case TWICE_GOOD_LAST:
        assert_int_equal(buf_printf(out, NULL, usual_line, id, "////"), 0);
        return buf_printf(out, NULL, usual_line, id, payload);
    case TWICE_BAD_LAST:
        assert_int_equal(buf_printf(out, NULL, usual_line, id, payload), 0);
        return buf_printf(out, NULL, usual_line, id, "////");
    case LONGER: // other spacing and more fields are fine
        return buf_printf(out, NULL,
                          "  {\"x\": [1, {\"id\": 2}], \"payload\" : \"%s\", \"id\":%s} \n",
                          payload, id);
    case BROKEN_LINE:
        return buf_printf(out, NULL, "{\"id\":%s,\"payload\":\"%s\"\n", id, payload);
    case N_EDITS:
        break;
    }
    return -1;
}

/* Edit the first lines of a message file, one kind a line. */
static char *edited(const char *text, bool one)
{
    struct buf out = BUF_INIT(1 << 20);
    char *copy = strdup(text), *rest = copy, *line;
    for (int i = 0; (line = strsep(&rest, "\n")) != NULL; i++) {
        if (!line[0])
            continue;
        json_t *record = json_loads(line, 0, NULL);
        assert_non_null(record);
        char *id = json_dumps(json_object_get(record, "id"), JSON_ENCODE_ANY);
        const char *payload = json_string_value(json_object_get(record, "payload"));
        assert_int_equal(i < N_EDITS ? put_edited(&out, (enum edit)i, id, payload, one)
                                     : buf_printf(&out, NULL, "%s\n", line),
                         0);
        free(id);
        json_decref(record);
    }
    free(copy);
    // Records that nobody has, and no records at all.
    assert_int_equal(buf_append_str(&out, "{\"id\":\"nobody\",\"payload\":\"q6s=\"}\n\n[]\n", NULL),
                     0);
    assert_int_equal(buf_append_byte(&out, '\0', NULL), 0);
    return (char *)out.data;
}

static void edit_mail(struct pair *p, const char *stage, bool one)
{
    char pattern[128];
    (void)snprintf(pattern, sizeof pattern, "intermediate/external/%s/batch_id=first-0/part-00000*",
                   stage);
    char *key = pair_find(p, 0, "shared", pattern);
    assert_non_null(key);
    char *text = pair_get(p, 0, "shared", key), *new = edited(text, one);
    pair_put(p, 0, "shared", key, new);
    free(key);
    free(text);
    free(new);
}

static void remove_traces(struct pair *p)
{
    char *key;
    while ((key = pair_find(p, 0, "private", "state/verify1/*")) != NULL) {
        pair_remove(p, 0, "private", key);
        free(key);
    }
}

static json_int_t count(const json_t *report, const char *stage, const char *name)
{
    const json_t *entry =
        json_array_get(json_object_get(json_object_get(report, "counts"), stage), 0);
    assert_string_equal(json_string_value(json_object_get(entry, "batch_id")), "first-0");
    const json_t *n = json_object_get(entry, name);
    return json_integer_value(n ? n : json_object_get(json_object_get(entry, "rejected"), name));
}

enum { BAD_PACKETS = 7, MISSING = 2 }; // of N_EDITS; the others are good

static void check(const json_t *report, const char *stage)
{
    const json_int_t n = (json_int_t)usual.n;
    assert_int_equal(count(report, stage, "bad-packet"), BAD_PACKETS);
    assert_int_equal(count(report, stage, "missing-external"), MISSING);
    assert_int_equal(count(report, stage, "total"), n);
    assert_int_equal(count(report, stage, "accepted"), n - BAD_PACKETS - MISSING);
}

static json_t *step_with_report(struct pair *p)
{
    char file[512];
    (void)snprintf(file, sizeof file, "%s/report", p->root);
    struct pair_how how = kept;
    how.report_file = file;
    assert_int_equal(pair_step(p, 0, &how), 1);
    json_t *report = json_load_file(file, 0, NULL);
    assert_non_null(report);
    return report;
}

static char *answer_to_verify1(bool traces)
{
    struct pair *p = pair_new(false);
    pair_stage(p, &usual);
    assert_int_equal(pair_step(p, 0, &kept), 1); // verify1; B's is not there
    assert_int_equal(pair_step(p, 1, &kept), 1);
    edit_mail(p, "verify1", false);
    if (!traces)
        remove_traces(p);
    json_t *report = step_with_report(p); // verify2, aggregate
    check(report, "verify2");
    // What A has not answered is no loss of its aggregate, and not in `total`.
    assert_int_equal(count(report, "aggregate", "total"),
                     (json_int_t)usual.n - BAD_PACKETS - MISSING);
    assert_int_equal(count(report, "aggregate", "accepted"),
                     (json_int_t)usual.n - BAD_PACKETS - MISSING);
    json_decref(report);
    // B lacks A's answers to those, so both count the same and publish it.
    assert_true(pair_alternate(p, &kept));
    char *text = pair_published_text(p, 1, 0);
    char *other = pair_published_text(p, 0, 0);
    assert_string_equal(strstr(text, "\"payload\""), strstr(other, "\"payload\""));
    assert_non_null(strstr(text, "\"error\":0,\"total\":21}"));
    free(other);
    pair_free(p);
    return text;
}

static void in_verify1(void **state)
{
    (void)state;
    char *a = answer_to_verify1(true), *b = answer_to_verify1(false);
    assert_string_equal(strstr(a, "\"payload\""), strstr(b, "\"payload\""));
    free(a);
    free(b);
}

static void in_verify2(void **state)
{
    (void)state;
    for (int path = 0; path < 3; path++) {
        struct pair *p = pair_new(false);
        json_t *report;
        pair_stage(p, &usual);
        if (path < 2) { // by a restart: from shares in any case
            assert_int_equal(pair_step(p, 0, &kept), 1);
            assert_int_equal(pair_step(p, 1, &kept), 1);
            edit_mail(p, "verify2", true);
            if (path == 1)
                remove_traces(p);
            report = step_with_report(p);
        } else { // by the process that holds the sum
            char file[512];
            (void)snprintf(file, sizeof file, "%s/report", p->root);
            struct pair_how how = kept;
            how.report_file = file;
            how.retry_limit = 1;
            how.quiet = true;
            assert_int_equal(pair_step(p, 1, &kept), 1);
            const int a = pair_spawn_stopping(p, 0, &how, "put b-shared/*/verify2/_SUCCESS");
            assert_int_equal(pair_step(p, 1, &kept), 1);
            edit_mail(p, "verify2", true);
            pair_go_on(a);
            assert_int_equal(pair_wait(a), 1);
            report = json_load_file(file, 0, NULL);
        }
        check(report, "aggregate");
        json_decref(report);
        // The message of the aggregate says the same; what is missing is in neither number.
        char *sent =
            pair_bytes(p, 1, "shared", "intermediate/external/aggregate/batch_id=first-0/p");
        assert_non_null(strstr(sent, "\"error\":7,\"total\":28}"));
        free(sent);
        // B has added all: publish refuses to combine the two.
        char text[ERR_TEXT_BYTES];
        assert_int_equal(
            pair_run(p, 1, &(struct pair_how){.keep_state = true, .retry_limit = 1}, text),
            E_FORMAT);
        assert_non_null(strstr(text, "the own server summed 30 records, the peer 21"));
        pair_free(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_verify1),
        cmocka_unit_test(in_verify2),
    };
    return cmocka_run_group_tests_name("process_packets", tests, NULL, NULL);
}
