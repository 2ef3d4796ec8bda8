/* gcs_internal.h - what the parts of the GCS backend share: its state, and one call of the JSON
 * API. */
#pragma once

#include "net/google.h"
#include "net/http.h"
#include "store/backend.h"

#include <jansson.h>

struct gcs {
    struct http *http;
    struct google_auth *auth; // NULL: an emulator, which asks for no token
    char *base;               // "https://storage.googleapis.com"
    char *bucket;
    char *prefix;              // "" or "a/b/"
    struct retry_policy retry; // of resumable uploads
};

/*
 * One call. The steps before gcs_call_send note a failure instead of returning it; send reports it.
 *
 *   gcs_call_begin(&call, gcs, "GET", GCS_OBJECTS, key);
 *   gcs_call_query(&call, "fields", "name");
 *   r = gcs_call_send(&call, err);
 *   ...
 *   gcs_call_end(&call);
 */
struct gcs_call {
    struct gcs *gcs;
    struct http_request request;
    struct http_response answer;
    struct buf url, range; // texts of the request
    int failure;           // of a step
};
enum gcs_path { GCS_OBJECTS, GCS_UPLOADS };

/** key: relative to the prefix, or NULL for the collection itself. */
void gcs_call_begin(struct gcs_call *call, struct gcs *gcs, const char *method, enum gcs_path path,
                    const char *key);
void gcs_call_query(struct gcs_call *call, const char *name, const char *value);
/** With the prefix in front: an object's name, or the beginning of names. */
void gcs_call_query_name(struct gcs_call *call, const char *name, const char *key);
/** "ifGenerationMatch", where options ask for something. */
void gcs_call_condition(struct gcs_call *call, const struct store_put_options *options);
/** Both texts must stay until the call was sent. */
void gcs_call_header(struct gcs_call *call, const char *name, const char *value);
/** All steps are made: the URL is whole. @return their failure. */
MUST_CHECK int gcs_call_ready(struct gcs_call *call, struct err *err);
/** @return 0 for a status from 200 to 299, else as gcs_status. */
MUST_CHECK int gcs_call_send(struct gcs_call *call, struct err *err);
void gcs_call_end(struct gcs_call *call);

/** 404: E_ABSENT, 412: STORE_CONFLICT, others E_IO; err says what the service said. */
MUST_CHECK int gcs_status(const struct http_response *answer, struct err *err);
/** The answer's JSON, to be decref'ed, or NULL. */
json_t *gcs_json(const struct http_response *answer, struct err *err);
static inline void gcs_json_drop(json_t **value)
{
    json_decref(*value);
}

/* The members of an object resource that are asked for, as "fields" wants them. */
#define GCS_FIELDS "name,size,updated,generation,md5Hash"
/** All but the key. @return 0 or E_FORMAT. */
MUST_CHECK int gcs_object_read(struct store_object *out, const json_t *resource, struct err *err);
/** The resource that answers an upload of size bytes. @return 0, E_FORMAT, or E_IO: another size.
 */
MUST_CHECK int gcs_object_read_written(struct store_object *out, const struct http_response *answer,
                                       uint64_t size, struct err *err);
/** The same from the head of a media answer: times are whole seconds there. */
MUST_CHECK int gcs_object_read_head(struct store_object *out, const struct http_response *answer,
                                    struct err *err);

/* The functions of the backend, which backend.h describes. */
int gcs_list(void *self, const char *prefix, bool one_level, struct store_listing *out,
             struct err *err);
int gcs_stat(void *self, const char *key, struct store_object *out, struct err *err);
int gcs_get(struct store_reader **out, void *self, const char *key, uint64_t offset, uint64_t len,
            struct err *err);
int gcs_put(void *self, const char *key, struct span bytes, const struct store_put_options *options,
            struct store_object *object, struct err *err);
int gcs_upload_begin(void **upload, void *self, const char *key,
                     const struct store_put_options *options, struct err *err);
int gcs_upload_part(void *upload, struct span bytes, struct err *err);
int gcs_upload_finish(void *upload, struct span rest, struct store_object *object, struct err *err);
void gcs_upload_abort(void *upload);
int gcs_delete_many(void *self, const char *const *keys, size_t n, struct err *err);
int gcs_delete_version(void *self, const struct store_object *object, struct err *err);
