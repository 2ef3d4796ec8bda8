/* SPDX-License-Identifier: MPL-2.0 */
/* taar-etl plot: pictures of what the jobs write. */
#include "cli/taar.h"
#include "taar/plot.h"

#include <stdlib.h>
#include <unistd.h>

struct plot_args {
    struct taar_args common;
    const char *input, *output;
};
static const struct plot_args defaults = {.common = TAAR_DEFAULTS};

static const struct opt options[] = {
    {.name = "output",
     .short_name = 'o',
     .kind = OPT_KIND_STRING,
     .required = true,
     .filled = true,
     .offset = offsetof(struct plot_args, output),
     .metavar = "FILE",
     .help = "The picture, as SVG; - is standard output."},
    OPT_END,
};

static const struct opt_positional positionals[] = {
    {.metavar = "INPUT", .offset = offsetof(struct plot_args, input)}, {0}};

static void free_text(char **text)
{
    free(*text);
}

/* A file on this machine, else an object as taar-etl show takes it. */
static int read_input(const struct taar_setup *s, const char *input, struct buf *text,
                      struct err *err)
{
    CLEANUP(free_text) char *path = access(input, R_OK) == 0 ? realpath(input, NULL) : NULL;
    if (!path && input[0] == '.')
        return err_set(err, E_ABSENT, 0, "%s: no such file", input);
    return taar_read_object(s, path ? path : input, text, err);
}

static int write_picture(const char *path, const struct buf *svg, struct err *err)
{
    CLEANUP(outfile_abandon) struct outfile out = OUTFILE_INIT;
    int r = taar_open_file(&out, path, err);
    if (r == 0)
        r = outfile_write(&out, svg->data, svg->len, err);
    return r < 0 ? r : outfile_commit(&out, err);
}

static int plot(const struct plot_args *a, enum plot_kind kind, struct err *err)
{
    CLEANUP(taar_end) struct taar_setup setup = {0};
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(OBJECT_MAX_BYTES);
    CLEANUP(buf_deinit) struct buf svg = BUF_INIT(PLOT_BYTES_MAX);
    int r = taar_start(&setup, &a->common, err);
    if (r == 0)
        r = read_input(&setup, a->input, &text, err);
    if (r == 0 && (r = plot_svg(&svg, kind, buf_span(&text), err)) < 0)
        (void)err_wrap(err, r, "%s", a->input);
    if (r == 0)
        r = write_picture(a->output, &svg, err);
    return taar_exit(r);
}

static int run_curves(void *args, struct err *err)
{
    return plot(args, PLOT_LR_CURVES, err);
}

static int run_coinstallation(void *args, struct err *err)
{
    return plot(args, PLOT_COINSTALLATION, err);
}

static int run_locale(void *args, struct err *err)
{
    return plot(args, PLOT_LOCALE, err);
}

static const struct opt *const groups[] = {options, taar_common_options, NULL};
#define PLOT_DETAILS "INPUT is a file, or an object as taar-etl show takes it."

const struct opt_command taar_plot_curves_command = {
    .name = "plot lr-curves",
    .summary = "Draw the curves of likelihood ratios that similarity wrote",
    .details = PLOT_DETAILS,
    .positionals = positionals,
    .groups = groups,
    .defaults = &defaults,
    .args_size = sizeof defaults,
    .run = run_curves,
};

const struct opt_command taar_plot_coinstallation_command = {
    .name = "plot coinstallation",
    .summary = "Draw the add-ons that lite found most often beside others",
    .details = PLOT_DETAILS,
    .positionals = positionals,
    .groups = groups,
    .defaults = &defaults,
    .args_size = sizeof defaults,
    .run = run_coinstallation,
};

const struct opt_command taar_plot_locale_command = {
    .name = "plot locale",
    .summary = "Draw the weights that locale wrote",
    .details = PLOT_DETAILS,
    .positionals = positionals,
    .groups = groups,
    .defaults = &defaults,
    .args_size = sizeof defaults,
    .run = run_locale,
};
