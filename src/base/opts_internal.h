/* opts_internal.h - what the three files of the option parser share. Nobody else includes this. */
#pragma once

#include "base/opts.h"

#include <stdio.h>

enum { OPTS_NAME_BYTES = 128 }; // an option's or variable's name with "-file" or "_FILE" behind it

/** The second name of a secret: "x-file" from "x", "X_FILE" from "X". */
void opts_file_name(char out[OPTS_NAME_BYTES], const char *name, const char *suffix);

/** Keep *best at the candidate most like text, when one is like enough to be a slip of the finger.
 */
struct opts_guess {
    const char *text;
    char best[OPTS_NAME_BYTES]; // empty: nothing is near
    size_t distance;
};
#define OPTS_GUESS(written) ((struct opts_guess){.text = (written), .distance = SIZE_MAX})
void opts_guess_try(struct opts_guess *g, const char *candidate);

bool opts_takes_value(const struct opt *opt);
/** Do both name the same option? "_" is "-". */
bool opts_same_name(const char *a, const char *b);

/* What the user called: "prio verify1", or "process" for an alias. */
struct opts_call {
    const struct opt_program *program;
    const struct opt_command *command; // NULL: the program itself
    const char *group; // no command, but the first word of some; borrowed; else NULL
    char name[3 * OPTS_NAME_BYTES];
};

/** Does the command's name begin with this word and a space? */
bool opts_in_group(const struct opt_command *command, const char *word);
/** By its name, or another one that the program has for it. NULL: none. */
const struct opt_command *opts_find_command(const struct opt_program *program, const char *name);

struct opts_words {
    const char *first;  // NULL: there are only options
    const char *second; // NULL: it is not needed, or not there
};
/** The words of a command among options (struct opt_program.groups); they are taken out of argv. */
struct opts_words opts_take_words(const struct opt_program *program, int *argc, char **argv);

void opts_print_usage(FILE *out, const struct opts_call *call);
void opts_print_program_help(FILE *out, const struct opts_call *call);
void opts_print_command_help(FILE *out, const struct opts_call *call);
/** The options as a Markdown table: option, variable, default, meaning. */
void opts_print_markdown(FILE *out, const struct opt_command *command);
