/*
 * store.h - objects in buckets: the one door to directories, S3 and GCS.
 *
 * A store is one bucket, or one prefix of it. Keys are relative to it: UTF-8, "/" between names,
 * without an empty, "." or ".." part, at most STORE_MAX_KEY bytes. An object is visible only when
 * it is whole, and put replaces what was there. Every backend passes tests/real/store_conformance.
 *
 * In directories, symbolic links to files are read, and put and delete touch the link only; links
 * to directories are not followed below the root.
 *
 * Retries (base/retry.h), timeouts, paging and credentials live behind this header: E_IO means that
 * they are exhausted, and names the store and the key, never a secret.
 *
 * Thread: any number of threads may use one store at a time; a reader, writer or lock belongs to
 * one.
 */
#pragma once

#include "base/err.h"
#include "base/opts.h"
#include "base/source.h"
#include "base/span.h"

#include <stdbool.h>
#include <stdint.h>

enum { STORE_MAX_KEY = 1024, STORE_VERSION_BYTES = 128 };

struct store;

/* Where a store is and how it is reached. All texts are borrowed during store_open only. */
struct store_config {
    /*
     * "s3://bucket[/prefix]", "gs://bucket[/prefix]", "file:///dir" or "/dir". s3a:// is s3://.
     * With an endpoint, also "bucket[/prefix]".
     */
    const char *url;
    /* S3: "http://host:port" or "https://host"; NULL: AWS's own for the region. GCS: replaced by
     * the environment's STORAGE_EMULATOR_HOST ("host:port" or a URL), which the program passes
     * here; it gets no token, unless it is https:// and google_credentials or a google_key are
     * given. */
    const char *endpoint;
    const char *region;                  // NULL: us-east-1
    const struct opt_secret *access_key; // len 0 or NULL: requests are not signed
    const struct opt_secret *secret_key;
    const struct opt_secret *session_token;     // NULL or len 0: none
    const char *ca_file;                        // PEM; NULL: the system's
    bool virtual_host;                          // bucket in the host name; path-style otherwise
    const char *google_credentials;             // key file; NULL: net/google.h's defaults
    const char *metadata_host;                  // NULL: net/google.h's
    const struct opt_secret *google_key;        // such a file's text instead; NULL or len 0: none
    unsigned connect_timeout_s, read_timeout_s; // 0: 5 and 200 (prio-processor.md 4.4)
    uint64_t deadline_ms;                       // of one call with all its retries; 0: 15 minutes
};

/**
 * Nothing is contacted and nothing is created: a directory that does not exist reads as empty and
 * is made by the first put. @return 0, or E_ARG for an unusable URL or configuration.
 */
MUST_CHECK int store_open(struct store **out, const struct store_config *config, struct err *err);
void store_close(struct store *store); // NULL is fine
DEFINE_FREEP(struct store, store_close)

/** The URL for messages, without credentials: "s3://bucket/prefix", "/dir". */
const char *store_name(const struct store *store);
/** Do both name the same place (same backend, endpoint, bucket, prefix)? */
bool store_same(const struct store *a, const struct store *b);
/** Is it a directory of this machine? Contents are then cheap to compare. */
bool store_is_local(const struct store *store);

struct store_object {
    char *key; // owned by the listing, or borrowed from the call
    uint64_t size;
    int64_t modified_us; // UTC
    /*
     * Changes whenever the object is written again: S3's ETag, GCS's generation, a directory's
     * "mtime_ns.ctime_ns.inode" or the like. Text without spaces or quotes.
     */
    char version[STORE_VERSION_BYTES];
    /* Of the contents, when the backend knows it without reading: "md5:<hex>" from an S3 ETag that
     * is one, or from GCS's md5Hash. Else "". */
    char content[48];
};

struct store_listing {
    struct store_object *objects; // sorted by key, bytewise
    size_t n;
    struct store_impl_listing *impl;
};

/**
 * Every object whose key begins with prefix (""; a prefix may end within a name), also those whose
 * names begin with "." or "_", temporary files of directories (".NAME.tmp") and zero-byte "dir/"
 * objects of S3 and GCS. An absent bucket or directory is an empty listing for a directory,
 * E_ABSENT else. Shape: limit on the number of objects: 10 million. @return 0 or E_*.
 */
MUST_CHECK int store_list(struct store *store, const char *prefix, struct store_listing *out,
                          struct err *err);
void store_listing_deinit(struct store_listing *listing); // zeroed is fine
/** The names one level below prefix (which ends in "/" or is ""), "name/" for those with objects
 * below them; keys are whole. For walking wide trees. */
MUST_CHECK int store_list_level(struct store *store, const char *prefix, struct store_listing *out,
                                struct err *err);

/** @return 0, E_ABSENT (no such object), or E_*. out->key is key. */
MUST_CHECK int store_stat(struct store *store, const char *key, struct store_object *out,
                          struct err *err);

