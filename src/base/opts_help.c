/* SPDX-License-Identifier: MPL-2.0 */
#include "base/opts_internal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

enum {
    LINE_COLUMNS = 100,
    LEFT_COLUMNS_MAX = 36, // a longer left side has its help on the next line
    LEFT_BYTES = 192,
    HELP_BYTES = 2048,
    GLUE = '\x1f', // printed as a space at which no line ends
};

/* The same rows are walked twice: to measure the left column, then to print. */
struct table {
    FILE *out; // NULL while measuring
    size_t left_columns;
};

/* Columns of the first len bytes of UTF-8 text. */
static size_t columns(const char *text, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++)
        n += ((unsigned char)text[i] & 0xc0) != 0x80;
    return n;
}

static void start_line(FILE *out, size_t indent)
{
    (void)fprintf(out, "\n%*s", (int)indent, "");
}

/*
 * Print text in lines of at most LINE_COLUMNS that begin at column indent; the cursor stands there
 * now. A newline in the text ends a line, and the spaces behind it move that paragraph to the
 * right.
 */
static void print_wrapped(FILE *out, size_t indent, const char *text)
{
    size_t margin = indent, column = indent;
    for (const char *c = text; *c;) {
        if (*c == '\n') {
            const size_t shift = strspn(c + 1, " ");
            margin = column = indent + shift;
            c += 1 + shift;
            if (*c == '\n')
                (void)fputc('\n', out);
            else if (*c)
                start_line(out, margin);
            continue;
        }
        const size_t n_spaces = strspn(c, " ");
        const size_t len = strcspn(c + n_spaces, " \n");
        const size_t wide = columns(c + n_spaces, len);
        if (column > margin && column + n_spaces + wide > LINE_COLUMNS) {
            start_line(out, margin);
            column = margin;
        } else {
            (void)fprintf(out, "%*s", (int)n_spaces, "");
            column += n_spaces;
        }
        for (size_t i = n_spaces; i < n_spaces + len; i++)
            (void)fputc(c[i] == GLUE ? ' ' : c[i], out);
        column += wide;
        c += n_spaces + len;
    }
    (void)fputc('\n', out);
}

static void print_paragraphs(FILE *out, const char *text)
{
    if (text && text[0]) {
        (void)fputs("\n  ", out);
        print_wrapped(out, 2, text);
    }
}

static void row(struct table *t, const char *left, const char *help)
{
    const size_t wide = columns(left, strlen(left));
    if (!t->out) {
        if (wide > t->left_columns && wide <= LEFT_COLUMNS_MAX)
            t->left_columns = wide;
        return;
    }
    const size_t indent = 2 + t->left_columns + 2;
    (void)fprintf(t->out, "  %s", left);
    if (wide > t->left_columns)
        start_line(t->out, indent);
    else
        (void)fprintf(t->out, "%*s", (int)(t->left_columns - wide + 2), "");
    print_wrapped(t->out, indent, help);
}

static void append(char *text, size_t cap, const char *fmt, ...) PRINTF_LIKE(3, 4);
static void append(char *text, size_t cap, const char *fmt, ...)
{
    const size_t len = strlen(text);
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text + len, cap - len, fmt, args);
    va_end(args);
}

static void format_left(char left[LEFT_BYTES], const struct opt *opt)
{
    left[0] = '\0';
    if (opt->short_name)
        append(left, LEFT_BYTES, "-%c, ", opt->short_name);
    append(left, LEFT_BYTES, "--%s", opt->name);
    if (opt->kind == OPT_KIND_CHOICE) {
        for (size_t i = 0; opt->choices[i]; i++)
            append(left, LEFT_BYTES, "%s%s", i == 0 ? " [" : "|", opt->choices[i]);
        append(left, LEFT_BYTES, "]");
    } else if (opts_takes_value(opt)) {
        append(left, LEFT_BYTES, " %s", opt->metavar ? opt->metavar : "TEXT");
    }
}

