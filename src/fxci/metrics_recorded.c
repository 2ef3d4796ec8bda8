/* SPDX-License-Identifier: MPL-2.0 */
/*
 * A file of recorded answers: {"requests": [{"project", "pages": [..]}]}, or such requests one a
 * line, or answers as they came, whose project is that of their first series. Source: X14.
 */
#include "base/log.h"
#include "base/source.h"
#include "codec/gzip.h"
#include "fxci/metrics_internal.h"

#include <stdlib.h>
#include <string.h>

struct recorded_answers {
    json_t *list; // [project, answer, project, answer ..]
};

static const char *project_of(const json_t *answer)
{
    const json_t *first = json_array_get(json_object_get(answer, "timeSeries"), 0);
    const json_t *labels = json_object_get(json_object_get(first, "resource"), "labels");
    return json_string_value(json_object_get(labels, "project_id"));
}

static int append(struct recorded_answers *a, const char *project, json_t *answer, struct err *err)
{
    if (json_array_append_new(a->list, json_string(project)) == 0 &&
        json_array_append(a->list, answer) == 0)
        return 0;
    return err_set(err, E_NOMEM, 0, "no memory for an answer");
}

static int take_request(struct recorded_answers *a, const json_t *request, struct err *err)
{
    const char *project = json_string_value(json_object_get(request, "project"));
    const json_t *pages = json_object_get(request, "pages");
    if (!project || !json_is_array(pages))
        return err_set(err, E_FORMAT, 0, "no request with \"project\" and \"pages\"");
    int r = 0;
    for (size_t i = 0; i < json_array_size(pages) && r == 0; i++)
        r = append(a, project, json_array_get(pages, i), err);
    return r;
}

static int take_value(struct recorded_answers *a, json_t *value, struct err *err)
{
    const json_t *requests = json_object_get(value, "requests");
    if (json_object_get(value, "pages"))
        return take_request(a, value, err);
    if (json_is_array(requests)) {
        int r = 0;
        for (size_t i = 0; i < json_array_size(requests) && r == 0; i++)
            r = take_request(a, json_array_get(requests, i), err);
        return r;
    }
    if (json_object_get(value, "timeSeries")) {
        const char *project = project_of(value);
        return project ? append(a, project, value, err)
                       : err_set(err, E_FORMAT, 0, "an answer without a project");
    }
    return err_set(err, E_FORMAT, 0, "neither \"requests\" nor \"pages\" nor \"timeSeries\"");
}

static size_t skip_blank(const struct buf *text, size_t at)
{
    while (at < text->len && strchr(" \t\r\n", text->data[at]) && text->data[at])
        at++;
    return at;
}

static size_t count_lines(const struct buf *text, size_t to)
{
    size_t line = 1;
    for (size_t i = 0; i < to; i++)
        line += text->data[i] == '\n';
    return line;
}

static int take_text(struct recorded_answers *a, const struct buf *text, struct err *err)
{
    int r = 0;
    size_t at = skip_blank(text, 0);
    while (at < text->len && r == 0) {
        json_error_t why;
        json_t *value =
            json_loadb((const char *)text->data + at, text->len - at, JSON_DISABLE_EOF_CHECK, &why);
        r = value ? take_value(a, value, err) : err_set(err, E_FORMAT, 0, "no JSON: %s", why.text);
        json_decref(value);
        if (r < 0)
            return err_wrap(err, r, "line %zu", count_lines(text, at));
        at = skip_blank(text, at + (size_t)why.position);
    }
    return r;
}

static int read_text(struct buf *text, const char *path, struct err *err)
{
    CLEANUP(file_source_close) struct file_source file = {.fd = -1};
    int r = file_source_open(&file, path, err);
    if (r < 0)
        return r;
    CLEANUP(gunzip_freep) struct gunzip *gunzip = NULL;
    r = gunzip_new(&gunzip, file_source(&file), err);
    if (r == 0)
        r = source_read_all(gunzip_source(gunzip), text, err);
    return r < 0 ? err_wrap(err, r, "%s", path) : 0;
}

static bool is_monitored(const struct metrics_run *run, const char *project)
{
    const char *const *p = run->config->monitoring.projects;
    while (*p && strcmp(*p, project) != 0)
        p++;
    return *p;
}

static void warn_of_others(const struct recorded_answers *a, const struct metrics_run *run)
{
    for (size_t i = 0; i < json_array_size(a->list); i += 2) {
        const char *project = json_string_value(json_array_get(a->list, i));
        if (!is_monitored(run, project))
            log_event(LOG_LEVEL_WARNING, "an answer of a project that is not monitored is ignored",
                      LOG_S("project", project));
    }
}

int recorded_answers_open(struct recorded_answers **out, const struct metrics_run *run,
                          struct err *err)
{
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(METRICS_MAX_ANSWER_BYTES);
    int r = read_text(&text, run->timeseries, err);
    if (r < 0)
        return r;
    struct recorded_answers *a = calloc(1, sizeof *a);
    if (!a || !(a->list = json_array())) {
        free(a);
        return err_set(err, E_NOMEM, 0, "no memory for answers");
    }
    r = take_text(a, &text, err);
    if (r < 0) {
        recorded_answers_free(a);
        return err_wrap(err, r, "%s", run->timeseries);
    }
    warn_of_others(a, run);
    *out = a;
    return 0;
}

void recorded_answers_free(struct recorded_answers *a)
{
    if (!a)
        return;
    json_decref(a->list);
    free(a);
}

static bool is_of_metric(const json_t *series, const struct metric_config *metric)
{
    const char *type =
        json_string_value(json_object_get(json_object_get(series, "metric"), "type"));
    return !type || strcmp(type, metric->type) == 0;
}

/* The answer with the series of one metric only. */
static json_t *narrow(const json_t *answer, const struct metric_config *metric)
{
    const json_t *all = json_object_get(answer, "timeSeries");
    json_t *copy = json_copy((json_t *)answer), *some = json_array();
    int r = copy && some ? 0 : -1;
    for (size_t i = 0; i < json_array_size(all) && r == 0; i++)
        if (is_of_metric(json_array_get(all, i), metric))
            r = json_array_append(some, json_array_get(all, i));
    if (r == 0 && json_is_array(all))
        r = json_object_set(copy, "timeSeries", some);
    json_decref(some);
    if (r == 0)
        return copy;
    json_decref(copy);
    return NULL;
}

int recorded_answers_read(const struct recorded_answers *a, struct metric_intake *in,
                          struct err *err)
{
    int r = 0;
    for (size_t i = 0; i < json_array_size(a->list) && r == 0; i += 2) {
        if (strcmp(json_string_value(json_array_get(a->list, i)), in->project) != 0)
            continue;
        json_t *answer = narrow(json_array_get(a->list, i + 1), in->metric);
        r = answer ? metric_intake_answer(in, answer, err)
                   : err_set(err, E_NOMEM, 0, "no memory for an answer");
        json_decref(answer);
    }
    return r < 0 ? err_wrap(err, r, "%s", in->run->timeseries) : 0;
}
