/* SPDX-License-Identifier: MPL-2.0 */
/* BigQuery: one load job into a staging table, and what it says of rows that it refuses. */
#include "codec/hex.h"
#include "warehouse/bigquery_batch.h"

#include <openssl/evp.h>
#include <stdlib.h>

enum { BLOCK_BYTES = 256 << 10, DIGEST_BYTES = 32 };

/* The rows of a job as they are sent. */
struct part {
    struct tempfile file;
    EVP_MD_CTX *context; // over the staging table's name and all bytes
    uint8_t *block;
};

static void part_deinit(struct part *p)
{
    tempfile_close(&p->file);
    EVP_MD_CTX_free(p->context);
    free(p->block);
}

static int digest(struct part *p, const void *bytes, size_t n, struct err *err)
{
    return EVP_DigestUpdate(p->context, bytes, n) == 1
               ? 0
               : err_set(err, E_CRYPTO, 0, "libcrypto cannot hash");
}

static int part_init(struct part *p, const struct staged_table *t, struct err *err)
{
    p->context = EVP_MD_CTX_new();
    p->block = malloc(BLOCK_BYTES);
    if (!p->context || !p->block || EVP_DigestInit_ex(p->context, EVP_sha256(), NULL) != 1)
        return err_set(err, E_NOMEM, 0, "no memory for rows");
    const int r = digest(p, t->staging, strlen(t->staging) + 1, err);
    return r < 0 ? r : tempfile_open(&p->file, t->b->temp_dir, err);
}

static int copy(struct part *p, const struct tempfile *from, uint64_t at, uint64_t end,
                struct err *err)
{
    int r = 0;
    while (at < end && r == 0) {
        const size_t n = end - at < BLOCK_BYTES ? (size_t)(end - at) : BLOCK_BYTES;
        r = tempfile_read(from, at, p->block, n, err);
        if (r == 0)
            r = digest(p, p->block, n, err);
        if (r == 0)
            r = tempfile_append(&p->file, p->block, n, err);
        at += n;
    }
    return r;
}

/* Neighbours go together. */
static int fill(struct part *p, const struct staged_table *t, size_t first, size_t end,
                struct err *err)
{
    int r = 0;
    for (size_t i = first; i < end && r == 0; i++) {
        const uint64_t at = t->rows[i].offset;
        if (t->rows[i].state != ROW_PENDING)
            continue;
        while (i + 1 < end && t->rows[i + 1].state == ROW_PENDING)
            i++;
        r = copy(p, &t->file, at, t->rows[i].offset + t->rows[i].len, err);
    }
    return r;
}

/* The same rows have the same ids, in the order of tries. */
static int name_job(char id[JOB_ID_BYTES], const struct part *p, unsigned number, struct err *err)
{
    static const char lead[] = "weir_stage_";
    uint8_t out[DIGEST_BYTES];
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    const bool ok = context && EVP_MD_CTX_copy_ex(context, p->context) == 1 &&
                    EVP_DigestFinal_ex(context, out, NULL) == 1;
    EVP_MD_CTX_free(context);
    if (!ok)
        return err_set(err, E_CRYPTO, 0, "libcrypto cannot hash");
    memcpy(id, lead, sizeof lead);
    hex_encode(id + sizeof lead - 1, out, DIGEST_BYTES / 2);
    const size_t len = sizeof lead - 1 + DIGEST_BYTES;
    (void)snprintf(id + len, JOB_ID_BYTES - len, "_%u", number);
    return 0;
}

static json_t *configure(const struct staged_table *t)
{
    return json_pack("{s:{s:{s:s, s:s, s:s}, s:s, s:s, s:s, s:i, s:b}}", "load", "destinationTable",
                     "projectId", t->b->project, "datasetId", t->name->dataset, "tableId",
                     t->staging, "sourceFormat", "NEWLINE_DELIMITED_JSON", "createDisposition",
                     "CREATE_NEVER", "writeDisposition", "WRITE_APPEND", "maxBadRecords", 0,
                     "ignoreUnknownValues", 0);
}

