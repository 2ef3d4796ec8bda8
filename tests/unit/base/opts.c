/* SPDX-License-Identifier: MPL-2.0 */
#include "base/opts.h"

#include "base_test.h"

#include <fcntl.h>

struct args {
    const char *batch_id, *input, *file;
    uint64_t n_data, workers;
    int server_id, points;
    bool verbose, strict;
    struct opt_secret key;
};

static const char *const server_ids[] = {"A", "B", NULL};
static const char *const points[] = {"first", "sequential", NULL};

static const struct opt data_options[] = {
    OPT_STRING_REQUIRED("batch-id", struct args, batch_id, "T_BATCH_ID", "TEXT",
                        "The batch's name, bound into every share."),
    OPT_UINT_REQUIRED("n-data", struct args, n_data, "T_N_DATA", 1, 262143, "Length."),
    OPT_STRING("input", struct args, input, "T_INPUT", "FILE", "What to read."),
    OPT_END,
};
static const struct opt server_options[] = {
    OPT_CHOICE_REQUIRED("server-id", struct args, server_id, "T_SERVER_ID", server_ids, "Role."),
    OPT_SECRET_REQUIRED("private-key-hex", struct args, key, "T_KEY", "HEX", "The private key."),
    OPT_END,
};
static const struct opt other_options[] = {
    OPT_CHOICE("points", struct args, points, "T_POINTS", points, "Which points."),
    OPT_UINT("workers", struct args, workers, "T_WORKERS", 1, 1024, "Threads."),
    OPT_FLAG("verbose", 'v', struct args, verbose, "T_VERBOSE", "Say more."),
    OPT_FLAG("strict", 's', struct args, strict, NULL, "Stop early."),
    OPT_END,
};
static const struct opt *const all_groups[] = {data_options, server_options, other_options, NULL};
static const struct opt *const open_groups[] = {other_options, NULL};

static const struct args defaults = {.workers = 4, .points = 1};

static int run_status; // what run_all returns
static char run_error[128];
static struct args seen;

static int run_all(void *args, struct err *err)
{
    seen = *(const struct args *)args;
    if (run_error[0])
        (void)err_set(err, E_IO, 0, "%s", run_error);
    return run_status;
}

static const struct opt_command commands[] = {
    {.name = "verify1",
     .summary = "Check the shares.",
     .details =
         "Reads shares and writes messages.\n\nA second paragraph, which is long enough that "
         "it cannot stand on one line of a hundred columns and has to be wrapped.",
     .groups = all_groups,
     .defaults = &defaults,
     .args_size = sizeof(struct args),
     .run = run_all},
    {.name = "inspect",
     .summary = "Show what a file contains.",
     .positionals =
         (const struct opt_positional[]){{"FILE", .offset = offsetof(struct args, file)}, {0}},
     .groups = open_groups,
     .args_size = sizeof(struct args),
     .run = run_all},
    {.name = NULL},
};
static const struct opt_program program = {
    .name = "prog",
    .summary = "A program for tests.",
    .version = "1.2.3",
    .commands = commands,
    .epilog = "See the manual.",
};

enum { MAX_WORDS = 24, WORD_BYTES = 6000 };

/* argv as main() gets it: writable words. */
struct words {
    char bytes[MAX_WORDS][WORD_BYTES];
    char *argv[MAX_WORDS + 1];
    int argc;
};

static struct words *new_words(const char *const *list)
{
    struct words *w = calloc(1, sizeof *w);
    assert_non_null(w);
    for (; list[w->argc]; w->argc++) {
        assert_true(w->argc < MAX_WORDS && strlen(list[w->argc]) < WORD_BYTES);
        (void)snprintf(w->bytes[w->argc], WORD_BYTES, "%s", list[w->argc]);
        w->argv[w->argc] = w->bytes[w->argc];
    }
    return w;
}

static int parse_with(const struct opt_command *command, struct args *a, struct err *err,
                      const char *const *list)
{
    struct words *w = new_words(list);
    *a = defaults;
    *err = (struct err){0};
    const int r = opts_parse(command, a, w->argc, w->argv, err);
    free(w);
    return r;
}

/* The string fields of args point into freed words afterwards: tests look at them only where they
 * came elsewhere. */
#define parse(a, err, ...)                                                                         \
    parse_with(&commands[0], a, err, (const char *const[]){__VA_ARGS__, NULL})
#define inspect(a, err, ...)                                                                       \
    parse_with(&commands[1], a, err, (const char *const[]){__VA_ARGS__, NULL})

#define GOOD         "--batch-id", "b", "--n-data", "5", "--server-id", "B", "--private-key-hex", "k3y"
#define GOOD_BUT_KEY "--batch-id=b", "--n-data=5", "--server-id=B"

