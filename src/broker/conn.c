/* SPDX-License-Identifier: MPL-2.0 */
#include "broker/conn.h"

#include "base/secret.h"

#include <amqp_framing.h>
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum { DEFAULT_HEARTBEAT_S = 60, DEFAULT_TIMEOUT_S = 10, CLOSE_TIMEOUT_S = 2, MAX_SECONDS = 3600 };

#define SYSTEM_CA_FILE "/etc/ssl/certs/ca-certificates.crt"

static int check_place(const struct broker_config *c, struct err *err)
{
    if (!c->host || c->host[0] == '\0' || !c->user || c->user[0] == '\0')
        return err_set(err, E_ARG, 0, "the broker's host and user are needed");
    if (c->port == 0 || c->port > UINT16_MAX)
        return err_set(err, E_ARG, 0, "%u is no port of a broker", c->port);
    if (!c->password || c->password->len == 0)
        return err_set(err, E_ARG, 0, "the broker's password is needed");
    if (memchr(c->password->text, '\0', c->password->len))
        return err_set(err, E_ARG, 0, "the broker's password contains a zero byte");
    if (c->heartbeat_s > MAX_SECONDS || c->connect_timeout_s > MAX_SECONDS)
        return err_set(err, E_ARG, 0, "heartbeat and time-out of the broker: at most %d s",
                       MAX_SECONDS);
    return 0;
}

int conn_place_init(struct conn_place *place, const struct broker_config *c, struct err *err)
{
    *place = (struct conn_place){0};
    const int r = check_place(c, err);
    if (r < 0)
        return r;
    place->host = strdup(c->host);
    place->user = strdup(c->user);
    place->vhost = strdup(c->vhost ? c->vhost : "/");
    place->ca_file = strdup(c->ca_file ? c->ca_file : SYSTEM_CA_FILE);
    if (!place->host || !place->user || !place->vhost || !place->ca_file)
        return err_set(err, E_NOMEM, 0, "no memory for the settings of a broker");
    place->password = *c->password;
    place->password.text[place->password.len] = '\0';
    place->port = c->port;
    place->tls = c->tls;
    place->heartbeat_s = c->heartbeat_s > 0 ? c->heartbeat_s : DEFAULT_HEARTBEAT_S;
    place->timeout_s = c->connect_timeout_s > 0 ? c->connect_timeout_s : DEFAULT_TIMEOUT_S;
    return 0;
}

void conn_place_deinit(struct conn_place *place)
{
    free(place->host);
    free(place->user);
    free(place->vhost);
    free(place->ca_file);
    secret_wipe(&place->password, sizeof place->password);
    *place = (struct conn_place){0};
}

int conn_status(int status, const char *what, struct err *err)
{
    switch (status) {
    case AMQP_STATUS_NO_MEMORY:
        return err_set(err, E_NOMEM, 0, "no memory to %s", what);
    case AMQP_STATUS_SSL_PEER_VERIFY_FAILED:
        return err_set(err, E_ARG, 0, "the broker's certificate is not trusted: check the CA file");
    case AMQP_STATUS_SSL_HOSTNAME_VERIFY_FAILED:
        return err_set(err, E_ARG, 0,
                       "the broker's certificate is for another host: check the host's name");
    case AMQP_STATUS_BROKER_UNSUPPORTED_SASL_METHOD:
        return err_set(err, E_ARG, 0, "the broker takes no login by password (SASL PLAIN)");
    default:
        return err_set(err, E_AGAIN, status, "%s: %s", what, amqp_error_string2(status));
    }
}

static enum err_code code_of(uint16_t code)
{
    switch (code) {
    case AMQP_NOT_FOUND:
        return E_ABSENT;
    case AMQP_ACCESS_REFUSED:
    case AMQP_RESOURCE_LOCKED:
    case AMQP_PRECONDITION_FAILED:
    case AMQP_NOT_ALLOWED:
    case AMQP_NOT_IMPLEMENTED:
        return E_ARG;
    default:
        return E_AGAIN;
    }
}

int conn_refusal(uint16_t code, amqp_bytes_t text, const char *what, const char *hint,
                 struct err *err)
{
    return err_set(err, code_of(code), code, "%s: the broker says %u %.*s%s%s", what, code,
                   (int)text.len, (const char *)text.bytes, hint ? ": " : "", hint ? hint : "");
}

