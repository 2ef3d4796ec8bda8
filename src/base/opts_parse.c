/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Two passes. The first walks argv and remembers what was given for which option; it goes on after
 * a mistake, so that every secret in argv is overwritten, also those behind the mistake. The second
 * turns what was given, or else the environment, into values of the args struct.
 */
#include "base/opts_internal.h"
#include "base/secret.h"
#include "base/source.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { MAX_OPTIONS = 256, SHOWN_CHARS = 100 };

/* One option of the command and what argv says about it; of several the last one counts. */
struct slot {
    const struct opt *opt;
    const char *value;
    const char *file; // --x-file of a secret
    bool given; // a flag or a secret was given; a secret's value is in the args struct already
};

struct parser {
    struct slot slots[MAX_OPTIONS];
    size_t n_slots;
    const struct opt_command *command;
    char *args;
    char **rest; // of argv
    int n_rest;
    char **argv; // words of a `many` positional are gathered at its beginning
    size_t n_many;
    int n_positionals;
    int asked; // enum opts_asked, 0: nothing
    bool has_secrets, options_ended;
};

static void *field(const struct parser *p, const struct opt *opt)
{
    return p->args + opt->offset;
}

bool opts_takes_value(const struct opt *opt)
{
    return opt->kind != OPT_KIND_FLAG && opt->kind != OPT_KIND_COUNT &&
           opt->kind != OPT_KIND_PICK && opt->kind != OPT_KIND_HELP &&
           opt->kind != OPT_KIND_VERSION;
}

static int list_options(struct parser *p, struct err *err)
{
    for (const struct opt *const *group = p->command->groups; group && *group; group++) {
        for (const struct opt *opt = *group; opt->name; opt++) {
            if (p->n_slots == MAX_OPTIONS)
                return err_set(err, E_ARG, 0, "%s has more than %d options", p->command->name,
                               MAX_OPTIONS);
            p->slots[p->n_slots++].opt = opt;
            p->has_secrets |= opt->kind == OPT_KIND_SECRET;
        }
    }
    return 0;
}

static char *next_word(struct parser *p)
{
    if (p->n_rest == 0)
        return NULL;
    p->n_rest--;
    return *p->rest++;
}

/* Take over a secret from text. name: how the user gave it. The error text does not show the value.
 */
static int set_secret(struct opt_secret *secret, const char *text, size_t len, const char *name,
                      struct err *err)
{
    secret_wipe(secret, sizeof *secret);
    if (len == 0)
        return err_set(err, E_ARG, 0, "Invalid value for '%s': it is empty.", name);
    if (len >= sizeof secret->text)
        return err_set(err, E_ARG, 0, "Invalid value for '%s': it is longer than %zu bytes.", name,
                       sizeof secret->text - 1);
    memcpy(secret->text, text, len);
    secret->len = len;
    return 0;
}

static int take_secret_word(const struct parser *p, struct slot *s, char *word, struct err *err)
{
    char name[OPTS_NAME_BYTES];
    opts_file_name(name, "--", s->opt->name);
    const size_t len = strlen(word);
    const int r = set_secret(field(p, s->opt), word, len, name, err);
    secret_wipe(word, len);
    s->given = true;
    return r;
}

/* Note the value that follows an option: inside the same word, or else the next word. */
static int take_value(struct parser *p, struct slot *s, bool is_file, char *inside,
                      const char *shown, struct err *err)
{
    char *word = inside ? inside : next_word(p);
    if (!word)
        return err_set(err, E_ARG, 0, "Option '%s' requires an argument.", shown);
    if (is_file)
        s->file = word;
    else if (s->opt->kind == OPT_KIND_SECRET)
        return take_secret_word(p, s, word, err);
    else
        s->value = word;
    return 0;
}

/* An option without a value was given. */
static void set_given(struct parser *p, struct slot *s)
{
    uint64_t *count = field(p, s->opt);
    switch (s->opt->kind) {
    case OPT_KIND_COUNT:
        *count = s->given ? *count + 1 : 1;
        break;
    case OPT_KIND_PICK:
        *(int *)field(p, s->opt) = (int)s->opt->min;
        break;
    case OPT_KIND_HELP:
        p->asked = OPTS_HELP;
        break;
    case OPT_KIND_VERSION:
        p->asked = OPTS_VERSION;
        break;
    default:
        break;
    }
    s->given = true;
}

