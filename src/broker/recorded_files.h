/*
 * recorded_files.h - the lines of a file, of a directory's files by name, or of standard input. For
 * the files of broker/ only.
 */
#pragma once

#include "base/err.h"
#include "base/span.h"
#include "codec/gzip.h"
#include "codec/ndjson.h"

enum { RECORDED_MAX_LINE = 64 << 20 };

/* Zero-initialise it. */
struct recorded_files {
    char **paths;
    size_t n_paths, next_path;
    struct file_source file;
    struct gunzip *gunzip;
    struct ndjson_reader reader;
    struct ndjson_chunk chunk;
    bool is_open;
};

/**
 * Of a directory: what lies in it now, without hidden names and folders. f is to be closed in any
 * case. @return 0, E_ABSENT: no such file or directory, or E_*.
 */
MUST_CHECK int recorded_files_list(struct recorded_files *f, const char *source, struct err *err);
/** The next line; its bytes, and NDJSON_SLACK behind them, stay until the next call. @return 1, 0
 * at the end, or E_*, naming the file and the line. */
MUST_CHECK int recorded_files_line(struct recorded_files *f, struct span *line, struct err *err);
/** What the last line is called: in front of an error about it. @return code. */
int recorded_files_wrap(const struct recorded_files *f, int code, struct err *err);
void recorded_files_close(struct recorded_files *f);
