/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/layout.h"

#include "base/utc.h"
#include "codec/uuid.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char null_partition[] = "__HIVE_DEFAULT_PARTITION__";
enum { DATE_TEXT = 10 }; // "2026-03-14"

static bool is_control(unsigned char c)
{
    return c < 0x20 || c == 0x7f;
}

static int append_escaped(struct buf *out, const char *text, struct err *err)
{
    int r = 0;
    for (; *text && r == 0; text++) {
        const unsigned char c = (unsigned char)*text;
        if (is_control(c) || strchr("\"#%'*/:=?\\{[]^", c))
            r = buf_printf(out, err, "%%%02X", c);
        else
            r = buf_append_byte(out, c, err);
    }
    return r;
}

int layout_append_partition(struct buf *out, const char *key, const char *value, struct err *err)
{
    const size_t before = out->len;
    int r = append_escaped(out, key, err);
    if (r == 0)
        r = buf_append_byte(out, '=', err);
    if (r == 0 && value && value[0] != '\0')
        r = append_escaped(out, value, err);
    else if (r == 0)
        r = buf_append_str(out, null_partition, err);
    if (r < 0)
        out->len = before;
    return r;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20; // Hive reads both cases
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* @return 1, 0 where the escapes break the rule, or E_NOMEM. */
static int append_unescaped(struct buf *out, struct span text, struct err *err)
{
    int r = 0;
    for (size_t i = 0; i < text.len && r == 0; i++) {
        int c = text.ptr[i];
        if (c == '%') {
            const int high = i + 2 < text.len ? hex_digit(text.ptr[i + 1]) : -1;
            const int low = high >= 0 ? hex_digit(text.ptr[i + 2]) : -1;
            c = low < 0 ? 0 : high * 16 + low;
            i += 2;
        } else if (c == '/') {
            return 0;
        }
        if (c == 0)
            return 0;
        r = buf_append_byte(out, (uint8_t)c, err);
    }
    return r == 0 ? 1 : r;
}

int layout_read_partition(struct buf *out, const char *key, struct span name, struct err *err)
{
    const size_t key_len = strlen(key);
    const size_t before = out->len;
    if (name.len > 0 && name.ptr[name.len - 1] == '/')
        name.len--;
    if (name.len <= key_len || memcmp(name.ptr, key, key_len) != 0 || name.ptr[key_len] != '=')
        return 0;
    const struct span value = span_of(name.ptr + key_len + 1, name.len - key_len - 1);
    int r = value.len > 0;
    if (!span_equal(value, span_str(null_partition)) && r == 1)
        r = append_unescaped(out, value, err);
    if (r == 1 && buf_append_byte(out, '\0', err) < 0)
        r = E_NOMEM;
    out->len = r == 1 ? out->len - 1 : before; // the NUL is not counted
    return r;
}

/* Is every part of text usable in a path? */
static int check_part(const char *what, const char *text, bool slashes, struct err *err)
{
    for (const char *p = text; *p; p++)
        if (is_control((unsigned char)*p))
            return err_set(err, E_ARG, 0, "%s has a control character", what);
    for (const char *part = text;;) {
        const size_t len = strcspn(part, "/");
        if (len == 0)
            return err_set(err, E_ARG, 0, "%s \"%s\" %s", what, text,
                           text[0] ? "has an empty part: leave out the extra \"/\"" : "is empty");
        if ((len == 1 && part[0] == '.') || (len == 2 && memcmp(part, "..", 2) == 0))
            return err_set(err, E_ARG, 0, "%s \"%s\" has a \".\" or \"..\"", what, text);
        if (part[len] == '\0')
            return 0;
        if (!slashes)
            return err_set(err, E_ARG, 0, "%s \"%s\" has a \"/\"", what, text);
        part += len + 1;
    }
}

int layout_prefix(char **out, const char *bucket_prefix, const char *public_key_hex,
                  const char *app_name, const char *date, struct err *err)
{
    int r = check_part("BUCKET_PREFIX", bucket_prefix, true, err);
    if (r == 0)
        r = check_part("the public key", public_key_hex, false, err);
    if (r == 0)
        r = check_part("APP_NAME", app_name, false, err);
    if (r == 0)
        r = check_part("SUBMISSION_DATE", date, false, err);
    if (r < 0)
        return r;
    char *text;
    if (asprintf(&text, "%s/%s/%s/%s/", bucket_prefix, public_key_hex, app_name, date) < 0)
        return err_set(err, E_NOMEM, 0, "no memory for a path");
    *out = text;
    return 0;
}

bool layout_is_date(const char *text)
{
    char moment[UTC_TEXT_BYTES];
    int64_t us;
    if (strlen(text) != DATE_TEXT)
        return false;
    (void)snprintf(moment, sizeof moment, "%sT00:00:00Z", text);
    return utc_parse(&us, moment, NULL) == 0;
}

void layout_today(char out[DATE_TEXT + 1], int64_t now_us)
{
    char text[UTC_TEXT_BYTES];
    utc_format(text, now_us);
    memcpy(out, text, DATE_TEXT);
    out[DATE_TEXT] = '\0';
}

bool layout_is_data(const char *key)
{
    const char *slash = strrchr(key, '/');
    const char *name = slash ? slash + 1 : key;
    return name[0] != '\0' && name[0] != '_' && name[0] != '.';
}

void layout_part_name(char out[LAYOUT_NAME_BYTES], unsigned number, const char *uuid,
                      enum layout_name form)
{
    (void)snprintf(out, LAYOUT_NAME_BYTES, "part-%05u-%.36s%cc000.json", number, uuid,
                   form == LAYOUT_STAGE ? '-' : '.');
}

static void free_digest(EVP_MD_CTX **digest)
{
    EVP_MD_CTX_free(*digest);
}

int layout_derived_uuid(char out[LAYOUT_UUID_BYTES], const char *const *texts, struct err *err)
{
    CLEANUP(free_digest) EVP_MD_CTX *digest = EVP_MD_CTX_new();
    bool good = digest && EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1;
    // With their NULs, so that no two lists of texts are one text.
    for (; good && *texts; texts++)
        good = EVP_DigestUpdate(digest, *texts, strlen(*texts) + 1) == 1;
    unsigned char bytes[EVP_MAX_MD_SIZE];
    if (!good || EVP_DigestFinal_ex(digest, bytes, NULL) != 1)
        return err_set(err, E_CRYPTO, 0, "SHA-256 failed");
    uuid8_format(out, bytes);
    return 0;
}
