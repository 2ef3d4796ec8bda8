/* SPDX-License-Identifier: MPL-2.0 */
/* ListObjectsV2, page by page. */
#include "base/utc.h"
#include "store/s3_internal.h"
#include "store/s3_xml.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_TOKEN = 8 * 1024, MAX_LISTED_KEY = 4 * 1024 };

struct page {
    struct s3 *s3;
    const char *prefix; // that was asked for, without the store's
    struct store_listing *out;
    struct store_object object;                 // under construction
    struct buf key, token;                      // key: as sent; token: of the next page, with a NUL
    bool one_level, listed, encoded, truncated; // listed: it is a listing at all
};

static int hex_digit(uint8_t c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                  : -1;
}

/* encoding-type=url, in place: "%XX", and "+" for a space. @return false where it is broken. */
static bool decode(struct buf *key)
{
    size_t n = 0;
    for (size_t i = 0; i < key->len; i++) {
        uint8_t c = key->data[i];
        if (c == '+') {
            c = ' ';
        } else if (c == '%') {
            const int high = i + 2 < key->len ? hex_digit(key->data[i + 1]) : -1;
            const int low = i + 2 < key->len ? hex_digit(key->data[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = (uint8_t)(high << 4 | low);
            i += 2;
        }
        key->data[n++] = c;
    }
    key->len = n;
    return true;
}

static int add(struct page *p, const struct store_object *object, struct err *err)
{
    const size_t store_len = strlen(p->s3->prefix), asked_len = strlen(p->prefix);
    if (p->encoded && !decode(&p->key))
        return err_set(err, E_FORMAT, 0, "the server encodes a key wrongly");
    const struct span key = buf_span(&p->key);
    // A server that does not know "prefix" would hand out what must not be touched.
    if (key.len < store_len + asked_len || memcmp(key.ptr, p->s3->prefix, store_len) != 0 ||
        memcmp(key.ptr + store_len, p->prefix, asked_len) != 0)
        return err_set(err, E_FORMAT, 0, "the server lists keys that were not asked for");
    if (memchr(key.ptr, 0, key.len))
        return err_set(err, E_FORMAT, 0, "a key holds a zero byte");
    const struct span relative = span_of(key.ptr + store_len, key.len - store_len);
    // "prefix/" itself, which some programs put there in place of a directory, is not below it.
    if (relative.len == 0 || (p->one_level && relative.len == asked_len))
        return 0;
    return listing_add(p->out, relative, object, err);
}

/* EncodingType may stand behind the keys that it is about: a page is walked for it first. */
static int on_encoding(void *arg, const char *path, struct span text, struct err *err)
{
    struct page *p = arg;
    (void)err;
    if (strcmp(path, "ListBucketResult/EncodingType") == 0)
        p->encoded = span_equal(text, span_str("url"));
    return 0;
}

static int set_text(struct buf *out, struct span text, struct err *err)
{
    buf_clear(out);
    return buf_append(out, text.ptr, text.len, err);
}

static int set_time(struct store_object *object, struct span text, struct err *err)
{
    char copy[UTC_TEXT_BYTES + 1];
    if (text.len >= sizeof copy)
        return err_set(err, E_FORMAT, 0, "the server gave an odd time");
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    return utc_parse(&object->modified_us, copy, err) < 0 ? E_FORMAT : 0;
}

/* versitygw has none for a file that was laid into its directory. */
static int no_tag(const struct page *p, struct err *err)
{
    return err_set(
        err, E_FORMAT, 0,
        "the server gave the object \"%.*s\" no usable ETag: write it through the server",
        (int)p->key.len, p->key.len > 0 ? (const char *)p->key.data : "");
}

static int on_element(void *arg, const char *path, struct span text, struct err *err)
{
    static const char root[] = "ListBucketResult/";
    struct page *p = arg;
    if (strcmp(path, "ListBucketResult") == 0)
        p->listed = true;
    if (strncmp(path, root, sizeof root - 1) != 0)
        return 0;
    path += sizeof root - 1;
    if (strcmp(path, "Contents/Key") == 0 || strcmp(path, "CommonPrefixes/Prefix") == 0)
        return set_text(&p->key, text, err);
    if (strcmp(path, "Contents/Size") == 0)
        return s3_number(&p->object.size, text)
                   ? 0
                   : err_set(err, E_FORMAT, 0, "the server gave an odd size");
    if (strcmp(path, "Contents/LastModified") == 0)
        return set_time(&p->object, text, err);
    if (strcmp(path, "Contents/ETag") == 0)
        return s3_object_tag(&p->object, text, NULL) == 0 ? 0 : no_tag(p, err);
    if (strcmp(path, "Contents") == 0) {
        const int r = p->object.version[0] == '\0' ? no_tag(p, err) : add(p, &p->object, err);
        p->object = (struct store_object){0};
        return r;
    }
    if (strcmp(path, "CommonPrefixes") == 0)
        return add(p, &(struct store_object){0}, err);
    if (strcmp(path, "IsTruncated") == 0)
        p->truncated = span_equal(text, span_str("true"));
    else if (strcmp(path, "NextContinuationToken") == 0)
        return set_text(&p->token, text, err);
    return 0;
}

static int read_page(struct page *p, const struct http_response *response, struct err *err)
{
    const struct span body = buf_span(&response->body);
    CLEANUP(buf_deinit) struct buf before = p->token;
    p->token = BUF_INIT(MAX_TOKEN);
    p->listed = p->encoded = p->truncated = false;
    int r = s3_xml_walk(body, on_encoding, p, err);
    if (r == 0)
        r = s3_xml_walk(body, on_element, p, err);
    if (r == 0 && !p->listed)
        return err_set(err, E_FORMAT, 0, "the server answers with something else than a listing");
    if (r < 0 || !p->truncated)
        return r;
    if (p->token.len == 0)
        return err_set(err, E_FORMAT, 0, "the server lists a part and does not say how to go on");
    r = buf_append_byte(&p->token, 0, err);
    if (r == 0 && span_equal(buf_span(&before), buf_span(&p->token)))
        r = err_set(err, E_FORMAT, 0, "the server lists the same part for ever");
    return r;
}

/* full: the store's prefix and the one that was asked for. */
static int get_page(struct page *p, const char *full, const char *max_keys,
                    struct http_response *response, struct err *err)
{
    struct s3_call call = {.method = "GET"};
    s3_call_param(&call, "list-type", "2");
    s3_call_param(&call, "encoding-type", "url");
    s3_call_param(&call, "prefix", full);
    if (max_keys)
        s3_call_param(&call, "max-keys", max_keys);
    if (p->one_level)
        s3_call_param(&call, "delimiter", "/");
    if (p->token.len > 0)
        s3_call_param(&call, "continuation-token", (const char *)p->token.data);
    const int r = s3_send(p->s3, &call, response, err);
    if (r < 0)
        return r;
    return response->status == 200 ? read_page(p, response, err) : s3_refused(p->s3, response, err);
}

static int list_pages(struct page *p, const char *full, struct err *err)
{
    CLEANUP(http_response_deinit) struct http_response response;
    http_response_init(&response);
    int r;
    do
        r = get_page(p, full, NULL, &response, err);
    while (r == 0 && p->truncated);
    return r;
}

int s3_list(void *self, const char *prefix, bool one_level, struct store_listing *out,
            struct err *err)
{
    struct s3 *s3 = self;
    struct page page = {.s3 = s3,
                        .prefix = prefix,
                        .out = out,
                        .one_level = one_level,
                        .key = BUF_INIT(MAX_LISTED_KEY),
                        .token = BUF_INIT(MAX_TOKEN)};
    CLEANUP(buf_deinit) struct buf full = BUF_INIT(MAX_LISTED_KEY);
    int r = buf_printf(&full, err, "%s%s", s3->prefix, prefix);
    if (r == 0)
        r = buf_append_byte(&full, 0, err);
    if (r == 0)
        r = list_pages(&page, (const char *)full.data, err);
    buf_deinit(&page.key);
    buf_deinit(&page.token);
    return r;
}

int s3_check(void *self, struct err *err)
{
    struct s3 *s3 = self;
    struct store_listing listing = {0};
    struct page page = {.s3 = s3,
                        .prefix = "",
                        .out = &listing,
                        .key = BUF_INIT(MAX_LISTED_KEY),
                        .token = BUF_INIT(MAX_TOKEN)};
    CLEANUP(http_response_deinit) struct http_response response;
    http_response_init(&response);
    const int r = get_page(&page, s3->prefix, "1", &response, err);
    buf_deinit(&page.key);
    buf_deinit(&page.token);
    store_listing_deinit(&listing);
    return r;
}
