/*
 * conn.h - a connection to an AMQP broker with one open channel, and what its refusals mean. For
 * the files of broker/ only.
 */
#pragma once

#include "broker/broker.h"

#include <amqp.h>

enum { CONN_CHANNEL = 1 };

/* Where a broker is and who asks; texts are its own. */
struct conn_place {
    char *host, *user, *vhost, *ca_file;
    struct opt_secret password;
    unsigned port, heartbeat_s, timeout_s;
    bool tls;
};

/** @return 0, E_ARG or E_NOMEM. To be deinited in any case. */
MUST_CHECK int conn_place_init(struct conn_place *place, const struct broker_config *config,
                               struct err *err);
void conn_place_deinit(struct conn_place *place); // wipes the password

/**
 * Connect, verify, log in, open the channel. @return 0, E_ARG: refused, E_AGAIN: not reached, E_*.
 */
MUST_CHECK int conn_open(amqp_connection_state_t *out, const struct conn_place *place,
                         struct err *err);
/** Say goodbye and wait a little for the answer, then free. */
void conn_close(amqp_connection_state_t state);

/**
 * What became of a call. what: "declare the queue"; hint: what to do where it was refused, NULL:
 * nothing better than the broker's words.
 * @return 0; E_ABSENT: 404; E_ARG: will not pass by itself; E_AGAIN; E_NOMEM.
 */
MUST_CHECK int conn_check(amqp_rpc_reply_t reply, const char *what, const char *hint,
                          struct err *err);
/** An error from a code of the broker (connection.close, channel.close) and its words. */
int conn_refusal(uint16_t code, amqp_bytes_t text, const char *what, const char *hint,
                 struct err *err);
/** An error from a status of librabbitmq. */
int conn_status(int status, const char *what, struct err *err);
