/* avro_internal.h - what the parts of the reader share. */
#pragma once

#include "codec/avro.h"

enum {
    AVRO_MAX_HEADER = 1 << 20,
    AVRO_MAX_TYPES = 2000,
    AVRO_MAX_PACKED = 64 << 20,
    AVRO_MAX_BLOCK = 256 << 20,
    AVRO_MAX_VALUES = 4 << 20,
    AVRO_MAX_DEPTH = 64,
};

/* Memory that is given back as a whole: of a schema at the end, of a record at the next one. */
struct arena_block {
    struct arena_block *next;
    size_t size;
};
struct arena {
    struct arena_block *first, *current; // blocks behind current are free
    size_t used;                         // of current
};
/** Zeroed, aligned for anything. NULL: no memory. */
void *arena_alloc(struct arena *a, size_t size);
void arena_reset(struct arena *a); // keeps the memory
void arena_deinit(struct arena *a);

/** Parse the JSON of a schema into the arena. @return 0, E_FORMAT, E_NOMEM. */
MUST_CHECK int avro_schema_parse(struct avro_schema **out, struct arena *arena, struct span json,
                                 struct err *err);

/* Bytes that are walked. */
struct avro_cursor {
    const uint8_t *p, *end;
};
/** A zig-zag varint. @return false: cut short, or more than 64 bits. */
bool avro_take_long(struct avro_cursor *c, int64_t *out);
/** A length and so many bytes. */
bool avro_take_bytes(struct avro_cursor *c, struct span *out);

/** Decode one value; items come from arena. @return 0, E_FORMAT, E_NOMEM. */
MUST_CHECK int avro_decode(struct avro_value *out, const struct avro_schema *schema,
                           struct avro_cursor *c, struct arena *arena, struct err *err);
