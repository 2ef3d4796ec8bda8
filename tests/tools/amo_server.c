/* SPDX-License-Identifier: MPL-2.0 */
/*
 * amo-server SERVER.json [FAULTS.json] [DELAY_MS] [LOG] - addons.mozilla.org on loopback, for
 * tests: the answers of SERVER.json (see amo_routes.h), those of FAULTS.json ("" for none) before
 * them, DELAY_MS before each. What is not listed is 404; a request without "Accept:
 * application/json" or a User-Agent with a contact in it is 400, as the service asks for both.
 *
 * Prints its URL, and ends when standard input does, with a line
 *
 *   {"requests": 12, "unlisted": 0, "refused": 0, "most_at_a_time": 4, "connections": 4}
 *
 * LOG gets a line "STATUS TARGET" a request, 0 for a reset.
 */
#include "amo_routes.h"
#include "base/retry.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REQUEST_BYTES = 16384, MAX_TARGET_TEXT = 4096, BACKLOG = 256 };

static struct server {
    struct amo_routes routes;
    unsigned delay_ms;
    FILE *log;
    int listener;
    pthread_mutex_t mutex; // guards what follows, routes and log
    unsigned n_requests, n_unlisted, n_refused, n_now, n_most, n_connections;
} server = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static bool send_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        const ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

/* A whole head; requests have no bodies. */
static bool read_request(int fd, char request[REQUEST_BYTES])
{
    size_t len = 0;
    do {
        const ssize_t n = recv(fd, request + len, REQUEST_BYTES - 1 - len, 0);
        if (n <= 0)
            return false;
        len += (size_t)n;
        request[len] = '\0';
    } while (!strstr(request, "\r\n\r\n"));
    return true;
}

static bool is_polite(const char *request)
{
    const char *agent = strcasestr(request, "\r\nUser-Agent: ");
    const char *end = agent ? strstr(agent + 2, "\r\n") : NULL;
    const char *contact = agent ? strpbrk(agent, "@+") : NULL;
    return strcasestr(request, "\r\nAccept: application/json\r\n") && contact && contact < end;
}

/* @return false: the server itself failed. */
static bool choose(const char *request, struct amo_answer *answer)
{
    static const char refusal[] = "{\"detail\": \"Say who asks, and for JSON.\"}";
    char target[MAX_TARGET_TEXT] = "";
    struct err err = {0};
    bool listed = true;
    int r = 0;
    const bool good = sscanf(request, "GET %4095s", target) == 1 && is_polite(request);
    (void)pthread_mutex_lock(&server.mutex);
    server.n_requests++;
    if (++server.n_now > server.n_most)
        server.n_most = server.n_now;
    if (good)
        r = amo_routes_next(&server.routes, target, answer, &listed, &err);
    else
        *answer = (struct amo_answer){
            .status = 400, .body = strdup(refusal), .len = sizeof refusal - 1, .sent = SIZE_MAX};
    server.n_unlisted += !listed;
    server.n_refused += !good;
    if (server.log)
        (void)fprintf(server.log, "%d %s\n", answer->status, target);
    (void)pthread_mutex_unlock(&server.mutex);
    if (r < 0)
        (void)fprintf(stderr, "amo-server: %s\n", err.text);
    return r == 0;
}

static void reset(int fd)
{
    const struct linger now = {.l_onoff = 1};
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

/* @return whether the connection stays. */
static bool play(int fd, const struct amo_answer *a)
{
    char head[REQUEST_BYTES];
    retry_sleep_ms(server.delay_ms + a->delay_ms);
    if (a->reset) {
        reset(fd);
        return false;
    }
    (void)snprintf(head, sizeof head,
                   "HTTP/1.1 %d Answer\r\nContent-Type: application/json\r\n"
                   "Content-Length: %zu\r\n%s\r\n",
                   a->status, a->len, a->headers ? a->headers : "");
    const bool whole = a->sent >= a->len;
    return send_all(fd, head, strlen(head)) && send_all(fd, a->body, whole ? a->len : a->sent) &&
           whole;
}

static void *serve(void *arg)
{
    const int fd = *(int *)arg;
    char *request = malloc(REQUEST_BYTES);
    free(arg);
    for (bool stays = request != NULL; stays && read_request(fd, request);) {
        struct amo_answer answer = {0};
        stays = choose(request, &answer) && play(fd, &answer);
        amo_answer_deinit(&answer);
        (void)pthread_mutex_lock(&server.mutex);
        server.n_now--;
        (void)pthread_mutex_unlock(&server.mutex);
    }
    free(request);
    (void)close(fd);
    return NULL;
}

static void *accept_all(void *arg)
{
    (void)arg;
    for (int fd; (fd = accept(server.listener, NULL, NULL)) >= 0;) {
        pthread_t thread;
        int *own = malloc(sizeof *own);
        if (!own)
            abort();
        *own = fd;
        (void)pthread_mutex_lock(&server.mutex);
        server.n_connections++;
        (void)pthread_mutex_unlock(&server.mutex);
        if (pthread_create(&thread, NULL, serve, own) != 0)
            abort();
        (void)pthread_detach(thread);
    }
    return NULL;
}

static bool start(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    pthread_t thread;
    server.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(server.listener, (struct sockaddr *)&at, len) < 0 ||
        listen(server.listener, BACKLOG) < 0 ||
        getsockname(server.listener, (struct sockaddr *)&at, &len) < 0 ||
        pthread_create(&thread, NULL, accept_all, NULL) != 0)
        return false;
    (void)pthread_detach(thread);
    (void)printf("http://127.0.0.1:%u\n", ntohs(at.sin_port));
    return fflush(stdout) == 0;
}

int main(int argc, char **argv)
{
    struct err err = {0};
    if (argc < 2 || argc > 5) {
        (void)fputs("amo-server SERVER.json [FAULTS.json] [DELAY_MS] [LOG]\n", stderr);
        return 2;
    }
    const char *faults = argc > 2 && argv[2][0] ? argv[2] : NULL;
    server.delay_ms = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 0;
    server.log = argc > 4 ? fopen(argv[4], "we") : NULL;
    if (server.log)
        (void)setvbuf(server.log, NULL, _IOLBF, 0);
    if (amo_routes_load(&server.routes, argv[1], faults, &err) < 0 || !start()) {
        (void)fprintf(stderr, "amo-server: %s\n", err.text);
        return 1;
    }
    char dropped[64];
    while (read(STDIN_FILENO, dropped, sizeof dropped) > 0) {
    }
    (void)pthread_mutex_lock(&server.mutex); // for good: nobody is served any more
    (void)printf("{\"requests\": %u, \"unlisted\": %u, \"refused\": %u, \"most_at_a_time\": %u, "
                 "\"connections\": %u}\n",
                 server.n_requests, server.n_unlisted, server.n_refused, server.n_most,
                 server.n_connections);
    (void)fflush(stdout);
    _exit(0); // threads are still at it
}