/* Say what stands in the args struct when nothing is given, where that is a value the user could
 * give. */
static void append_default(char *notes, size_t cap, const char *lead, const struct opt *opt,
                           const struct opt_command *command)
{
    if (opt->required)
        return;
    uint64_t number = 0;
    double real = 0;
    const char *text = NULL;
    int choice = 0;
    bool yes = false;
    const void *at = command->defaults ? (const char *)command->defaults + opt->offset : NULL;
    switch (opt->kind) {
    case OPT_KIND_UINT:
        if (at)
            memcpy(&number, at, sizeof number);
        if (number >= opt->min && number <= opt->max)
            append(notes, cap, "%s%" PRIu64, lead, number);
        break;
    case OPT_KIND_REAL:
        if (at)
            memcpy(&real, at, sizeof real);
        if (at && real >= (double)opt->min && real <= (double)opt->max)
            append(notes, cap, "%s%g", lead, real);
        break;
    case OPT_KIND_STRING:
        if (at)
            memcpy(&text, at, sizeof text);
        if (text && text[0])
            append(notes, cap, "%s%s", lead, text);
        break;
    case OPT_KIND_CHOICE:
        if (at)
            memcpy(&choice, at, sizeof choice);
        if (choice >= 0)
            append(notes, cap, "%s%s", lead, opt->choices[choice]);
        break;
    case OPT_KIND_BOOL:
        if (at)
            memcpy(&yes, at, sizeof yes);
        append(notes, cap, "%s%s", lead, yes ? "true" : "false");
        break;
    default:
        break;
    }
}

static void append_notes(char help[HELP_BYTES], const struct opt *opt,
                         const struct opt_command *command)
{
    char notes[512] = "";
    if (opt->env)
        append(notes, sizeof notes, "; env: %s", opt->env);
    if ((opt->kind == OPT_KIND_UINT || opt->kind == OPT_KIND_REAL) && opt->max < UINT64_MAX)
        append(notes, sizeof notes, "; range: %" PRIu64 " to %" PRIu64, opt->min, opt->max);
    append_default(notes, sizeof notes, "; default: ", opt, command);
    if (opt->required)
        append(notes, sizeof notes, "; required");
    if (notes[0] == '\0')
        return;
    for (char *c = notes + 2; *c; c++)
        *c = *c == ' ' && c[-1] != ';' ? GLUE : *c;
    append(help, HELP_BYTES, " [%s]", notes + 2);
}

static void option_row(struct table *t, const struct opt *opt, const struct opt_command *command)
{
    char left[LEFT_BYTES], help[HELP_BYTES] = "";
    format_left(left, opt);
    append(help, sizeof help, "%s", opt->help ? opt->help : "");
    if (opt->kind == OPT_KIND_SECRET)
        append(help, sizeof help,
               " Other users see a value given here for a moment: prefer --%s-file%s%s.", opt->name,
               opt->env ? " or " : "", opt->env ? opt->env : "");
    append_notes(help, opt, command);
    row(t, left, help);
    if (opt->kind != OPT_KIND_SECRET)
        return;
    (void)snprintf(left, sizeof left, "--%s-file FILE", opt->name);
    (void)snprintf(help, sizeof help, "Read the value of --%s from this file.%s%s%s", opt->name,
                   opt->env ? " [env:\x1f" : "", opt->env ? opt->env : "",
                   opt->env ? "_FILE]" : "");
    row(t, left, help);
}

static void command_options(struct table *t, const struct opt_command *command)
{
    bool has_help = false;
    for (const struct opt *const *group = command->groups; group && *group; group++) {
        for (const struct opt *opt = *group; opt->name; opt++) {
            option_row(t, opt, command);
            has_help |= opt->kind == OPT_KIND_HELP;
        }
    }
    if (!has_help)
        row(t, "--help", "Show this message and exit.");
}

