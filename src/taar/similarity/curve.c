/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/similarity/curve.h"

#include <math.h>

void curve_deinit(struct curve *c)
{
    free(c->points);
    *c = (struct curve){.n = 0};
}

double curve_density(const double *sample, size_t n, double bandwidth, double x)
{
    const double scale = bandwidth * sqrt(2 * M_PI);
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        const double z = (x - sample[i]) / bandwidth;
        sum += exp(-0.5 * z * z) / scale;
    }
    return sum / (double)n;
}

int curve_grid(struct curve *c, double lo, double hi, uint32_t n_points, struct err *err)
{
    const double step = (hi - lo) / n_points;
    const double delta = lo + step - lo;
    *c = (struct curve){.n = 0};
    if (!(delta > 0) || !isfinite(hi))
        return err_set(err, E_FORMAT, 0,
                       "all pairs of donors are equally far apart: there is no curve; there may be "
                       "too few clients, or --num_donors is too small");
    const size_t n = (size_t)ceil((hi - lo) / step);
    c->points = calloc(n + 1, sizeof *c->points);
    if (!c->points)
        return err_set(err, E_NOMEM, 0, "no memory for %zu points", n);
    c->n = n;
    for (size_t i = 0; i < n; i++)
        c->points[i].x = i == 1 ? lo + step : lo + (double)i * delta;
    return 0;
}

static void widen(double *lo, double *hi, const double *sample, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        *lo = fmin(*lo, sample[i]);
        *hi = fmax(*hi, sample[i]);
    }
}

static int require_scores(const struct scores *s, struct err *err)
{
    if (s->n_same > 0 && s->n_different > 0)
        return 0;
    return err_set(err, E_FORMAT, 0,
                   "no two donors are of %s: there is no curve; there may be too few clients, or "
                   "--num_clusters or --num_donors is too small",
                   s->n_same == 0 ? "one cluster" : "different clusters");
}

int curve_make(struct curve *c, const struct curve_config *config, const struct scores *s,
               struct err *err)
{
    double lo = INFINITY, hi = -INFINITY;
    int r = require_scores(s, err);
    if (r < 0)
        return r;
    widen(&lo, &hi, s->same, s->n_same);
    widen(&lo, &hi, s->different, s->n_different);
    r = curve_grid(c, lo, hi, config->n_points, err);
    for (size_t i = 0; i < c->n && r == 0; i++) {
        struct curve_point *p = &c->points[i];
        p->same = curve_density(s->same, s->n_same, config->bandwidth, p->x);
        p->different = curve_density(s->different, s->n_different, config->bandwidth, p->x);
        if (!(p->different > 0) || !isfinite(p->different) || !isfinite(p->same))
            r = err_set(err, E_FORMAT, 0,
                        "the density of scores between clusters is %g at %g, and is divided by; "
                        "use another --kernel_bandwidth",
                        p->different, p->x);
    }
    return r;
}

int curve_json(struct buf *out, const struct curve *c, struct err *err)
{
    int r = buf_append_byte(out, '[', err);
    for (size_t i = 0; i < c->n && r == 0; i++)
        r = buf_printf(out, err, "%s[%.17g, [%.17g, %.17g]]", i > 0 ? ", " : "", c->points[i].x,
                       c->points[i].same, c->points[i].different);
    return r < 0 ? r : buf_append_byte(out, ']', err);
}