int conn_check(amqp_rpc_reply_t reply, const char *what, const char *hint, struct err *err)
{
    if (reply.reply_type == AMQP_RESPONSE_NORMAL)
        return 0;
    if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION)
        return conn_status(reply.library_error, what, err);
    if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION &&
        reply.reply.id == AMQP_CONNECTION_CLOSE_METHOD) {
        const amqp_connection_close_t *m = reply.reply.decoded;
        return conn_refusal(m->reply_code, m->reply_text, what, hint, err);
    }
    if (reply.reply_type == AMQP_RESPONSE_SERVER_EXCEPTION &&
        reply.reply.id == AMQP_CHANNEL_CLOSE_METHOD) {
        const amqp_channel_close_t *m = reply.reply.decoded;
        return conn_refusal(m->reply_code, m->reply_text, what, hint, err);
    }
    return err_set(err, E_AGAIN, 0, "%s: the broker answered something else", what);
}

/* The socket belongs to the state. */
static amqp_socket_t *new_socket(amqp_connection_state_t state, const struct conn_place *place,
                                 struct err *err)
{
    amqp_socket_t *s = place->tls ? amqp_ssl_socket_new(state) : amqp_tcp_socket_new(state);
    if (!s) {
        (void)err_set(err, E_NOMEM, 0, "no memory for a connection");
        return NULL;
    }
    if (!place->tls)
        return s;
    amqp_ssl_socket_set_verify_peer(s, 1);
    amqp_ssl_socket_set_verify_hostname(s, 1);
    if (access(place->ca_file, R_OK) != 0 ||
        amqp_ssl_socket_set_cacert(s, place->ca_file) != AMQP_STATUS_OK) {
        (void)err_set(err, E_ARG, 0, "%s: no readable file of CA certificates", place->ca_file);
        return NULL;
    }
    if (amqp_ssl_socket_set_ssl_versions(s, AMQP_TLSv1_2, AMQP_TLSvLATEST) != AMQP_STATUS_OK) {
        (void)err_set(err, E_IO, 0, "TLS 1.2 is not to be had");
        return NULL;
    }
    return s;
}

static int log_in(amqp_connection_state_t state, const struct conn_place *place, struct err *err)
{
    const struct timeval limit = {.tv_sec = place->timeout_s};
    amqp_set_handshake_timeout(state, &limit);
    amqp_set_rpc_timeout(state, &limit);
    // Without this capability nobody would tell that a queue was deleted.
    amqp_table_entry_t notify = {.key = amqp_cstring_bytes("consumer_cancel_notify"),
                                 .value = {.kind = AMQP_FIELD_KIND_BOOLEAN, .value.boolean = 1}};
    amqp_table_entry_t capabilities = {
        .key = amqp_cstring_bytes("capabilities"),
        .value = {.kind = AMQP_FIELD_KIND_TABLE, .value.table = {1, &notify}}};
    const amqp_table_t properties = {1, &capabilities};
    int r = conn_check(amqp_login_with_properties(
                           state, place->vhost, 0, AMQP_DEFAULT_FRAME_SIZE, (int)place->heartbeat_s,
                           &properties, AMQP_SASL_METHOD_PLAIN, place->user, place->password.text),
                       "log in", "check user, password and virtual host", err);
    if (r < 0)
        return r == E_ABSENT ? E_ARG : r;
    (void)amqp_channel_open(state, CONN_CHANNEL);
    return conn_check(amqp_get_rpc_reply(state), "open a channel", NULL, err);
}

int conn_open(amqp_connection_state_t *out, const struct conn_place *place, struct err *err)
{
    amqp_connection_state_t state = amqp_new_connection();
    if (!state)
        return err_set(err, E_NOMEM, 0, "no memory for a connection");
    struct err cause = {0};
    int r = 0;
    amqp_socket_t *s = new_socket(state, place, &cause);
    if (!s)
        r = err_set(err, cause.code, cause.native, "%s", cause.text);
    if (r == 0) {
        struct timeval limit = {.tv_sec = place->timeout_s};
        const int status = amqp_socket_open_noblock(s, place->host, (int)place->port, &limit);
        if (status != AMQP_STATUS_OK)
            r = conn_status(status, "connect", err);
    }
    if (r == 0)
        r = log_in(state, place, err);
    if (r < 0) {
        (void)amqp_destroy_connection(state);
        return r;
    }
    *out = state;
    return 0;
}

void conn_close(amqp_connection_state_t state)
{
    const struct timeval limit = {.tv_sec = CLOSE_TIMEOUT_S};
    amqp_set_rpc_timeout(state, &limit);
    (void)amqp_connection_close(state, AMQP_REPLY_SUCCESS); // a dead broker is none to complain to
    (void)amqp_destroy_connection(state);
}
