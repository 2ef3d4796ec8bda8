/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/plot.h"

#include "taar/plot_internal.h"

#include <jansson.h>
#include <math.h>

enum { WIDTH = 860, LEFT = 70, TOP = 80, PANEL = 240, SECTION_GAP = 84, TOP_ADDONS = 20 };
static const double right_margin = 30;

static void free_json(json_t **json)
{
    json_decref(*json);
}

static int refuse(struct plot *p, const char *what)
{
    return p->r = err_set(p->err, E_FORMAT, 0, "this is no %s", what);
}

/* Larger ones would leave the range of doubles on the way. */
static bool is_drawable(const json_t *number)
{
    return json_is_number(number) && fabs(json_number_value(number)) <= 1e100;
}

struct curve {
    double *x, *same, *different, *ratio;
    size_t n;
};

static int read_curve(struct plot *p, const struct curve *c, json_t *json)
{
    for (size_t i = 0; i < c->n; i++) {
        json_t *point = json_array_get(json, i), *pair = json_array_get(point, 1);
        json_t *x = json_array_get(point, 0);
        json_t *a = json_array_get(pair, 0), *b = json_array_get(pair, 1);
        if (!is_drawable(x) || !is_drawable(a) || !is_drawable(b))
            return refuse(p, "lr_curves: a point is not [x, [numerator, denominator]]");
        c->x[i] = json_number_value(x);
        c->same[i] = json_number_value(a);
        c->different[i] = json_number_value(b);
        c->ratio[i] = log(c->same[i] / c->different[i]); // of 0: infinite, a gap
    }
    return 0;
}

static void widen(double *lo, double *hi, const double *values, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(values[i]))
            continue;
        *lo = fmin(*lo, values[i]);
        *hi = fmax(*hi, values[i]);
    }
}

static void draw_curve(struct plot *p, const struct curve *c)
{
    double lo = c->x[0], hi = c->x[0], most = 0, least = 0, low = 0, high = 0;
    widen(&lo, &hi, c->x, c->n);
    widen(&least, &most, c->same, c->n);
    widen(&least, &most, c->different, c->n);
    widen(&low, &high, c->ratio, c->n);
    struct plot_frame f = {LEFT,
                           TOP,
                           WIDTH - LEFT - right_margin,
                           PANEL,
                           plot_axis_of(lo, hi),
                           plot_axis_of(least, most)};
    plot_begin(p, WIDTH, TOP + 2.0 * PANEL + 2.0 * SECTION_GAP,
               "How alike clients of one cluster are");
    plot_ticks_across(p, &f, "distance of two clients");
    plot_ticks_up(p, &f, "density");
    plot_line(p, &f, "one", c->x, c->same, c->n);
    plot_line(p, &f, "two", c->x, c->different, c->n);
    plot_legend(p, &f, 16, "one", "same cluster");
    plot_legend(p, &f, 34, "two", "different clusters");
    f.y += PANEL + SECTION_GAP;
    f.up = plot_axis_of(low, high);
    plot_ticks_across(p, &f, "distance of two clients");
    plot_ticks_up(p, &f, "ln(same / different): above 0 a donor counts");
    plot_line(p, &f, "one", c->x, c->ratio, c->n);
    plot_end(p);
}

static int plot_curves(struct plot *p, json_t *json)
{
    const size_t n = json_array_size(json);
    if (n == 0)
        return refuse(p, "lr_curves: an array of [x, [numerator, denominator]] is expected");
    double *values = calloc(4 * n, sizeof *values);
    if (!values)
        return p->r = err_set(p->err, E_NOMEM, 0, "no memory for a curve");
    const struct curve c = {values, values + n, values + 2 * n, values + 3 * n, n};
    if (read_curve(p, &c, json) == 0)
        draw_curve(p, &c);
    free(values);
    return p->r;
}

static int by_value(const void *a, const void *b)
{
    const struct plot_bar *x = a, *y = b;
    if (x->value > y->value || x->value < y->value)
        return x->value > y->value ? -1 : 1;
    return strcmp(x->name, y->name);
}

static struct plot_frame frame_of_bars(double y, size_t n, double most)
{
    return (struct plot_frame){PLOT_LABEL_WIDTH,
                               y,
                               WIDTH - PLOT_LABEL_WIDTH - right_margin,
                               PLOT_BAR_HEIGHT * (double)n,
                               plot_axis_of(0, most),
                               {0, 1, 1}};
}

