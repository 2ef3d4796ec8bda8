/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Processes and not threads: each child is what a server really runs, with its own environment,
 * locks, log and secrets; and one that dies takes nobody along.
 */
#include "cli/children.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TAIL_BYTES = 2000 };

static int no_memory(struct err *err)
{
    return err_set(err, E_NOMEM, 0, "no memory for an environment");
}

static bool is_named(const char *variable, const char *name)
{
    const size_t len = strlen(name);
    return strncmp(variable, name, len) == 0 && variable[len] == '=';
}

int child_env_set(struct child_env *env, struct err *err, const char *name, const char *fmt, ...)
{
    char *value, *variable;
    va_list args;
    va_start(args, fmt);
    const int len = vasprintf(&value, fmt, args);
    va_end(args);
    if (len < 0)
        return no_memory(err);
    const int n = asprintf(&variable, "%s=%s", name, value);
    free(value);
    if (n < 0)
        return no_memory(err);
    size_t i = 0;
    while (i < env->n && !is_named(env->variables[i], name))
        i++;
    if (i == CHILD_MAX_VARIABLES) {
        free(variable);
        return no_memory(err);
    }
    free(env->variables[i]); // NULL behind the last one
    env->variables[i] = variable;
    env->n += i == env->n;
    return 0;
}

int child_env_inherit(struct child_env *env, const char *const *names, struct err *err)
{
    int r = 0;
    for (; *names && r == 0; names++) {
        const char *value = getenv(*names);
        if (value)
            r = child_env_set(env, err, *names, "%s", value);
    }
    return r;
}

void child_env_deinit(struct child_env *env)
{
    for (size_t i = 0; i < env->n; i++)
        free(env->variables[i]);
    *env = (struct child_env){0};
}

/* In the child: nothing but calls that are safe there. */
static void become(const struct child *child, char *const *argv, pid_t parent,
                   const struct child_env *env)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) // it has gone already
        _exit(127);
    if (child->log[0] != '\0') {
        const int fd = open(child->log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0)
            _exit(127);
    }
    (void)execve("/proc/self/exe", argv, env->variables);
    _exit(127);
}

int child_start(struct child *child, char *const *argv, const struct child_env *env,
                struct err *err)
{
    const pid_t parent = getpid();
    (void)fflush(NULL);
    child->pid = fork();
    if (child->pid < 0) {
        child->pid = 0;
        return err_set(err, E_IO, errno, "start %s", child->label);
    }
    if (child->pid == 0)
        become(child, argv, parent, env);
    return 0;
}

static void show_end_of_log(const struct child *child)
{
    char text[TAIL_BYTES + 1];
    FILE *f = child->log[0] != '\0' ? fopen(child->log, "rbe") : NULL;
    if (!f)
        return;
    if (fseek(f, -(long)TAIL_BYTES, SEEK_END) != 0)
        rewind(f);
    text[fread(text, 1, TAIL_BYTES, f)] = '\0';
    (void)fclose(f);
    (void)fprintf(stderr, "%s, end of %s:\n%s\n", child->label, child->log, text);
}

static int judge(const struct child *child, int status, struct err *err)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    show_end_of_log(child);
    if (WIFSIGNALED(status))
        return err_set(err, E_IO, 0, "%s was killed by signal %d", child->label, WTERMSIG(status));
    return err_set(err, E_IO, 0, "%s failed with exit status %d", child->label,
                   WEXITSTATUS(status));
}

void child_stop(struct child *child)
{
    if (child->pid == 0)
        return;
    (void)kill(child->pid, SIGTERM);
    while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    child->pid = 0;
}

static struct child *find(struct child *const *children, size_t n, pid_t pid)
{
    for (size_t i = 0; i < n; i++)
        if (children[i]->pid == pid)
            return children[i];
    return NULL;
}

int children_wait(struct child *const *children, size_t n, struct err *err)
{
    int r = 0;
    size_t n_running = 0;
    for (size_t i = 0; i < n; i++)
        n_running += children[i]->pid != 0;
    while (n_running > 0 && r == 0) {
        int status = 0;
        const pid_t pid = waitpid(-1, &status, 0);
        if (pid < 0 && errno != EINTR)
            return err_set(err, E_IO, errno, "wait");
        struct child *child = pid > 0 ? find(children, n, pid) : NULL;
        if (!child)
            continue;
        child->pid = 0;
        n_running--;
        r = judge(child, status, err);
    }
    for (size_t i = 0; i < n; i++)
        child_stop(children[i]);
    return r;
}
