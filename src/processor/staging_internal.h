/* staging_internal.h - what the files of staging share. */
#pragma once

#include "codec/base64.h"
#include "processor/docids.h"
#include "processor/spool.h"
#include "processor/staging.h"
#include "stage/digest.h"
#include "stage/lines.h"

/* Where pings end up: in input order, one at a time. */
struct staging_intake {
    const struct staging_options *options;
    struct staging_result *result;
    struct spool *spool;
    struct docids *docids;
    struct digest_key key;
    struct progress progress;
    struct base64_ops base64;
    struct record_ops record_ops;
    uint64_t n_accepted;                     // pings in the spool
    uint64_t first_dropped[STAGING_REASONS]; // its line; 0: none
    uint8_t *dropped;                        // a bit a ping of the spool, made at the end
};

MUST_CHECK int intake_init(struct staging_intake *in, const struct staging_options *options,
                           struct staging_result *result, struct err *err);
void intake_deinit(struct staging_intake *in);
/** All pings are in: find what is to be dropped again. */
MUST_CHECK int intake_finish(struct staging_intake *in, struct err *err);
bool intake_is_dropped(const struct staging_intake *in, uint64_t ping);

/* A worker's pings between reading and taking in. */
struct decoder;
MUST_CHECK int decoder_new(struct decoder **out, struct staging_intake *in, struct err *err);
void decoder_free(struct decoder *d); // NULL is fine
DEFINE_FREEP(struct decoder, decoder_free)
/** Decode one line, or a payload alone (base64); NDJSON_SLACK readable bytes behind either.
 * Thread: side by side. @return 0 or E_*. */
MUST_CHECK int decoder_line(struct decoder *d, struct span line, uint64_t number, struct err *err);
MUST_CHECK int decoder_payload(struct decoder *d, struct span payload, uint64_t number,
                               struct err *err);
void decoder_too_long(struct decoder *d, uint64_t number);
/** Should what has been decoded be taken in before more is? */
bool decoder_is_full(const struct decoder *d);
/** Take it in. Thread: one at a time. */
MUST_CHECK int decoder_commit(struct decoder *d, struct err *err);

/** Read all lines of a source into in. */
MUST_CHECK int staging_read_lines(struct staging_intake *in, struct source source, struct err *err);
/** Read and take in what the options name. */
MUST_CHECK int staging_read(struct staging_intake *in, struct err *err);
MUST_CHECK int staging_read_table(struct staging_intake *in, struct err *err);
/** Export form below a place. */
MUST_CHECK int staging_read_place(struct staging_intake *in, const struct place *place,
                                  enum staging_source source, struct err *err);
/** Replace the date in the output by what is in the spool. */
MUST_CHECK int staging_write(struct staging_intake *in, struct err *err);
