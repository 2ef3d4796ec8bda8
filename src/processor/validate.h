/*
 * validate.h - the command `validate`: would `process` get through?
 *
 * Source: prio-processor.md D11. Each check says one line, "ok ..." or "FAILED ..."; a failed one
 * does not keep the others from being made.
 */
#pragma once

#include "processor/process.h"
#include "stage/keys.h"

struct validate_options {
    /* What process would be given; config and keys may be missing where reading them failed. */
    const struct process_options *process;
    const char *config_path;
    const struct key_texts *keys;
    bool no_probe; // do not write and delete objects where writing must be possible
    /** A line for standard output, without its newline. */
    void (*say)(void *arg, const char *line);
    void *say_arg;
};

/** @return the number of checks that failed. */
unsigned validate_run(const struct validate_options *options);
