/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/profile_payload.h"

#include "codec/record.h"
#include "taar/profile_fields.h"

#include <inttypes.h>
#include <math.h>
#include <openssl/evp.h>

enum { SHA256_BYTES = 32 };

const struct profile_field profile_addon_fields[PROFILE_ADDON_FIELDS] = {
    {"addon_id", PROFILE_TEXT},
    {"blocklisted", PROFILE_BOOL},
    {"name", PROFILE_TEXT},
    {"user_disabled", PROFILE_BOOL},
    {"app_disabled", PROFILE_BOOL},
    {"version", PROFILE_TEXT},
    {"scope", PROFILE_LONG},
    {"type", PROFILE_TEXT},
    {"foreign_install", PROFILE_BOOL},
    {"has_binary_components", PROFILE_BOOL},
    {"install_day", PROFILE_LONG},
    {"update_day", PROFILE_LONG},
    {"signed_state", PROFILE_LONG},
    {"is_system", PROFILE_BOOL},
    {"is_web_extension", PROFILE_BOOL},
    {"multiprocess_compatible", PROFILE_BOOL},
};

/* Keys of a payload; those that hold numbers may come a second time, as the fetcher has them. */
enum kind { TEXT, NUMBER, ADDONS };
static const struct payload_key {
    const char *column, *key;
    enum kind kind;
} keys[] =
    {
        {"geo_city", "geo_city", TEXT},
        {"subsession_length", "subsession_length", NUMBER},
        {"locale", "locale", TEXT},
        {"os", "os", TEXT},
        {"active_addons", "active_addons", ADDONS},
        {"bookmark_count", "bookmark_count", NUMBER},
        {"tab_open_count", "tab_open_count", NUMBER},
        {"total_uri", "total_uri", NUMBER},
        {"unique_tlds", "unique_tlds", NUMBER},
},
  fetcher_keys[] = {
      {"geo_city", "city", TEXT},
      {"bookmark_count", "places_bookmarks_count", NUMBER},
      {"tab_open_count", "scalar_parent_browser_engagement_tab_open_event_count", NUMBER},
      {"total_uri", "scalar_parent_browser_engagement_total_uri_count", NUMBER},
      {"unique_tlds", "scalar_parent_browser_engagement_unique_domains_count", NUMBER},
};

int profile_key(char key[PROFILE_KEY_BYTES + 1], struct span client_id, struct err *err)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char hash[SHA256_BYTES];
    if (EVP_Digest(client_id.ptr, client_id.len, hash, NULL, EVP_sha256(), NULL) != 1)
        return err_set(err, E_NOMEM, 0, "SHA-256 of a client's id");
    for (size_t i = 0; i < sizeof hash; i++) {
        key[2 * i] = digits[hash[i] >> 4];
        key[2 * i + 1] = digits[hash[i] & 15];
    }
    key[PROFILE_KEY_BYTES] = '\0';
    return 0;
}

static bool is_text(const struct avro_value *v)
{
    return v->schema->kind == AVRO_STRING || v->schema->kind == AVRO_BYTES;
}

static bool is_integer(const struct avro_value *v)
{
    return v->schema->kind == AVRO_LONG || v->schema->kind == AVRO_INT;
}

static int unusable(const char *name, struct err *err)
{
    return err_set(err, E_FORMAT, 0, "column %s has an unexpected type", name);
}

static int append_number(struct buf *out, const struct avro_value *v, const char *name,
                         struct err *err)
{
    double x;
    if (avro_is_null(v))
        return buf_append_byte(out, '0', err);
    if (is_integer(v))
        return buf_printf(out, err, "%" PRId64, v->integer);
    if (!avro_number(&x, v))
        return unusable(name, err);
    if (!isfinite(x))
        return PROFILE_NOT_FINITE;
    // beyond 64 bits a double is still an integer, with all its digits; no -0
    return buf_printf(out, err, "%.0f", trunc(x) + 0.0);
}

