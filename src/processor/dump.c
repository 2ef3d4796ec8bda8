/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/dump.h"

struct dumped {
    const struct dump_options *options;
    const struct table_schema *schema;
    int64_t date;
};

static int scan(void *scan_arg, warehouse_row_fn *fn, void *arg, struct err *err)
{
    const struct dumped *d = scan_arg;
    return warehouse_scan(d->options->place.warehouse, d->schema, d->date,
                          "submission_date, batch_id, origin, index", fn, arg, err);
}

int dump_rows(const struct dump_options *options, const struct stage_sink *out, struct err *err)
{
    struct table_schema schema;
    CLEANUP(buf_deinit) struct buf name = BUF_INIT(4096);
    struct dumped d = {.options = options, .schema = &schema, .date = INT64_MIN};
    int r = content_schema(&schema, &name, &options->place, err);
    if (r == 0 && options->date && *options->date)
        r = content_date(&d.date, options->date, err);
    const struct rows_text text = {.columns = schema.columns,
                                   .format = options->format,
                                   .write = out->write,
                                   .write_arg = out->arg};
    return r < 0 ? r : rows_text_write(&text, scan, &d, err);
}
