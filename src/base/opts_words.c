/* SPDX-License-Identifier: MPL-2.0 */
/* Where the words of a command stand among options. */
#include "base/opts_internal.h"

#include <string.h>

bool opts_same_name(const char *a, const char *b)
{
    for (; *a && *b; a++, b++)
        if ((*a == '_' ? '-' : *a) != (*b == '_' ? '-' : *b))
            return false;
    return *a == *b;
}

bool opts_in_group(const struct opt_command *command, const char *word)
{
    const size_t len = strlen(word);
    return strncmp(command->name, word, len) == 0 && command->name[len] == ' ';
}

const struct opt_command *opts_find_command(const struct opt_program *program, const char *name)
{
    for (const struct opt_command *c = program->commands; c->name; c++)
        if (strcmp(c->name, name) == 0)
            return c;
    for (const struct opt_alias *a = program->aliases; a && a->name; a++)
        if (a->command && strcmp(a->name, name) == 0)
            return opts_find_command(program, a->command);
    return NULL;
}

static bool is_group(const struct opt_program *program, const char *word)
{
    for (const struct opt_command *c = program->commands; c->name; c++)
        if (opts_in_group(c, word))
            return true;
    return false;
}

static bool is_named(const struct opt *opt, const char *word)
{
    char file_name[OPTS_NAME_BYTES];
    if (word[1] != '-') // in "-vn5" it is the last letter that counts; "-n5" has its value
        return opt->short_name && opt->short_name == word[strlen(word) - 1];
    opts_file_name(file_name, opt->name, "-file");
    return opts_same_name(opt->name, word + 2) ||
           (opt->kind == OPT_KIND_SECRET && opts_same_name(file_name, word + 2));
}

static const struct opt *find_option(const struct opt *const *groups, const char *word)
{
    for (const struct opt *const *group = groups; group && *group; group++)
        for (const struct opt *opt = *group; opt->name; opt++)
            if (is_named(opt, word))
                return opt;
    return NULL;
}

/* The command is not known yet: the first one that has the option says whether a value follows. */
static bool value_follows(const struct opt_program *program, const char *word)
{
    const struct opt *opt = find_option(program->groups, word);
    for (const struct opt_command *c = program->commands; c->name && !opt; c++)
        opt = find_option(c->groups, word);
    return opt && opts_takes_value(opt);
}

/* The index of the first word from `from` on that is no option, or argc. */
static int next_plain(const struct opt_program *program, int from, int argc, char **argv)
{
    int i = from;
    while (i < argc && argv[i][0] == '-' && argv[i][1] != '\0' && strcmp(argv[i], "--") != 0)
        i += value_follows(program, argv[i]) ? 2 : 1;
    return i < argc && argv[i][0] != '-' ? i : argc;
}

static const char *take_out(int at, int *argc, char **argv)
{
    const char *word = argv[at];
    memmove(&argv[at], &argv[at + 1], (size_t)(*argc - at) * sizeof *argv); // and the final NULL
    --*argc;
    return word;
}

struct opts_words opts_take_words(const struct opt_program *program, int *argc, char **argv)
{
    struct opts_words words = {0};
    int at = next_plain(program, 0, *argc, argv);
    if (at == *argc)
        return words;
    words.first = take_out(at, argc, argv);
    if (opts_find_command(program, words.first) || !is_group(program, words.first))
        return words;
    at = next_plain(program, at, *argc, argv);
    if (at < *argc)
        words.second = take_out(at, argc, argv);
    return words;
}