static void print_options(FILE *out, const struct opt_command *command)
{
    (void)fputs("\nOptions:\n", out);
    struct table options = {0};
    command_options(&options, command);
    options.out = out;
    command_options(&options, command);
}

static void program_options(FILE *out, const struct opt_program *program)
{
    if (program->groups) {
        print_options(out, &(const struct opt_command){.groups = program->groups,
                                                       .defaults = program->defaults});
        return;
    }
    (void)fputs("\nOptions:\n", out);
    struct table options = {.out = out, .left_columns = strlen("--version")};
    row(&options, "--version", "Show the version and exit.");
    row(&options, "--help", "Show this message and exit.");
}

static void print_positionals(FILE *out, const struct opt_positional *positionals)
{
    for (const struct opt_positional *p = positionals; p && p->metavar; p++)
        (void)fprintf(out, p->optional ? " [%s]%s" : " %s%s", p->metavar, p->many ? "..." : "");
    (void)fputc('\n', out);
}

void opts_print_usage(FILE *out, const struct opts_call *call)
{
    const struct opt_command *command = call->command;
    (void)fprintf(out, "Usage: %s [OPTIONS]%s", call->name, command ? "" : " COMMAND [ARGS]...");
    print_positionals(out, command ? command->positionals : NULL);
}

/* The program's commands, or those that begin with the word that was called. */
static void command_rows(struct table *t, const struct opts_call *call)
{
    for (const struct opt_command *c = call->program->commands; c->name; c++)
        if (!call->group || opts_in_group(c, call->group))
            row(t, c->name, c->summary);
}

void opts_print_program_help(FILE *out, const struct opts_call *call)
{
    const struct opt_program *program = call->program;
    opts_print_usage(out, call);
    if (!call->group)
        print_paragraphs(out, program->summary);
    program_options(out, program);
    (void)fputs("\nCommands:\n", out);
    struct table commands = {0};
    command_rows(&commands, call);
    commands.out = out;
    command_rows(&commands, call);
    if (!call->group)
        print_paragraphs(out, program->epilog);
}

void opts_print_command_help(FILE *out, const struct opts_call *call)
{
    const struct opt_command *command = call->command;
    opts_print_usage(out, call);
    print_paragraphs(out, command->summary);
    print_paragraphs(out, command->details);
    print_options(out, command);
}

/* In a cell a pipe would end it, and a line end the table. */
static void print_cell(FILE *out, const char *text)
{
    for (const char *c = text; *c; c++) {
        if (*c == '|')
            (void)fputc('\\', out);
        (void)fputc(*c == '\n' ? ' ' : *c, out);
    }
}

static void markdown_row(FILE *out, const struct opt *opt, const struct opt_command *command)
{
    char left[LEFT_BYTES], value[HELP_BYTES] = "";
    format_left(left, opt);
    append_default(value, sizeof value, "", opt, command);
    (void)fputs("| ", out);
    if (opt->env)
        (void)fprintf(out, "`%s`", opt->env);
    (void)fputs(" | `", out);
    print_cell(out, left);
    (void)fputs("` | ", out);
    if (opt->required)
        (void)fputs("required", out);
    else if (value[0])
        (void)fprintf(out, "`%s`", value);
    (void)fputs(" | ", out);
    print_cell(out, opt->help ? opt->help : "");
    if (opt->kind == OPT_KIND_SECRET && opt->env)
        (void)fprintf(out, " Or `%s_FILE`, a file that holds it.", opt->env);
    (void)fputs(" |\n", out);
}

void opts_print_markdown(FILE *out, const struct opt_command *command)
{
    (void)fputs("| Variable | Option | Default | Meaning |\n| --- | --- | --- | --- |\n", out);
    for (const struct opt *const *group = command->groups; group && *group; group++) {
        for (const struct opt *opt = *group; opt->name; opt++)
            markdown_row(out, opt, command);
    }
}
