/*
 * opts.h - the option parser that every program shares.
 *
 * A program is a table of commands; a command is a summary, groups of options that fill one args
 * struct, and a run function. Precedence: command line, environment, default. Behaviour follows
 * click, which the originals used (prio-processor.md section 2): a usage error prints "Usage: ..."
 * and "Error: ..." on stderr and exits 2; --help works on the program and on every command and
 * exits 0; a program without a command prints its help, exit 0. "--x v" and "--x=v" are the same,
 * as are "--min-age" and "--min_age"; "--" ends the options, of an option given twice the last one
 * counts, and nothing is abbreviated.
 *
 * An empty variable counts as absent, but for a required OPT_KIND_STRING that is not `filled`,
 * where an empty text may be meant (an empty batch id is legal), and a flag, where it means no.
 *
 * A program with `groups` has commands of one or two words ("pulse drain"), and options may stand
 * before, between or behind these words. The first word alone ("pulse --help") shows the commands
 * that begin with it.
 *
 * COMMAND --help-markdown prints the options of a command as a Markdown table, for manuals; it is
 * not in the help.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OPT_SECRET_BYTES = 4096 };

/* Lives in the args struct, which opts_main wipes. len 0: not given. */
struct opt_secret {
    char text[OPT_SECRET_BYTES];
    size_t len;
};

enum opt_kind {
    OPT_KIND_STRING,  // const char *: borrowed from argv or the environment
    OPT_KIND_UINT,    // uint64_t within [min, max]
    OPT_KIND_REAL,    // double within [min, max]: digits, at most one point, no sign, no exponent
    OPT_KIND_CHOICE,  // int: index into choices; case-sensitive
    OPT_KIND_FLAG,    // bool; from the environment "1", "true", "yes" / "0", "false", "no", ""
    OPT_KIND_BOOL,    // bool, by a value: the words that a flag has in the environment
    OPT_KIND_COUNT,   // uint64_t: how often it was given, "-vvv" is 3; from the environment a flag
    OPT_KIND_PICK,    // int: becomes min; of several that share a field the last one given counts
    OPT_KIND_SECRET,  // struct opt_secret
    OPT_KIND_HELP,    // asks for the help, for a letter beside --help; no field
    OPT_KIND_VERSION, // asks for the version; no field
};

/* What must hold of a path that is no URL. Of URLs only file:// ones are looked at. */
enum opt_path {
    OPT_PATH_ANY,
    OPT_PATH_DIR,  // need not exist; a plain file there is a usage error
    OPT_PATH_FILE, // exists, and is no directory
};

struct opt {
    const char *name; // long name without dashes, "batch-id"; NULL ends a group
    char short_name;  // 0: none
    enum opt_kind kind;
    bool required;
    bool filled;         // OPT_KIND_STRING: an empty text is not accepted
    enum opt_path path;  // OPT_KIND_STRING
    size_t offset;       // into the args struct
    const char *env;     // environment variable, NULL: none
    const char *metavar; // shown in help: "FILE"
    const char *help;  // one or two sentences; opts.c appends env, choices, range and "[required]"
    uint64_t min, max; // OPT_KIND_UINT, OPT_KIND_REAL; min: OPT_KIND_PICK
    const char *const *choices; // OPT_KIND_CHOICE, NULL-terminated
};

/*
 * An OPT_KIND_SECRET option "private-key-hex" with env "PRIVATE_KEY_HEX" also answers to
 * --private-key-hex-file and PRIVATE_KEY_HEX_FILE, which name a file whose content (one trailing
 * newline or CRLF dropped) is the value; "-" is no such file. The value given in argv is
 * overwritten there at once, also when parsing fails; the help recommends the environment or the
 * file. Precedence: --x, --x-file, X, X_FILE. "required" is met by any of them. An empty value or
 * one of OPT_SECRET_BYTES or more is a usage error. The value never appears in an error text.
 */
#define OPT_STRING(NAME, ARGS, FIELD, ENV, METAVAR, HELP)                                          \
    {                                                                                              \
        .name = (NAME), .kind = OPT_KIND_STRING, .offset = offsetof(ARGS, FIELD), .env = (ENV),    \
        .metavar = (METAVAR), .help = (HELP)                                                       \
    }
#define OPT_STRING_REQUIRED(NAME, ARGS, FIELD, ENV, METAVAR, HELP)                                 \
    {                                                                                              \
        .name = (NAME), .kind = OPT_KIND_STRING, .required = true,                                 \
        .offset = offsetof(ARGS, FIELD), .env = (ENV), .metavar = (METAVAR), .help = (HELP)        \
    }
