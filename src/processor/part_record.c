/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/part_record.h"

#include "processor/counts_json.h"
#include "processor/state_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void part_record_deinit(struct part_record *record)
{
    free(record->raw.key);
    free(record->answer.key);
    free(record->trace.key);
    *record = (struct part_record){0};
}

static json_t *object_json(const struct noted_object *o)
{
    char hex[HASH_HEX_BYTES];
    hash_to_hex(hex, &o->hash);
    return json_pack("{s:s, s:I, s:s, s:s}", "key", o->key, "size", (json_int_t)o->size, "version",
                     o->version, "hash", hex);
}

int part_record_write(const struct part_record *record, struct store *store, const char *key,
                      struct err *err)
{
    char before[HASH_HEX_BYTES];
    hash_to_hex(before, &record->before);
    STATE_JSON *root = json_pack(
        "{s:i, s:b, s:s, s:o, s:o, s:o, s:o}", "format", 1, "packed", record->packed, "before",
        before, "raw", object_json(&record->raw), "answer", object_json(&record->answer), "trace",
        object_json(&record->trace), "counts", counts_to_json(&record->counts));
    return state_json_write(root, store, key, err);
}

static bool read_object(const json_t *from, struct noted_object *o)
{
    const char *key, *version, *hex;
    json_int_t size;
    if (json_unpack((json_t *)from, "{s:s, s:I, s:s, s:s}", "key", &key, "size", &size, "version",
                    &version, "hash", &hex) != 0 ||
        size < 0 || strlen(version) >= sizeof o->version || !hash_from_hex(&o->hash, hex))
        return false;
    o->has_hash = true;
    o->size = (uint64_t)size;
    (void)snprintf(o->version, sizeof o->version, "%s", version);
    o->key = strdup(key);
    return o->key != NULL;
}

static bool read_before(const json_t *root, struct hash *out)
{
    const char *hex = json_string_value(json_object_get(root, "before"));
    return hex && hash_from_hex(out, hex);
}

int part_record_read(struct part_record *record, struct store *store, const char *key,
                     struct err *err)
{
    STATE_JSON *root = NULL;
    *record = (struct part_record){0};
    const int r = state_json_read(&root, store, key, err);
    if (r < 0)
        return r;
    record->packed = json_is_true(json_object_get(root, "packed"));
    if (json_integer_value(json_object_get(root, "format")) == 1 &&
        read_before(root, &record->before) &&
        read_object(json_object_get(root, "raw"), &record->raw) &&
        read_object(json_object_get(root, "answer"), &record->answer) &&
        read_object(json_object_get(root, "trace"), &record->trace) &&
        counts_from_json(json_object_get(root, "counts"), &record->counts))
        return 0;
    part_record_deinit(record);
    return err_set(err, E_FORMAT, 0, "%s: %s: not the record of a part", store_name(store), key);
}
