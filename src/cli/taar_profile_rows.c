/* SPDX-License-Identifier: MPL-2.0 */
/* taar-etl profile-get, profile-dump: what the recommender would read. Source: Y7, Y10. */
#include "cli/taar.h"
#include "codec/zstream.h"
#include "taar/profile.h"

#include <string.h>

#define ARGS struct rows_args

enum { MAX_TEXT = 64 << 20 };

struct rows_args {
    struct taar_args common;
    const char *client_id, *instance, *table;
    bool raw;
};
static const struct rows_args defaults = {.common = TAAR_DEFAULTS};

static const struct opt options[] = {
    OPT_TEXT("bigtable-instance-id", ARGS, instance, NULL, "NAME",
             "Instance of the table; the default is the only table there is."),
    OPT_TEXT("bigtable-table-id", ARGS, table, NULL, "NAME", "The table."),
    OPT_END,
};
static const struct opt get_options[] = {
    OPT_FLAG("raw", 0, ARGS, raw, NULL, "Write the cell as it is stored, a zlib stream."),
    OPT_END,
};
static const struct opt_positional positionals[] = {
    {.metavar = "CLIENT_ID", .offset = offsetof(ARGS, client_id)}, {.metavar = NULL}};

static int open_rows(const struct taar_setup *setup, struct profiles **out,
                     const struct rows_args *a, struct err *err)
{
    static const char bigtable[] = "bigtable://";
    struct profiles_config config = taar_profiles_config(setup);
    config.instance = a->instance;
    config.table = a->table;
    // only a directory can say what tables it has
    if (!config.table && strncmp(config.url, bigtable, sizeof bigtable - 1) == 0)
        config.table = "taar_profile";
    config.read_only = true;
    return profiles_open(out, &config, err);
}

static int print_cell(const struct rows_args *a, struct span cell, struct err *err)
{
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(MAX_TEXT);
    if (a->raw)
        return taar_print(NULL, cell.ptr, cell.len, err);
    int r = zstream_unpack(&text, cell, err);
    if (r == 0)
        r = buf_append_byte(&text, '\n', err);
    return r < 0 ? r : taar_print(NULL, text.data, text.len, err);
}

static int run_get(void *args, struct err *err)
{
    const struct rows_args *a = args;
    CLEANUP(taar_end) struct taar_setup setup = {0};
    CLEANUP(profiles_closep) struct profiles *p = NULL;
    CLEANUP(buf_deinit) struct buf cell = BUF_INIT(PROFILES_MAX_VALUE);
    char key[PROFILE_KEY_BYTES + 1];
    int r = taar_start(&setup, &a->common, err);
    if (r == 0)
        r = open_rows(&setup, &p, a, err);
    if (r == 0)
        r = profile_key(key, span_str(a->client_id), err);
    if (r == 0 && (r = profiles_get(p, span_of(key, PROFILE_KEY_BYTES), &cell, err)) == E_ABSENT)
        r = err_set(err, E_ABSENT, 0, "%s has no row of this client", profiles_name(p));
    if (r == 0)
        r = print_cell(a, buf_span(&cell), err);
    return taar_exit(r);
}

static int print_row(void *arg, struct span key, struct span value, int64_t timestamp_us,
                     struct err *err)
{
    struct buf *line = arg;
    (void)timestamp_us;
    buf_clear(line);
    int r = buf_printf(line, err, "{\"row_key\": \"%.*s\", \"payload\": ", (int)key.len,
                       (const char *)key.ptr);
    if (r == 0 && (r = zstream_unpack(line, value, err)) < 0)
        r = err_wrap(err, r, "row %.*s", (int)key.len, (const char *)key.ptr);
    if (r == 0)
        r = buf_append_str(line, "}\n", err);
    return r < 0 ? r : taar_print(NULL, line->data, line->len, err);
}

static int run_dump(void *args, struct err *err)
{
    const struct rows_args *a = args;
    CLEANUP(taar_end) struct taar_setup setup = {0};
    CLEANUP(profiles_closep) struct profiles *p = NULL;
    CLEANUP(buf_deinit) struct buf line = BUF_INIT(MAX_TEXT);
    int r = taar_start(&setup, &a->common, err);
    if (r == 0)
        r = open_rows(&setup, &p, a, err);
    if (r == 0)
        r = profiles_each(p, print_row, &line, err);
    return taar_exit(r);
}

const struct opt_command taar_profile_get_command = {
    .name = "profile-get",
    .summary = "Show the profile of a client",
    .positionals = positionals,
    .groups = TAAR_GROUPS(options, get_options),
    .defaults = &defaults,
    .args_size = sizeof defaults,
    .run = run_get,
};
const struct opt_command taar_profile_dump_command = {
    .name = "profile-dump",
    .summary = "Show all profiles, a JSON object a line, by row key",
    .groups = TAAR_GROUPS(options),
    .defaults = &defaults,
    .args_size = sizeof defaults,
    .run = run_dump,
};