/* @return as bigquery_wait; 2: refused for its size. */
static int try_job(struct staged_table *t, const struct part *p, unsigned number, json_t **answer,
                   struct err *err)
{
    char id[JOB_ID_BYTES];
    int r = name_job(id, p, number, err);
    if (r < 0)
        return r;
    json_t *job = bigquery_job(t->b, id, configure(t));
    r = bigquery_need(job, err);
    if (r == 0)
        r = bigquery_upload(t->b, id, job, &p->file, answer, err);
    json_decref(job);
    if (r < 0 || r == UPLOAD_IS_TOO_LARGE)
        return r;
    t->any_known |= r == UPLOAD_IS_KNOWN;
    return bigquery_wait(t->b, answer, err);
}

static bool is_absent(const json_t *job)
{
    return strcmp(bigquery_job_reason(job), "notFound") == 0;
}

/* @return as try_job, and E_ABSENT: the staging table is gone. It may also be unknown to jobs for a
 * moment after it was made. */
static int run_job(struct staged_table *t, const struct part *p, json_t **answer, struct err *err)
{
    struct bigquery_patience patience;
    bigquery_patience_init(&patience, t->b);
    for (unsigned number = 0;; number++) {
        int r = try_job(t, p, number, answer, err);
        if (r == 0 || r == UPLOAD_IS_TOO_LARGE)
            return r;
        const bool absent = is_absent(*answer);
        const int there = absent ? staging_is_there(t, err) : 1;
        if (there <= 0)
            return there < 0 ? there : E_ABSENT;
        const enum bigquery_limit limit = absent ? LIMIT_BRIEF : bigquery_job_limit(*answer);
        if (!bigquery_patience_wait(&patience, limit, 0))
            return r == 1 ? E_IO : r;
        json_decref(*answer);
        *answer = NULL;
    }
}

static bool number_behind(uint64_t *number, const char *text, const char *mark)
{
    const char *at = strstr(text, mark);
    if (!at)
        return false;
    at += strlen(mark);
    at += strspn(at, " ");
    char *end;
    *number = strtoull(at, &end, 10);
    return end > at && *at != '-';
}

/* The row at a place in the job's bytes, or of a number. */
static size_t find_row(const struct staged_table *t, size_t first, size_t end, uint64_t offset,
                       uint64_t number)
{
    for (size_t i = first; i < end; i++) {
        if (t->rows[i].state != ROW_PENDING)
            continue;
        if (number == 0 || offset < t->rows[i].len)
            return i;
        offset -= t->rows[i].len;
        number--;
    }
    return SIZE_MAX;
}

/* Both ways in which BigQuery says where a row is: of the row that begins at a byte, or of a line.
 * Whoever asks tries that row alone, so that a wrong one is no loss. */
static size_t row_named(const struct staged_table *t, size_t first, size_t end, const char *text)
{
    uint64_t n;
    if (number_behind(&n, text, "starting at position"))
        return find_row(t, first, end, n, UINT64_MAX);
    if ((number_behind(&n, text, "Line:") || number_behind(&n, text, "line ")) && n > 0)
        return find_row(t, first, end, UINT64_MAX, n - 1);
    return SIZE_MAX;
}

static size_t find_suspect(const struct staged_table *t, size_t first, size_t end,
                           const json_t *job)
{
    static const char *const places[] = {"message", "location"};
    const json_t *errors = json_object_get(json_object_get(job, "status"), "errors");
    size_t suspect = SIZE_MAX;
    for (size_t i = 0; i < json_array_size(errors) && suspect == SIZE_MAX; i++)
        for (size_t k = 0; k < ARRAY_LEN(places) && suspect == SIZE_MAX; k++) {
            const char *text =
                json_string_value(json_object_get(json_array_get(errors, i), places[k]));
            if (text)
                suspect = row_named(t, first, end, text);
        }
    return suspect;
}

int stage_by_job(struct staged_table *t, size_t first, size_t end, size_t *suspect, struct err *err)
{
    CLEANUP(part_deinit) struct part part = {.file = TEMPFILE_INIT};
    json_t *answer = NULL;
    *suspect = SIZE_MAX;
    int r = part_init(&part, t, err);
    if (r == 0)
        r = fill(&part, t, first, end, err);
    if (r == 0)
        r = run_job(t, &part, &answer, err);
    if (r == E_IO && strcmp(bigquery_job_reason(answer), "invalid") == 0) {
        *suspect = find_suspect(t, first, end, answer);
        r = 1;
    }
    json_decref(answer);
    return r == UPLOAD_IS_TOO_LARGE ? 1 : r;
}