static int no_environment(void **state)
{
    static const char *const names[] = {
        "T_BATCH_ID", "T_N_DATA",  "T_INPUT", "T_SERVER_ID", "T_KEY", "T_KEY_FILE", "T_POINTS",
        "T_WORKERS",  "T_VERBOSE", "T_DELAY", "T_APP",       "T_DIR", "T_TOKEN"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_int_equal(unsetenv(names[i]), 0);
    run_status = 0;
    run_error[0] = '\0';
    (void)state;
    return 0;
}

static void set(const char *name, const char *value)
{
    assert_int_equal(setenv(name, value, 1), 0);
}

static void both_spellings_fill_the_struct(void **state)
{
    struct words *w = new_words((const char *const[]){
        "--batch-id", "b 1", "--n-data=2046", "--input=", "--server-id=B", "--points", "first",
        "--private-key-hex=k3y", "--workers", "007", "-v", "--strict", NULL});
    struct args a = defaults;
    assert_int_equal(opts_parse(&commands[0], &a, w->argc, w->argv, NULL), 0);
    assert_string_equal(a.batch_id, "b 1");
    assert_string_equal(a.input, "");
    assert_true(a.n_data == 2046);
    assert_int_equal(a.server_id, 1);
    assert_int_equal(a.points, 0);
    assert_true(a.workers == 7);
    assert_true(a.verbose && a.strict);
    assert_int_equal(a.key.len, 3);
    assert_string_equal(a.key.text, "k3y");
    free(w);
    (void)state;
}

static void what_is_not_given_keeps_its_default(void **state)
{
    struct args a;
    struct err err;
    assert_int_equal(parse(&a, &err, GOOD), 0);
    assert_true(a.workers == 4);
    assert_int_equal(a.points, 1);
    assert_null(a.input);
    assert_false(a.verbose || a.strict);
    (void)state;
}

static void the_last_of_two_counts(void **state)
{
    struct args a;
    struct err err;
    assert_int_equal(parse(&a, &err, GOOD, "--n-data", "6", "--n-data=7", "--server-id", "A",
                           "--private-key-hex", "longer", "--private-key-hex=x"),
                     0);
    assert_true(a.n_data == 7);
    assert_int_equal(a.server_id, 0);
    assert_string_equal(a.key.text, "x");
    assert_int_equal(a.key.len, 1);
    (void)state;
}

static void the_environment_stands_in(void **state)
{
    set("T_BATCH_ID", "from env");
    set("T_N_DATA", "12");
    set("T_SERVER_ID", "B");
    set("T_KEY", "secret");
    set("T_VERBOSE", "Yes");
    set("T_POINTS", "first");
    struct args a = defaults;
    assert_int_equal(opts_parse(&commands[0], &a, 0, NULL, NULL), 0);
    assert_string_equal(a.batch_id, "from env");
    assert_true(a.n_data == 12);
    assert_int_equal(a.server_id, 1);
    assert_int_equal(a.points, 0);
    assert_string_equal(a.key.text, "secret");
    assert_true(a.verbose);
    (void)state;
}

static void the_command_line_beats_the_environment(void **state)
{
    struct args a;
    struct err err;
    set("T_N_DATA", "not a number");
    set("T_SERVER_ID", "A");
    set("T_KEY", "secret");
    assert_int_equal(parse(&a, &err, GOOD), 0);
    assert_true(a.n_data == 5);
    assert_int_equal(a.server_id, 1);
    assert_string_equal(a.key.text, "k3y");
    (void)state;
}

static void an_empty_required_text_is_given(void **state)
{
    struct args a;
    struct err err;
    set("T_BATCH_ID", "");
    assert_int_equal(parse(&a, &err, "--n-data=5", "--server-id=B", "--private-key-hex=k"), 0);
    assert_string_equal(a.batch_id, "");
    assert_int_equal(unsetenv("T_BATCH_ID"), 0);
    assert_int_equal(
        parse(&a, &err, "--batch-id=", "--n-data=5", "--server-id=B", "--private-key-hex=k"), 0);
    assert_int_equal(
        parse(&a, &err, "--batch-id", "", "--n-data=5", "--server-id=B", "--private-key-hex=k"), 0);
    (void)state;
}

static void other_empty_variables_are_absent(void **state)
{
    struct args a;
    struct err err;
    set("T_INPUT", "");
    set("T_WORKERS", "");
    set("T_POINTS", "");
    set("T_VERBOSE", "");
    assert_int_equal(parse(&a, &err, GOOD), 0);
    assert_null(a.input);
    assert_true(a.workers == 4);
    assert_int_equal(a.points, 1);
    assert_false(a.verbose);
    set("T_N_DATA", "");
    assert_int_equal(parse(&a, &err, "--batch-id=b", "--server-id=B", "--private-key-hex=k"),
                     E_ARG);
    assert_string_equal(err.text,
                        "Missing option '--n-data'. Give it or set T_N_DATA (it is empty).");
    set("T_KEY", "");
    assert_int_equal(parse(&a, &err, GOOD_BUT_KEY), E_ARG);
    assert_string_equal(err.text,
                        "Missing option '--private-key-hex'. Set T_KEY (it is empty) or give "
                        "--private-key-hex-file.");
    (void)state;
}

static void an_underscore_is_a_dash(void **state)
{
    struct args a;
    struct err err;
    assert_int_equal(
        parse(&a, &err, "--batch_id=b", "--n_data", "6", "--server-id=B", "--private_key-hex=k"),
        0);
    assert_true(a.n_data == 6);
    assert_int_equal(a.key.len, 1);
    assert_int_equal(parse(&a, &err, GOOD, "--batch__id=b"), E_ARG);
    assert_int_equal(parse(&a, &err, GOOD, "--batch_i=b"), E_ARG);
    (void)state;
}

static void a_missing_option_says_how_to_give_it(void **state)
{
    struct args a;
    struct err err;
    assert_int_equal(parse(&a, &err, "--n-data=5"), E_ARG);
    assert_string_equal(err.text, "Missing option '--batch-id'. Give it or set T_BATCH_ID.");
    assert_int_equal(parse(&a, &err, "--batch-id=b", "--n-data=5"), E_ARG);
    assert_string_equal(err.text,
                        "Missing option '--server-id'. Give it or set T_SERVER_ID; choose "
                        "from A, B.");
    (void)state;
}

static void unknown_options_are_refused_with_a_hint(void **state)
{
    static const struct {
        const char *word, *want;
    } known[] = {
        {"--zzz", "No such option: --zzz"},
        {"--zzz=1", "No such option: --zzz"},
        {"--batchid", "No such option: --batchid. Did you mean --batch-id?"},
        {"--batch", "No such option: --batch. Did you mean --batch-id?"},
        {"--ndata=3", "No such option: --ndata. Did you mean --n-data?"},
        {"--Server-ID", "No such option: --Server-ID"},
        {"--private-key-file", "No such option: --private-key-file"},
        {"--private-key-hexfile", "No such option: --private-key-hexfile. Did you mean "
                                  "--private-key-hex-file?"},
        {"--input-file", "No such option: --input-file"},
        {"--help2", "No such option: --help2"},
        {"-x", "No such option: -x"},
        {"-vx", "No such option: -x"},
        {"-h", "No such option: -h"},
        {"--=x", "No such option: --"},
    };
    struct args a;
    struct err err;
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        assert_int_equal(parse(&a, &err, GOOD, known[i].word), E_ARG);
        assert_string_equal(err.text, known[i].want);
    }
    (void)state;
}

