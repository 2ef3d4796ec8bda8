/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/amo_json.h"

static const uint64_t integer_end = UINT64_C(1000000000000000);

bool amo_is_json(const struct record_ops *ops, struct span text)
{
    const struct json_text t = {ops, span_end(text)};
    bool escaped = false;
    const uint8_t *p = json_skip_space(text.ptr, t.end);
    p = p < t.end ? json_skip_value(&t, p, AMO_MAX_DEPTH, &escaped) : NULL;
    return p && json_skip_space(p, t.end) == t.end;
}

static struct json_members members_of(const struct record_ops *ops, struct span object)
{
    return (struct json_members){
        .text = {ops, span_end(object)}, .p = object.ptr, .max_depth = AMO_MAX_DEPTH};
}

static struct json_elements elements_of(const struct record_ops *ops, struct span array)
{
    return (struct json_elements){
        .text = {ops, span_end(array)}, .p = array.ptr, .max_depth = AMO_MAX_DEPTH};
}

bool amo_member(const struct record_ops *ops, struct span object, const char *name,
                struct span *value)
{
    struct json_members it = members_of(ops, object);
    struct json_member m;
    bool found = false;
    while (json_next_member(&it, &m) == 1) {
        if (!json_inside_equals(m.key, name))
            continue;
        *value = m.value;
        found = true;
    }
    return found;
}

bool amo_first(const struct record_ops *ops, struct span array, struct span *element)
{
    struct json_elements it = elements_of(ops, array);
    bool escaped;
    return json_next_element(&it, element, &escaped) == 1;
}

bool amo_last(const struct record_ops *ops, struct span array, struct span *element)
{
    struct json_elements it = elements_of(ops, array);
    bool escaped, found = false;
    while (json_next_element(&it, element, &escaped) == 1)
        found = true;
    return found;
}

bool amo_integer(struct span value, uint64_t *n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] < '0' || value.ptr[i] > '9')
            return false;
        v = v * 10 + (value.ptr[i] - '0');
        if (v >= integer_end)
            return false;
    }
    *n = v;
    return value.len > 0;
}

int amo_text(struct buf *out, struct span value, struct err *err)
{
    if (value.len < 2 || value.ptr[0] != '"')
        return 0;
    const struct span inside = span_of(value.ptr + 1, value.len - 2);
    const int r = buf_reserve(out, inside.len, err);
    if (r < 0)
        return r;
    out->len += inside.len > 0 ? json_unescape(out->data + out->len, inside) : 0;
    return 1;
}

static void read_number(const struct record_ops *ops, struct span answer, const char *name,
                        uint64_t *n)
{
    struct span value;
    if (!amo_member(ops, answer, name, &value) || !amo_integer(value, n))
        *n = 0;
}

int amo_listing_read(const struct record_ops *ops, struct span answer, struct amo_listing *out,
                     struct err *err)
{
    struct span value;
    if (!amo_member(ops, answer, "page_count", &value) || !amo_integer(value, &out->page_count))
        return err_set(err, E_FORMAT, 0, "the search's answer has no page_count");
    if (out->page_count > AMO_MAX_PAGES)
        return err_set(err, E_FORMAT, 0, "the search's page_count is above %d", AMO_MAX_PAGES);
    read_number(ops, answer, "count", &out->count);
    read_number(ops, answer, "page_size", &out->page_size);
    return 0;
}

int amo_record_write(struct buf *out, const struct record_ops *ops, struct span record,
                     struct err *err)
{
    struct json_members it = members_of(ops, record);
    struct json_member m;
    const size_t begin = out->len;
    int r = buf_append_byte(out, '{', err);
    while (r == 0 && json_next_member(&it, &m) == 1) {
        if (json_inside_equals(m.key, "first_create_date"))
            continue;
        if (out->len > begin + 1)
            r = buf_append_byte(out, ',', err);
        const uint8_t *const quote = m.key.ptr - 1;
        if (r == 0)
            r = json_write_compact(out, span_of(quote, (size_t)(span_end(m.value) - quote)), err);
    }
    return r;
}

int amo_first_created(struct buf *out, const struct record_ops *ops, struct span answer,
                      const char **missing, struct err *err)
{
    struct span results, version, files, file, created;
    *missing = NULL;
    if (!amo_member(ops, answer, "results", &results) || !amo_last(ops, results, &version))
        *missing = "versions_no_results";
    else if (!amo_member(ops, version, "files", &files))
        *missing = "versions_without_files";
    else if (!amo_first(ops, files, &file))
        *missing = "versions_no_files";
    else if (!amo_member(ops, file, "created", &created))
        *missing = "versions_no_created";
    if (*missing)
        return 0;
    const int r = amo_text(out, created, err);
    if (r == 0)
        *missing = "versions_no_created";
    return r < 0 ? r : 0;
}
