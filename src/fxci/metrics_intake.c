/* SPDX-License-Identifier: MPL-2.0 */
/* What an answer of timeSeries.list has. Source: fxci-etl.md 4.3, 4.4, 6.4. */
#include "base/log.h"
#include "fxci/metrics_internal.h"

#include <stdlib.h>

/* The text of the first of a list of google.rpc.Status, or "". */
static const char *first_message(const json_t *list)
{
    const json_t *first = json_array_get(list, 0);
    const char *text = json_string_value(json_object_get(first, "message"));
    return text ? text : "";
}

static bool has_items(const json_t *list)
{
    return list && !json_is_null(list) && !(json_is_array(list) && json_array_size(list) == 0);
}

static int check_answer(const json_t *answer, struct err *err)
{
    if (!json_is_object(answer))
        return err_set(err, E_FORMAT, 0, "an answer that is no JSON object");
    const json_t *errors = json_object_get(answer, "executionErrors");
    if (has_items(errors))
        return err_set(err, E_IO, 0, "the answer is not whole (executionErrors): %s",
                       first_message(errors));
    const json_t *series = json_object_get(answer, "timeSeries");
    if (series && !json_is_null(series) && !json_is_array(series))
        return err_set(err, E_FORMAT, 0, "an answer whose timeSeries are no list");
    return 0;
}

static int say_series(const struct metrics_run *run, const json_t *series, struct err *err)
{
    char *line = json_dumps(series, JSON_COMPACT | JSON_ENCODE_ANY);
    if (!line)
        return err_set(err, E_NOMEM, 0, "no memory for a series");
    run->say(run->say_arg, line);
    free(line);
    return 0;
}

static int take_series(struct metric_intake *in, const json_t *series, struct err *err)
{
    struct err why = {0};
    in->n_series++;
    int r = in->run->dry_run ? say_series(in->run, series, err) : 0;
    if (r < 0)
        return r;
    r = metric_series_read(&in->rows, series, &in->interval, &why);
    if (r < 0)
        return err_wrap(err, r, "%s", why.text);
    if (r == SERIES_BROKEN) {
        in->n_broken++;
        log_event(LOG_LEVEL_WARNING, "a series is skipped", LOG_S("project", in->project),
                  LOG_S("why", why.text));
    }
    return 0;
}

int metric_intake_answer(struct metric_intake *in, const json_t *answer, struct err *err)
{
    int r = check_answer(answer, err);
    size_t i;
    const json_t *series;
    json_array_foreach(json_object_get(answer, "timeSeries"), i, series)
    {
        if (r == 0)
            r = take_series(in, series, err);
    }
    return r;
}
