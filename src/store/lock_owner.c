/* SPDX-License-Identifier: MPL-2.0 */
#include "base/buf.h"
#include "base/utc.h"
#include "codec/hex.h"
#include "store/lock_object.h"

#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TOKEN_BYTES = 16, STAT_BYTES = 1024, FIELD_STATE = 3, FIELD_START_TIME = 22 };

static void free_json(json_t **json)
{
    json_decref(*json);
}

/* The first line of a file of /proc. @return false when it cannot be read. */
static bool read_line(char *out, size_t cap, const char *path)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t n = fd < 0 ? -1 : read(fd, out, cap - 1);
    if (fd >= 0)
        (void)close(fd); // only read from
    out[n > 0 ? n : 0] = '\0';
    out[strcspn(out, "\n")] = '\0';
    return n > 0;
}

/* proc(5): "pid (name) state ...", where the name may hold spaces and parentheses. */
static bool read_process(int64_t pid, char *state, uint64_t *start_time)
{
    char path[64], line[STAT_BYTES];
    (void)snprintf(path, sizeof path, "/proc/%" PRId64 "/stat", pid);
    const char *p = read_line(line, sizeof line, path) ? strrchr(line, ')') : NULL;
    for (int field = FIELD_STATE - 1; p && field < FIELD_START_TIME; field++) {
        p = strchr(p + 1, ' ');
        if (p && field == FIELD_STATE - 1)
            *state = p[1];
    }
    if (!p)
        return false;
    *start_time = strtoull(p + 1, NULL, 10);
    return true;
}

int lock_owner_self(struct lock_owner *owner, struct err *err)
{
    unsigned char token[TOKEN_BYTES];
    char state;
    *owner = (struct lock_owner){.pid = getpid()};
    if (RAND_bytes(token, sizeof token) != 1)
        return err_set(err, E_CRYPTO, 0, "no random bytes for a lock");
    hex_encode(owner->token, token, sizeof token);
    // What cannot be learnt stays empty; such an owner is nobody's neighbour.
    if (gethostname(owner->host, sizeof owner->host - 1) != 0)
        owner->host[0] = '\0';
    (void)read_line(owner->boot_id, sizeof owner->boot_id, "/proc/sys/kernel/random/boot_id");
    const ssize_t n =
        readlink("/proc/self/ns/pid", owner->pid_namespace, sizeof owner->pid_namespace - 1);
    owner->pid_namespace[n > 0 ? n : 0] = '\0';
    if (!read_process(owner->pid, &state, &owner->start_time))
        owner->pid_namespace[0] = '\0';
    return 0;
}

int lock_owner_format(struct buf *out, const struct lock_owner *owner, int64_t now_us,
                      struct err *err)
{
    char renewed[UTC_TEXT_BYTES];
    utc_format(renewed, now_us);
    CLEANUP(free_json)
    json_t *json = json_pack("{ss ss ss sI sI ss ss}", "host", owner->host, "boot_id",
                             owner->boot_id, "pid_namespace", owner->pid_namespace, "pid",
                             (json_int_t)owner->pid, "start_time", (json_int_t)owner->start_time,
                             "renewed", renewed, "token", owner->token);
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    if (!text) // also where the host's name is not UTF-8
        return err_set(err, E_NOMEM, 0, "cannot write down who holds a lock");
    int r = buf_append_str(out, text, err);
    if (r == 0)
        r = buf_append_byte(out, '\n', err);
    free(text);
    return r;
}

static void take_text(char out[LOCK_TEXT_BYTES], const json_t *json, const char *name)
{
    const char *text = json_string_value(json_object_get(json, name));
    (void)snprintf(out, LOCK_TEXT_BYTES, "%s", text ? text : "");
}

void lock_owner_parse(struct lock_owner *owner, struct span text)
{
    *owner = (struct lock_owner){.token = "?"};
    CLEANUP(free_json)
    json_t *json = text.len > 0
                       ? json_loadb((const char *)text.ptr, text.len, JSON_REJECT_DUPLICATES, NULL)
                       : NULL;
    if (!json_is_object(json))
        return;
    take_text(owner->host, json, "host");
    take_text(owner->boot_id, json, "boot_id");
    take_text(owner->pid_namespace, json, "pid_namespace");
    take_text(owner->token, json, "token");
    owner->pid = json_integer_value(json_object_get(json, "pid"));
    owner->start_time = (uint64_t)json_integer_value(json_object_get(json, "start_time"));
}

bool lock_owner_is_here(const struct lock_owner *owner, const struct lock_owner *self)
{
    return owner->boot_id[0] != '\0' && owner->pid_namespace[0] != '\0' && owner->pid > 0 &&
           strcmp(owner->host, self->host) == 0 && strcmp(owner->boot_id, self->boot_id) == 0 &&
           strcmp(owner->pid_namespace, self->pid_namespace) == 0;
}

bool lock_owner_is_gone(const struct lock_owner *owner)
{
    char state = 0;
    uint64_t start_time = 0;
    if (!read_process(owner->pid, &state, &start_time))
        return access("/proc/self/stat", R_OK) == 0; // else nothing can be said
    // A process that ended stays as Z until its parent asks for it.
    return start_time != owner->start_time || state == 'Z' || state == 'X';
}
