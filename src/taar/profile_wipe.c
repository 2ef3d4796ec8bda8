/* SPDX-License-Identifier: MPL-2.0 */
/* What is between the stages goes again: Avro files and the table. */
#include "taar/profile_names.h"

#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

void profile_day_prefix(char out[PROFILE_NAME_BYTES], const char *iso)
{
    (void)snprintf(out, PROFILE_NAME_BYTES, "taar-profile.%.8s.avro.", iso);
}

void profile_shard_name(char out[PROFILE_NAME_BYTES], const char *iso, uint64_t number)
{
    (void)snprintf(out, PROFILE_NAME_BYTES, "taar-profile.%.8s.avro.%012" PRIu64, iso, number);
}

/* Of everything else in the bucket nothing is touched (H10). */
static int wipe(struct store *bucket, const char *prefix, const char *pattern, uint64_t *n_files,
                struct err *err)
{
    CLEANUP(store_listing_deinit) struct store_listing listing = {0};
    *n_files = 0;
    int r = store_list(bucket, prefix, &listing, err);
    if (r < 0 || listing.n == 0)
        return r;
    const char **keys = calloc(listing.n, sizeof *keys);
    if (!keys)
        return err_set(err, E_NOMEM, 0, "no memory for names of files");
    size_t n = 0;
    for (size_t i = 0; i < listing.n; i++) {
        if (fnmatch(pattern, listing.objects[i].key, FNM_PATHNAME) == 0)
            keys[n++] = listing.objects[i].key;
    }
    r = n > 0 ? store_delete(bucket, keys, n, err) : 0;
    *n_files = n;
    free(keys);
    return r;
}

int profile_wipe_avro(struct store *bucket, uint64_t *n_files, struct err *err)
{
    return wipe(bucket, "taar-profile.", "taar-profile.*.avro*", n_files, err);
}

int profile_wipe_day(const struct profile_files *files, uint64_t *n_files, struct err *err)
{
    char prefix[PROFILE_NAME_BYTES], pattern[PROFILE_NAME_BYTES + 1];
    profile_day_prefix(prefix, files->iso);
    (void)snprintf(pattern, sizeof pattern, "%s*", prefix);
    return wipe(files->bucket, prefix, pattern, n_files, err);
}

int profile_wipe_table(struct warehouse *w, const struct profile_table *table, struct err *err)
{
    CLEANUP(buf_deinit) struct buf sql = BUF_INIT(1 << 16);
    const int r = profile_fill_sql(
        &sql, w,
        warehouse_is_bigquery(w) ? "DROP TABLE IF EXISTS {table}"
                                 : "DROP TABLE IF EXISTS {table}; DROP TABLE IF EXISTS {part}",
        table, err);
    return r < 0 ? r : warehouse_query(w, (const char *)sql.data, NULL, NULL, NULL, err);
}
