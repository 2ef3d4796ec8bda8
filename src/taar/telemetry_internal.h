/* telemetry_internal.h - what the files of telemetry share. */
#pragma once

#include "taar/telemetry.h"

enum { TELEMETRY_MAX_SQL = 256 << 20 };
#define NO_DAY INT64_MIN

/* telemetry_columns.c: what a relation has */
struct telemetry_column {
    const char *name;
    const char *type; // DuckDB's spelling
    bool in_json;     // read as text from JSON, then cast: exact where DuckDB goes through doubles
};
extern const struct telemetry_column *const telemetry_columns[]; // by kind; name NULL ends
const char *const *telemetry_needed(enum telemetry_kind kind);   // the default
extern const struct telemetry_column telemetry_addon_fields[];

/* telemetry_type.c: types as DuckDB spells them */

/* A column as a file or table has it. */
struct found {
    char *name, *type;
};
struct found_columns {
    struct found *columns;
    size_t n;
    char *place; // for messages
};
void found_columns_deinit(struct found_columns *f);
MUST_CHECK int found_columns_add(struct found_columns *f, struct span name, struct span type,
                                 struct err *err);
const struct found *found_column(const struct found_columns *f, const char *name);
/** The fields of a "STRUCT(a VARCHAR, b BIGINT)". @return 0, E_FORMAT: it is none. */
MUST_CHECK int read_struct_type(struct found_columns *fields, const char *type, struct err *err);
/** "X[]" -> X, owned; NULL: no list, or no memory. */
char *read_list_type(const char *type);

/* telemetry_cast.c: from what a column is to what it must be */

/** Append an expression that makes column of from; it is the bare name where the types agree.
 * @return 0, or E_FORMAT naming the column. */
MUST_CHECK int append_cast(struct buf *sql, const struct telemetry_column *column,
                           const char *expression, const char *from_type, struct err *err);
/** The same for active_addons. */
MUST_CHECK int append_addons(struct buf *sql, const char *type, struct err *err);
MUST_CHECK int append_identifier(struct buf *sql, const char *name, struct err *err);
MUST_CHECK int append_literal(struct buf *sql, const char *text, struct err *err);
MUST_CHECK int append_path(struct buf *sql, const char *path, struct err *err); // globs disarmed

/* telemetry_date.c: days in paths and rows */

/** @return 0 with *day or NO_DAY, or E_FORMAT: a partition that is no day. */
MUST_CHECK int day_of_path(int64_t *day, const char *path, struct err *err);
enum { DAY_TEXT_BYTES = 16 };
void day_text(char out[DAY_TEXT_BYTES], int64_t day, bool dashes);
/** Append the source with {dateformat} replaced. */
MUST_CHECK int append_dated(struct buf *out, const char *source, int64_t day, struct err *err);
bool has_dateformat(const char *source);
/** The expression of submission_date, and behind WHERE, if anything, a test for the wanted days.
 * found may lack both columns: *has is false then. */
MUST_CHECK int append_day_column(struct buf *sql, const struct found_columns *found, bool *has,
                                 struct err *err);
MUST_CHECK int append_day_test(struct buf *sql, const struct found_columns *found, int64_t first,
                               int64_t last, struct err *err);

/* telemetry_files.c: what there is */
struct source_file {
    char *path; // local: absolute; in a bucket: the key
    int64_t day;
    uint64_t size;
};
struct source_files {
    struct source_file *files; // sorted by path
    size_t n, room;
    struct store *store;  // of a bucket; NULL: local
    size_t n_day_success; // folders of wanted days that hold _SUCCESS
    size_t n_success;     // other folders that do
    bool single;          // the source names one file
};
void source_files_deinit(struct source_files *f);
/** Only files of wanted days, or of unknown ones. */
MUST_CHECK int source_files_find(struct source_files *out, const struct telemetry_config *config,
                                 struct err *err);
bool telemetry_is_table(const char *source);

/* telemetry_select.c: SELECTs over files and tables */
struct telemetry {
    struct warehouse *warehouse;
    bool owns_warehouse;
    char *dir; // of scratch and spool; NULL: none was needed
    enum telemetry_kind kind;
    int64_t first, last;
    char *source;
    char **needed;
    bool *warned; // one a column of the kind
    struct source_files files;
    bool is_table;
    char *relation; // of a table, or of local files
};

/** Append "(SELECT ..)" over local files. @return 0, E_ABSENT: all are empty; E_FORMAT or E_*. */
MUST_CHECK int append_files_relation(struct buf *sql, struct telemetry *t,
                                     const struct source_file *files, size_t n, struct err *err);
MUST_CHECK int append_table_relation(struct buf *sql, struct telemetry *t, struct err *err);
/** Append "(SELECT .. FROM name ..)", of a table that has these columns. */
MUST_CHECK int append_relation_of(struct buf *sql, struct telemetry *t,
                                  const struct found_columns *found, const char *name,
                                  struct err *err);
/** Say where a line is no JSON, in place of what DuckDB said, if that is the reason. */
int explain_json(const struct source_file *files, size_t n, int r, struct err *err);

/* telemetry_spool.c */
/** Fetch an object below t->dir. *path: to be freed. */
MUST_CHECK int spool_fetch(struct telemetry *t, const struct source_file *object, char **path,
                           struct err *err);
void spool_drop(const char *path);
void remove_tree(const char *dir);
