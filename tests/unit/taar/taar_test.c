/* SPDX-License-Identifier: MPL-2.0 */
#include "taar_test.h"

#include "codec/ndjson.h"

#include <ftw.h>
#include <unistd.h>

int bucket_setup(void **state)
{
    char dir[] = "/tmp/weir-taar.XXXXXX";
    assert_non_null(mkdtemp(dir));
    struct store *store = NULL;
    assert_int_equal(store_open(&store, &(const struct store_config){.url = dir}, NULL), 0);
    *state = store;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

int bucket_teardown(void **state)
{
    char dir[64];
    (void)snprintf(dir, sizeof dir, "%s", store_name(*state));
    store_close(*state);
    (void)nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    return 0;
}

struct objects objects_of(void **state, const char *prefix, enum generation generation)
{
    return (struct objects){.store = *state, .prefix = prefix, .generation = generation};
}

void bucket_put(void **state, const char *key, const char *text)
{
    assert_int_equal(store_put(*state, key, span_str(text), NULL, NULL, NULL), 0);
}

void assert_keys(void **state, const char *want)
{
    struct store_listing listing = {0};
    TEXT(got);
    assert_int_equal(store_list(*state, "", &listing, NULL), 0);
    for (size_t i = 0; i < listing.n; i++)
        assert_int_equal(buf_printf(&got, NULL, "%s\n", listing.objects[i].key), 0);
    store_listing_deinit(&listing);
    assert_int_equal(buf_append_byte(&got, 0, NULL), 0);
    assert_string_equal((const char *)got.data, want);
}

json_t *read_vector(const char *name)
{
    char path[512];
    json_error_t why;
    (void)snprintf(path, sizeof path, WEIR_VECTORS "/taar/%s", name);
    json_t *json = json_load_file(path, JSON_DECODE_ANY, &why);
    if (!json)
        fail_msg("%s: %s", path, why.text);
    return json;
}

struct span spell(struct buf *out, const json_t *json)
{
    char *text = json_dumps(json, JSON_ENCODE_ANY);
    assert_non_null(text);
    const size_t before = out->len, len = strlen(text);
    assert_int_equal(buf_append(out, text, len, NULL), 0);
    assert_int_equal(buf_reserve(out, NDJSON_SLACK, NULL), 0);
    free(text);
    return span_of(out->data + before, len);
}
