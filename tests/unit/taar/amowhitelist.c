/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/amowhitelist.h"

#include "base/utc.h"
#include "taar_test.h"

static const char now[] = "2021-03-15T12:00:00Z"; // of the vectors
enum { MIN_AGE_DAYS = 60 };

static struct amo_rules rules_of(void)
{
    struct amo_rules rules = {.min_rating = 3};
    assert_int_equal(utc_parse(&rules.youngest_us, now, NULL), 0);
    rules.youngest_us -= MIN_AGE_DAYS * INT64_C(86400000000);
    return rules;
}

static enum amo_verdict judge(const char *text)
{
    const struct amo_rules rules = rules_of();
    TEXT(record);
    JSON *json = json_loads(text, JSON_DECODE_ANY, NULL);
    assert_non_null(json);
    return amo_judge(&rules, span_str("g@x.example"), spell(&record, json));
}

static void hazards_are_left_out_with_a_reason(void **state)
{
    const struct amo_rules rules = rules_of();
    JSON *hazards = read_vector("amo/whitelist_hazards.json");
    json_t *entry;
    size_t i;
    (void)state;
    assert_string_equal(json_string_value(json_object_get(hazards, "clock_now")),
                        "2021-03-15T12:00:00");
    json_array_foreach(json_object_get(hazards, "cases"), i, entry)
    {
        TEXT(text);
        const char *required = json_string_value(json_object_get(entry, "required"));
        const struct span record = spell(&text, json_object_get(entry, "record"));
        const enum amo_verdict v = amo_judge(&rules, span_str("h@x.example"), record);
        if ((v == AMO_WHITELISTED) != (strcmp(required, "whitelist") == 0))
            fail_msg("%s: %s", json_string_value(json_object_get(entry, "case")),
                     amo_verdict_names[v]);
        assert_false(amo_is_featured(&rules, record));
    }
    assert_int_equal(i, 14);
}

#define RECORD(FILES, RATINGS, DATE)                                                               \
    "{\"current_version\": {\"files\": " FILES "}, \"ratings\": " RATINGS                          \
    ", \"first_create_date\": " DATE "}"
#define GOOD_FILES   "[{\"is_webextension\": true}]"
#define GOOD_RATINGS "{\"average\": 3}"
#define GOOD_DATE    "\"2021-01-14T12:00:00Z\""

static void each_rule_has_its_reason(void **state)
{
    (void)state;
    assert_int_equal(judge(RECORD(GOOD_FILES, GOOD_RATINGS, GOOD_DATE)), AMO_WHITELISTED);
    assert_int_equal(judge(RECORD("[{\"is_webextension\": null}]", GOOD_RATINGS, GOOD_DATE)),
                     AMO_WHITELISTED);
    assert_int_equal(judge(RECORD("[{}, {\"is_webextension\": true}]", GOOD_RATINGS, GOOD_DATE)),
                     AMO_NO_WEBEXTENSION);
    assert_int_equal(judge(RECORD("[]", GOOD_RATINGS, GOOD_DATE)), AMO_NO_FILES);
    assert_int_equal(judge("{}"), AMO_NO_FILES);
    assert_int_equal(judge("{\"current_version\": {}}"), AMO_NO_FILES);
    assert_int_equal(judge("null"), AMO_BAD_FILES);
    assert_int_equal(judge(RECORD("{}", GOOD_RATINGS, GOOD_DATE)), AMO_BAD_FILES);
    assert_int_equal(judge(RECORD("[1]", GOOD_RATINGS, GOOD_DATE)), AMO_BAD_FILES);
    assert_int_equal(judge(RECORD(GOOD_FILES, "{}", GOOD_DATE)), AMO_LOW_RATING);
    assert_int_equal(judge(RECORD(GOOD_FILES, "{\"average\": 2.9999}", GOOD_DATE)), AMO_LOW_RATING);
    assert_int_equal(judge(RECORD(GOOD_FILES, "{\"average\": -4}", GOOD_DATE)), AMO_LOW_RATING);
    assert_int_equal(judge(RECORD(GOOD_FILES, "{\"average\": true}", GOOD_DATE)), AMO_BAD_RATING);
    assert_int_equal(judge(RECORD(GOOD_FILES, "[]", GOOD_DATE)), AMO_BAD_RATING);
    assert_int_equal(judge(RECORD(GOOD_FILES, GOOD_RATINGS, "12")), AMO_BAD_DATE);
    assert_int_equal(judge(RECORD(GOOD_FILES, GOOD_RATINGS, "\"2021-01-14T12:00:01Z\"")),
                     AMO_TOO_YOUNG);
    assert_int_equal(judge(RECORD(GOOD_FILES, GOOD_RATINGS, "\"2021-01-14T12:00:00-09:00\"")),
                     AMO_WHITELISTED);
}

