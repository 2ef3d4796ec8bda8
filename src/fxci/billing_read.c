/* SPDX-License-Identifier: MPL-2.0 */
#include "fxci/billing_internal.h"
#include "fxci/row_file.h"

struct rows {
    billing_fn *fn;
    void *arg;
};

static int take_row(void *arg, struct span text, struct err *err)
{
    const struct rows *rows = arg;
    json_error_t problem;
    json_t *row = json_loadb((const char *)text.ptr, text.len, JSON_DECODE_INT_AS_REAL, &problem);
    const int r = !json_is_object(row) ? err_set(err, E_FORMAT, 0, "it is no JSON object")
                                       : rows->fn(rows->arg, row, err);
    json_decref(row);
    return r;
}

int billing_read(struct warehouse *w, const char *path, billing_fn *fn, void *arg, bool *tabular,
                 struct err *err)
{
    struct row_file file;
    struct rows rows = {fn, arg};
    const int r = row_file_open(&file, path, err);
    *tabular = file.tabular;
    return r < 0 ? r : row_file_read(&file, w, take_row, &rows, err);
}
