/* SPDX-License-Identifier: MPL-2.0 */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

void scratch_make(char dir[SCRATCH_BYTES])
{
    const char *base = getenv("TMPDIR");
    (void)snprintf(dir, SCRATCH_BYTES, "%s/weir-test-XXXXXX", base && *base ? base : "/tmp");
    assert_non_null(mkdtemp(dir));
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

void scratch_remove(const char *dir)
{
    (void)nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

void path_join(char out[PATH_BYTES], const char *dir, const char *name)
{
    assert_in_range(snprintf(out, PATH_BYTES, "%s/%s", dir, name), 1, PATH_BYTES - 1);
}

void make_directory(const char *dir, const char *name)
{
    char path[PATH_BYTES];
    path_join(path, dir, name);
    assert_int_equal(mkdir(path, 0700), 0);
}

char *file_read(const char *path)
{
    FILE *in = fopen(path, "rb");
    if (in == NULL)
        return NULL;
    assert_int_equal(fseek(in, 0, SEEK_END), 0);
    const size_t len = (size_t)ftell(in);
    rewind(in);
    char *text = malloc(len + 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, len, in), len);
    text[len] = '\0';
    assert_int_equal(strlen(text), len); // text, not bytes
    assert_int_equal(fclose(in), 0);
    return text;
}

void file_write(const char *path, const char *text)
{
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(text, 1, strlen(text), out), strlen(text));
    assert_int_equal(fclose(out), 0);
}

void assert_file_equal(const char *path, const char *want)
{
    TEXT *got = file_read(path);
    if (got == NULL)
        fail_msg("%s is missing", path);
    if (strcmp(got, want) != 0)
        fail_msg("%s\nholds\n%s\ninstead of\n%s", path, got, want);
}

/* What a program under test may see of this process: how to be run, and nothing that its options
 * are read from but the level of SIMD. */
static bool passes(const char *variable)
{
    static const char *const names[] = {
        "PATH=", "TMPDIR=", "ASAN_OPTIONS=", "UBSAN_OPTIONS=", "LSAN_OPTIONS=", "WEIR_CPU="};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strncmp(variable, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

static void become(const struct run *run, const char *out, const char *err)
{
    char *argv[MAX_ARGS + 1] = {(char *)(uintptr_t)run->program};
    char *env[16] = {NULL};
    size_t n = 0;
    for (char **variable = environ; *variable != NULL && n < 8; variable++)
        if (passes(*variable))
            env[n++] = *variable;
    for (size_t i = 0; i < ARRAY_LEN(run->secrets); i++)
        if (run->secrets[i] != NULL)
            env[n++] = (char *)(uintptr_t)run->secrets[i];
    for (size_t i = 0; i < MAX_ARGS - 1 && run->argv[i] != NULL; i++)
        argv[i + 1] = (char *)(uintptr_t)run->argv[i];
    const int in = open("/dev/null", O_RDONLY | O_CLOEXEC);
    const int to_out = open(out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const int to_err = open(err, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (in >= 0 && to_out >= 0 && to_err >= 0 && dup2(in, 0) >= 0 && dup2(to_out, 1) >= 0 &&
        dup2(to_err, 2) >= 0)
        execve(run->program, argv, env);
    _exit(127);
}

int run_program(const struct run *run, char **out, char **err)
{
    char out_path[PATH_BYTES], err_path[PATH_BYTES];
    int status;
    path_join(out_path, run->dir, ".stdout");
    path_join(err_path, run->dir, ".stderr");
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        become(run, out_path, err_path);
    while (waitpid(child, &status, 0) < 0)
        assert_int_equal(errno, EINTR);
    if (!WIFEXITED(status) || WEXITSTATUS(status) == 127) {
        TEXT *said = file_read(err_path);
        fail_msg("%s %s: wait status %d\n%s", run->program, run->argv[0], status, said ? said : "");
    }
    if (out != NULL)
        *out = file_read(out_path);
    if (err != NULL)
        *err = file_read(err_path);
    return WEXITSTATUS(status);
}
