/* SPDX-License-Identifier: MPL-2.0 */
/* DuckDB: the file, its settings and its lock. */
#include "base/outfile.h"
#include "base/utf8.h"
#include "warehouse/duckdb_impl.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const uint64_t default_memory_bytes = UINT64_C(1) << 30;
static const uint64_t bytes_per_thread = UINT64_C(128) << 20;

int duckdb_backend_err(struct err *err, int code, const struct duckdb_backend *b, const char *what,
                       const char *text)
{
    if (!text)
        text = "no reason given";
    return err_set(err, (enum err_code)code, 0, "%s: %s: %.*s", b->path, what,
                   (int)strcspn(text, "\n"), text);
}

int duckdb_backend_change(struct duckdb_backend *b, duckdb_connection c, const char *sql,
                          uint64_t *n_changed, struct err *err)
{
    duckdb_result result;
    int r = 0;
    if (duckdb_query(c, sql, &result) != DuckDBSuccess) {
        const bool constraint = duckdb_result_error_type(&result) == DUCKDB_ERROR_CONSTRAINT;
        r = duckdb_backend_err(err, constraint ? E_FORMAT : E_IO, b, "DuckDB",
                               duckdb_result_error(&result));
    } else if (n_changed) {
        *n_changed = duckdb_rows_changed(&result);
    }
    duckdb_destroy_result(&result);
    return r;
}

int duckdb_backend_run(struct duckdb_backend *b, duckdb_connection c, const char *sql,
                       struct err *err)
{
    return duckdb_backend_change(b, c, sql, NULL, err);
}

int duckdb_backend_connect(duckdb_connection *out, struct duckdb_backend *b, struct err *err)
{
    if (duckdb_connect(b->database, out) != DuckDBSuccess)
        return duckdb_backend_err(err, E_IO, b, "connect", NULL);
    const int r = duckdb_backend_run(b, *out, "SET TimeZone = 'UTC'", err);
    if (r < 0)
        duckdb_disconnect(out);
    return r;
}

static unsigned pick_threads(const struct warehouse_config *config, uint64_t memory_bytes)
{
    if (config->n_threads > 0)
        return config->n_threads;
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    const uint64_t most = memory_bytes / bytes_per_thread;
    const uint64_t n = cores > 0 && (uint64_t)cores < most ? (uint64_t)cores : most;
    return n > 0 ? (unsigned)n : 1;
}

static int set_option(duckdb_config c, const char *name, const char *value, struct err *err)
{
    return duckdb_set_config(c, name, value) == DuckDBSuccess
               ? 0
               : err_set(err, E_ARG, 0, "DuckDB refuses %s = %s", name, value);
}

/* Nothing is downloaded behind the user's back, and what does not fit in memory lies beside the
 * file, where the user made room. */
static int configure(duckdb_config c, const struct warehouse_config *config, const char *path,
                     struct err *err)
{
    const uint64_t memory =
        config->memory_limit_bytes > 0 ? config->memory_limit_bytes : default_memory_bytes;
    char memory_text[32], threads_text[16];
    (void)snprintf(memory_text, sizeof memory_text, "%" PRIu64 "B", memory);
    (void)snprintf(threads_text, sizeof threads_text, "%u", pick_threads(config, memory));
    char *temp = NULL;
    if (asprintf(&temp, "%s.tmp", path) < 0)
        return err_set(err, E_NOMEM, 0, "no memory for a path");
    const char *const options[][2] = {
        {"access_mode", config->read_only ? "READ_ONLY" : "READ_WRITE"},
        {"autoinstall_known_extensions", "false"},
        {"autoload_known_extensions", "false"},
        {"memory_limit", memory_text},
        {"threads", threads_text},
        {"temp_directory", temp},
    };
    int r = 0;
    for (size_t i = 0; i < ARRAY_LEN(options) && r == 0; i++)
        r = set_option(c, options[i][0], options[i][1], err);
    free(temp);
    return r;
}

/* @return 0, E_AGAIN: another program holds the file, or E_IO. */
static int try_open(struct duckdb_backend *b, duckdb_config c, struct err *err)
{
    char *text = NULL;
    if (duckdb_open_ext(b->path, &b->database, c, &text) == DuckDBSuccess)
        return 0;
    const bool held = text && strstr(text, "Could not set lock on file");
    const int r = held ? err_set(err, E_AGAIN, 0, "%s is held by another program", b->path)
                       : duckdb_backend_err(err, E_IO, b, "open", text);
    duckdb_free(text);
    return r;
}

