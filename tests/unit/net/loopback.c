/* SPDX-License-Identifier: MPL-2.0 */
#include "net/loopback.h"

#include "base/retry.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

unsigned char loopback_filler(size_t offset)
{
    return (unsigned char)(offset % 251);
}

static bool send_all(int fd, const void *bytes, size_t len)
{
    const char *rest = bytes;
    while (len > 0) {
        const ssize_t n = send(fd, rest, len, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        rest += n;
        len -= (size_t)n;
    }
    return true;
}

static bool send_filler(int fd, size_t len)
{
    unsigned char chunk[251 * 64];
    for (size_t i = 0; i < sizeof chunk; i++)
        chunk[i] = loopback_filler(i);
    for (size_t sent = 0; sent < len;) {
        const size_t n = len - sent < sizeof chunk ? len - sent : sizeof chunk;
        if (!send_all(fd, chunk, n))
            return false;
        sent += n;
    }
    return true;
}

static size_t body_length(const char *head)
{
    const char *line = strcasestr(head, "\r\nContent-Length:");
    return line ? strtoul(line + strlen("\r\nContent-Length:"), NULL, 10) : 0;
}

/* @return false when the client went away before a whole request came. */
static bool read_request(int fd, char request[LOOPBACK_REQUEST_BYTES])
{
    size_t len = 0;
    const char *end = NULL;
    while (!end) {
        const ssize_t n = recv(fd, request + len, LOOPBACK_REQUEST_BYTES - 1 - len, 0);
        if (n <= 0)
            return false;
        len += (size_t)n;
        request[len] = '\0';
        end = strstr(request, "\r\n\r\n");
    }
    const size_t head = (size_t)(end + 4 - request), body = body_length(request);
    for (size_t got = len - head; got < body;) {
        char dropped[LOOPBACK_REQUEST_BYTES];
        const size_t room = LOOPBACK_REQUEST_BYTES - 1 - len;
        char *to = room > 0 ? request + len : dropped;
        const ssize_t n = recv(fd, to, room > 0 ? room : sizeof dropped, 0);
        if (n <= 0)
            return false;
        got += (size_t)n;
        len += room > 0 ? (size_t)n : 0;
        request[len] = '\0';
    }
    return true;
}

static void hang_up(struct loopback *l, bool reset)
{
    const int fd = l->connection;
    if (fd < 0)
        return;
    const struct linger now = {.l_onoff = 1};
    if (reset)
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    l->connection = -1;
    (void)close(fd);
}

/* A request, whoever sends it next. */
static bool next_request(struct loopback *l)
{
    static char scratch[LOOPBACK_REQUEST_BYTES];
    while (!l->stopping) {
        if (l->connection < 0) {
            l->connection = accept(l->listener, NULL, NULL);
            if (l->connection < 0)
                return false;
            l->n_connections++;
        }
        const unsigned i = l->n_requests;
        if (read_request(l->connection, i < LOOPBACK_MAX_REQUESTS ? l->requests[i] : scratch)) {
            l->n_requests++;
            return true;
        }
        hang_up(l, false);
    }
    return false;
}

static void play(struct loopback *l, const struct answer *a)
{
    char byte;
    retry_sleep_ms(a->delay_ms);
    if (a->text)
        (void)send_all(l->connection, a->text, strlen(a->text));
    (void)send_filler(l->connection, a->filler);
    if (a->then == THEN_HANG) {
        while (recv(l->connection, &byte, 1, 0) > 0) {
        }
    }
    if (a->then != THEN_KEEP)
        hang_up(l, a->then == THEN_RESET);
}

static void *serve(void *arg)
{
    struct loopback *l = arg;
    for (size_t i = 0; i < l->n_answers && next_request(l); i++)
        play(l, &l->answers[i]);
    (void)shutdown(l->listener, SHUT_RDWR);
    return NULL;
}

void loopback_start(struct loopback *l, const struct answer *answers, size_t n)
{
    memset(l, 0, sizeof *l);
    l->answers = answers;
    l->n_answers = n;
    l->connection = -1;
    l->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    assert(bind(l->listener, (struct sockaddr *)&at, len) == 0);
    assert(listen(l->listener, 8) == 0);
    assert(getsockname(l->listener, (struct sockaddr *)&at, &len) == 0);
    (void)snprintf(l->url, sizeof l->url, "http://127.0.0.1:%u", ntohs(at.sin_port));
    assert(pthread_create(&l->thread, NULL, serve, l) == 0);
}

void loopback_stop(struct loopback *l)
{
    l->stopping = true;
    (void)shutdown(l->listener, SHUT_RDWR);
    const int connection = l->connection;
    if (connection >= 0)
        (void)shutdown(connection, SHUT_RDWR);
    (void)pthread_join(l->thread, NULL);
    hang_up(l, false);
    (void)close(l->listener);
}