/*
 * A stream over an object, or over len bytes from offset on. On S3 and GCS it is read ahead by a
 * thread of its own into a bounded buffer (1 MiB), so that several open readers hide latency; a
 * connection that breaks is resumed where it broke, on the same version of the object, else E_IO.
 */
struct store_reader;
#define STORE_TO_END UINT64_MAX
/** @return 0, E_ABSENT, or E_*. */
MUST_CHECK int store_get(struct store_reader **out, struct store *store, const char *key,
                         uint64_t offset, uint64_t len, struct err *err);
struct source store_reader_source(struct store_reader *reader);
/** The object as it was opened (key borrowed from the reader). */
const struct store_object *store_reader_object(const struct store_reader *reader);
void store_reader_close(struct store_reader *reader); // also before its end
DEFINE_FREEP(struct store_reader, store_reader_close)

/** Append a whole object to out, at most out->max bytes in all; a failure leaves out->len. @return
 * 0, E_ABSENT or E_*. */
struct buf;
MUST_CHECK int store_get_all(struct store *store, const char *key, struct buf *out,
                             struct store_object *object, struct err *err);

/* What must hold for a put to happen. */
struct store_put_options {
    bool if_absent;         // no object is there
    const char *if_version; // the object there is this version
};
enum { STORE_CONFLICT = 1 }; // the condition did not hold; nothing was written

/*
 * Writing: bytes are buffered up to 16 MiB, then uploaded in parts (S3 multipart, GCS resumable) or
 * streamed to ".NAME.tmp" (directories, flushed before the rename).
 */
struct store_writer;
/** options NULL: none. */
MUST_CHECK int store_put_begin(struct store_writer **out, struct store *store, const char *key,
                               const struct store_put_options *options, struct err *err);
MUST_CHECK int store_writer_write(struct store_writer *writer, const void *bytes, size_t len,
                                  struct err *err);
/**
 * Make it visible and durable; frees the writer in any case. object (may be NULL): as written, its
 * key borrowed from nobody (NULL).
 * @return 0, STORE_CONFLICT, or E_*.
 */
MUST_CHECK int store_writer_commit(struct store_writer *writer, struct store_object *object,
                                   struct err *err);
/** Drop it: nothing becomes visible, nothing is left over. NULL is fine. */
void store_writer_abandon(struct store_writer *writer);
DEFINE_FREEP(struct store_writer, store_writer_abandon)

/** A small object in one call. @return 0, STORE_CONFLICT, or E_*. */
MUST_CHECK int store_put(struct store *store, const char *key, struct span bytes,
                         const struct store_put_options *options, struct store_object *object,
                         struct err *err);

/**
 * Delete n objects (batch requests where the backend has them); absent ones are no error.
 * Directories that become empty below the store's root are removed too. The order of deletion is
 * not defined: where it matters, call it twice. @return 0 or E_*: some may be gone.
 */
MUST_CHECK int store_delete(struct store *store, const char *const *keys, size_t n,
                            struct err *err);
MUST_CHECK int store_delete_one(struct store *store, const char *key, struct err *err);
/**
 * Delete an object if it is still this version. Checked right before the deletion where the backend
 * has no conditional one. @return 0 (gone or never there), STORE_CONFLICT, or E_*.
 */
MUST_CHECK int store_delete_version(struct store *store, const struct store_object *object,
                                    struct err *err);

/* The bucket itself is there and may be listed. @return 0, E_ABSENT, or E_IO with the cause. */
MUST_CHECK int store_check(struct store *store, struct err *err);

/*
 * A lock (prio-processor.md D6). Directories: flock on the file, close-on-exec, waited for up to 5
 * s. Object stores: an object written with a precondition that names host, boot id, PID namespace,
 * process id and start time, renewed every 10 s by a thread; a lock whose process is gone from this
 * host and namespace is taken over at once, one of elsewhere after 30 s without renewal.
 */
struct store_lock;
/** @return 0, E_AGAIN (its owner is alive; err says who), or E_*. */
MUST_CHECK int store_lock(struct store_lock **out, struct store *store, const char *key,
                          struct err *err);
/** Is it still ours? Reads it again on object stores. @return 0 or E_AGAIN or E_*. */
MUST_CHECK int store_lock_check(struct store_lock *lock, struct err *err);
/** Give it back. The object or file stays where it is, marked as free. NULL is fine. */
void store_unlock(struct store_lock *lock);
DEFINE_FREEP(struct store_lock, store_unlock)

/*
 * What a bucket's name means (embedded.md; prio-processor.md D1, D2): buckets.c, for every program.
 */

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
    const struct opt_secret *google_key;   // what such a file holds; NULL or len 0: none
    const char *metadata_host;             // NULL: net/google.h's
    const char *storage_emulator;          // STORAGE_EMULATOR_HOST
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
