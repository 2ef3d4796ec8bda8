/* origins.h - which site stands behind each element. Source: prio-processor.md, section 8. */
#pragma once

#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>

enum { ORIGINS_MAX_BYTES = 64 << 20, ORIGINS_MAX = 1 << 20 };

struct origin {
    char *name, *hash; // owned
    uint64_t index;
};

struct origins {
    struct origin *entries;
    size_t n, cap;
};

/**
 * Read an origin config: [{"name": .., "hash": .., "index": ..}, ..].
 * @return 0, or E_ABSENT, E_IO, E_FORMAT naming file, entry and what is wrong, E_NOMEM.
 */
MUST_CHECK int origins_read(struct origins *out, const char *path, struct err *err);
void origins_deinit(struct origins *origins); // zeroed is fine

/** Append a copy. @return 0 or E_NOMEM, also beyond ORIGINS_MAX. */
MUST_CHECK int origins_add(struct origins *origins, struct span name, struct span hash,
                           uint64_t index, struct err *err);

/**
 * Read the source list: ORIGIN("<name>", "<hash>") a line, lines that begin with "//", blank lines,
 * nothing else. Texts are printable ASCII without quotes and backslashes. The closing entry
 * __UNKNOWN__ is added. Nothing is evaluated.
 * @return 0, or E_FORMAT naming name (for messages) and line, E_NOMEM; *out is zeroed then.
 */
MUST_CHECK int origins_parse_list(struct origins *out, struct span text, const char *name,
                                  struct err *err);
/** Append the config as JSON, indented by 2, without a final newline. */
MUST_CHECK int origins_format(struct buf *out, const struct origins *origins, struct err *err);