static void very_long_names_are_no_trouble(void **state)
{
    char word[5000];
    struct args a;
    struct err err;
    for (size_t len = 90; len < sizeof word; len += len < 140 ? 1 : 1000) {
        memset(word, 'x', len);
        word[0] = word[1] = '-';
        word[len] = '\0';
        assert_int_equal(parse(&a, &err, GOOD, word), E_ARG);
        word[len - 2] = '=';
        assert_int_equal(parse(&a, &err, GOOD, word), E_ARG);
        assert_contains(err.text, "No such option: --xxx");
    }
    (void)state;
}

static void an_option_at_the_end_needs_its_value(void **state)
{
    struct args a;
    struct err err;
    assert_int_equal(parse(&a, &err, "--batch-id"), E_ARG);
    assert_string_equal(err.text, "Option '--batch-id' requires an argument.");
    assert_int_equal(parse(&a, &err, GOOD_BUT_KEY, "--private-key-hex"), E_ARG);
    assert_string_equal(err.text, "Option '--private-key-hex' requires an argument.");
    assert_int_equal(parse(&a, &err, GOOD_BUT_KEY, "--private-key-hex-file"), E_ARG);
    assert_string_equal(err.text, "Option '--private-key-hex-file' requires an argument.");
    (void)state;
}

static void values_may_look_like_options(void **state)
{
    struct words *w =
        new_words((const char *const[]){"--batch-id", "--n-data", "--n-data", "5", "--server-id",
                                        "B", "--private-key-hex", "--", "--input", "-", NULL});
    struct args a = defaults;
    assert_int_equal(opts_parse(&commands[0], &a, w->argc, w->argv, NULL), 0);
    assert_string_equal(a.batch_id, "--n-data");
    assert_string_equal(a.key.text, "--");
    assert_string_equal(a.input, "-");
    free(w);
    (void)state;
}

static void integers_are_digits_within_their_range(void **state)
{
    static const char *const bad[] = {"",
                                      "abc",
                                      "-1",
                                      "+5",
                                      " 5",
                                      "5 ",
                                      "5x",
                                      "0x5",
                                      "1e3",
                                      "18446744073709551616",
                                      "99999999999999999999999"};
    struct args a;
    struct err err;
    char word[64];
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        (void)snprintf(word, sizeof word, "--n-data=%s", bad[i]);
        assert_int_equal(parse(&a, &err, GOOD, word), E_ARG);
        (void)snprintf(word, sizeof word, "'%s' is not a valid integer.", bad[i]);
        assert_contains(err.text, "Invalid value for '--n-data': ");
        assert_contains(err.text, word);
    }
    assert_int_equal(parse(&a, &err, GOOD, "--n-data=0"), E_ARG);
    assert_string_equal(err.text,
                        "Invalid value for '--n-data': '0' is not in the range 1 to 262143.");
    assert_int_equal(parse(&a, &err, GOOD, "--n-data=262144"), E_ARG);
    assert_int_equal(parse(&a, &err, GOOD, "--n-data=18446744073709551615"), E_ARG);
    assert_contains(err.text, "is not in the range");
    assert_int_equal(parse(&a, &err, GOOD, "--n-data=262143"), 0);
    assert_int_equal(parse(&a, &err, GOOD, "--n-data=1"), 0);
    (void)state;
}

static void choices_are_case_sensitive(void **state)
{
    struct args a;
    struct err err;
    assert_int_equal(parse(&a, &err, GOOD, "--server-id", "b"), E_ARG);
    assert_string_equal(err.text, "Invalid value for '--server-id': 'b' is not one of A, B.");
    assert_int_equal(parse(&a, &err, GOOD, "--server-id", ""), E_ARG);
    assert_int_equal(parse(&a, &err, GOOD, "--points", "firs"), E_ARG);
    assert_contains(err.text, "is not one of first, sequential.");
    (void)state;
}

static void a_bad_variable_is_named(void **state)
{
    struct args a;
    struct err err;
    set("T_WORKERS", "many");
    assert_int_equal(parse(&a, &err, GOOD), E_ARG);
    assert_string_equal(err.text,
                        "Invalid value for '--workers': 'many' is not a valid integer. It "
                        "comes from the variable T_WORKERS.");
    assert_int_equal(unsetenv("T_WORKERS"), 0);
    set("T_VERBOSE", "perhaps");
    assert_int_equal(parse(&a, &err, GOOD), E_ARG);
    assert_contains(err.text, "T_VERBOSE");
    assert_int_equal(parse(&a, &err, GOOD, "-v"), 0);
    (void)state;
}

static void flags_come_alone_or_together(void **state)
{
    struct args a;
    struct err err;
    assert_int_equal(parse(&a, &err, GOOD, "-vs"), 0);
    assert_true(a.verbose && a.strict);
    assert_int_equal(parse(&a, &err, GOOD, "--strict=1"), E_ARG);
    assert_string_equal(err.text, "Option '--strict' does not take a value.");
    assert_int_equal(parse(&a, &err, GOOD, "--help=1"), E_ARG);
    static const char *const no[] = {"0", "false", "no", "FALSE"};
    for (size_t i = 0; i < ARRAY_LEN(no); i++) {
        set("T_VERBOSE", no[i]);
        assert_int_equal(parse(&a, &err, GOOD), 0);
        assert_false(a.verbose);
    }
    static const char *const yes[] = {"1", "true", "yes", "TRUE"};
    for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
        set("T_VERBOSE", yes[i]);
        assert_int_equal(parse(&a, &err, GOOD), 0);
        assert_true(a.verbose);
    }
    (void)state;
}

static void help_needs_no_other_option(void **state)
{
    struct args a;
    struct err err;
    assert_int_equal(parse(&a, &err, "--help"), 1);
    assert_int_equal(parse(&a, &err, "--n-data", "x", "--help"), 1);
    assert_int_equal(inspect(&a, &err, "--help"), 1);
    (void)state;
}

static void one_positional_argument_is_taken_anywhere(void **state)
{
    static const char *const shapes[][4] = {
        {"data", "-v", NULL}, {"-v", "data", NULL}, {"-v", "--", "data", NULL}};
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
        struct words *w = new_words(shapes[i]);
        struct args a = {0};
        assert_int_equal(opts_parse(&commands[1], &a, w->argc, w->argv, NULL), 0);
        assert_string_equal(a.file, "data");
        assert_true(a.verbose);
        free(w);
    }
    struct words *w = new_words((const char *const[]){"--", "-v", NULL});
    struct args a = {0};
    assert_int_equal(opts_parse(&commands[1], &a, w->argc, w->argv, NULL), 0);
    assert_string_equal(a.file, "-v");
    assert_false(a.verbose);
    free(w);
    (void)state;
}

