/* SPDX-License-Identifier: MPL-2.0 */
/* taar-etl show: what an object holds. Source: Y10. */
#include "base/buf.h"
#include "cli/taar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct show_args {
    struct taar_args common;
    const char *object;
};
static const struct show_args defaults = {.common = TAAR_DEFAULTS};

/* "bucket/key": a bare bucket ends at the first slash. A URL or a path may be any place. */
static int open_object(const struct taar_setup *s, const char *object, struct store **store,
                       char **key, struct err *err)
{
    const char *slash = strchr(object, '/');
    if (object[0] == '/' || strstr(object, "://"))
        return taar_open_location(s, store, key, object, err);
    if (!slash || slash[1] == '\0')
        return err_set(err, E_ARG, 0,
                       "Invalid value for 'BUCKET/KEY': '%.100s' names no object in a bucket.",
                       object);
    char *bucket = span_to_text(span_of(object, (size_t)(slash - object)));
    *key = strdup(slash + 1);
    int r = bucket && *key ? 0 : err_set(err, E_NOMEM, 0, "no memory for a name");
    if (r == 0)
        r = taar_open_bucket(s, store, "BUCKET/KEY", bucket, err);
    free(bucket);
    return r;
}

static void free_text(char **text)
{
    free(*text);
}

/* Y10: ".bz2" may be left out. */
static int read_object(struct store *store, const char *key, struct buf *bytes, struct err *err)
{
    CLEANUP(free_text) char *packed = NULL;
    int r = store_get_all(store, key, bytes, NULL, err);
    if (r != E_ABSENT)
        return r;
    if (asprintf(&packed, "%s.bz2", key) < 0) {
        packed = NULL; // asprintf leaves it undefined
        return err_set(err, E_NOMEM, 0, "no memory for a name");
    }
    struct err second = {0};
    r = store_get_all(store, packed, bytes, NULL, &second);
    if (r < 0 && r != E_ABSENT) // then it is the name without the ending that is absent
        *err = second;
    return r;
}

int taar_read_object(const struct taar_setup *setup, const char *object, struct buf *text,
                     struct err *err)
{
    CLEANUP(store_closep) struct store *store = NULL;
    CLEANUP(free_text) char *key = NULL;
    CLEANUP(buf_deinit) struct buf bytes = BUF_INIT(OBJECT_MAX_BYTES);
    int r = open_object(setup, object, &store, &key, err);
    if (r == 0)
        r = read_object(store, key, &bytes, err);
    if (r == 0 && (r = objects_unpack(text, buf_span(&bytes), err)) < 0)
        (void)err_wrap(err, r, "%s", object);
    return r;
}

static int run(void *args, struct err *err)
{
    const struct show_args *a = args;
    CLEANUP(taar_end) struct taar_setup setup = {0};
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(OBJECT_MAX_BYTES);
    int r = taar_start(&setup, &a->common, err);
    if (r == 0)
        r = taar_read_object(&setup, a->object, &text, err);
    if (r == 0)
        r = taar_print(NULL, text.data, text.len, err);
    return taar_exit(r);
}

const struct opt_command taar_show_command = {
    .name = "show",
    .summary = "Print what an object holds, decompressed",
    .groups = (const struct opt *const[]){taar_common_options, NULL},
    .positionals =
        (const struct opt_positional[]){
            {.metavar = "BUCKET/KEY", .offset = offsetof(struct show_args, object)}, {0}},
    .defaults = &defaults,
    .args_size = sizeof defaults,
    .run = run,
};
