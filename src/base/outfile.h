/* outfile.h - a file that appears under its name only when it is whole. */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Bytes go to ".NAME.tmp" in the same directory (a leftover of a killed run is overwritten) and
 * reach NAME by rename(2) in outfile_commit. It is locked (flock) meanwhile: another writer of the
 * same name takes ".NAME.2.tmp", and whoever commits last is the one whose file stays. Standard
 * output has neither: there they go straight to the descriptor, past stdio.
 */
struct outfile {
    int fd;     // -1: closed
    int dir_fd; // -1: standard output
    bool is_stdout, renamed;
    char *path, *tmp_path; // dir "/" name
};

#define OUTFILE_INIT ((struct outfile){.fd = -1, .dir_fd = -1})

/**
 * Create directory `dir` and its parents where missing; new ones outlive a power cut.
 * @return 0, E_ARG when it is empty or a plain file stands there, E_NOMEM or E_IO.
 */
MUST_CHECK int make_directories(const char *dir, struct err *err);
/** Flush the entries of a directory to disk. name: for messages, of something in it. */
MUST_CHECK int directory_sync(int dir_fd, const char *name, struct err *err);
/**
 * dir "-" means standard output (name is ignored), else dir must exist and name has no slash.
 * @return 0, E_ARG for an unusable name, E_NOMEM or E_IO.
 */
MUST_CHECK int outfile_open(struct outfile *f, const char *dir, const char *name, struct err *err);
/** The same in an open directory (O_PATH is enough; lent during the call); dir: for messages. */
MUST_CHECK int outfile_open_at(struct outfile *f, int dir_fd, const char *dir, const char *name,
                               struct err *err);
/** Write all of it. @return 0 or E_IO naming the file. */
MUST_CHECK int outfile_write(struct outfile *f, const void *bytes, size_t len, struct err *err);
/**
 * Flush to disk, close and rename. After a failure nothing has appeared under the name, but for one
 * case: the disk fails while the directory is flushed. Then the file is whole under its name and
 * may not outlive a power cut. Either way f is closed. @return 0 or E_IO.
 */
MUST_CHECK int outfile_commit(struct outfile *f, struct err *err);
enum outfile_mode { OUTFILE_REPLACE, OUTFILE_NEW };
enum { OUTFILE_EXISTS = 1 };
struct stat;
/**
 * The same with a choice: OUTFILE_NEW leaves a file alone that has the name already. st: of the
 * file under its name; may be NULL. @return 0, OUTFILE_EXISTS, or E_IO.
 */
MUST_CHECK int outfile_commit_as(struct outfile *f, enum outfile_mode mode, struct stat *st,
                                 struct err *err);
/** For CLEANUP: an uncommitted file is closed and removed; nothing happens after a commit. */
void outfile_abandon(struct outfile *f);