static void positional_arguments_are_counted(void **state)
{
    struct args a;
    struct err err;
    assert_int_equal(inspect(&a, &err, "-v"), E_ARG);
    assert_string_equal(err.text, "Missing argument 'FILE'.");
    assert_int_equal(inspect(&a, &err, "one", "two"), E_ARG);
    assert_string_equal(err.text, "Got unexpected extra argument (two).");
    assert_int_equal(inspect(&a, &err, "-"), 0);
    (void)state;
}

static void a_stray_word_beside_secrets_is_not_shown(void **state)
{
    struct words *w = new_words((const char *const[]){GOOD, "deadbeef", NULL});
    struct args a = defaults;
    struct err err = {0};
    assert_int_equal(opts_parse(&commands[0], &a, w->argc, w->argv, &err), E_ARG);
    assert_contains(err.text, "unexpected extra argument");
    assert_lacks(err.text, "deadbeef");
    assert_string_equal(w->bytes[8], "");
    free(w);
    (void)state;
}

static void assert_no_trace(const struct words *w, const char *secret)
{
    const size_t len = strlen(secret);
    for (size_t i = 0; i + len <= sizeof w->bytes; i++)
        assert_memory_not_equal((const char *)w->bytes + i, secret, len);
}

static void secrets_in_argv_are_overwritten(void **state)
{
    struct words *w = new_words((const char *const[]){GOOD_BUT_KEY, "--private-key-hex", "hunter2a",
                                                      "--private-key-hex=hunter2b", NULL});
    struct args a = defaults;
    assert_int_equal(opts_parse(&commands[0], &a, w->argc, w->argv, NULL), 0);
    assert_no_trace(w, "hunter2");
    assert_string_equal(a.key.text, "hunter2b");
    free(w);
    (void)state;
}

static void secrets_are_overwritten_when_parsing_fails(void **state)
{
    static const char *const mistakes[] = {"--no-such", "stray", "--strict=1", "-q", "--n-data=x"};
    for (size_t i = 0; i < ARRAY_LEN(mistakes); i++) {
        struct words *w = new_words((const char *const[]){"--private-key-hex=hunter2a", mistakes[i],
                                                          "--private-key-hex", "hunter2b",
                                                          "--private-key-hex=hunter2c", NULL});
        struct args a = defaults;
        struct err err = {0};
        assert_int_equal(opts_parse(&commands[0], &a, w->argc, w->argv, &err), E_ARG);
        assert_no_trace(w, "hunter2");
        assert_lacks(err.text, "hunter2");
        free(w);
    }
    (void)state;
}

static void the_first_mistake_is_reported(void **state)
{
    struct args a;
    struct err err;
    assert_int_equal(parse(&a, &err, "--zzz", "--yyy", "stray"), E_ARG);
    assert_string_equal(err.text, "No such option: --zzz");
    (void)state;
}

static void overlong_secrets_are_refused_unseen(void **state)
{
    char secret[OPT_SECRET_BYTES + 2];
    for (size_t len = OPT_SECRET_BYTES - 1; len <= OPT_SECRET_BYTES + 1; len++) {
        memset(secret, 'S', len);
        secret[len] = '\0';
        const bool fits = len < OPT_SECRET_BYTES;
        struct words *w =
            new_words((const char *const[]){GOOD_BUT_KEY, "--private-key-hex", secret, NULL});
        struct args a = defaults;
        struct err err = {0};
        assert_int_equal(opts_parse(&commands[0], &a, w->argc, w->argv, &err), fits ? 0 : E_ARG);
        assert_no_trace(w, "SS");
        assert_lacks(err.text, "SS");
        assert_int_equal(a.key.len, fits ? len : 0);
        free(w);
        set("T_KEY", secret);
        assert_int_equal(parse(&a, &err, GOOD_BUT_KEY), fits ? 0 : E_ARG);
        assert_lacks(err.text, "SS");
        assert_int_equal(unsetenv("T_KEY"), 0);
    }
    (void)state;
}

static void an_empty_secret_is_refused(void **state)
{
    struct args a;
    struct err err;
    assert_int_equal(parse(&a, &err, GOOD_BUT_KEY, "--private-key-hex="), E_ARG);
    assert_string_equal(err.text, "Invalid value for '--private-key-hex': it is empty.");
    (void)state;
}

static void write_file(const char *path, const char *bytes, size_t len)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), len);
    assert_int_equal(close(fd), 0);
}

static void secrets_come_from_files(void **state)
{
    static const struct {
        const char *content;
        size_t len;
        const char *want; // NULL: refused
    } files[] = {
        {"k3y", 3, "k3y"},       {"k3y\n", 4, "k3y"},   {"k3y\r\n", 5, "k3y"},
        {"k3y\n\n", 5, "k3y\n"}, {" k 3\n", 5, " k 3"}, {"", 0, NULL},
        {"\n", 1, NULL},         {"\r\n", 2, NULL},     {"k\0y\n", 4, NULL},
        {"k3y\r", 4, "k3y\r"},
    };
    char dir[TEST_PATH_BYTES], path[TEST_PATH_BYTES + 8], word[TEST_PATH_BYTES + 64];
    make_temp_dir(dir);
    (void)snprintf(path, sizeof path, "%s/key", dir);
    (void)snprintf(word, sizeof word, "--private-key-hex-file=%s", path);
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        struct args a;
        struct err err;
        write_file(path, files[i].content, files[i].len);
        const int want = files[i].want ? 0 : E_ARG;
        assert_int_equal(parse(&a, &err, GOOD_BUT_KEY, word), want);
        if (want == 0)
            assert_string_equal(a.key.text, files[i].want);
        else
            assert_contains(err.text, "Invalid value for '--private-key-hex-file': ");
        assert_int_equal(parse(&a, &err, GOOD_BUT_KEY, "--private-key-hex-file", path), want);
        set("T_KEY_FILE", path);
        assert_int_equal(parse(&a, &err, GOOD_BUT_KEY), want);
        if (want != 0)
            assert_contains(err.text, "Invalid value for 'T_KEY_FILE': ");
        assert_int_equal(unsetenv("T_KEY_FILE"), 0);
    }
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(dir), 0);
    (void)state;
}

