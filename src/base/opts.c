/* SPDX-License-Identifier: MPL-2.0 */
#include "base/opts.h"

#include "base/opts_internal.h"
#include "base/secret.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static size_t smallest(size_t a, size_t b, size_t c)
{
    const size_t ab = a < b ? a : b;
    return ab < c ? ab : c;
}

/* How many letters must be inserted, dropped or replaced to come from a to b. */
static size_t edit_distance(const char *a, const char *b)
{
    enum { LONGEST = 48 };
    const size_t a_len = strlen(a), b_len = strlen(b);
    if (a_len > LONGEST || b_len > LONGEST)
        return SIZE_MAX;
    size_t row[LONGEST + 1];
    for (size_t j = 0; j <= b_len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            const size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            row[j] = smallest(replaced, row[j] + 1, row[j - 1] + 1);
        }
    }
    return row[b_len];
}

/* Error texts may quote the bytes of strangers: what reaches the terminal is one line without
 * controls. */
static void print_error(const char *text)
{
    (void)fputs("Error: ", stderr);
    for (const char *c = text; *c; c++)
        (void)fputc((unsigned char)*c < 0x20 || *c == 0x7f ? '?' : *c, stderr);
    (void)fputc('\n', stderr);
}

static int usage_error(const struct opts_call *call, const char *text)
{
    opts_print_usage(stderr, call);
    (void)fprintf(stderr, "Try '%s --help' for help.\n\n", call->name);
    print_error(text);
    return EXIT_USAGE;
}

static int bad_first_word(const struct opts_call *call, const char *word)
{
    struct err err = {0};
    struct opts_guess guess = OPTS_GUESS(word);
    const bool is_option = word[0] == '-' && word[1] != '\0';
    if (is_option) {
        // Nothing behind "=": it may be the value of a secret option in the wrong place.
        (void)err_set(&err, E_ARG, 0, "No such option: %.*s", (int)strcspn(word, "="), word);
        return usage_error(call, err.text);
    }
    for (const struct opt_command *c = call->program->commands; c->name; c++)
        opts_guess_try(&guess, c->name);
    (void)err_set(&err, E_ARG, 0,
                  guess.best[0] ? "No such command '%s'. Did you mean '%s'?"
                                : "No such command '%s'.",
                  word, guess.best);
    return usage_error(call, err.text);
}

static void print_version(const struct opt_program *program)
{
    (void)printf("%s, version %s\n", program->name, program->version);
}

static int run_command(const struct opts_call *call, void *args, int argc, char **argv)
{
    struct err err = {0};
    const int r = opts_parse(call->command, args, argc, argv, &err);
    if (r == OPTS_HELP)
        opts_print_command_help(stdout, call);
    else if (r == OPTS_HELP_MARKDOWN)
        opts_print_markdown(stdout, call->command);
    else if (r == OPTS_VERSION)
        print_version(call->program);
    if (r > 0)
        return EXIT_DONE;
    if (r < 0)
        return usage_error(call, err.text);
    const int status = call->command->run(args, &err);
    if (status == EXIT_USAGE)
        return usage_error(call, err.text);
    if (status != EXIT_DONE && err.text[0] != '\0')
        print_error(err.text);
    return status;
}

/* argv[0] is the first argument of the command. */
static int start_command(const struct opts_call *call, int argc, char **argv)
{
    const struct opt_command *command = call->command;
    const size_t args_size = command->args_size > 0 ? command->args_size : 1;
    void *args = calloc(1, args_size);
    if (!args) {
        print_error("no memory for the arguments");
        return EXIT_FAILED;
    }
    if (command->defaults)
        memcpy(args, command->defaults, command->args_size);
    const int status = run_command(call, args, argc, argv);
    secret_wipe(args, args_size);
    free(args);
    return status;
}

static const struct opt_alias *find_alias(const struct opt_program *program, const char *name)
{
    for (const struct opt_alias *a = program->aliases; a && a->name; a++) {
        if (strcmp(a->name, name) == 0)
            return a;
    }
    return NULL;
}

static void call_append(struct opts_call *call, const char *word)
{
    const size_t len = strlen(call->name);
    (void)snprintf(call->name + len, sizeof call->name - len, "%s%s", len > 0 ? " " : "", word);
}

/* argv[0] is the first argument behind the program's name. */
static int dispatch(struct opts_call *call, int argc, char **argv)
{
    const struct opt_program *program = call->program;
    if (argc < 1 || strcmp(argv[0], "--help") == 0) {
        opts_print_program_help(stdout, call);
        return EXIT_DONE;
    }
    if (strcmp(argv[0], "--version") == 0) {
        print_version(program);
        return EXIT_DONE;
    }
    call->command = opts_find_command(program, argv[0]);
    if (call->command) {
        call_append(call, argv[0]);
        return start_command(call, argc - 1, argv + 1);
    }
    const struct opt_alias *alias = find_alias(program, argv[0]);
    if (!alias || !alias->program)
        return bad_first_word(call, argv[0]);
    call_append(call, argv[0]);
    call->program = alias->program;
    return dispatch(call, argc - 1, argv + 1);
}

