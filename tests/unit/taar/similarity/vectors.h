/* vectors.h - the vectors of taar/similarity, and clients made from them. */
#pragma once

#include "../../base/base_test.h"
#include "taar/similarity/clients.h"

#include <jansson.h>

void free_json(json_t **json);
#define JSON    CLEANUP(free_json) json_t
#define CLIENTS CLEANUP(clients_deinit) struct clients

void assert_done(int r, const struct err *err);
/** A file of tests/vectors/taar/similarity. */
json_t *vector(const char *name);
/** All objects of a file of lines. */
json_t *vector_lines(const char *name);
/** Within 1e-12 of the larger one. */
void assert_close(double got, double want);

/** A client with the members that the object has; without active_addons, with none. */
void add_client(struct clients *c, json_t *object, const char *id);
/** Clients "00000000", "00000001", .. with nothing but these lists of add-ons. */
void add_documents(struct clients *c, json_t *documents);
/** The clients of a file of lines, in its order. */
void add_lines(struct clients *c, const char *name);