static void secret_files_have_a_limit(void **state)
{
    char dir[TEST_PATH_BYTES], path[TEST_PATH_BYTES + 8];
    static char content[3 * OPT_SECRET_BYTES];
    make_temp_dir(dir);
    (void)snprintf(path, sizeof path, "%s/key", dir);
    for (size_t len = OPT_SECRET_BYTES - 2; len <= OPT_SECRET_BYTES + 4; len++) {
        for (size_t ending = 0; ending <= 2; ending++) {
            struct args a;
            struct err err;
            memset(content, 'S', len);
            memcpy(content + len, &"\r\n"[2 - ending], ending);
            write_file(path, content, len + ending);
            const bool fits = len < OPT_SECRET_BYTES;
            assert_int_equal(parse(&a, &err, GOOD_BUT_KEY, "--private-key-hex-file", path),
                             fits ? 0 : E_ARG);
            assert_int_equal(a.key.len, fits ? len : 0);
            assert_lacks(err.text, "SS");
        }
    }
    write_file(path, content, sizeof content);
    struct args a;
    struct err err;
    assert_int_equal(parse(&a, &err, GOOD_BUT_KEY, "--private-key-hex-file", path), E_ARG);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(parse(&a, &err, GOOD_BUT_KEY, "--private-key-hex-file", path), E_ARG);
    assert_contains(err.text, "no file of that name");
    assert_int_equal(parse(&a, &err, GOOD_BUT_KEY, "--private-key-hex-file", "SS"), E_ARG);
    assert_lacks(err.text, "SS"); // a secret that was taken for a name
    assert_int_equal(parse(&a, &err, GOOD_BUT_KEY, "--private-key-hex-file", "-"), E_ARG);
    assert_contains(err.text, "standard input");
    assert_int_equal(parse(&a, &err, GOOD_BUT_KEY, "--private-key-hex-file", dir), E_ARG);
    assert_contains(err.text, "Is a directory");
    assert_int_equal(rmdir(dir), 0);
    (void)state;
}

static void secrets_have_an_order_of_precedence(void **state)
{
    char dir[TEST_PATH_BYTES], one[TEST_PATH_BYTES + 8], two[TEST_PATH_BYTES + 8];
    make_temp_dir(dir);
    (void)snprintf(one, sizeof one, "%s/one", dir);
    (void)snprintf(two, sizeof two, "%s/two", dir);
    write_file(one, "option file", 11);
    write_file(two, "variable file", 13);
    struct args a;
    struct err err;
    set("T_KEY", "variable");
    set("T_KEY_FILE", two);
    assert_int_equal(
        parse(&a, &err, GOOD_BUT_KEY, "--private-key-hex=word", "--private-key-hex-file", one), 0);
    assert_string_equal(a.key.text, "word");
    assert_int_equal(parse(&a, &err, GOOD_BUT_KEY, "--private-key-hex-file", one), 0);
    assert_string_equal(a.key.text, "option file");
    assert_int_equal(parse(&a, &err, GOOD_BUT_KEY), 0);
    assert_string_equal(a.key.text, "variable");
    set("T_KEY", "");
    assert_int_equal(parse(&a, &err, GOOD_BUT_KEY), 0);
    assert_string_equal(a.key.text, "variable file");
    assert_int_equal(unlink(one), 0);
    assert_int_equal(unlink(two), 0);
    assert_int_equal(rmdir(dir), 0);
    (void)state;
}

struct outcome {
    int status;
    char out[8192], err[4096];
};

static void take_file(int fd, char *text, size_t cap)
{
    const ssize_t n = pread(fd, text, cap - 1, 0);
    assert_true(n >= 0);
    text[n] = '\0';
    assert_int_equal(close(fd), 0);
}

/* Run opts_main with stdout and stderr going to files; out_fd >= 0: stdout goes there instead. */
static void main_program(struct outcome *o, const struct opt_program *p, int out_fd,
                         const char *const *list)
{
    FILE *out = tmpfile(), *err = tmpfile();
    assert_non_null(out);
    assert_non_null(err);
    struct words *w = new_words(list);
    (void)fflush(NULL);
    const int saved_out = dup(1), saved_err = dup(2);
    (void)dup2(out_fd >= 0 ? out_fd : fileno(out), 1);
    (void)dup2(fileno(err), 2);
    o->status = opts_main(p, w->argc, w->argv);
    (void)fflush(NULL);
    clearerr(stdout);
    (void)dup2(saved_out, 1);
    (void)dup2(saved_err, 2);
    (void)close(saved_out);
    (void)close(saved_err);
    take_file(dup(fileno(out)), o->out, sizeof o->out);
    take_file(dup(fileno(err)), o->err, sizeof o->err);
    (void)fclose(out);
    (void)fclose(err);
    free(w);
}

static void main_into(struct outcome *o, int out_fd, const char *const *list)
{
    main_program(o, &program, out_fd, list);
}

#define main_with(o, ...) main_into(o, -1, (const char *const[]){"prog", __VA_ARGS__, NULL})

static void a_usage_error_prints_usage_and_one_line(void **state)
{
    struct outcome o;
    main_with(&o, "verify1", "--n-data=5");
    assert_int_equal(o.status, 2);
    assert_string_equal(o.out, "");
    assert_string_equal(o.err, "Usage: prog verify1 [OPTIONS]\n"
                               "Try 'prog verify1 --help' for help.\n"
                               "\n"
                               "Error: Missing option '--batch-id'. Give it or set T_BATCH_ID.\n");
    main_with(&o, "inspect");
    assert_int_equal(o.status, 2);
    assert_contains(o.err, "Usage: prog inspect [OPTIONS] FILE\n");
    (void)state;
}

static void unknown_commands_are_usage_errors(void **state)
{
    struct outcome o;
    main_with(&o, "x");
    assert_int_equal(o.status, 2);
    assert_string_equal(o.err, "Usage: prog [OPTIONS] COMMAND [ARGS]...\n"
                               "Try 'prog --help' for help.\n"
                               "\n"
                               "Error: No such command 'x'.\n");
    main_with(&o, "verify");
    assert_contains(o.err, "Error: No such command 'verify'. Did you mean 'verify1'?\n");
    main_with(&o, "verify1x");
    assert_contains(o.err, "Did you mean 'verify1'?\n");
    main_with(&o, "");
    assert_int_equal(o.status, 2);
    assert_contains(o.err, "No such command ''.\n");
    main_with(&o, "--private-key-hex=hunter2", "verify1");
    assert_int_equal(o.status, 2);
    assert_contains(o.err, "Error: No such option: --private-key-hex\n");
    (void)state;
}

