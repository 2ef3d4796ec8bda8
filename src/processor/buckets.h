/* buckets.h - what a bucket variable means (prio-processor.md D1, D2). */
#pragma once

#include "store/store.h"

/* One side's access: that of the own buckets (internal) or of the partner's (external). All texts
 * borrowed; NULL or "" is unset. */
struct bucket_side {
    const char *endpoint, *region, *ca_file;
    struct opt_secret access_key, secret_key, session_token;
};

/* What every bucket shares. */
struct bucket_common {
    const char *home;               // WEIR_HOME; NULL: $XDG_DATA_HOME/weir or ~/.local/share/weir
    const char *store_root;         // WEIR_STORE; NULL: <home>/buckets
    const char *google_credentials; // GOOGLE_APPLICATION_CREDENTIALS
    const char *storage_emulator;   // STORAGE_EMULATOR_HOST
    const char *xdg_data_home, *user_home; // XDG_DATA_HOME, HOME: read by the program
};

/**
 * Open the bucket that a variable names. variable: for messages ("BUCKET_INTERNAL_INGEST").
 *   endpoint of its side given   S3 there; a scheme in value is dropped
 *   gs://, s3://, s3a://, file://, absolute path   as written
 *   a bare name                  below the store root, which may itself be a directory, s3:// or
 * gs://
 * @return 0, or E_ARG naming the variable.
 */
MUST_CHECK int bucket_open(struct store **out, const struct bucket_common *common,
                           const struct bucket_side *side, const char *variable, const char *value,
                           struct err *err);

/** <home> as decided above, to be freed. @return 0, or E_ARG: nothing says where home is. */
MUST_CHECK int bucket_home(char **out, const struct bucket_common *common, struct err *err);

/**
 * Any location of a file or directory, "/a/path", "a/path", "file:///..", "s3://..", "gs://..": a
 * store and the key prefix or key below it ("" for the whole store). For `--input`, `--output`.
 * Local relative paths are relative to the working directory; a directory that exists is a store,
 * any other path a key in the directory above it, which need not exist. A "/" at the end makes no
 * difference. What begins with the first name that has "*", "?" or "[" stays in the key, for
 * inputs_find. *key: to be freed.
 */
MUST_CHECK int location_open(struct store **out, char **key, const struct bucket_common *common,
                             const struct bucket_side *side, const char *location, struct err *err);