static struct slot *find_long(struct parser *p, const char *name, bool *is_file)
{
    for (size_t i = 0; i < p->n_slots; i++) {
        *is_file = false;
        if (opts_same_name(p->slots[i].opt->name, name))
            return &p->slots[i];
    }
    for (size_t i = 0; i < p->n_slots; i++) {
        char file_name[OPTS_NAME_BYTES];
        *is_file = p->slots[i].opt->kind == OPT_KIND_SECRET;
        opts_file_name(file_name, p->slots[i].opt->name, "-file");
        if (*is_file && opts_same_name(file_name, name))
            return &p->slots[i];
    }
    return NULL;
}

static int no_such_option(const struct parser *p, const char *name, struct err *err)
{
    struct opts_guess guess = OPTS_GUESS(name);
    for (size_t i = 0; i < p->n_slots; i++) {
        char file_name[OPTS_NAME_BYTES];
        opts_guess_try(&guess, p->slots[i].opt->name);
        opts_file_name(file_name, p->slots[i].opt->name, "-file");
        if (p->slots[i].opt->kind == OPT_KIND_SECRET)
            opts_guess_try(&guess, file_name);
    }
    if (guess.best[0] == '\0')
        return err_set(err, E_ARG, 0, "No such option: --%s", name);
    return err_set(err, E_ARG, 0, "No such option: --%s. Did you mean --%s?", name, guess.best);
}

static int scan_long(struct parser *p, char *word, struct err *err)
{
    char name[SHOWN_CHARS], shown[OPTS_NAME_BYTES];
    const size_t name_len = strcspn(word + 2, "=");
    char *inside = word[2 + name_len] == '=' ? word + 2 + name_len + 1 : NULL;
    (void)snprintf(name, sizeof name, "%.*s",
                   (int)(name_len < sizeof name ? name_len : sizeof name), word + 2);
    opts_file_name(shown, "--", name);

    const int asked = strcmp(name, "help") == 0            ? OPTS_HELP
                      : strcmp(name, "help-markdown") == 0 ? OPTS_HELP_MARKDOWN
                                                           : 0;
    bool is_file;
    struct slot *s = find_long(p, name, &is_file);
    if (!s && asked == 0)
        return no_such_option(p, name, err);
    if (s && opts_takes_value(s->opt))
        return take_value(p, s, is_file, inside, shown, err);
    if (inside)
        return err_set(err, E_ARG, 0, "Option '%s' does not take a value.", shown);
    if (s)
        set_given(p, s);
    else
        p->asked = asked;
    return 0;
}

/* "-v", "-vq", "-n5", "-n 5" */
static int scan_short(struct parser *p, char *word, struct err *err)
{
    for (char *letter = word + 1; *letter; letter++) {
        const char shown[] = {'-', *letter, '\0'};
        struct slot *s = NULL;
        for (size_t i = 0; i < p->n_slots && !s; i++)
            s = p->slots[i].opt->short_name == *letter ? &p->slots[i] : NULL;
        if (!s)
            return err_set(err, E_ARG, 0, "No such option: %s", shown);
        if (opts_takes_value(s->opt))
            return take_value(p, s, false, letter[1] ? letter + 1 : NULL, shown, err);
        set_given(p, s);
    }
    return 0;
}

static int scan_positional(struct parser *p, char *word, struct err *err)
{
    const struct opt_positional *at = p->command->positionals;
    if (at)
        at += p->n_positionals;
    if (at && at->metavar && at->many) {
        p->argv[p->n_many++] = word; // never ahead of the words that are read
        return 0;
    }
    if (at && at->metavar) {
        memcpy(p->args + at->offset, &word, sizeof word);
        p->n_positionals++;
        return 0;
    }
    if (p->has_secrets) { // a stray word may be one of them
        secret_wipe(word, strlen(word));
        return err_set(err, E_ARG, 0,
                       "Got unexpected extra argument (not shown, as it may be a secret).");
    }
    return err_set(err, E_ARG, 0, "Got unexpected extra argument (%.*s).", SHOWN_CHARS, word);
}