static void no_command_prints_the_help(void **state)
{
    struct outcome bare, asked;
    main_into(&bare, -1, (const char *const[]){"prog", NULL});
    main_with(&asked, "--help");
    assert_int_equal(bare.status, 0);
    assert_int_equal(asked.status, 0);
    assert_string_equal(bare.out, asked.out);
    assert_string_equal(bare.err, "");
    assert_string_equal(bare.out, "Usage: prog [OPTIONS] COMMAND [ARGS]...\n"
                                  "\n"
                                  "  A program for tests.\n"
                                  "\n"
                                  "Options:\n"
                                  "  --version  Show the version and exit.\n"
                                  "  --help     Show this message and exit.\n"
                                  "\n"
                                  "Commands:\n"
                                  "  verify1  Check the shares.\n"
                                  "  inspect  Show what a file contains.\n"
                                  "\n"
                                  "  See the manual.\n");
    (void)state;
}

static void the_version_is_printed(void **state)
{
    struct outcome o;
    main_with(&o, "--version");
    assert_int_equal(o.status, 0);
    assert_string_equal(o.out, "prog, version 1.2.3\n");
    (void)state;
}

static void command_help_shows_everything_in_columns(void **state)
{
    struct outcome o;
    set("T_WORKERS", "broken"); // help does not look at values
    main_with(&o, "verify1", "--help");
    assert_int_equal(o.status, 0);
    assert_string_equal(o.err, "");
    assert_string_equal(
        o.out,
        "Usage: prog verify1 [OPTIONS]\n"
        "\n"
        "  Check the shares.\n"
        "\n"
        "  Reads shares and writes messages.\n"
        "\n"
        "  A second paragraph, which is long enough that it cannot stand on one line of a hundred "
        "columns and\n"
        "  has to be wrapped.\n"
        "\n"
        "Options:\n"
        "  --batch-id TEXT              The batch's name, bound into every share. [env: "
        "T_BATCH_ID; "
        "required]\n"
        "  --n-data N                   Length. [env: T_N_DATA; range: 1 to 262143; required]\n"
        "  --input FILE                 What to read. [env: T_INPUT]\n"
        "  --server-id [A|B]            Role. [env: T_SERVER_ID; required]\n"
        "  --private-key-hex HEX        The private key. Other users see a value given here for a "
        "moment:\n"
        "                               prefer --private-key-hex-file or T_KEY. [env: T_KEY; "
        "required]\n"
        "  --private-key-hex-file FILE  Read the value of --private-key-hex from this file. [env: "
        "T_KEY_FILE]\n"
        "  --points [first|sequential]  Which points. [env: T_POINTS; default: sequential]\n"
        "  --workers N                  Threads. [env: T_WORKERS; range: 1 to 1024; default: 4]\n"
        "  -v, --verbose                Say more. [env: T_VERBOSE]\n"
        "  -s, --strict                 Stop early.\n"
        "  --help                       Show this message and exit.\n");
    (void)state;
}

static void zeros_are_defaults_too(void **state)
{
    struct outcome o;
    main_with(&o, "inspect", "--help");
    assert_contains(o.out, "Usage: prog inspect [OPTIONS] FILE\n");
    assert_contains(o.out, "[env: T_POINTS; default: first]\n");
    assert_contains(o.out, "[env: T_WORKERS; range: 1 to 1024]\n"); // 0 is not in the range
    (void)state;
}

static void a_note_is_not_torn_by_the_end_of_a_line(void **state)
{
    static char help[101];
    static struct opt options[] = {
        OPT_UINT_REQUIRED("x", struct args, n_data, "AN_ENV", 1, 5, help), OPT_END};
    static const struct opt *const groups[] = {options, NULL};
    static const struct opt_command wide[] = {
        {.name = "c", .summary = "", .groups = groups, .args_size = sizeof(struct args)},
        {.name = NULL}};
    static const struct opt_program with_wide = {
        .name = "p", .summary = "", .version = "0", .commands = wide};
    for (size_t len = 1; len < sizeof help; len++) {
        struct outcome o;
        memset(help, 'h', len);
        main_program(&o, &with_wide, -1, (const char *const[]){"p", "c", "--help", NULL});
        assert_int_equal(o.status, 0);
        assert_contains(o.out, "[env: AN_ENV;");
        assert_contains(o.out, "range: 1 to 5;");
        assert_contains(o.out, "required]");
        for (const char *line = o.out; line; line = strchr(line + 1, '\n')) {
            const size_t columns = strcspn(line + 1, "\n");
            assert_true(columns <= 100 || !memchr(line + 1, '[', columns));
        }
    }
    (void)state;
}

static void the_run_decides_the_exit_status(void **state)
{
    struct outcome o;
    main_with(&o, "verify1", GOOD);
    assert_int_equal(o.status, 0);
    assert_string_equal(o.err, "");
    assert_true(seen.n_data == 5 && seen.workers == 4);

    run_status = EXIT_FAILED;
    (void)snprintf(run_error, sizeof run_error, "%s", "no \x1b[31m\nroom");
    main_with(&o, "verify1", GOOD);
    assert_int_equal(o.status, 1);
    assert_string_equal(o.err, "Error: no ?[31m?room\n");

    run_status = EXIT_TRY_LATER;
    main_with(&o, "verify1", GOOD);
    assert_int_equal(o.status, 75);

    run_status = EXIT_USAGE;
    main_with(&o, "verify1", GOOD);
    assert_int_equal(o.status, 2);
    assert_contains(o.err, "Usage: prog verify1 [OPTIONS]\n");
    assert_contains(o.err, "\nError: no ");

    run_status = EXIT_FAILED;
    run_error[0] = '\0';
    main_with(&o, "verify1", GOOD);
    assert_int_equal(o.status, 1);
    assert_string_equal(o.err, "");
    (void)state;
}