static int append_plain(struct buf *out, const struct avro_value *v, const char *name,
                        struct err *err)
{
    if (avro_is_null(v))
        return buf_append_str(out, "null", err);
    if (v->schema->kind == AVRO_BOOLEAN)
        return buf_append_str(out, v->boolean ? "true" : "false", err);
    if (is_integer(v))
        return buf_printf(out, err, "%" PRId64, v->integer);
    if (is_text(v) && !v->schema->decimal)
        return json_write_string(out, v->bytes, err);
    double x;
    if (avro_number(&x, v))
        return isfinite(x) ? buf_printf(out, err, "%.17g", x) : PROFILE_NOT_FINITE;
    return unusable(name, err);
}

static int append_name(struct buf *out, const char *before, const char *name, struct err *err)
{
    return buf_printf(out, err, "%s\"%s\": ", before, name);
}

static int append_addon(struct buf *out, const struct avro_value *addon, struct err *err)
{
    if (addon->schema->kind != AVRO_RECORD)
        return unusable("active_addons", err);
    int r = 0;
    for (size_t i = 0; i < PROFILE_ADDON_FIELDS && r == 0; i++) {
        const char *name = profile_addon_fields[i].name;
        r = append_name(out, i == 0 ? "{" : ", ", name, err);
        if (r == 0)
            r = append_plain(out, avro_field(addon, name), name, err);
    }
    return r == 0 ? buf_append_byte(out, '}', err) : r;
}

static int append_addons(struct buf *out, const struct avro_value *v, struct err *err)
{
    if (!avro_is_null(v) && v->schema->kind != AVRO_ARRAY)
        return unusable("active_addons", err);
    const size_t n = avro_is_null(v) ? 0 : v->n;
    int r = buf_append_byte(out, '[', err);
    for (size_t i = 0; i < n && r == 0; i++) {
        r = i > 0 ? buf_append_str(out, ", ", err) : 0;
        if (r == 0)
            r = append_addon(out, &v->items[i], err);
    }
    return r == 0 ? buf_append_byte(out, ']', err) : r;
}

static int append_keys(struct buf *out, const struct avro_value *record,
                       const struct payload_key *list, size_t n, struct err *err)
{
    int r = 0;
    for (size_t i = 0; i < n && r == 0; i++) {
        const struct avro_value *v = avro_field(record, list[i].column);
        r = append_name(out, ", ", list[i].key, err);
        if (r != 0)
            break;
        r = list[i].kind == ADDONS   ? append_addons(out, v, err)
            : list[i].kind == NUMBER ? append_number(out, v, list[i].column, err)
                                     : append_plain(out, v, list[i].column, err);
    }
    return r;
}

static int spell(struct profile_payload *p, const struct avro_value *record, struct err *err)
{
    buf_clear(&p->text);
    int r = buf_printf(&p->text, err, "{\"client_id\": \"%s\"", p->key);
    if (r == 0)
        r = append_keys(&p->text, record, keys, sizeof keys / sizeof *keys, err);
    if (r == 0 && p->fetcher_keys)
        r = append_keys(&p->text, record, fetcher_keys, sizeof fetcher_keys / sizeof *fetcher_keys,
                        err);
    return r == 0 ? buf_append_byte(&p->text, '}', err) : r;
}

int profile_payload_init(struct profile_payload *p, bool with_fetcher_keys, struct err *err)
{
    *p = (struct profile_payload){.fetcher_keys = with_fetcher_keys,
                                  .text = BUF_INIT(PROFILE_MAX_TEXT),
                                  .packed = BUF_INIT(2U * PROFILE_MAX_TEXT)};
    return zstream_open(&p->packer, err);
}

void profile_payload_deinit(struct profile_payload *p)
{
    zstream_close(p->packer);
    buf_deinit(&p->text);
    buf_deinit(&p->packed);
}

int profile_payload_make(struct profile_payload *p, const struct avro_value *record,
                         struct err *err)
{
    const struct avro_value *id = avro_field(record, "client_id");
    if (avro_is_null(id))
        return PROFILE_NULL_ID;
    int r = is_text(id) ? profile_key(p->key, id->bytes, err) : unusable("client_id", err);
    if (r == 0)
        r = spell(p, record, err);
    return r == 0 ? zstream_pack(p->packer, &p->packed, buf_span(&p->text), err) : r;
}
