/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/plot_internal.h"

#include <math.h>
#include <stdio.h>

enum { TICKS = 5, TICK_PIXELS = 4, NAME_CHARS = 44, LEGEND_WIDTH = 160 };

static const char style[] =
    "<style>text{font:12px sans-serif;fill:#333}.title{font-size:16px;font-weight:bold}"
    ".label{font-size:13px}.back{fill:#fff}.axis{stroke:#777}.grid{stroke:#ddd}"
    ".one,.two{fill:none;stroke:#2a6fb0;stroke-width:1.5}.two{stroke:#c4601d}"
    ".bar{fill:#2a6fb0}"
    "@media(prefers-color-scheme:dark){text{fill:#ddd}.back{fill:#1b1b1b}.axis{stroke:#999}"
    ".grid{stroke:#3a3a3a}.one{stroke:#6fb1f0}.two{stroke:#f09a5a}.bar{fill:#5a9bd8}}</style>\n";

void plot_put(struct plot *p, const char *text)
{
    if (p->r == 0)
        p->r = buf_append_str(p->svg, text, p->err);
}

void plot_number(struct plot *p, double x)
{
    if (p->r == 0)
        p->r = buf_printf(p->svg, p->err, "%.10g", x == 0 ? 0.0 : x); // not -0
}

static bool starts_character(char c)
{
    return ((unsigned char)c & 0xC0) != 0x80;
}

static void put_character(struct plot *p, char c)
{
    if (c == '&')
        plot_put(p, "&amp;");
    else if (c == '<')
        plot_put(p, "&lt;");
    else if (c == '>')
        plot_put(p, "&gt;");
    else if (c == '"')
        plot_put(p, "&quot;");
    else if (p->r == 0) // XML has no control characters
        p->r =
            buf_append_byte(p->svg, (unsigned char)c < ' ' || c == 0x7F ? '?' : (uint8_t)c, p->err);
}

void plot_text(struct plot *p, const char *text, size_t max)
{
    size_t n = 0;
    for (const char *c = text; *c; c++)
        n += starts_character(*c);
    const bool cut = n > max;
    n = 0;
    for (const char *c = text; *c; c++) {
        n += starts_character(*c);
        if (cut && n >= max)
            break;
        put_character(p, *c);
    }
    if (cut)
        plot_put(p, "\xe2\x80\xa6");
}

static void put_attribute(struct plot *p, const char *name, double x)
{
    plot_put(p, " ");
    plot_put(p, name);
    plot_put(p, "=\"");
    plot_number(p, x);
    plot_put(p, "\"");
}

void plot_begin(struct plot *p, double width, double height, const char *title)
{
    plot_put(p, "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\"");
    put_attribute(p, "width", width);
    put_attribute(p, "height", height);
    plot_put(p, ">\n<title>");
    plot_text(p, title, SIZE_MAX);
    plot_put(p, "</title>\n");
    plot_put(p, style);
    plot_put(p, "<rect class=\"back\" width=\"100%\" height=\"100%\"/>\n");
    plot_label(p, 20, 28, "title", "start", title, SIZE_MAX);
}

void plot_end(struct plot *p)
{
    plot_put(p, "</svg>\n");
}

void plot_label(struct plot *p, double x, double y, const char *class, const char *anchor,
                const char *text, size_t max)
{
    plot_put(p, "<text");
    put_attribute(p, "x", x);
    put_attribute(p, "y", y);
    plot_put(p, " class=\"");
    plot_put(p, class);
    plot_put(p, "\" text-anchor=\"");
    plot_put(p, anchor);
    plot_put(p, "\">");
    plot_text(p, text, max);
    plot_put(p, "</text>\n");
}

static void put_segment(struct plot *p, const char *class, double x1, double y1, double x2,
                        double y2)
{
    plot_put(p, "<line class=\"");
    plot_put(p, class);
    plot_put(p, "\"");
    put_attribute(p, "x1", x1);
    put_attribute(p, "y1", y1);
    put_attribute(p, "x2", x2);
    put_attribute(p, "y2", y2);
    plot_put(p, "/>\n");
}

struct plot_axis plot_axis_of(double lo, double hi)
{
    const double size = fmax(fabs(lo), fabs(hi));
    if (!(hi - lo > size * 1e-9))
        hi = lo + fmax(1, size);
    const double raw = (hi - lo) / TICKS, power = pow(10, floor(log10(raw)));
    const double digit = raw / power;
    const double step = power * (digit > 5 ? 10 : digit > 2 ? 5 : digit > 1 ? 2 : 1);
    return (struct plot_axis){floor(lo / step) * step, ceil(hi / step) * step, step};
}

