/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/similarity/features.h"

#include "vectors.h"

static void terms_hash_as_in_spark(void **state)
{
    (void)state;
    JSON *hashing = vector("hashing.json");
    size_t i;
    json_t *t;
    assert_true(json_array_size(json_object_get(hashing, "terms")) > 0);
    json_array_foreach(json_object_get(hashing, "terms"), i, t)
    {
        const json_t *term = json_object_get(t, "term");
        const struct span text = span_of(json_string_value(term), json_string_length(term));
        assert_int_equal(spark_hash(text), json_integer_value(json_object_get(t, "hash")));
        assert_int_equal(term_index(text), json_integer_value(json_object_get(t, "index")));
    }
    assert_int_equal(spark_hash(span_str("ABC")), -757602832);
}

static void assert_dimensions(const struct features *f, json_t *hashing)
{
    json_t *frequency = json_object_get(hashing, "document_frequency");
    json_t *idf = json_object_get(hashing, "idf");
    assert_int_equal(f->n_dimensions, json_array_size(frequency));
    for (uint32_t d = 0; d < f->n_dimensions; d++) {
        json_t *pair = json_array_get(frequency, d);
        assert_int_equal(f->index[d], json_integer_value(json_array_get(pair, 0)));
        assert_int_equal(f->frequency[d], json_integer_value(json_array_get(pair, 1)));
        assert_close(f->weight[d], json_number_value(json_array_get(json_array_get(idf, d), 1)));
    }
}

/* want: [[index, value], ..] */
static void assert_point(const struct features *f, size_t i, json_t *want, bool weighted)
{
    assert_int_equal(f->first[i + 1] - f->first[i], json_array_size(want));
    for (size_t k = 0; k < json_array_size(want); k++) {
        const uint32_t term = f->terms[f->first[i] + k], d = term_dimension(term);
        json_t *pair = json_array_get(want, k);
        assert_int_equal(f->index[d], json_integer_value(json_array_get(pair, 0)));
        assert_close(term_count(term) * (weighted ? f->weight[d] : 1),
                     json_number_value(json_array_get(pair, 1)));
    }
}

static void documents_become_weighted_terms(void **state)
{
    (void)state;
    JSON *hashing = vector("hashing.json");
    CLIENTS c;
    CLEANUP(features_deinit) struct features f = {.n = 0};
    struct err err = {0};
    clients_init(&c);
    add_documents(&c, json_object_get(hashing, "documents"));
    assert_done(features_build(&f, &c, &err), &err);
    assert_dimensions(&f, hashing);
    for (size_t i = 0; i < f.n; i++) {
        assert_point(&f, i, json_array_get(json_object_get(hashing, "tf"), i), false);
        assert_point(&f, i, json_array_get(json_object_get(hashing, "tf_idf"), i), true);
    }
}

static void no_clients_have_no_features(void **state)
{
    (void)state;
    CLIENTS c;
    CLEANUP(features_deinit) struct features f = {.n = 0};
    struct err err = {0};
    clients_init(&c);
    assert_done(features_build(&f, &c, &err), &err);
    assert_int_equal(f.n + f.n_dimensions, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(terms_hash_as_in_spark),
        cmocka_unit_test(documents_become_weighted_terms),
        cmocka_unit_test(no_clients_have_no_features),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
