/*
 * amo_routes.h - which request gets which answer, from server.json and faults.json as
 * vectors/taar/amo has them: targets are compared by their percent-decoded path and by their query
 * parameters as a set.
 */
#pragma once

#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct amo_routes {
    char *folder;   // of server.json: files lie below it
    json_t *routes; // normal target -> its entry
    json_t *faults; // normal target -> answers that are still to be given first
};
/** faults: a file, or NULL. @return 0 or E_*. */
MUST_CHECK int amo_routes_load(struct amo_routes *out, const char *server, const char *faults,
                               struct err *err);
void amo_routes_deinit(struct amo_routes *r);

struct amo_answer {
    int status;
    char *headers; // whole lines
    char *body;
    size_t len;
    size_t sent;       // of the body, then the connection ends; SIZE_MAX: all
    unsigned delay_ms; // before it
    bool reset;        // nothing but a broken connection
};
/** The answer to the next request of target ("/path?query"); each fault is given once. *listed:
 * server.json has it. @return 0 or E_*. */
MUST_CHECK int amo_routes_next(struct amo_routes *r, const char *target, struct amo_answer *out,
                               bool *listed, struct err *err);
void amo_answer_deinit(struct amo_answer *a);
