/* SPDX-License-Identifier: MPL-2.0 */
/* The stage bq-to-gcs: the table as Avro files in a bucket. */
#include "taar/profile_avro.h"
#include "taar/profile_names.h"
#include "taar/sql.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SQL_BYTES_MAX = 1 << 16, TEXT_BYTES_MAX = 256 << 20, HASH_BYTES = 32, SYNC_BYTES = 16 };

struct exporting {
    const struct profile_files *files;
    uint64_t shard_bytes;
    struct record_ops ops;
    struct buf schema, scratch, texts;

    struct store_writer *object; // of the open file
    struct avro_writer avro;
    uint64_t n_bytes;
    uint64_t n_files, n_rows;
};

static void exporting_deinit(struct exporting *e)
{
    store_writer_abandon(e->object);
    avro_writer_deinit(&e->avro);
    buf_deinit(&e->schema);
    buf_deinit(&e->scratch);
    buf_deinit(&e->texts);
}

static int write_object(void *arg, const void *bytes, size_t len, struct err *err)
{
    struct exporting *e = arg;
    e->n_bytes += len;
    return store_writer_write(e->object, bytes, len, err);
}

/* The same rows give the same bytes. */
static int make_sync(uint8_t sync[SYNC_BYTES], const char *name, struct err *err)
{
    unsigned char hash[HASH_BYTES];
    if (EVP_Digest(name, strlen(name), hash, NULL, EVP_sha256(), NULL) != 1)
        return err_set(err, E_NOMEM, 0, "a marker for %s", name);
    memcpy(sync, hash, SYNC_BYTES);
    return 0;
}

static int begin_file(struct exporting *e, struct err *err)
{
    char name[PROFILE_NAME_BYTES];
    uint8_t sync[SYNC_BYTES];
    profile_shard_name(name, e->files->iso, e->n_files);
    e->n_files++;
    e->n_bytes = 0;
    int r = make_sync(sync, name, err);
    if (r == 0)
        r = store_put_begin(&e->object, e->files->bucket, name, NULL, err);
    return r < 0 ? r
                 : avro_writer_begin(&e->avro, (const char *)e->schema.data, sync, false,
                                     write_object, e, err);
}

static int end_file(struct exporting *e, struct err *err)
{
    int r = avro_writer_finish(&e->avro, err);
    avro_writer_deinit(&e->avro);
    e->avro = (struct avro_writer){0};
    if (r < 0)
        return r;
    r = store_writer_commit(e->object, NULL, err);
    e->object = NULL;
    return r;
}

static int export_row(void *arg, const struct cell *cells, struct err *err)
{
    struct exporting *e = arg;
    int r = 0;
    if (e->n_bytes >= e->shard_bytes)
        r = end_file(e, err);
    if (r == 0 && !e->object)
        r = begin_file(e, err);
    if (r == 0)
        r = profile_put_row(&e->avro.block, &e->ops, &e->scratch, &e->texts, cells, err);
    e->n_rows++;
    return r < 0 ? r : avro_writer_end_record(&e->avro, err);
}

static int export_rows(struct exporting *e, struct warehouse *w, const struct profile_table *table,
                       struct err *err)
{
    CLEANUP(buf_deinit) struct buf sql = BUF_INIT(SQL_BYTES_MAX);
    int r = profile_schema(&e->schema, err);
    if (r == 0)
        r = profile_fill_sql(&sql, w, sql_profile_rows.duckdb, table, err);
    if (r == 0)
        r = begin_file(e, err); // an empty table gives a file, too
    if (r == 0)
        r = warehouse_query(w, (const char *)sql.data, profile_columns, export_row, e, err);
    return r == 0 && e->object ? end_file(e, err) : r;
}

static int export_by_bigquery(struct warehouse *w, const struct profile_table *table,
                              const struct profile_files *files, struct err *err)
{
    CLEANUP(buf_deinit) struct buf sql = BUF_INIT(SQL_BYTES_MAX);
    char prefix[PROFILE_NAME_BYTES], name[2 * 256], *uri = NULL;
    const char *bucket = store_name(files->bucket);
    if (strncmp(bucket, "gs://", 5) != 0)
        return err_set(err, E_ARG, 0,
                       "BigQuery exports to gs:// only, and the Avro files' bucket is %s", bucket);
    profile_day_prefix(prefix, files->iso);
    (void)snprintf(name, sizeof name, "%.255s.%.255s", table->dataset, table->table);
    const char *slash = bucket[strlen(bucket) - 1] == '/' ? "" : "/";
    if (asprintf(&uri, "%s%s%s*", bucket, slash, prefix) < 0)
        return err_set(err, E_NOMEM, 0, "no memory for a place");
    const struct sql_value values[] = {
        {"uri", SQL_TEXT, uri, 0}, {"table", SQL_TABLE, name, 0}, {.name = NULL}};
    int r = warehouse_fill_sql(&sql, w, sql_profile_export.bigquery, values, err);
    if (r == 0)
        r = warehouse_query(w, (const char *)sql.data, NULL, NULL, NULL, err);
    free(uri);
    return r;
}

int profile_export(struct warehouse *w, const struct profile_table *table,
                   const struct profile_files *files, uint64_t shard_bytes, uint64_t *n_rows,
                   struct err *err)
{
    CLEANUP(exporting_deinit)
    struct exporting e = {.files = files,
                          .shard_bytes = shard_bytes,
                          .schema = BUF_INIT(SQL_BYTES_MAX),
                          .scratch = BUF_INIT(TEXT_BYTES_MAX),
                          .texts = BUF_INIT(TEXT_BYTES_MAX)};
    uint64_t n_old;
    record_ops_init(&e.ops, 0);
    *n_rows = 0;
    int r = profile_wipe_day(files, &n_old, err); // there may have been more of them
    if (r < 0)
        return r;
    if (warehouse_is_bigquery(w))
        return export_by_bigquery(w, table, files, err);
    r = export_rows(&e, w, table, err);
    *n_rows = e.n_rows;
    return r;
}