static void a_zone_is_cut_off(void **state)
{
    static const struct {
        const char *text, *utc; // NULL: none
    } cases[] = {
        {"2021-01-14", "2021-01-14T00:00:00Z"},
        {"2021-01-14Z", "2021-01-14T00:00:00Z"},
        {"2021-01-14+02:00", "2021-01-14T00:00:00Z"},
        {"2021-01-14T12:30:00", "2021-01-14T12:30:00Z"},
        {"2021-01-14T12:30:00Z", "2021-01-14T12:30:00Z"},
        {"2021-01-14T12:30:00+01:00", "2021-01-14T12:30:00Z"},
        {"2021-01-14T12:30:00-23:59", "2021-01-14T12:30:00Z"},
        {"2021-01-14T12:30:00.25+01:00", "2021-01-14T12:30:00.25Z"},
        {"2021-01-14T12:30:00.1234567Z", "2021-01-14T12:30:00.123456Z"},
        {"2021-02-29", NULL},
        {"2021-01-14T", NULL},
        {"2021-01-14T12:30", NULL},
        {"2021-01-14T24:00:00Z", NULL},
        {"2021-01-14T12:30:00z", NULL},
        {"2021-01-14T12:30:00+1:00", NULL},
        {"2021-01-14T12:30:00+24:00", NULL},
        {"2021-01-14T12:30:00ZZ", NULL},
        {"20210114", NULL},
        {"", NULL},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t got = 0, want = 0;
        const bool read = amo_wall_clock(&got, span_str(cases[i].text));
        if (read != (cases[i].utc != NULL))
            fail_msg("%s", cases[i].text);
        assert_int_equal(read ? utc_parse(&want, cases[i].utc, NULL) : 0, 0);
        assert_int_equal(got, want);
    }
}

static void lists_are(const char *database, const struct amo_rules *rules, const char *whitelist,
                      const char *featured, const char *both, void **state)
{
    const struct objects o = objects_of(state, "p", GENERATION_2);
    CLEANUP(database_deinit) struct database d = {0};
    CLEANUP(amo_lists_deinit) struct amo_lists l = {0};
    bucket_put(state, "p/db.json", database);
    assert_int_equal(database_read(&d, &o, "db", NULL), 0);
    assert_int_equal(amo_lists_make(&l, &d, rules, NULL), 0);
    assert_true(span_equal(buf_span(&l.whitelist), span_str(whitelist)));
    assert_true(span_equal(buf_span(&l.featured), span_str(featured)));
    assert_true(span_equal(buf_span(&l.both), span_str(both)));
}

#define FEATURED(FEATURED, WEB, RATING, DATE)                                                      \
    "{\"is_featured\": " FEATURED ", \"current_version\": {\"files\": [{\"platform\": \"all\", "   \
    "\"is_webextension\": " WEB "}]}, \"ratings\": {\"average\": " RATING                          \
    "}, \"first_create_date\": \"" DATE "\"}"
#define FIRST  FEATURED("true", "true", "5.0", "2015-06-20T11:21:58Z")
#define SECOND FEATURED("true", "false", "1.0", "2012-04-13T08:55:39Z")
#define THIRD  FEATURED("true", "false", "3.0", "2011-10-13T04:55:06Z")
#define FOURTH FEATURED("false", "false", "0.0", "2010-11-03T09:38:20Z")

/* The original's own test. Source: 8. */
static void the_first_generation_has_is_featured(void **state)
{
    struct amo_rules rules = rules_of();
    rules.v3 = true;
    lists_are("{\"a\": " FIRST ", \"b\": " SECOND ", \"c\": " THIRD ", \"d\": " FOURTH "}", &rules,
              "{\"a\": " FIRST "}", "{\"a\": " FIRST ", \"b\": " SECOND ", \"c\": " THIRD "}",
              "{\"a\": " FIRST "}", state);
}

static void records_keep_their_text(void **state)
{
    const struct amo_rules rules = rules_of();
    lists_are("{ \"\\u00e9\\\"\" : {\"n\": 12345678901234567890, \"f\": 1.10,  \"promoted\": "
              "{\"category\": \"recommended\"}}, \"x\": 5}",
              &rules, "{}",
              "{\"\\u00e9\\\"\": {\"n\": 12345678901234567890, \"f\": 1.10,  \"promoted\": "
              "{\"category\": \"recommended\"}}}",
              "{}", state);
    lists_are("{}", &rules, "{}", "{}", "{}", state);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, bucket_setup, bucket_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hazards_are_left_out_with_a_reason),
        cmocka_unit_test(each_rule_has_its_reason),
        cmocka_unit_test(a_zone_is_cut_off),
        TEST(the_first_generation_has_is_featured),
        TEST(records_keep_their_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