static int scan(struct parser *p, struct err *err)
{
    int first = 0;
    for (char *word; (word = next_word(p));) {
        struct err *where = first == 0 ? err : NULL; // the first mistake is the one to report
        int r = 0;
        if (p->options_ended || word[0] != '-' || word[1] == '\0')
            r = scan_positional(p, word, where);
        else if (word[1] != '-')
            r = scan_short(p, word, where);
        else if (word[2] == '\0')
            p->options_ended = true;
        else
            r = scan_long(p, word, where);
        if (first == 0)
            first = r;
    }
    return first;
}

/* Append lead and the choices to text. */
static void list_choices(char *text, size_t cap, const char *lead, const struct opt *opt)
{
    const char *before = lead;
    size_t len = strlen(text);
    for (size_t i = 0; opt->choices[i] && len < cap; i++, before = ", ")
        len += (size_t)snprintf(text + len, cap - len, "%s%s", before, opt->choices[i]);
}

static int missing(const struct opt *opt, struct err *err)
{
    char how[4 * OPTS_NAME_BYTES] = "Give it";
    const char *empty = opt->env && getenv(opt->env) ? " (it is empty)" : "";
    if (opt->kind == OPT_KIND_SECRET && opt->env)
        (void)snprintf(how, sizeof how, "Set %s%s or give --%s-file", opt->env, empty, opt->name);
    else if (opt->kind == OPT_KIND_SECRET)
        (void)snprintf(how, sizeof how, "Give it or --%s-file", opt->name);
    else if (opt->env)
        (void)snprintf(how, sizeof how, "Give it or set %s%s", opt->env, empty);
    if (opt->kind == OPT_KIND_CHOICE)
        list_choices(how, sizeof how, "; choose from ", opt);
    return err_set(err, E_ARG, 0, "Missing option '--%s'. %s.", opt->name, how);
}

/* Start the error of a value. text: what the user gave; from_env: not on the command line. */
static int invalid(const struct opt *opt, const char *text, bool from_env, const char *why,
                   struct err *err)
{
    return err_set(err, E_ARG, 0, "Invalid value for '--%s': '%.*s' %s.%s%s%s", opt->name,
                   SHOWN_CHARS, text, why, from_env ? " It comes from the variable " : "",
                   from_env ? opt->env : "", from_env ? "." : "");
}

