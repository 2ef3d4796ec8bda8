/* avro_judge.h - libavro, behind functions: its names are those of codec/avro.h. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/** Write n records of every type; see avro_judge.c for what is in them. */
void judge_write(const char *path, const char *codec, int n);
typedef void judge_fn(int k, const char *s, int64_t n, double d, bool b);
/** Read records of s, n, d, b. @return how many there are. */
int judge_read(const char *path, judge_fn *fn);