/* As these, of texts that may not be empty; PATH: enum opt_path. */
#define OPT_TEXT(NAME, ARGS, FIELD, ENV, METAVAR, HELP)                                            \
    {                                                                                              \
        .name = (NAME), .kind = OPT_KIND_STRING, .filled = true, .offset = offsetof(ARGS, FIELD),  \
        .env = (ENV), .metavar = (METAVAR), .help = (HELP)                                         \
    }
#define OPT_TEXT_REQUIRED(NAME, ARGS, FIELD, ENV, METAVAR, HELP)                                   \
    {                                                                                              \
        .name = (NAME), .kind = OPT_KIND_STRING, .required = true, .filled = true,                 \
        .offset = offsetof(ARGS, FIELD), .env = (ENV), .metavar = (METAVAR), .help = (HELP)        \
    }
#define OPT_PLACE(PATH, NAME, ARGS, FIELD, ENV, METAVAR, HELP)                                     \
    {                                                                                              \
        .name = (NAME), .kind = OPT_KIND_STRING, .filled = true, .path = (PATH),                   \
        .offset = offsetof(ARGS, FIELD), .env = (ENV), .metavar = (METAVAR), .help = (HELP)        \
    }
#define OPT_PLACE_REQUIRED(PATH, NAME, ARGS, FIELD, ENV, METAVAR, HELP)                            \
    {                                                                                              \
        .name = (NAME), .kind = OPT_KIND_STRING, .required = true, .filled = true, .path = (PATH), \
        .offset = offsetof(ARGS, FIELD), .env = (ENV), .metavar = (METAVAR), .help = (HELP)        \
    }
#define OPT_REAL(NAME, ARGS, FIELD, ENV, MIN, MAX, HELP)                                           \
    {                                                                                              \
        .name = (NAME), .kind = OPT_KIND_REAL, .offset = offsetof(ARGS, FIELD), .env = (ENV),      \
        .metavar = "X", .help = (HELP), .min = (MIN), .max = (MAX)                                 \
    }
#define OPT_UINT(NAME, ARGS, FIELD, ENV, MIN, MAX, HELP)                                           \
    {                                                                                              \
        .name = (NAME), .kind = OPT_KIND_UINT, .offset = offsetof(ARGS, FIELD), .env = (ENV),      \
        .metavar = "N", .help = (HELP), .min = (MIN), .max = (MAX)                                 \
    }
#define OPT_UINT_REQUIRED(NAME, ARGS, FIELD, ENV, MIN, MAX, HELP)                                  \
    {                                                                                              \
        .name = (NAME), .kind = OPT_KIND_UINT, .required = true, .offset = offsetof(ARGS, FIELD),  \
        .env = (ENV), .metavar = "N", .help = (HELP), .min = (MIN), .max = (MAX)                   \
    }
#define OPT_CHOICE(NAME, ARGS, FIELD, ENV, CHOICES, HELP)                                          \
    {                                                                                              \
        .name = (NAME), .kind = OPT_KIND_CHOICE, .offset = offsetof(ARGS, FIELD), .env = (ENV),    \
        .help = (HELP), .choices = (CHOICES)                                                       \
    }
#define OPT_CHOICE_REQUIRED(NAME, ARGS, FIELD, ENV, CHOICES, HELP)                                 \
    {                                                                                              \
        .name = (NAME), .kind = OPT_KIND_CHOICE, .required = true,                                 \
        .offset = offsetof(ARGS, FIELD), .env = (ENV), .help = (HELP), .choices = (CHOICES)        \
    }
#define OPT_FLAG(NAME, SHORT, ARGS, FIELD, ENV, HELP)                                              \
    {                                                                                              \
        .name = (NAME), .short_name = (SHORT), .kind = OPT_KIND_FLAG,                              \
        .offset = offsetof(ARGS, FIELD), .env = (ENV), .help = (HELP)                              \
    }
#define OPT_BOOL(NAME, ARGS, FIELD, ENV, HELP)                                                     \
    {                                                                                              \
        .name = (NAME), .kind = OPT_KIND_BOOL, .offset = offsetof(ARGS, FIELD), .env = (ENV),      \
        .metavar = "BOOL", .help = (HELP)                                                          \
    }
