/* program.h - run a built program in a scratch directory, as a user would, and look at everything
 * it leaves. */
#pragma once

// cmocka.h needs the types of the headers above it.
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
// clang-format on

#include "base/compiler.h"

#include <jansson.h>

enum { SCRATCH_BYTES = 256, PATH_BYTES = 512, MAX_ARGS = 64 };

static inline void json_freep(json_t **json)
{
    json_decref(*json);
}
#define JSON CLEANUP(json_freep) json_t

static inline void text_freep(char **text)
{
    free(*text);
}
#define TEXT CLEANUP(text_freep) char

/** A fresh directory; scratch_remove takes it away with all that is in it. */
void scratch_make(char dir[SCRATCH_BYTES]);
void scratch_remove(const char *dir);
/** dir/name; asserts that it fits. */
void path_join(char out[PATH_BYTES], const char *dir, const char *name);
/** Create the directory dir/name, whose parent exists. */
void make_directory(const char *dir, const char *name);

/** The file's bytes with a NUL behind them. Owner: the caller. NULL when there is none. */
char *file_read(const char *path);
void file_write(const char *path, const char *text);
/** Asserts that the file holds exactly this text. */
void assert_file_equal(const char *path, const char *want);

struct run {
    const char *program;        // path
    const char *dir;            // scratch directory; what the program prints goes to files in it
    const char *secrets[2];     // "NAME=value", put into an environment that is otherwise bare
    const char *argv[MAX_ARGS]; // behind the program's name, NULL at the end
};

/** @return the exit status. *out and *err, where not NULL: what was printed; owner: the caller. */
int run_program(const struct run *run, char **out, char **err);
