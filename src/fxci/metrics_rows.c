/* SPDX-License-Identifier: MPL-2.0 */
/* Source: fxci-etl.md 1.1, 4.3. */
#include "base/log.h"
#include "fxci/metrics_internal.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_TEXT_BYTES = 1 << 30 };

void metric_rows_init(struct metric_rows *r)
{
    *r = (struct metric_rows){.texts = BUF_INIT(MAX_TEXT_BYTES)};
}

void metric_rows_deinit(struct metric_rows *r)
{
    buf_deinit(&r->texts);
    free(r->rows);
    r->rows = NULL;
}

struct texts {
    struct span instance_id, project, zone;
};

static struct texts texts_of(const struct metric_rows *r, const struct metric_row *row)
{
    const uint8_t *p = r->texts.data + row->texts;
    return (struct texts){
        .instance_id = span_of(p, row->instance_id_len),
        .project = span_of(p + row->instance_id_len, row->project_len),
        .zone = span_of(p + row->instance_id_len + row->project_len, row->zone_len),
    };
}

void metric_rows_cells(const struct metric_rows *r, const struct metric_row *row, int64_t date,
                       struct cell cells[METRIC_N])
{
    const struct texts t = texts_of(r, row);
    cells[METRIC_SUBMISSION_DATE] = (struct cell){.integer = date};
    cells[METRIC_INSTANCE_ID] = (struct cell){.text = t.instance_id};
    cells[METRIC_PROJECT] = (struct cell){.text = t.project};
    cells[METRIC_ZONE] = (struct cell){.text = t.zone};
    cells[METRIC_UPTIME] = (struct cell){.real = row->value};
    cells[METRIC_INTERVAL_START] = (struct cell){.integer = row->start_us};
    cells[METRIC_INTERVAL_END] = (struct cell){.integer = row->end_us};
}

static int compare_texts(struct span a, struct span b)
{
    const size_t n = a.len < b.len ? a.len : b.len;
    const int c = n > 0 ? memcmp(a.ptr, b.ptr, n) : 0;
    return c != 0 ? c : (a.len > b.len) - (a.len < b.len);
}

static int compare_keys(const struct metric_rows *r, size_t i, size_t j)
{
    const struct texts a = texts_of(r, &r->rows[i]), b = texts_of(r, &r->rows[j]);
    int c = compare_texts(a.instance_id, b.instance_id);
    if (c == 0)
        c = compare_texts(a.project, b.project);
    if (c == 0)
        c = compare_texts(a.zone, b.zone);
    const int64_t x = r->rows[i].start_us, y = r->rows[j].start_us;
    return c != 0 ? c : (x > y) - (x < y);
}

static int compare_places(const void *a, const void *b, void *rows)
{
    const size_t i = *(const size_t *)a, j = *(const size_t *)b;
    const int c = compare_keys(rows, i, j);
    return c != 0 ? c : (i > j) - (i < j);
}

static int mark(struct metric_rows *r, struct metric_row *row)
{
    row->is_duplicate = true;
    const struct texts t = texts_of(r, row);
    char *instance = span_to_text(t.instance_id), *project = span_to_text(t.project);
    if (instance && project)
        log_event(LOG_LEVEL_WARNING, "a second series of an instance is left out",
                  LOG_S("project", project), LOG_S("instance_id", instance));
    const int code = instance && project ? 0 : E_NOMEM;
    free(instance);
    free(project);
    return code;
}

int metric_rows_mark_duplicates(struct metric_rows *r, uint64_t *n, struct err *err)
{
    size_t *places = malloc((r->n + 1) * sizeof *places);
    if (!places)
        return err_set(err, E_NOMEM, 0, "no memory for %zu rows", r->n);
    for (size_t i = 0; i < r->n; i++)
        places[i] = i;
    qsort_r(places, r->n, sizeof *places, compare_places, r);
    int code = 0;
    *n = 0;
    for (size_t i = 1; i < r->n && code == 0; i++) {
        if (compare_keys(r, places[i - 1], places[i]) != 0)
            continue;
        code = mark(r, &r->rows[places[i]]);
        ++*n;
    }
    free(places);
    return code == 0 ? 0 : err_set(err, code, 0, "no memory for a row");
}