/* For each add-on, how often others stand beside it. */
static int sum_rows(struct plot *p, struct plot_bar *bars, json_t *json)
{
    const char *guid, *other;
    json_t *row, *count;
    size_t n = 0;
    json_object_foreach(json, guid, row)
    {
        struct plot_bar bar = {guid, 0};
        if (!json_is_object(row))
            return refuse(p, "guid_coinstallation: an add-on has no object of counts");
        json_object_foreach(row, other, count)
        {
            if (!json_is_integer(count) || json_integer_value(count) < 0)
                return refuse(p, "guid_coinstallation: a count is no whole number");
            bar.value += json_number_value(count);
        }
        bars[n++] = bar;
    }
    qsort(bars, n, sizeof *bars, by_value);
    return 0;
}

static int plot_pairs(struct plot *p, json_t *json)
{
    const size_t n = json_object_size(json), shown = n < TOP_ADDONS ? n : TOP_ADDONS;
    if (!json_is_object(json) || n == 0)
        return refuse(p, "guid_coinstallation: an object of objects of counts is expected");
    struct plot_bar *bars = calloc(n, sizeof *bars);
    if (!bars)
        return p->r = err_set(p->err, E_NOMEM, 0, "no memory for add-ons");
    if (sum_rows(p, bars, json) == 0) {
        const struct plot_frame f = frame_of_bars(TOP - 30, shown, bars[0].value);
        plot_begin(p, WIDTH, f.y + f.height + SECTION_GAP - 20,
                   "Add-ons that are most often installed beside others");
        plot_ticks_across(p, &f, "times that another add-on of the whitelist stands beside it");
        plot_bars(p, &f, bars, shown);
        plot_end(p);
    }
    free(bars);
    return p->r;
}

static int count_pairs(struct plot *p, json_t *json, size_t *n)
{
    const char *locale;
    json_t *top, *pair;
    size_t i;
    json_object_foreach(json, locale, top)
    {
        if (!json_is_array(top))
            return refuse(p, "top10_dict: a locale has no array");
        json_array_foreach(top, i, pair)
        {
            json_t *weight = json_array_get(pair, 1);
            if (!json_is_string(json_array_get(pair, 0)) || !is_drawable(weight) ||
                json_number_value(weight) < 0)
                return refuse(p, "top10_dict: an entry is not [guid, weight]");
        }
        *n += json_array_size(top);
    }
    return 0;
}

static double heaviest(json_t *top)
{
    double most = 0;
    json_t *pair;
    size_t i;
    json_array_foreach(top, i, pair) most = fmax(most, json_number_value(json_array_get(pair, 1)));
    return most;
}

/* Each has a scale of its own: where many add-ons are used, all weights are small. */
static void draw_locale(struct plot *p, double *y, const char *locale, json_t *top)
{
    const struct plot_frame f = frame_of_bars(*y, json_array_size(top), heaviest(top));
    json_t *pair;
    size_t i;
    plot_label(p, f.x, f.y - 8, "label", "start", *locale ? locale : "(empty locale)", 60);
    plot_ticks_across(p, &f, "weight");
    json_array_foreach(top, i, pair)
    {
        struct plot_frame row = f;
        const struct plot_bar bar = {json_string_value(json_array_get(pair, 0)),
                                     json_number_value(json_array_get(pair, 1))};
        row.y += PLOT_BAR_HEIGHT * (double)i;
        row.height = PLOT_BAR_HEIGHT;
        plot_bars(p, &row, &bar, 1);
    }
    *y += f.height + SECTION_GAP;
}

static int plot_locales(struct plot *p, json_t *json)
{
    const char *locale;
    json_t *top;
    double y = TOP;
    size_t n = 0;
    if (!json_is_object(json) || json_object_size(json) == 0)
        return refuse(p, "top10_dict: an object of locales is expected");
    if (count_pairs(p, json, &n) < 0)
        return p->r;
    plot_begin(p, WIDTH,
               TOP + (double)n * PLOT_BAR_HEIGHT + (double)json_object_size(json) * SECTION_GAP,
               "Add-ons that each locale's clients use most");
    json_object_foreach(json, locale, top) draw_locale(p, &y, locale, top);
    plot_end(p);
    return p->r;
}

int plot_svg(struct buf *svg, enum plot_kind kind, struct span text, struct err *err)
{
    json_error_t why;
    CLEANUP(free_json) json_t *json = json_loadb((const char *)text.ptr, text.len, 0, &why);
    struct plot p = {svg, err, 0};
    if (!json)
        return err_set(err, E_FORMAT, 0, "line %d is no JSON: %.100s", why.line, why.text);
    if (kind == PLOT_LR_CURVES)
        return plot_curves(&p, json);
    return kind == PLOT_LOCALE ? plot_locales(&p, json) : plot_pairs(&p, json);
}