static bool parse_uint(uint64_t *value, const char *text)
{
    uint64_t v = 0;
    const char *c = text;
    for (; *c >= '0' && *c <= '9'; c++) {
        const unsigned digit = (unsigned)(*c - '0');
        if (v > (UINT64_MAX - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *value = v;
    return c > text && *c == '\0';
}

static int convert_uint(uint64_t *out, const struct opt *opt, const char *text, bool from_env,
                        struct err *err)
{
    char why[96];
    uint64_t value;
    if (!parse_uint(&value, text))
        return invalid(opt, text, from_env, "is not a valid integer", err);
    (void)snprintf(why, sizeof why, "is not in the range %ju to %ju", (uintmax_t)opt->min,
                   (uintmax_t)opt->max);
    if (value < opt->min || value > opt->max)
        return invalid(opt, text, from_env, why, err);
    *out = value;
    return 0;
}

/* "2", "0.5", ".5": what RETRY_DELAY may be. strtod alone would take "inf", "0x1" and "1e9". */
static bool parse_real(double *value, const char *text)
{
    const size_t whole = strspn(text, "0123456789");
    const size_t point = text[whole] == '.' ? 1 : 0;
    const size_t fraction = point > 0 ? strspn(text + whole + 1, "0123456789") : 0;
    if (whole + fraction == 0 || text[whole + point + fraction] != '\0')
        return false;
    *value = strtod(text, NULL);
    return true;
}

static int convert_real(double *out, const struct opt *opt, const char *text, bool from_env,
                        struct err *err)
{
    char why[96];
    double value;
    if (!parse_real(&value, text))
        return invalid(opt, text, from_env, "is not a valid number", err);
    (void)snprintf(why, sizeof why, "is not in the range %ju to %ju", (uintmax_t)opt->min,
                   (uintmax_t)opt->max);
    if (value < (double)opt->min || value > (double)opt->max)
        return invalid(opt, text, from_env, why, err);
    *out = value;
    return 0;
}

static int convert_choice(int *out, const struct opt *opt, const char *text, bool from_env,
                          struct err *err)
{
    for (int i = 0; opt->choices[i]; i++) {
        if (strcmp(opt->choices[i], text) == 0) {
            *out = i;
            return 0;
        }
    }
    char why[256] = "";
    list_choices(why, sizeof why, "is not one of ", opt);
    return invalid(opt, text, from_env, why, err);
}

static int convert_flag(bool *out, const struct opt *opt, const char *text, bool from_env,
                        struct err *err)
{
    static const char *const yes[] = {"1", "true", "yes"}, *const no[] = {"0", "false", "no", ""};
    for (size_t i = 0; i < ARRAY_LEN(no); i++) {
        const bool is_yes = i < ARRAY_LEN(yes) && strcasecmp(text, yes[i]) == 0;
        if (is_yes || strcasecmp(text, no[i]) == 0) {
            *out = is_yes;
            return 0;
        }
    }
    return invalid(opt, text, from_env, "is neither 1, true, yes nor 0, false, no", err);
}

static int convert_count(uint64_t *out, const struct opt *opt, const char *text, struct err *err)
{
    bool yes = false;
    const int r = convert_flag(&yes, opt, text, true, err);
    if (r == 0)
        *out = yes;
    return r;
}

static bool is_url(const char *text)
{
    return strstr(text, "://") != NULL;
}

static int check_path(const struct opt *opt, const char *text, bool from_env, struct err *err)
{
    static const char scheme[] = "file://";
    const bool is_file_url = strncmp(text, scheme, sizeof scheme - 1) == 0;
    if (opt->path == OPT_PATH_ANY || (is_url(text) && !is_file_url))
        return 0;
    struct stat st;
    const bool exists = stat(is_file_url ? text + sizeof scheme - 1 : text, &st) == 0;
    if (opt->path == OPT_PATH_DIR)
        return exists && !S_ISDIR(st.st_mode)
                   ? invalid(opt, text, from_env, "is a file; it needs a directory", err)
                   : 0;
    if (!exists)
        return invalid(opt, text, from_env, "does not exist", err);
    return S_ISDIR(st.st_mode)
               ? invalid(opt, text, from_env, "is a directory; it needs a file", err)
               : 0;
}

static int convert_string(const char **out, const struct opt *opt, const char *text, bool from_env,
                          struct err *err)
{
    if (opt->filled && text[0] == '\0')
        return err_set(err, E_ARG, 0, "Invalid value for '--%s': it is empty.", opt->name);
    const int r = check_path(opt, text, from_env, err);
    if (r == 0)
        *out = text;
    return r;
}

/* An empty variable is a value only where an empty text means something. */
static bool counts_when_empty(const struct opt *opt)
{
    return opt->kind == OPT_KIND_FLAG ||
           (opt->kind == OPT_KIND_STRING && opt->required && !opt->filled);
}

static const char *from_environment(const struct opt *opt)
{
    const char *text = opt->env ? getenv(opt->env) : NULL;
    return text && (text[0] != '\0' || counts_when_empty(opt)) ? text : NULL;
}

static int resolve(const struct parser *p, const struct slot *s, struct err *err)
{
    const struct opt *opt = s->opt;
    if (s->given || opt->kind == OPT_KIND_HELP || opt->kind == OPT_KIND_VERSION) {
        if (opt->kind == OPT_KIND_FLAG)
            *(bool *)field(p, opt) = true;
        return 0;
    }
    const char *env = s->value ? NULL : from_environment(opt);
    const char *text = s->value ? s->value : env;
    if (!text)
        return opt->required ? missing(opt, err) : 0;
    switch (opt->kind) {
    case OPT_KIND_UINT:
        return convert_uint(field(p, opt), opt, text, env != NULL, err);
    case OPT_KIND_REAL:
        return convert_real(field(p, opt), opt, text, env != NULL, err);
    case OPT_KIND_CHOICE:
        return convert_choice(field(p, opt), opt, text, env != NULL, err);
    case OPT_KIND_FLAG:
    case OPT_KIND_BOOL:
        return convert_flag(field(p, opt), opt, text, env != NULL, err);
    case OPT_KIND_COUNT:
        return convert_count(field(p, opt), opt, text, err);
    default:
        return convert_string(field(p, opt), opt, text, env != NULL, err);
    }
}

/* Fill text from the file, of which at most cap bytes matter. @return its length or E_*. */
static ssize_t read_all(const char *path, char *text, size_t cap, struct err *err)
{
    struct file_source file;
    int r = file_source_open(&file, path, err);
    if (r < 0)
        return r;
    const struct source source = file_source(&file);
    size_t len = 0;
    ssize_t n = 1;
    while (len < cap && n > 0) {
        n = source.read(source.arg, text + len, cap - len, err);
        len += n > 0 ? (size_t)n : 0;
    }
    file_source_close(&file);
    return n < 0 ? n : (ssize_t)len;
}

/* name: what named the file, "--x-file" or "X_FILE". */
static int read_secret(struct opt_secret *secret, const char *path, const char *name,
                       struct err *err)
{
    if (strcmp(path, "-") == 0)
        return err_set(err, E_ARG, 0,
                       "Invalid value for '%s': a secret is not read from standard input.", name);
    char text[OPT_SECRET_BYTES + 2]; // the longest one, its line end, and one byte too many
    struct err cause = {0};
    const ssize_t n = read_all(path, text, sizeof text, &cause);
    int r;
    if (n == E_ABSENT) {
        // Somebody may have given the secret itself in place of the file's name.
        r = err_set(err, E_ARG, 0, "Invalid value for '%s': there is no file of that name.", name);
    } else if (n < 0) {
        r = err_set(err, E_ARG, 0, "Invalid value for '%s': %s", name, cause.text);
    } else if (n > 0 && memchr(text, '\0', (size_t)n)) {
        r = err_set(err, E_ARG, 0, "Invalid value for '%s': the file holds a NUL byte.", name);
    } else {
        size_t len = (size_t)n;
        if (len > 0 && text[len - 1] == '\n')
            len -= len > 1 && text[len - 2] == '\r' ? 2 : 1;
        r = set_secret(secret, text, len, name, err);
    }
    secret_wipe(text, sizeof text);
    return r;
}

static int resolve_secret(const struct parser *p, const struct slot *s, struct err *err)
{
    const struct opt *opt = s->opt;
    struct opt_secret *secret = field(p, opt);
    char name[OPTS_NAME_BYTES];
    if (s->given)
        return 0;
    if (s->file) {
        (void)snprintf(name, sizeof name, "--%s-file", opt->name);
        return read_secret(secret, s->file, name, err);
    }
    const char *text = from_environment(opt);
    if (text)
        return set_secret(secret, text, strlen(text), opt->env, err);
    const char *path = NULL;
    if (opt->env) {
        opts_file_name(name, opt->env, "_FILE");
        path = getenv(name);
    }
    if (path && path[0] != '\0')
        return read_secret(secret, path, name, err);
    return opt->required ? missing(opt, err) : 0;
}

static int resolve_positionals(const struct parser *p, struct err *err)
{
    const struct opt_positional *at = p->command->positionals;
    if (!at)
        return 0;
    at += p->n_positionals;
    if (at->metavar && !at->optional && p->n_many == 0)
        return err_set(err, E_ARG, 0, "Missing argument '%s'.", at->metavar);
    const struct opt_words words = {.words = p->argv, .n = p->n_many};
    if (at->metavar && at->many)
        memcpy(p->args + at->offset, &words, sizeof words);
    return 0;
}

int opts_parse(const struct opt_command *command, void *args, int argc, char **argv,
               struct err *err)
{
    struct parser p = {
        .command = command, .args = args, .argv = argv, .rest = argv, .n_rest = argc};
    int r = list_options(&p, err);
    if (r == 0)
        r = scan(&p, err);
    if (r == 0 && p.asked != 0)
        return p.asked;
    for (size_t i = 0; i < p.n_slots && r == 0; i++) {
        r = p.slots[i].opt->kind == OPT_KIND_SECRET ? resolve_secret(&p, &p.slots[i], err)
                                                    : resolve(&p, &p.slots[i], err);
    }
    return r == 0 ? resolve_positionals(&p, err) : r;
}
