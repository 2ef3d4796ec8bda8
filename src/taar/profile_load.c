/* SPDX-License-Identifier: MPL-2.0 */
/* The stage gcs-to-bigtable: Avro files, record by record, into rows. */
#include "base/log.h"
#include "taar/profile_names.h"
#include "taar/profile_payload.h"

#include <inttypes.h>

enum { US_OF_MS = 1000 };

struct loading {
    struct profiles *profiles;
    struct profile_payload payload;
    int64_t timestamp_us;
    struct profile_load_counts *counts;
};

static int put_record(struct loading *l, const struct avro_value *record, struct err *err)
{
    const int r = profile_payload_make(&l->payload, record, err);
    if (r == PROFILE_NULL_ID) {
        l->counts->n_null_ids++;
        return 0;
    }
    if (r == PROFILE_NOT_FINITE) {
        l->counts->n_not_finite++;
        return 0;
    }
    if (r < 0)
        return r;
    l->counts->n_rows++;
    return profiles_put(l->profiles, span_of(l->payload.key, PROFILE_KEY_BYTES),
                        buf_span(&l->payload.packed), l->timestamp_us, err);
}

static bool has_client_id(const struct avro_schema *schema)
{
    bool has = false;
    for (size_t i = 0; schema->kind == AVRO_RECORD && i < schema->n; i++)
        has = has || span_equal(span_str(schema->names[i]), span_str("client_id"));
    return has;
}

static int load_records(struct loading *l, struct avro_reader *reader, const char *key,
                        struct err *err)
{
    const struct avro_value *record;
    if (!has_client_id(avro_reader_schema(reader)))
        return err_set(err, E_FORMAT, 0, "%s: its records have no client_id", key);
    int r;
    uint64_t n = 0;
    while ((r = avro_read(reader, &record, err)) == 1) {
        n++;
        r = put_record(l, record, err);
        if (r < 0)
            return err_wrap(err, r, "%s: record %" PRIu64, key, n);
    }
    return r;
}

static int load_file(struct loading *l, struct store *bucket, const char *key, struct err *err)
{
    CLEANUP(store_reader_closep) struct store_reader *object = NULL;
    CLEANUP(avro_reader_closep) struct avro_reader *reader = NULL;
    int r = store_get(&object, bucket, key, 0, STORE_TO_END, err);
    if (r == 0)
        r = avro_reader_open(&reader, store_reader_source(object), key, err);
    if (r == 0)
        r = load_records(l, reader, key, err);
    if (r < 0)
        return r;
    l->counts->n_files++;
    log_event(LOG_LEVEL_DEBUG, "file loaded", LOG_S("file", key));
    return 0;
}

static int load_files(struct loading *l, const struct profile_files *files, struct err *err)
{
    CLEANUP(store_listing_deinit) struct store_listing listing = {0};
    char prefix[PROFILE_NAME_BYTES];
    profile_day_prefix(prefix, files->iso);
    int r = store_list(files->bucket, prefix, &listing, err);
    if (r == 0 && listing.n == 0)
        r = err_set(err, E_ABSENT, 0,
                    "%s holds no %s*: run the stages --fill-bq and --bq-to-gcs first",
                    store_name(files->bucket), prefix);
    for (size_t i = 0; i < listing.n && r == 0; i++)
        r = load_file(l, files->bucket, listing.objects[i].key, err);
    return r;
}

int profile_load(struct profiles *p, const struct profile_files *files, int64_t timestamp_us,
                 bool fetcher_keys, struct profile_load_counts *counts, struct err *err)
{
    struct loading l = {.profiles = p, .counts = counts};
    l.timestamp_us = timestamp_us - timestamp_us % US_OF_MS;
    *counts = (struct profile_load_counts){0};
    int r = profile_payload_init(&l.payload, fetcher_keys, err);
    if (r == 0)
        r = profiles_ensure_table(p, err);
    if (r == 0)
        r = load_files(&l, files, err);
    if (r == 0)
        r = profiles_flush(p, err);
    profile_payload_deinit(&l.payload);
    return r;
}
