/* SPDX-License-Identifier: MPL-2.0 */
#include "codec/record.h"
#include "processor/status_internal.h"

#include <inttypes.h>
#include <stdio.h>

enum { CELL_BYTES = 32 };

static uint64_t age_s(const struct status_found *f, int64_t now_us)
{
    return now_us > f->marker_us ? (uint64_t)(now_us - f->marker_us) / 1000000 : 0;
}

/* "12 s", "3 min", "2 h", "5 d" */
static void format_age(char out[CELL_BYTES], uint64_t seconds)
{
    static const struct {
        uint64_t from, unit;
        const char *name;
    } units[] = {{172800, 86400, "d"}, {7200, 3600, "h"}, {120, 60, "min"}, {0, 1, "s"}};
    size_t i = 0;
    while (seconds < units[i].from)
        i++;
    (void)snprintf(out, CELL_BYTES, "%" PRIu64 " %s", seconds / units[i].unit, units[i].name);
}

static void marker_cell(char out[CELL_BYTES], const struct status_found *f, int64_t now_us)
{
    char age[CELL_BYTES];
    if (f->has_marker)
        format_age(age, age_s(f, now_us));
    (void)snprintf(out, CELL_BYTES, "%.20s%s",
                   f->has_marker    ? age
                   : f->is_readable ? "-"
                                    : "not readable",
                   f->has_marker ? " ago" : "");
}

static void records_cell(char out[CELL_BYTES], uint64_t n)
{
    if (n == UINT64_MAX)
        (void)snprintf(out, CELL_BYTES, "-");
    else
        (void)snprintf(out, CELL_BYTES, "%" PRIu64, n);
}

/* Ids are what somebody put into a file: on a terminal they are JSON strings. */
static int append_id(struct buf *out, const char *id, struct err *err)
{
    return json_write_string(out, span_str(id), err);
}

static int table_place(struct buf *out, const struct status *s, enum status_place place,
                       const struct status_options *o, struct err *err)
{
    const struct status_found *f = &s->found[place];
    char marker[CELL_BYTES], records[CELL_BYTES];
    marker_cell(marker, f, o->now_us);
    int r = 0;
    if (f->n == 0)
        r = buf_printf(out, err, "%-10s %-9s %-14s %7s %14s %10s\n", status_place_stage(place),
                       status_place_side(place), marker, "-", "-", "-");
    for (size_t i = 0; i < f->n && r == 0; i++) {
        records_cell(records, f->batches[i].n_records);
        r = buf_printf(out, err, "%-10s %-9s %-14s %7" PRIu64 " %14" PRIu64 " %10s  ",
                       status_place_stage(place), status_place_side(place), marker,
                       f->batches[i].n_parts, f->batches[i].n_bytes, records);
        if (r == 0)
            r = append_id(out, f->batches[i].id, err);
        if (r == 0)
            r = buf_append_byte(out, '\n', err);
    }
    return r;
}

int status_format_table(struct buf *out, const struct status *s, const struct status_options *o,
                        struct err *err)
{
    int r = buf_printf(out, err, "%s %s: %s\n\n%-10s %-9s %-14s %7s %14s %10s  %s\n", o->app_name,
                       o->date, status_state(s), "STAGE", "SIDE", "MARKER", "PARTS", "BYTES",
                       "RECORDS", "BATCH");
    for (unsigned i = 0; i < STATUS_N_PLACES && r == 0; i++)
        r = table_place(out, s, (enum status_place)i, o, err);
    return r;
}

static int json_batches(struct buf *out, const struct status_found *f, struct err *err)
{
    int r = 0;
    for (size_t i = 0; i < f->n && r == 0; i++) {
        const struct status_batch *b = &f->batches[i];
        r = buf_append_str(out, i > 0 ? ",{\"batch_id\":" : "{\"batch_id\":", err);
        if (r == 0)
            r = append_id(out, b->id, err);
        if (r == 0)
            r = buf_printf(out, err, ",\"parts\":%" PRIu64 ",\"bytes\":%" PRIu64, b->n_parts,
                           b->n_bytes);
        if (r == 0 && b->n_records != UINT64_MAX)
            r = buf_printf(out, err, ",\"records\":%" PRIu64, b->n_records);
        if (r == 0)
            r = buf_append_byte(out, '}', err);
    }
    return r;
}

static int json_place(struct buf *out, const struct status *s, enum status_place place,
                      const struct status_options *o, struct err *err)
{
    const struct status_found *f = &s->found[place];
    int r =
        buf_printf(out, err, "%s{\"stage\":\"%s\",\"side\":\"%s\",\"readable\":%s,\"marker\":%s",
                   place > 0 ? "," : "", status_place_stage(place), status_place_side(place),
                   f->is_readable ? "true" : "false", f->has_marker ? "true" : "false");
    if (r == 0 && f->has_marker)
        r = buf_printf(out, err, ",\"marker_age_s\":%" PRIu64, age_s(f, o->now_us));
    if (r == 0)
        r = buf_append_str(out, ",\"batches\":[", err);
    if (r == 0)
        r = json_batches(out, f, err);
    return r < 0 ? r : buf_append_str(out, "]}", err);
}

int status_format_json(struct buf *out, const struct status *s, const struct status_options *o,
                       struct err *err)
{
    int r = buf_append_str(out, "{\"app_name\":", err);
    if (r == 0)
        r = json_write_string(out, span_str(o->app_name), err);
    if (r == 0)
        r = buf_printf(out, err, ",\"submission_date\":\"%s\",\"state\":\"%s\",\"places\":[",
                       o->date, status_state(s));
    for (unsigned i = 0; i < STATUS_N_PLACES && r == 0; i++)
        r = json_place(out, s, (enum status_place)i, o, err);
    return r < 0 ? r : buf_append_str(out, "]}\n", err);
}
