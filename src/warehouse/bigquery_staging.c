/* SPDX-License-Identifier: MPL-2.0 */
/*
 * BigQuery: staging tables. One has the columns of ours as the target has them, so that a load
 * refuses what the MERGE would fail of, and ends by itself when nobody drops it.
 */
#include "base/utc.h"
#include "codec/hex.h"
#include "warehouse/bigquery_batch.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdlib.h>

enum { LIFE_HOURS = 6, BLOCK_BYTES = 256 << 10, DIGEST_BYTES = 32 };

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

/* What another table must not, or need not, have of a field. */
static void strip(json_t *field)
{
    static const char *const others[] = {"policyTags", "description", "defaultValueExpression"};
    size_t i;
    json_t *part;
    for (size_t k = 0; k < ARRAY_LEN(others); k++)
        (void)json_object_del(field, others[k]);
    json_array_foreach(json_object_get(field, "fields"), i, part) strip(part);
}

/* Rows that have nothing where the table must have something. */
static int refuse_nulls(struct staged_table *t, size_t column, struct err *err)
{
    char reason[400];
    (void)snprintf(reason, sizeof reason, "column %s is null, which table %s does not have",
                   t->schema->columns[column].name, t->schema->name);
    int r = 0;
    for (size_t i = 0; i < t->n_rows && r == 0; i++)
        if (t->rows[i].state == ROW_PENDING && (t->rows[i].nulls >> column & 1))
            r = refuse_row(t, i, reason, err);
    return r;
}

static int take_field(struct staged_table *t, const json_t *fields, size_t column, struct err *err)
{
    const char *name = t->schema->columns[column].name;
    size_t i;
    json_t *field;
    json_array_foreach(fields, i, field)
    {
        if (strcmp(text_of(field, "name"), name) != 0)
            continue;
        json_t *copy = json_deep_copy(field);
        strip(copy);
        if (json_array_append_new(t->fields, copy) != 0)
            return bigquery_need(NULL, err);
        return column < NULLS_KNOWN && strcmp(text_of(field, "mode"), "REQUIRED") == 0
                   ? refuse_nulls(t, column, err)
                   : 0;
    }
    return err_set(err, E_FORMAT, 0, "%s: table %s has no column %s", t->b->url, t->schema->name,
                   name);
}

int staging_prepare(struct staged_table *t, struct err *err)
{
    json_t *table = NULL;
    int r = bigquery_get_table(t->b, t->name, &table, err);
    if (r == 0)
        return err_set(err, E_ABSENT, 0, "%s has no table %s", t->b->url, t->schema->name);
    if (r > 0)
        r = bigquery_need(t->fields = json_array(), err);
    const json_t *fields = json_object_get(json_object_get(table, "schema"), "fields");
    for (size_t i = 0; t->schema->columns[i].name && r == 0; i++)
        r = take_field(t, fields, i, err);
    json_decref(table);
    return r;
}

static int digest_file(EVP_MD_CTX *context, const struct tempfile *file, struct err *err)
{
    uint8_t *block = malloc(BLOCK_BYTES);
    int r = block ? 0 : err_set(err, E_NOMEM, 0, "no memory for rows");
    for (uint64_t at = 0; at < file->end && r == 0; at += BLOCK_BYTES) {
        const uint64_t left = file->end - at;
        const size_t n = left < BLOCK_BYTES ? (size_t)left : BLOCK_BYTES;
        r = tempfile_read(file, at, block, n, err);
        if (r == 0 && EVP_DigestUpdate(context, block, n) != 1)
            r = err_set(err, E_CRYPTO, 0, "libcrypto cannot hash");
    }
    free(block);
    return r;
}

/* Of project, table, its fields and rows: a leftover with other fields would refuse them. */
static int digest_all(struct staged_table *t, uint8_t digest[DIGEST_BYTES], struct err *err)
{
    char *fields = json_dumps(t->fields, JSON_COMPACT);
    const char *const texts[] = {t->b->project, t->name->dataset, t->name->table, fields};
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok = fields && context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1;
    for (size_t i = 0; i < ARRAY_LEN(texts) && ok; i++)
        ok = EVP_DigestUpdate(context, texts[i], strlen(texts[i]) + 1) == 1;
    int r = ok ? digest_file(context, &t->file, err)
               : err_set(err, E_CRYPTO, 0, "libcrypto cannot hash");
    if (r == 0 && EVP_DigestFinal_ex(context, digest, NULL) != 1)
        r = err_set(err, E_CRYPTO, 0, "libcrypto cannot hash");
    EVP_MD_CTX_free(context);
    free(fields);
    return r;
}

int staging_name(struct staged_table *t, unsigned attempt, struct err *err)
{
    static const char lead[] = "weir_staging_";
    uint8_t digest[DIGEST_BYTES];
    const size_t len = sizeof lead - 1 + DIGEST_BYTES; // of which half is enough
    if (attempt == 0) {
        const int r = digest_all(t, digest, err);
        if (r < 0)
            return r;
        memcpy(t->staging, lead, sizeof lead);
        hex_encode(t->staging + sizeof lead - 1, digest, DIGEST_BYTES / 2);
    }
    (void)snprintf(t->staging + len, sizeof t->staging - len, "_%u", attempt);
    return 0;
}

int staging_create(struct staged_table *t, struct err *err)
{
    char end_ms[32];
    const int64_t life_us = INT64_C(1000000) * 3600 * LIFE_HOURS;
    (void)snprintf(end_ms, sizeof end_ms, "%" PRId64, (utc_now_us() + life_us) / 1000);
    json_t *body = json_pack("{s:{s:s, s:s, s:s}, s:{s:O}, s:s}", "tableReference", "projectId",
                             t->b->project, "datasetId", t->name->dataset, "tableId", t->staging,
                             "schema", "fields", t->fields, "expirationTime", end_ms);
    const int r = bigquery_create_table(t->b, t->name->dataset, body, err);
    json_decref(body);
    return r;
}

int staging_count(struct staged_table *t, uint64_t *n, struct err *err)
{
    json_t *table = NULL;
    const int r =
        bigquery_get_table(t->b, &(struct table_name){t->name->dataset, t->staging}, &table, err);
    if (r == 0)
        return err_set(err, E_ABSENT, 0, "%s: table %s is gone", t->b->url, t->staging);
    const char *text = text_of(table, "numRows");
    *n = *text ? strtoull(text, NULL, 10) : UINT64_MAX;
    json_decref(table);
    return r < 0 ? r : 0;
}

int staging_is_there(struct staged_table *t, struct err *err)
{
    return bigquery_has_table(t->b, &(struct table_name){t->name->dataset, t->staging}, err);
}

void staging_drop(struct staged_table *t)
{
    bigquery_delete_table(t->b, &(struct table_name){t->name->dataset, t->staging});
}
