/* SPDX-License-Identifier: MPL-2.0 */
/* Commands of two words, options around them, lists of words, counts. What is printed is shown by
 * tests/cli/fxci_options.sh. */
#include "base/opts.h"
#include "base_test.h"

struct args {
    const char *config, *table, *file, *date;
    struct opt_words ids;
    uint64_t verbose;
    bool all, only;
};

static struct args seen;
static char seen_ids[128];
static const char *ran;

static int note_run(const char *name, const void *args)
{
    const struct args *a = args;
    seen = *a;
    seen_ids[0] = '\0';
    for (size_t i = 0; i < a->ids.n; i++) {
        const size_t len = strlen(seen_ids);
        (void)snprintf(seen_ids + len, sizeof seen_ids - len, "%s,", a->ids.words[i]);
    }
    ran = name;
    return EXIT_DONE;
}

#define RUN(NAME)                                                                                  \
    static int run_##NAME(void *args, struct err *err)                                             \
    {                                                                                              \
        (void)err;                                                                                 \
        return note_run(#NAME, args);                                                              \
    }
RUN(load)
RUN(load_billing)
RUN(drain)
RUN(retry)

static const struct opt common[] = {
    OPT_STRING("config", struct args, config, NULL, "FILE", "A file."),
    OPT_COUNT("verbose", 'v', struct args, verbose, "T_COUNT", "Say more."),
    {.name = "help", .short_name = 'h', .kind = OPT_KIND_HELP, .help = "Help."},
    OPT_END,
};
static const struct opt own[] = {
    {.name = "date", .short_name = 'd', .offset = offsetof(struct args, date)},
    OPT_FLAG("all", 'a', struct args, all, NULL, "All."),
    OPT_BOOL("only-new", struct args, only, "T_ONLY", "Only these."),
    OPT_END,
};
static const struct opt *const groups[] = {own, common, NULL};
static const struct opt_positional table_file[] = {
    {"TABLE", .offset = offsetof(struct args, table)},
    {"FILE", .offset = offsetof(struct args, file), .optional = true},
    {0}};
static const struct opt_positional ids[] = {
    {"TABLE", .offset = offsetof(struct args, table)},
    {"ID", .offset = offsetof(struct args, ids), .many = true},
    {0}};

#define COMMAND(NAME, RUN, WORDS)                                                                  \
    {                                                                                              \
        .name = (NAME), .summary = "Do.", .groups = groups, .args_size = sizeof(struct args),      \
        .positionals = (WORDS), .run = (RUN)                                                       \
    }
static const struct opt_command commands[] = {COMMAND("load", run_load, table_file),
                                              COMMAND("load-billing", run_load_billing, NULL),
                                              COMMAND("pulse drain", run_drain, NULL),
                                              COMMAND("failed retry", run_retry, ids),
                                              {.name = NULL}};
static const struct opt_program program = {
    .name = "prog",
    .commands = commands,
    .groups = (const struct opt *const[]){common, NULL},
    .args_size = sizeof(struct args),
    .aliases = (const struct opt_alias[]){{.name = "job.drain", .command = "pulse drain"}, {0}},
};

#define CALL(...) call((const char *const[]){"prog", __VA_ARGS__, NULL})
static int call(const char *const *words)
{
    static char bytes[16][64];
    char *argv[17] = {0};
    int argc = 0;
    for (; words[argc]; argc++) {
        (void)snprintf(bytes[argc], sizeof bytes[argc], "%s", words[argc]);
        argv[argc] = bytes[argc];
    }
    ran = "";
    seen = (struct args){0};
    return opts_main(&program, argc, argv);
}

static void a_command_has_one_word_or_two(void **state)
{
    assert_int_equal(CALL("pulse", "drain"), 0);
    assert_string_equal(ran, "drain");
    assert_int_equal(CALL("load", "t", "f"), 0);
    assert_string_equal(ran, "load");
    assert_string_equal(seen.table, "t");
    assert_string_equal(seen.file, "f");
    assert_int_equal(CALL("load-billing"), 0);
    assert_string_equal(ran, "load_billing");
    (void)state;
}

static void options_stand_anywhere(void **state)
{
    assert_int_equal(CALL("-vv", "--config", "c", "pulse", "--date=d", "drain", "-v", "-a"), 0);
    assert_string_equal(ran, "drain");
    assert_string_equal(seen.config, "c");
    assert_string_equal(seen.date, "d");
    assert_int_equal(seen.verbose, 3);
    assert_true(seen.all);
    assert_int_equal(CALL("--date", "pulse", "pulse", "-d", "drain", "drain"), 0);
    assert_string_equal(ran, "drain");
    assert_string_equal(seen.date, "drain");
    assert_int_equal(CALL("-vd", "x", "load", "t"), 0);
    assert_string_equal(ran, "load");
    assert_string_equal(seen.date, "x");
    assert_int_equal(CALL("-dx", "load", "t"), 0);
    assert_string_equal(seen.date, "x");
    (void)state;
}

static void a_command_has_other_names(void **state)
{
    assert_int_equal(CALL("-v", "job.drain", "--date", "d"), 0);
    assert_string_equal(ran, "drain");
    assert_string_equal(seen.date, "d");
    const char *const linked[] = {"/bin/job.drain", "--all", NULL};
    assert_int_equal(call(linked), 0);
    assert_string_equal(ran, "drain");
    assert_true(seen.all);
    (void)state;
}

static void some_yes_and_no_are_values(void **state)
{
    assert_int_equal(CALL("load-billing", "--only-new", "yes"), 0);
    assert_true(seen.only);
    assert_int_equal(CALL("--only_new", "True", "load-billing"), 0);
    assert_true(seen.only);
    assert_int_equal(CALL("load-billing", "--only-new=0"), 0);
    assert_false(seen.only);
    assert_int_equal(CALL("load-billing", "--only-new", "maybe"), EXIT_USAGE);
    assert_int_equal(CALL("load-billing", "--only-new"), EXIT_USAGE);
    (void)state;
}

static void counts_count(void **state)
{
    assert_int_equal(CALL("load-billing"), 0);
    assert_int_equal(seen.verbose, 0);
    assert_int_equal(CALL("load-billing", "-vvv", "--verbose"), 0);
    assert_int_equal(seen.verbose, 4);
    assert_int_equal(setenv("T_COUNT", "yes", 1), 0);
    assert_int_equal(CALL("load-billing"), 0);
    assert_int_equal(seen.verbose, 1);
    assert_int_equal(CALL("load-billing", "-vv"), 0);
    assert_int_equal(seen.verbose, 2);
    assert_int_equal(unsetenv("T_COUNT"), 0);
    (void)state;
}

static void words_are_gathered(void **state)
{
    assert_int_equal(CALL("failed", "retry", "t", "-v", "a", "--date", "d", "b", "--", "-c"), 0);
    assert_string_equal(ran, "retry");
    assert_string_equal(seen.table, "t");
    assert_string_equal(seen_ids, "a,b,-c,");
    assert_int_equal(CALL("load", "t"), 0);
    assert_null(seen.file);
    (void)state;
}

static int parse(const struct opt_command *command, struct err *err, char **argv, int argc)
{
    struct args a = {0};
    *err = (struct err){0};
    return opts_parse(command, &a, argc, argv, err);
}

static void words_are_missing_or_too_many(void **state)
{
    struct err err;
    char t[] = "t", f[] = "f", x[] = "x", h[] = "-h";
    assert_int_equal(parse(&commands[0], &err, NULL, 0), E_ARG);
    assert_string_equal(err.text, "Missing argument 'TABLE'.");
    assert_int_equal(parse(&commands[0], &err, (char *[]){t, f, x}, 3), E_ARG);
    assert_string_equal(err.text, "Got unexpected extra argument (x).");
    assert_int_equal(parse(&commands[3], &err, (char *[]){t}, 1), E_ARG);
    assert_string_equal(err.text, "Missing argument 'ID'.");
    assert_int_equal(parse(&commands[3], &err, (char *[]){h}, 1), OPTS_HELP);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_has_one_word_or_two),
        cmocka_unit_test(options_stand_anywhere),
        cmocka_unit_test(a_command_has_other_names),
        cmocka_unit_test(some_yes_and_no_are_values),
        cmocka_unit_test(counts_count),
        cmocka_unit_test(words_are_gathered),
        cmocka_unit_test(words_are_missing_or_too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