#define OPT_COUNT(NAME, SHORT, ARGS, FIELD, ENV, HELP)                                             \
    {                                                                                              \
        .name = (NAME), .short_name = (SHORT), .kind = OPT_KIND_COUNT,                             \
        .offset = offsetof(ARGS, FIELD), .env = (ENV), .help = (HELP)                              \
    }
#define OPT_PICK(NAME, ARGS, FIELD, VALUE, HELP)                                                   \
    {                                                                                              \
        .name = (NAME), .kind = OPT_KIND_PICK, .offset = offsetof(ARGS, FIELD), .help = (HELP),    \
        .min = (VALUE)                                                                             \
    }
#define OPT_SECRET(NAME, ARGS, FIELD, ENV, METAVAR, HELP)                                          \
    {                                                                                              \
        .name = (NAME), .kind = OPT_KIND_SECRET, .offset = offsetof(ARGS, FIELD), .env = (ENV),    \
        .metavar = (METAVAR), .help = (HELP)                                                       \
    }
#define OPT_SECRET_REQUIRED(NAME, ARGS, FIELD, ENV, METAVAR, HELP)                                 \
    {                                                                                              \
        .name = (NAME), .kind = OPT_KIND_SECRET, .required = true,                                 \
        .offset = offsetof(ARGS, FIELD), .env = (ENV), .metavar = (METAVAR), .help = (HELP)        \
    }
#define OPT_END                                                                                    \
    {                                                                                              \
        .name = NULL                                                                               \
    }

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_TRY_LATER = 75 };

/* A word that is no option. */
struct opt_positional {
    const char *metavar; // "FILE"; NULL ends a list
    size_t offset;       // into the args struct: const char *, or struct opt_words where `many`
    bool optional;       // only optional ones follow it
    bool many; // all words that are left, one at least unless optional; the last of a list
};
struct opt_words {
    char *const *words; // borrowed from argv
    size_t n;
};

struct opt_command {
    const char *name;    // "verify1", "pulse drain"; NULL ends the table
    const char *summary; // one line in the program's help
    const char *details; // more for the command's help, one line a paragraph; may be NULL
    const struct opt_positional *positionals; // NULL: none are taken
    /** NULL-terminated list of tables, each ended by OPT_END; at most 256 options in all. */
    const struct opt *const *groups;
    const void *defaults; // args_size bytes copied into the args struct first; NULL: zeros
    size_t args_size;
    /**
     * @return the exit status. On failure fill err and return EXIT_FAILED (opts_main prints err) or
     * EXIT_USAGE (it prints the usage as well).
     */
    int (*run)(void *args, struct err *err);
};

/* Another name of the executable: the last part of argv[0] picks what it means. A command's other
 * name is also one as the program's first argument. */
struct opt_alias {
    const char *name;    // "process"; NULL ends the list
    const char *command; // of the program's table; its arguments follow at once
    // Or else a program with commands of its own, which the first argument may name as well.
    const struct opt_program *program;
};

struct opt_program {
    const char *name;    // "prio"
    const char *summary; // a paragraph
    const char *version;
    const struct opt_command *commands;
    const char *epilog; // below the command list; may be NULL
    // Options that every command has too; these and all others of its commands may stand before a
    // command's words. NULL: in place of a command there are --help and --version only.
    const struct opt *const *groups;
    const void *defaults; // of what groups fill, as of a command
    size_t args_size;
    const struct opt_alias *aliases; // may be NULL
};

/**
 * Parse, run, report: the whole of main(). Also answers --version. Prints "Error: <err.text>" on
 * stderr when run fails with a text: for EXIT_USAGE after the usage line, as above. Wipes the args
 * struct before returning. argv: secrets in it are overwritten.
 * @return the exit status; EXIT_FAILED also when what was printed could not be written.
 */
int opts_main(const struct opt_program *program, int argc, char **argv);

/**
 * For commands `help` and `list`: print the help of the program, or of what the words name, a
 * command or the first word of several. @return an exit status, with err as a command's run.
 */
int opts_print_help(const struct opt_program *program, const struct opt_words *words,
                    struct err *err);

enum opts_asked { OPTS_HELP = 1, OPTS_HELP_MARKDOWN = 2, OPTS_VERSION = 3 };
/**
 * The parsing alone, for tests. args: args_size zeroed-or-defaulted bytes. argv[0] is the command's
 * first argument; words for a `many` positional are moved together there.
 * @return 0, or what was asked for (enum opts_asked), or E_ARG with the one line for the user.
 */
MUST_CHECK int opts_parse(const struct opt_command *command, void *args, int argc, char **argv,
                          struct err *err);