static double x_of(const struct plot_frame *f, double value)
{
    return f->x + (value - f->across.lo) / (f->across.hi - f->across.lo) * f->width;
}

static double y_of(const struct plot_frame *f, double value)
{
    return f->y + f->height - (value - f->up.lo) / (f->up.hi - f->up.lo) * f->height;
}

static int count_ticks(const struct plot_axis *a)
{
    return (int)lround((a->hi - a->lo) / a->step) + 1;
}

/* The tick's number without the dust of floating point. */
static double tick_of(const struct plot_axis *a, int i)
{
    return (round(a->lo / a->step) + i) * a->step;
}

static void put_tick_text(struct plot *p, double x, double y, const char *anchor, double value)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%.6g", value == 0 ? 0.0 : value);
    plot_label(p, x, y, "tick", anchor, text, SIZE_MAX);
}

void plot_ticks_across(struct plot *p, const struct plot_frame *f, const char *name)
{
    const double bottom = f->y + f->height;
    for (int i = 0; i < count_ticks(&f->across); i++) {
        const double value = tick_of(&f->across, i), x = x_of(f, value);
        put_segment(p, "grid", x, f->y, x, bottom);
        put_segment(p, "axis", x, bottom, x, bottom + TICK_PIXELS);
        put_tick_text(p, x, bottom + 18, "middle", value);
    }
    put_segment(p, "axis", f->x, bottom, f->x + f->width, bottom);
    plot_label(p, f->x + f->width / 2, bottom + 38, "label", "middle", name, SIZE_MAX);
}

void plot_ticks_up(struct plot *p, const struct plot_frame *f, const char *name)
{
    for (int i = 0; i < count_ticks(&f->up); i++) {
        const double value = tick_of(&f->up, i), y = y_of(f, value);
        put_segment(p, "grid", f->x, y, f->x + f->width, y);
        put_segment(p, "axis", f->x - TICK_PIXELS, y, f->x, y);
        put_tick_text(p, f->x - TICK_PIXELS - 3, y + 4, "end", value);
    }
    put_segment(p, "axis", f->x, f->y, f->x, f->y + f->height);
    plot_label(p, f->x, f->y - 10, "label", "start", name, SIZE_MAX);
}

void plot_line(struct plot *p, const struct plot_frame *f, const char *class, const double *xs,
               const double *ys, size_t n)
{
    bool open = false;
    for (size_t i = 0; i <= n; i++) {
        const bool here = i < n && isfinite(xs[i]) && isfinite(ys[i]);
        if (open && !here)
            plot_put(p, "\"/>\n");
        if (here && !open) {
            plot_put(p, "<polyline class=\"");
            plot_put(p, class);
            plot_put(p, "\" points=\"");
        }
        if (here) {
            plot_put(p, open ? " " : "");
            plot_number(p, x_of(f, xs[i]));
            plot_put(p, ",");
            plot_number(p, y_of(f, ys[i]));
        }
        open = here;
    }
}

void plot_legend(struct plot *p, const struct plot_frame *f, double y, const char *class,
                 const char *name)
{
    const double x = f->x + f->width - LEGEND_WIDTH;
    put_segment(p, class, x, f->y + y - 4, x + 20, f->y + y - 4);
    plot_label(p, x + 28, f->y + y, "label", "start", name, SIZE_MAX);
}

void plot_bars(struct plot *p, const struct plot_frame *f, const struct plot_bar *bars, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const double y = f->y + PLOT_BAR_HEIGHT * (double)i;
        plot_label(p, f->x - 8, y + 14, "tick", "end", bars[i].name, NAME_CHARS);
        plot_put(p, "<rect class=\"bar\"");
        put_attribute(p, "x", f->x);
        put_attribute(p, "y", y + 3);
        put_attribute(p, "width", x_of(f, bars[i].value) - f->x);
        put_attribute(p, "height", PLOT_BAR_HEIGHT - 6);
        plot_put(p, "><title>");
        plot_text(p, bars[i].name, SIZE_MAX);
        plot_put(p, ": ");
        plot_number(p, bars[i].value);
        plot_put(p, "</title></rect>\n");
    }
    put_segment(p, "axis", f->x, f->y, f->x, f->y + f->height);
}
