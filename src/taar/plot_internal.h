/* plot_internal.h - drawing, for the kinds of plots. Lengths are in pixels from the top left. */
#pragma once

#include "taar/plot.h"

/* What is drawn; after a failure nothing more is. */
struct plot {
    struct buf *svg;
    struct err *err;
    int r;
};
void plot_put(struct plot *p, const char *text);
void plot_number(struct plot *p, double x);
/** As XML wants it; longer than max characters: cut, with an ellipsis. */
void plot_text(struct plot *p, const char *text, size_t max);
/** plot_begin(p, 800, 600, "title"); plot_end(p); */
void plot_begin(struct plot *p, double width, double height, const char *title);
void plot_end(struct plot *p);
/** class: "title", "label" or "tick"; anchor: "start", "middle" or "end". */
void plot_label(struct plot *p, double x, double y, const char *class, const char *anchor,
                const char *text, size_t max);

/* Round numbers that hold lo and hi, and the distance of its ticks. */
struct plot_axis {
    double lo, hi, step;
};
struct plot_axis plot_axis_of(double lo, double hi);
struct plot_frame {
    double x, y, width, height;
    struct plot_axis across, up;
};
/** Lines and numbers of the ticks, and names of the axes. */
void plot_ticks_across(struct plot *p, const struct plot_frame *f, const char *name);
void plot_ticks_up(struct plot *p, const struct plot_frame *f, const char *name);
/** A line through points; where one is no number, there is a gap. class: "one" or "two". */
void plot_line(struct plot *p, const struct plot_frame *f, const char *class, const double *xs,
               const double *ys, size_t n);

/** What a line's class means, in the frame's right corner, y below its top. */
void plot_legend(struct plot *p, const struct plot_frame *f, double y, const char *class,
                 const char *name);

struct plot_bar {
    const char *name; // borrowed
    double value;     // from 0
};
enum { PLOT_BAR_HEIGHT = 20, PLOT_LABEL_WIDTH = 300 };
/** Bars from left to right, one below the other, names to their left. */
void plot_bars(struct plot *p, const struct plot_frame *f, const struct plot_bar *bars, size_t n);