static void a_full_standard_output_is_a_failure(void **state)
{
    struct outcome o;
    const int full = open("/dev/full", O_WRONLY);
    if (full < 0)
        skip();
    main_into(&o, full, (const char *const[]){"prog", "--help", NULL});
    assert_int_equal(close(full), 0);
    assert_int_equal(o.status, 1);
    assert_string_equal(o.err, "Error: write to standard output: No space left on device\n");
    (void)state;
}

/* A program of several names, and the kinds of options that the first one has not. */
struct more {
    double delay;
    const char *app, *dir, *file, *note;
    struct opt_secret token;
    bool many[200];
};
static const struct more more_defaults = {.delay = 2};
static const struct opt more_options[] = {
    OPT_REAL("delay", struct more, delay, "T_DELAY", 0, 86400, "Seconds."),
    OPT_TEXT_REQUIRED("app", struct more, app, "T_APP", "NAME", "Application | name."),
    OPT_PLACE(OPT_PATH_DIR, "dir", struct more, dir, "T_DIR", "DIR", "A directory."),
    OPT_PLACE(OPT_PATH_FILE, "file", struct more, file, NULL, "FILE", "A file."),
    OPT_TEXT("note", struct more, note, NULL, "TEXT", "A note."),
    OPT_SECRET("token", struct more, token, "T_TOKEN", "TEXT", "A token."),
    OPT_END,
};
static const struct opt *const more_groups[] = {more_options, NULL};

static int run_nothing(void *args, struct err *err)
{
    (void)args;
    (void)err;
    return 0;
}

static const struct opt_command more_commands[] = {
    {.name = "process",
     .summary = "Process.",
     .groups = more_groups,
     .defaults = &more_defaults,
     .args_size = sizeof(struct more),
     .run = run_nothing},
    {.name = NULL},
};
static const struct opt_program spark = {
    .name = "prio-spark", .summary = "Stages.", .version = "1.2.3", .commands = commands};
static const struct opt_program named = {
    .name = "prio-processor",
    .summary = "Many names.",
    .version = "1.2.3",
    .commands = more_commands,
    .aliases = (const struct opt_alias[]){{.name = "process", .command = "process"},
                                          {.name = "prio-spark", .program = &spark},
                                          {.name = NULL}},
};

static int parse_more(struct more *m, struct err *err, const char *const *list)
{
    struct words *w = new_words(list);
    *m = more_defaults;
    *err = (struct err){0};
    const int r = opts_parse(&more_commands[0], m, w->argc, w->argv, err);
    free(w);
    return r;
}
#define more(m, err, ...) parse_more(m, err, (const char *const[]){__VA_ARGS__, NULL})

static void real_numbers_are_digits_and_a_point(void **state)
{
    static const struct {
        const char *word;
        double want; // below 0: refused
    } known[] = {{"--delay=0", 0},     {"--delay=0.25", 0.25},   {"--delay=.5", 0.5},
                 {"--delay=3.", 3},    {"--delay=86400", 86400}, {"--delay=86400.1", -1},
                 {"--delay=-1", -1},   {"--delay=1e3", -1},      {"--delay=inf", -1},
                 {"--delay=0x10", -1}, {"--delay=", -1},         {"--delay=.", -1},
                 {"--delay=1.2.3", -1}};
    struct more m;
    struct err err;
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        const int r = more(&m, &err, "--app=x", known[i].word);
        assert_int_equal(r, known[i].want < 0 ? E_ARG : 0);
        if (r == 0)
            assert_true(m.delay == known[i].want);
        else
            assert_contains(err.text, "Invalid value for '--delay': ");
    }
    assert_int_equal(more(&m, &err, "--app=x"), 0);
    assert_true(m.delay == 2);
    set("T_DELAY", "0.5s");
    assert_int_equal(more(&m, &err, "--app=x"), E_ARG);
    assert_contains(err.text, "'0.5s' is not a valid number. It comes from the variable T_DELAY.");
    (void)state;
}

static void a_filled_text_may_not_be_empty(void **state)
{
    struct more m;
    struct err err;
    set("T_APP", "");
    assert_int_equal(more(&m, &err, "--delay=1"), E_ARG);
    assert_string_equal(err.text, "Missing option '--app'. Give it or set T_APP (it is empty).");
    assert_int_equal(more(&m, &err, "--app="), E_ARG);
    assert_string_equal(err.text, "Invalid value for '--app': it is empty.");
    assert_int_equal(more(&m, &err, "--app=x", "--note="), E_ARG);
    assert_string_equal(err.text, "Invalid value for '--note': it is empty.");
    (void)state;
}

static void paths_are_looked_at(void **state)
{
    char dir[] = "/tmp/weir-opts-XXXXXX", file[64], word[128];
    struct more m;
    struct err err;
    assert_non_null(mkdtemp(dir));
    (void)snprintf(file, sizeof file, "%s/f", dir);
    const int fd = open(file, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0 && close(fd) == 0);

    (void)snprintf(word, sizeof word, "--dir=%s", file);
    assert_int_equal(more(&m, &err, "--app=x", word), E_ARG);
    assert_contains(err.text, "Invalid value for '--dir': ");
    assert_contains(err.text, "/f' is a file; it needs a directory.");
    (void)snprintf(word, sizeof word, "--dir=file://%s", file);
    assert_int_equal(more(&m, &err, "--app=x", word), E_ARG);
    (void)snprintf(word, sizeof word, "--dir=%s/new", dir);
    assert_int_equal(more(&m, &err, "--app=x", word), 0);
    assert_int_equal(more(&m, &err, "--app=x", "--dir=s3://b/f"), 0);
    (void)snprintf(word, sizeof word, "--file=%s", dir);
    assert_int_equal(more(&m, &err, "--app=x", word), E_ARG);
    assert_contains(err.text, "is a directory; it needs a file.");
    (void)snprintf(word, sizeof word, "--file=%s/none", dir);
    assert_int_equal(more(&m, &err, "--app=x", word), E_ARG);
    assert_contains(err.text, "/none' does not exist.");
    (void)snprintf(word, sizeof word, "--file=%s", file);
    assert_int_equal(more(&m, &err, "--app=x", word), 0);
    assert_int_equal(unlink(file), 0);
    assert_int_equal(rmdir(dir), 0);
    (void)state;
}

