/* bigtable_impl.h - what the parts of the Bigtable backend share. */
#pragma once

#include "net/google.h"
#include "net/grpc.h"
#include "profiles/backend.h"

struct writers;

struct bigtable {
    char *instance;         // "projects/p/instances/i"
    char *table_id, *table; // "t", instance "/tables/t"
    char *data_url, *admin_url;
    struct http *http;
    struct google_auth *data_auth, *admin_auth; // NULL: the emulator asks for no token
    unsigned n_streams;
    uint64_t deadline_ms;
    struct writers *writers; // NULL: nothing was sent yet
};

/** Of UNAVAILABLE, ABORTED and DEADLINE_EXCEEDED another try may succeed. */
bool bigtable_may_pass(int code);
/** Patience for a batch, a page or a change of tables. */
void bigtable_retry_init(struct retry *retry, const struct bigtable *b);
/** How long the next try may take. */
uint64_t bigtable_try_ms(const struct bigtable *b, const struct retry *retry);
/** "NOT_FOUND: the server's words", for a status that ends the work. @return E_ABSENT of NOT_FOUND,
 * else E_IO. */
int bigtable_fail(const struct grpc_status *status, struct err *err);

enum bigtable_service { BIGTABLE_DATA, BIGTABLE_ADMIN };
struct bigtable_request {
    enum bigtable_service service;
    const char *method;               // "MutateRows"
    const char *parameter, *resource; // of the routing header: "table_name", b->table
    struct span framed;
    uint64_t timeout_ms;
    grpc_message_fn *fn;
    void *arg;
};
/** One try, as grpc_call. */
MUST_CHECK int bigtable_call(struct bigtable *b, const struct bigtable_request *request,
                             struct grpc_status *status, struct err *err);

/* bigtable_table.c, bigtable_write.c, bigtable_read.c */
int bigtable_ensure_table(void *impl, struct err *err);
int bigtable_send(void *impl, struct batch **batch, struct err *err);
void bigtable_settle(void *impl, struct failures *failures);
void bigtable_stop_writers(struct bigtable *b);
int bigtable_get(void *impl, struct span key, struct buf *value, struct err *err);
int bigtable_each(void *impl, profiles_fn *fn, void *arg, struct err *err);
