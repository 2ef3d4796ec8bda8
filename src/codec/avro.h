/*
 * avro.h - Avro object container files (https://avro.apache.org/docs/1.11.1/specification/): read
 * by the schema in the file, written as BigQuery exports them.
 *
 * Limits of what is read: 1 MiB of header, 2,000 types, 64 MiB of a block before and 256 MiB after
 * unpacking, 4 million values of a record, 64 levels. Codecs: null, deflate, snappy.
 */
#pragma once

#include "base/buf.h"
#include "base/source.h"

#include <stdbool.h>

enum avro_kind {
    AVRO_NULL,
    AVRO_BOOLEAN,
    AVRO_INT,
    AVRO_LONG,
    AVRO_FLOAT,
    AVRO_DOUBLE,
    AVRO_BYTES,
    AVRO_STRING,
    AVRO_RECORD,
    AVRO_ENUM,
    AVRO_ARRAY,
    AVRO_MAP,
    AVRO_UNION,
    AVRO_FIXED,
};

/* Lives as long as its reader. */
struct avro_schema {
    enum avro_kind kind;
    const char *name;             // of a record, enum or fixed: with its namespace
    bool decimal;                 // bytes or fixed that are a number: big-endian, two's complement
    unsigned scale;               // of it
    size_t size;                  // of a fixed, bytes
    size_t n;                     // fields, symbols, branches; an array's or map's items: 1
    const char **names;           // of fields, symbols
    struct avro_schema **schemas; // of fields, branches, items
};

/* Borrowed until the next record. A union's value is that of its branch. */
struct avro_value {
    const struct avro_schema *schema;
    bool boolean;
    int64_t integer;          // int, long; enum: index
    double real;              // float, double
    struct span bytes;        // bytes, string, fixed
    struct avro_value *items; // record: one a field; array; map: key and value in turn
    size_t n;                 // of items
};

struct avro_reader;
/** Reads the header. name: of the file, for messages; copied. @return 0, E_FORMAT, or E_*. */
MUST_CHECK int avro_reader_open(struct avro_reader **out, struct source from, const char *name,
                                struct err *err);
void avro_reader_close(struct avro_reader *r);
DEFINE_FREEP(struct avro_reader, avro_reader_close)
const struct avro_schema *avro_reader_schema(const struct avro_reader *r);
/** @return 1 and *value, 0 at the end, or E_FORMAT naming the file and the record's number. */
MUST_CHECK int avro_read(struct avro_reader *r, const struct avro_value **value, struct err *err);

/** A record's field by name, or NULL: no record, no such field. */
const struct avro_value *avro_field(const struct avro_value *record, const char *name);
static inline bool avro_is_null(const struct avro_value *v)
{
    return !v || v->schema->kind == AVRO_NULL;
}
/** int, long, float, double or decimal as a number. @return false: it is none of these. */
bool avro_number(double *out, const struct avro_value *v);

/* Writing: the caller spells a record into block by the functions below, and ends it. */
struct avro_writer {
    struct buf block;
    int (*write)(void *arg, const void *bytes, size_t len, struct err *err); // 0 or E_*
    void *arg;
    struct buf packed;
    uint64_t n_records; // of the block
    uint8_t sync[16];
    bool deflate;
};
/** Write the header. schema: JSON. sync: 16 bytes that data will not hold by chance. */
MUST_CHECK int
avro_writer_begin(struct avro_writer *w, const char *schema, const uint8_t sync[16], bool deflate,
                  int (*write)(void *arg, const void *bytes, size_t len, struct err *err),
                  void *arg, struct err *err);
/** The record in block is complete. Blocks are written at 64 KiB. */
MUST_CHECK int avro_writer_end_record(struct avro_writer *w, struct err *err);
MUST_CHECK int avro_writer_finish(struct avro_writer *w, struct err *err);
void avro_writer_deinit(struct avro_writer *w); // zeroed is fine

/** int and long, a union's branch, counts. */
MUST_CHECK int avro_put_long(struct buf *out, int64_t n, struct err *err);
MUST_CHECK int avro_put_double(struct buf *out, double x, struct err *err);
MUST_CHECK int avro_put_boolean(struct buf *out, bool b, struct err *err);
/** string and bytes. */
MUST_CHECK int avro_put_bytes(struct buf *out, struct span bytes, struct err *err);
