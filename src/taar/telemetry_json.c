/* SPDX-License-Identifier: MPL-2.0 */
/* Where a line is no JSON: DuckDB counts lines by its buffers, and a user wants to open the file.
 */
#include "base/source.h"
#include "codec/gzip.h"
#include "codec/ndjson.h"
#include "taar/telemetry_internal.h"

#include <inttypes.h>
#include <jansson.h>

enum { MAX_LINE = 64 << 20, CHUNK_BYTES = 1 << 20 };

static int check_line(const char *path, uint64_t number, struct span line, struct err *err)
{
    json_error_t problem;
    if (line.len == 0 || strspn((const char *)line.ptr, " \t\r") >= line.len)
        return 0;
    json_t *json = json_loadb((const char *)line.ptr, line.len, JSON_DECODE_INT_AS_REAL, &problem);
    const bool is_object = json_is_object(json);
    const bool is_json = json != NULL;
    json_decref(json);
    if (is_object)
        return 0;
    return err_set(err, E_FORMAT, 0, "%s:%" PRIu64 ": %s", path, number,
                   is_json ? "it is no JSON object" : problem.text);
}

static int check_lines(const char *path, struct source from, struct err *err)
{
    struct ndjson_reader in;
    struct ndjson_chunk chunk;
    struct span line;
    ndjson_reader_init(&in, from, MAX_LINE);
    ndjson_chunk_init(&chunk, MAX_LINE);
    int r = 1;
    while (r > 0 && (r = ndjson_fill(&in, &chunk, CHUNK_BYTES, err)) > 0) {
        int bad = chunk.too_long ? err_set(err, E_FORMAT, 0, "%s:%" PRIu64 ": it is too long", path,
                                           chunk.first_line)
                                 : 0;
        while (bad == 0 && ndjson_line(&chunk, &line))
            bad = check_line(path, chunk.line, line, err);
        r = bad < 0 ? bad : r;
    }
    ndjson_chunk_deinit(&chunk);
    ndjson_reader_deinit(&in);
    return r;
}

static int check_file(const char *path, struct err *err)
{
    CLEANUP(file_source_close) struct file_source file = {.fd = -1};
    CLEANUP(gunzip_freep) struct gunzip *gunzip = NULL;
    int r = file_source_open(&file, path, err);
    if (r == 0)
        r = gunzip_new(&gunzip, file_source(&file), err);
    if (r == 0)
        r = check_lines(path, gunzip_source(gunzip), err);
    return r < 0 && !strstr(err->text, path) ? err_wrap(err, r, "%s", path) : r;
}

int explain_json(const struct source_file *files, size_t n, int r, struct err *err)
{
    struct err better = {0};
    const bool transform = strstr(err->text, "JSON transform error") != NULL;
    if (!transform && !strstr(err->text, "Malformed JSON"))
        return r;
    for (size_t i = 0; i < n; i++) {
        if (!strstr(err->text, files[i].path) || check_file(files[i].path, &better) != E_FORMAT)
            continue;
        *err = better;
        return E_FORMAT;
    }
    if (transform) // a value of another type: DuckDB's line is right there
        err->code = E_FORMAT;
    return transform ? E_FORMAT : r;
}