static void a_secret_may_be_left_out(void **state)
{
    struct more m;
    struct err err;
    assert_int_equal(more(&m, &err, "--app=x"), 0);
    assert_int_equal(m.token.len, 0);
    set("T_TOKEN", "t0ken");
    assert_int_equal(more(&m, &err, "--app=x"), 0);
    assert_string_equal(m.token.text, "t0ken");
    (void)state;
}

static void a_command_has_up_to_256_options(void **state)
{
    static struct opt many[258];
    static char names[257][8];
    static const struct opt *const groups[] = {many, NULL};
    struct opt_command command = {
        .name = "many", .groups = groups, .args_size = sizeof(struct more)};
    for (size_t i = 0; i < 257; i++)
        (void)snprintf(names[i], sizeof names[i], "o%zu", i);
    for (size_t i = 0; i < 256; i++)
        many[i] = (struct opt)OPT_FLAG(names[i], 0, struct more, many[i % 200], NULL, "One.");
    struct more m = {0};
    struct words *w = new_words((const char *const[]){"--o199", NULL});
    assert_int_equal(opts_parse(&command, &m, w->argc, w->argv, NULL), 0);
    assert_true(m.many[199] && !m.many[0]);
    many[256] = many[0];
    assert_int_equal(opts_parse(&command, &m, w->argc, w->argv, NULL), E_ARG);
    free(w);
    (void)state;
}

static void a_name_of_the_program_picks_the_command(void **state)
{
    struct outcome o;
    main_program(&o, &named, -1, (const char *const[]){"/usr/bin/process", "--delay=1", NULL});
    assert_int_equal(o.status, 2);
    assert_contains(o.err, "Usage: process [OPTIONS]\nTry 'process --help' for help.\n");
    assert_contains(o.err, "Missing option '--app'");
    main_program(&o, &named, -1, (const char *const[]){"process", "--app=x", NULL});
    assert_int_equal(o.status, 0);
    main_program(&o, &named, -1, (const char *const[]){"bin/prio-spark", "verify2", NULL});
    assert_contains(o.err, "Usage: prio-spark [OPTIONS] COMMAND");
    main_program(&o, &named, -1, (const char *const[]){"prio-spark", "verify1", "--help", NULL});
    assert_contains(o.out, "Usage: prio-spark verify1 [OPTIONS]");
    main_program(&o, &named, -1,
                 (const char *const[]){"x", "prio-spark", "verify1", "--help", NULL});
    assert_contains(o.out, "Usage: prio-processor prio-spark verify1 [OPTIONS]");
    main_program(&o, &named, -1, (const char *const[]){"x", "process", "--help", NULL});
    assert_contains(o.out, "Usage: prio-processor process [OPTIONS]");
    (void)state;
}

static void options_are_a_markdown_table(void **state)
{
    struct outcome o;
    main_program(&o, &named, -1, (const char *const[]){"process", "--help-markdown", NULL});
    assert_int_equal(o.status, 0);
    assert_string_equal(
        o.out, "| Variable | Option | Default | Meaning |\n| --- | --- | --- | --- |\n"
               "| `T_DELAY` | `--delay X` | `2` | Seconds. |\n"
               "| `T_APP` | `--app NAME` | required | Application \\| name. |\n"
               "| `T_DIR` | `--dir DIR` |  | A directory. |\n"
               "|  | `--file FILE` |  | A file. |\n"
               "|  | `--note TEXT` |  | A note. |\n"
               "| `T_TOKEN` | `--token TEXT` |  | A token. Or `T_TOKEN_FILE`, a file that holds "
               "it. |\n");
    (void)state;
}

int main(void)
{
#define CLEAN(test) cmocka_unit_test_setup(test, no_environment)
    const struct CMUnitTest tests[] = {
        CLEAN(both_spellings_fill_the_struct),
        CLEAN(what_is_not_given_keeps_its_default),
        CLEAN(the_last_of_two_counts),
        CLEAN(the_environment_stands_in),
        CLEAN(the_command_line_beats_the_environment),
        CLEAN(an_empty_required_text_is_given),
        CLEAN(other_empty_variables_are_absent),
        CLEAN(an_underscore_is_a_dash),
        CLEAN(a_missing_option_says_how_to_give_it),
        CLEAN(unknown_options_are_refused_with_a_hint),
        CLEAN(very_long_names_are_no_trouble),
        CLEAN(an_option_at_the_end_needs_its_value),
        CLEAN(values_may_look_like_options),
        CLEAN(integers_are_digits_within_their_range),
        CLEAN(choices_are_case_sensitive),
        CLEAN(a_bad_variable_is_named),
        CLEAN(flags_come_alone_or_together),
        CLEAN(help_needs_no_other_option),
        CLEAN(one_positional_argument_is_taken_anywhere),
        CLEAN(positional_arguments_are_counted),
        CLEAN(a_stray_word_beside_secrets_is_not_shown),
        CLEAN(secrets_in_argv_are_overwritten),
        CLEAN(secrets_are_overwritten_when_parsing_fails),
        CLEAN(the_first_mistake_is_reported),
        CLEAN(overlong_secrets_are_refused_unseen),
        CLEAN(an_empty_secret_is_refused),
        CLEAN(secrets_come_from_files),
        CLEAN(secret_files_have_a_limit),
        CLEAN(secrets_have_an_order_of_precedence),
        CLEAN(a_usage_error_prints_usage_and_one_line),
        CLEAN(unknown_commands_are_usage_errors),
        CLEAN(no_command_prints_the_help),
        CLEAN(the_version_is_printed),
        CLEAN(command_help_shows_everything_in_columns),
        CLEAN(zeros_are_defaults_too),
        CLEAN(a_note_is_not_torn_by_the_end_of_a_line),
        CLEAN(the_run_decides_the_exit_status),
        CLEAN(a_full_standard_output_is_a_failure),
        CLEAN(real_numbers_are_digits_and_a_point),
        CLEAN(a_filled_text_may_not_be_empty),
        CLEAN(paths_are_looked_at),
        CLEAN(a_secret_may_be_left_out),
        CLEAN(a_command_has_up_to_256_options),
        CLEAN(a_name_of_the_program_picks_the_command),
        CLEAN(options_are_a_markdown_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
