/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/objects.h"

#include "codec/bzip2.h"
#include "codec/ndjson.h"

#include <stdio.h>
#include <string.h>

static const char bz2[] = ".bz2", json[] = ".json";

static size_t length_without(const char *name, const char *suffix)
{
    const size_t len = strlen(name), n = strlen(suffix);
    return len > n && strcmp(name + len - n, suffix) == 0 ? len - n : len;
}

/* A name that was given with its endings is taken without them. */
static int stem_of(const char *base)
{
    char plain[STORE_MAX_KEY];
    (void)snprintf(plain, sizeof plain, "%.*s", (int)length_without(base, bz2), base);
    return (int)length_without(plain, json);
}

/* As 2 has it: base20171106.json of GENERATION_1, base.json.20200601.bz2 later; the date may be "".
 */
static int name_object(char out[STORE_MAX_KEY + 1], const struct objects *o, const char *base,
                       const char *date, struct err *err)
{
    const bool joined = o->generation == GENERATION_1; // its prefixes have their slash
    const char *packed = o->generation == GENERATION_3 ? bz2 : "";
    int prefix = (int)strlen(o->prefix);
    while (!joined && prefix > 0 && o->prefix[prefix - 1] == '/')
        prefix--;
    const int stem = stem_of(base);
    const char *slash = joined || prefix == 0 ? "" : "/";
    const int n =
        joined ? snprintf(out, STORE_MAX_KEY + 1, "%s%.*s%s%s", o->prefix, stem, base, date, json)
               : snprintf(out, STORE_MAX_KEY + 1, "%.*s%s%.*s%s%s%s%s", prefix, o->prefix, slash,
                          stem, base, json, date[0] ? "." : "", date, packed);
    return n >= 0 && n <= STORE_MAX_KEY
               ? 0
               : err_set(err, E_ARG, 0, "the prefix \"%.100s\" is too long", o->prefix);
}

static int put(const struct objects *o, const char *base, const char *date, struct span bytes,
               struct err *err)
{
    char key[STORE_MAX_KEY + 1];
    int r = name_object(key, o, base, date, err);
    if (r == 0)
        r = store_put(o->store, key, bytes, NULL, NULL, err);
    return r < 0 ? err_wrap(err, r, "write %s in %s", key, store_name(o->store)) : 0;
}

int objects_write(const struct objects *o, const char *base, const char *date, struct span text,
                  struct err *err)
{
    CLEANUP(buf_deinit) struct buf packed = BUF_INIT(SIZE_MAX);
    struct span bytes = text;
    int r = 0;
    if (o->generation == GENERATION_3) {
        r = bzip2_compress(&packed, text, err);
        bytes = buf_span(&packed);
    }
    const bool dated_first = o->generation == GENERATION_1;
    if (r == 0)
        r = put(o, base, dated_first ? date : "", bytes, err);
    if (r == 0)
        r = put(o, base, dated_first ? "" : date, bytes, err);
    return r;
}

int objects_unpack(struct buf *text, struct span bytes, struct err *err)
{
    const bool packed = bytes.len >= 3 && memcmp(bytes.ptr, "BZh", 3) == 0;
    int r =
        packed ? bzip2_decompress(text, bytes, err) : buf_append(text, bytes.ptr, bytes.len, err);
    if (r == 0)
        r = buf_reserve(text, NDJSON_SLACK, err);
    return r;
}

int objects_read(const struct objects *o, const char *base, struct buf *text, struct err *err)
{
    char key[STORE_MAX_KEY + 1];
    CLEANUP(buf_deinit) struct buf bytes = BUF_INIT(OBJECT_MAX_BYTES);
    int r = name_object(key, o, base, "", err);
    if (r == 0)
        r = store_get_all(o->store, key, &bytes, NULL, err);
    if (r < 0)
        return r; // it names the object
    r = objects_unpack(text, buf_span(&bytes), err);
    return r < 0 ? err_wrap(err, r, "%s in %s", key, store_name(o->store)) : 0;
}