/* No command was named: --help, --version, or a mistake. Without any word the help is the answer.
 */
static int start_none(const struct opts_call *call, int argc, char **argv)
{
    const struct opt_program *program = call->program;
    const struct opt_command itself = {
        .name = program->name, .groups = program->groups, .args_size = program->args_size};
    struct err err = {0};
    void *args = calloc(1, program->args_size);
    if (!args) {
        print_error("no memory for the arguments");
        return EXIT_FAILED;
    }
    const int r = opts_parse(&itself, args, argc, argv, &err);
    secret_wipe(args, program->args_size);
    free(args);
    if (r == 0 && call->group)
        (void)err_set(&err, E_ARG, 0, "Missing command behind '%s'.", call->group);
    if (r < 0 || (r == 0 && call->group))
        return usage_error(call, err.text);
    if (r == OPTS_VERSION)
        print_version(program);
    else
        opts_print_program_help(stdout, call);
    return EXIT_DONE;
}

/* As dispatch, of a program whose options stand anywhere and whose commands have two words. */
static int dispatch_words(struct opts_call *call, int argc, char **argv)
{
    const struct opts_words words = opts_take_words(call->program, &argc, argv);
    char name[OPTS_NAME_BYTES];
    if (!words.first)
        return start_none(call, argc, argv);
    (void)snprintf(name, sizeof name, "%s%s%s", words.first, words.second ? " " : "",
                   words.second ? words.second : "");
    call->command = opts_find_command(call->program, name);
    if (call->command) {
        call_append(call, name);
        return start_command(call, argc, argv);
    }
    for (const struct opt_command *c = call->program->commands; c->name && !call->group; c++)
        call->group = opts_in_group(c, words.first) ? words.first : NULL;
    if (!call->group || words.second)
        return bad_first_word(call, name);
    call_append(call, words.first);
    return start_none(call, argc, argv);
}

int opts_print_help(const struct opt_program *program, const struct opt_words *words,
                    struct err *err)
{
    struct opts_call call = {.program = program};
    call_append(&call, program->name);
    char name[OPTS_NAME_BYTES] = "";
    for (size_t i = 0; i < words->n; i++) {
        const size_t len = strlen(name);
        (void)snprintf(name + len, sizeof name - len, "%s%s", i > 0 ? " " : "", words->words[i]);
    }
    call.command = opts_find_command(program, name);
    for (const struct opt_command *c = program->commands; c->name && !call.group; c++)
        call.group = words->n > 0 && opts_in_group(c, name) ? name : NULL;
    if (words->n > 0)
        call_append(&call, name);
    if (call.command) {
        opts_print_command_help(stdout, &call);
        return EXIT_DONE;
    }
    if (words->n > 0 && !call.group) {
        (void)err_set(err, E_ARG, 0, "No such command '%.100s'.", name);
        return EXIT_USAGE;
    }
    opts_print_program_help(stdout, &call);
    return EXIT_DONE;
}

static int dispatch_name(const struct opt_program *program, int argc, char **argv)
{
    struct opts_call call = {.program = program};
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
    const char *name = slash ? slash + 1 : argc > 0 ? argv[0] : "";
    const struct opt_alias *alias = find_alias(program, name);
    call_append(&call, alias ? name : program->name);
    if (alias && alias->program)
        call.program = alias->program;
    if (alias && !alias->program)
        call.command = opts_find_command(program, alias->command);
    const int n_words = argc > 0 ? argc - 1 : 0;
    if (call.command)
        return start_command(&call, n_words, argv + 1);
    return call.program->groups ? dispatch_words(&call, n_words, argv + 1)
                                : dispatch(&call, n_words, argv + 1);
}

void opts_file_name(char out[OPTS_NAME_BYTES], const char *name, const char *suffix)
{
    (void)snprintf(out, OPTS_NAME_BYTES, "%s%s", name, suffix);
}

void opts_guess_try(struct opts_guess *g, const char *candidate)
{
    const size_t len = strlen(g->text);
    size_t distance = edit_distance(g->text, candidate);
    // An abbreviation is as good a hint as one wrong letter.
    if (len >= 2 && distance > 1 && strncmp(candidate, g->text, len) == 0)
        distance = 1;
    if (distance <= 2 && distance < len && distance < g->distance) {
        g->distance = distance;
        (void)snprintf(g->best, sizeof g->best, "%s", candidate);
    }
}

int opts_main(const struct opt_program *program, int argc, char **argv)
{
    const int status = dispatch_name(program, argc, argv);
    // A full disk or a closed pipe behind stdout shows at the latest here.
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    if (status == EXIT_DONE) {
        struct err err = {0};
        (void)err_set(&err, E_IO, errno, "write to standard output");
        print_error(err.text);
    }
    return status == EXIT_DONE ? EXIT_FAILED : status;
}
