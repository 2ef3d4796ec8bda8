/* SPDX-License-Identifier: MPL-2.0 */
/* Where the telemetry jobs read, and files that they write on this machine. */
#include "cli/taar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void free_text(char **text)
{
    free(*text);
}

/* "bucket/path" below --store. */
static int below_store(const struct taar_setup *s, char **out, const char *place, struct err *err)
{
    CLEANUP(free_text) char *home = NULL;
    const char *root = s->common.store_root;
    if (!root) {
        const int r = bucket_home(&home, &s->common, err);
        if (r < 0)
            return r;
    }
    const int n =
        root ? asprintf(out, "%s/%s", root, place) : asprintf(out, "%s/buckets/%s", home, place);
    if (n >= 0)
        return 0;
    *out = NULL; // asprintf leaves it undefined
    return err_set(err, E_NOMEM, 0, "no memory for a place");
}

int taar_open_telemetry(const struct taar_setup *s, struct telemetry **out,
                        const struct taar_source *source, struct err *err)
{
    CLEANUP(free_text) char *otherwise = NULL;
    int r = source->given ? 0 : below_store(s, &otherwise, source->otherwise, err);
    if (r < 0)
        return r;
    const char *place = source->given ? source->given : otherwise;
    const struct store_config access = taar_store_access(s, place);
    const struct warehouse_config warehouse = taar_warehouse_config(s, true);
    const struct telemetry_config config = {
        .source = place,
        .kind = source->kind,
        .first = source->first,
        .last = source->last,
        .temp_dir = s->args->temp_dir,
        .n_threads = (unsigned)s->args->workers,
        .access = &access,
        .warehouse = &warehouse,
    };
    return telemetry_open(out, &config, err);
}

int taar_open_file(struct outfile *out, const char *path, struct err *err)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return outfile_open(out, strcmp(path, "-") == 0 ? path : ".", path, err);
    CLEANUP(free_text) char *dir = span_to_text(span_of(path, (size_t)(slash - path)));
    if (!dir)
        return err_set(err, E_NOMEM, 0, "no memory for a path");
    return outfile_open(out, slash == path ? "/" : dir, slash + 1, err);
}