static int make_at(const char *path, const struct duckdb_backend *b, duckdb_config c,
                   struct err *err)
{
    duckdb_database database = NULL;
    char *text = NULL;
    int r = 0;
    (void)unlink(path); // of a try that was killed
    if (duckdb_open_ext(path, &database, c, &text) != DuckDBSuccess)
        r = duckdb_backend_err(err, E_IO, b, "create", text);
    duckdb_free(text);
    duckdb_close(&database);
    if (r == 0 && rename(path, b->path) != 0)
        r = err_set(err, E_IO, errno, "%s: rename", path);
    if (r < 0)
        (void)unlink(path);
    return r;
}

/* A disk that is full, or a kill, while DuckDB lays out a new file would leave one that never opens
 * again. So it gets its name when it is whole. The lock is held. */
static int make_file(const struct duckdb_backend *b, duckdb_config c, struct err *err)
{
    if (access(b->path, F_OK) == 0)
        return 0;
    char *path = NULL;
    if (asprintf(&path, "%s.new", b->path) < 0)
        return err_set(err, E_NOMEM, 0, "no memory for a path");
    const int r = make_at(path, b, c, err);
    free(path);
    return r;
}

static int open_patiently(struct duckdb_backend *b, duckdb_config c,
                          const struct warehouse_config *config, struct err *err)
{
    struct duckdb_wait wait;
    duckdb_wait_init(&wait, b->path, config->lock_wait_ms);
    int r = duckdb_lock(&b->lock, &wait, config->read_only, err);
    if (r == 0 && !config->read_only)
        r = make_file(b, c, err);
    while (r == 0 && (r = try_open(b, c, err)) == E_AGAIN)
        r = duckdb_wait_more(&wait, err);
    return r;
}

static int prepare_place(const char *path, bool read_only, struct err *err)
{
    if (access(path, F_OK) == 0)
        return 0;
    if (read_only)
        return err_set(err, E_ABSENT, 0, "there is no warehouse %s", path);
    const char *slash = strrchr(path, '/');
    if (!slash || slash == path)
        return 0;
    char *dir = strndup(path, (size_t)(slash - path));
    const int r = dir ? make_directories(dir, err) : err_set(err, E_NOMEM, 0, "no memory");
    free(dir);
    return r;
}

static void backend_close(void *impl)
{
    struct duckdb_backend *b = impl;
    duckdb_close(&b->database);
    if (b->lock >= 0)
        (void)close(b->lock);
    free(b->path);
    free(b);
}

static int open_file(struct duckdb_backend *b, const struct warehouse_config *config,
                     struct err *err)
{
    duckdb_config c;
    if (duckdb_create_config(&c) != DuckDBSuccess)
        return err_set(err, E_NOMEM, 0, "no memory for DuckDB's settings");
    int r = configure(c, config, b->path, err);
    if (r == 0)
        r = prepare_place(b->path, config->read_only, err);
    if (r == 0)
        r = open_patiently(b, c, config, err);
    duckdb_destroy_config(&c);
    return r;
}

int duckdb_backend_open(void **impl, const struct warehouse_config *config, const char *rest,
                        struct err *err)
{
    if (rest[0] == '\0' || rest[strlen(rest) - 1] == '/')
        return err_set(err, E_ARG, 0, "\"%s\" names no file: write duckdb:///path/file.duckdb",
                       config->url);
    struct duckdb_backend *b = calloc(1, sizeof *b);
    if (!b)
        return err_set(err, E_NOMEM, 0, "no memory for a warehouse");
    b->lock = -1;
    b->path = strdup(rest);
    int r = b->path ? duckdb_library_load(err) : err_set(err, E_NOMEM, 0, "no memory");
    if (r == 0)
        r = open_file(b, config, err);
    if (r < 0) {
        backend_close(b);
        return r;
    }
    *impl = b;
    return 0;
}

static int check_name(const char *name, struct err *err)
{
    return name[0] != '\0' && utf8_is_valid(span_str(name))
               ? 0
               : err_set(err, E_ARG, 0, "\"%s\" cannot be a name in DuckDB", name);
}

const struct warehouse_ops duckdb_ops = {
    .quote = '"',
    .default_dataset = "main",
    .close = backend_close,
    .check_name = check_name,
    .append_table = duckdb_append_table,
    .has_table = duckdb_has_table,
    .ensure_table = duckdb_ensure_table,
    .query = duckdb_run_query,
    .load_begin = duckdb_load_begin,
    .load_row = duckdb_load_row,
    .load_commit = duckdb_load_commit,
    .load_free = duckdb_load_free,
    .batch_begin = duckdb_batch_begin,
    .batch_row = duckdb_batch_row,
    .batch_commit = duckdb_batch_commit,
    .batch_free = duckdb_batch_free,
    .ensure_view = duckdb_ensure_view,
};
