/* SPDX-License-Identifier: MPL-2.0 */
#include "store/lock_object.h"

#include "base/buf.h"
#include "base/retry.h"
#include "base/utc.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct object_lock {
    struct store_lock base;
    struct store *store;
    char *key;
    struct lock_owner self;
    pthread_t thread;
    pthread_mutex_t mutex; // for what follows
    pthread_cond_t wake;
    bool stop;
    char version[STORE_VERSION_BYTES]; // of what we wrote last
    uint64_t written_ms;               // when we began to write it
};

/* What is seen of the object. */
struct sight {
    bool is_there;
    struct lock_owner owner;
    char version[STORE_VERSION_BYTES];
};

static int look(const struct object_lock *l, struct sight *sight, struct err *err)
{
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(LOCK_MAX_BYTES);
    struct store_object object = {0};
    *sight = (struct sight){0};
    int r = store_get_all(l->store, l->key, &text, &object, err);
    if (r == E_ABSENT)
        return 0;
    if (r == E_NOMEM) { // something that long is no lock of ours
        buf_clear(&text);
        r = store_stat(l->store, l->key, &object, err);
    }
    if (r < 0)
        return r;
    sight->is_there = true;
    memcpy(sight->version, object.version, sizeof sight->version);
    lock_owner_parse(&sight->owner, buf_span(&text));
    return 0;
}

/* Write it as ours, over what was seen. @return 0, STORE_CONFLICT or E_*. */
static int write_over(struct object_lock *l, const char *version, struct err *err)
{
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(LOCK_MAX_BYTES);
    struct store_object object = {0};
    const struct store_put_options options = {.if_absent = !version, .if_version = version};
    const uint64_t now = retry_now_ms();
    int r = lock_owner_format(&text, &l->self, utc_now_us(), err);
    if (r == 0)
        r = store_put(l->store, l->key, buf_span(&text), &options, &object, err);
    if (r != 0)
        return r;
    memcpy(l->version, object.version, sizeof l->version);
    l->written_ms = now;
    return 0;
}

static bool is_ours(const struct object_lock *l, const struct sight *sight)
{
    return sight->is_there && strcmp(sight->owner.token, l->self.token) == 0;
}

static int held(const struct lock_owner *owner, struct err *err)
{
    if (owner->pid <= 0)
        return err_set(err, E_AGAIN, 0, "somebody unknown holds it");
    return err_set(err, E_AGAIN, 0, "process %" PRId64 " on host %s holds it", owner->pid,
                   owner->host);
}

/* What a newcomer goes by while it waits. */
struct watch {
    uint64_t began_ms, since_ms; // since_ms: since when the version has been this
    char version[STORE_VERSION_BYTES];
};

/* @return 1: it may be taken; 0: wait; E_AGAIN: its owner is alive. */
static int judge(const struct object_lock *l, const struct sight *sight, struct watch *watch,
                 struct err *err)
{
    const struct lock_times *times = &l->store->lock_times;
    const uint64_t now = retry_now_ms();
    if (!sight->is_there || sight->owner.token[0] == '\0')
        return 1;
    if (lock_owner_is_here(&sight->owner, &l->self)) {
        if (lock_owner_is_gone(&sight->owner))
            return 1;
        return now - watch->began_ms >= times->wait_ms ? held(&sight->owner, err) : 0;
    }
    if (watch->version[0] != '\0' && strcmp(watch->version, sight->version) != 0)
        return held(&sight->owner, err);
    if (watch->version[0] == '\0')
        watch->since_ms = now;
    memcpy(watch->version, sight->version, sizeof watch->version);
    return now - watch->since_ms >= times->expire_ms;
}

static int acquire(struct object_lock *l, struct err *err)
{
    struct watch watch = {.began_ms = retry_now_ms()};
    for (;;) {
        struct sight sight;
        int r = look(l, &sight, err);
        if (r < 0)
            return r;
        // A put whose answer was lost is made twice, and then in conflict with itself.
        if (is_ours(l, &sight)) {
            memcpy(l->version, sight.version, sizeof l->version);
            l->written_ms = retry_now_ms();
            return 0;
        }
        r = judge(l, &sight, &watch, err);
        if (r == 1)
            r = write_over(l, sight.is_there ? sight.version : NULL, err);
        else if (r == 0)
            r = STORE_CONFLICT;
        if (r <= 0)
            return r;
        retry_sleep_ms(l->store->lock_times.renew_ms / 20);
    }
}

/* Mutex held. @return 0, E_AGAIN: it is lost, or E_*. */
static int renew(struct object_lock *l, struct err *err)
{
    int r = write_over(l, l->version, err);
    if (r != STORE_CONFLICT)
        return r;
    struct sight sight;
    r = look(l, &sight, err);
    if (r < 0)
        return r;
    if (!is_ours(l, &sight))
        return sight.is_there ? held(&sight.owner, err)
                              : err_set(err, E_AGAIN, 0, "its object was deleted");
    memcpy(l->version, sight.version, sizeof l->version); // as in acquire
    return 0;
}

static struct timespec time_after(uint64_t ms)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    const uint64_t ns = (uint64_t)t.tv_nsec + ms % 1000 * 1000000;
    t.tv_sec += (time_t)(ms / 1000 + ns / 1000000000);
    t.tv_nsec = (long)(ns % 1000000000);
    return t;
}

static void *keep_renewing(void *arg)
{
    struct object_lock *l = arg;
    int r = 0;
    (void)pthread_mutex_lock(&l->mutex);
    while (!l->stop && r != E_AGAIN) { // other failures may pass, and check looks for itself
        const struct timespec next = time_after(l->store->lock_times.renew_ms);
        int waited = 0;
        while (!l->stop && waited != ETIMEDOUT)
            waited = pthread_cond_timedwait(&l->wake, &l->mutex, &next);
        if (!l->stop)
            r = renew(l, NULL);
    }
    (void)pthread_mutex_unlock(&l->mutex);
    return NULL;
}

static int check(struct store_lock *lock, struct err *err)
{
    struct object_lock *l = (struct object_lock *)lock;
    const struct lock_times *times = &l->store->lock_times;
    struct sight sight;
    (void)pthread_mutex_lock(&l->mutex);
    int r = look(l, &sight, err);
    if (r == 0 && !is_ours(l, &sight))
        r = sight.is_there && sight.owner.token[0] != '\0'
                ? held(&sight.owner, err)
                : err_set(err, E_AGAIN, 0, "it was given back by somebody else");
    // Ours, but about to expire in the eyes of others.
    if (r == 0 && retry_now_ms() - l->written_ms > times->expire_ms / 2)
        r = renew(l, err);
    (void)pthread_mutex_unlock(&l->mutex);
    return r;
}

static void free_lock(struct object_lock *l)
{
    (void)pthread_cond_destroy(&l->wake);
    (void)pthread_mutex_destroy(&l->mutex);
    free(l->key);
    free(l);
}

/* Best effort: a lock that cannot be given back expires. */
static void give_back(struct object_lock *l)
{
    static const char nobody[] = "{\"token\":\"\"}\n";
    struct sight sight;
    if (look(l, &sight, NULL) < 0 || !is_ours(l, &sight))
        return;
    const struct store_put_options options = {.if_version = sight.version};
    const int r = store_put(l->store, l->key, span_str(nobody), &options, NULL, NULL);
    (void)r; // as said above
}

static void unlock(struct store_lock *lock)
{
    struct object_lock *l = (struct object_lock *)lock;
    (void)pthread_mutex_lock(&l->mutex);
    l->stop = true;
    (void)pthread_cond_signal(&l->wake);
    (void)pthread_mutex_unlock(&l->mutex);
    (void)pthread_join(l->thread, NULL);
    give_back(l);
    free_lock(l);
}

static const struct store_lock_ops lock_ops = {.check = check, .unlock = unlock};

static int init(struct object_lock *l, struct store *store, const char *key, struct err *err)
{
    pthread_condattr_t attributes;
    *l = (struct object_lock){.base.ops = &lock_ops, .store = store, .key = strdup(key)};
    (void)pthread_condattr_init(&attributes); // none of these four fails on Linux
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&l->wake, &attributes);
    (void)pthread_mutex_init(&l->mutex, NULL);
    (void)pthread_condattr_destroy(&attributes);
    if (!l->key)
        return err_set(err, E_NOMEM, 0, "no memory for a lock");
    return lock_owner_self(&l->self, err);
}

int lock_object(struct store_lock **out, struct store *store, const char *key, struct err *err)
{
    struct object_lock *l = malloc(sizeof *l);
    if (!l)
        return err_set(err, E_NOMEM, 0, "no memory for a lock");
    int r = init(l, store, key, err);
    if (r == 0)
        r = acquire(l, err);
    if (r == 0 && pthread_create(&l->thread, NULL, keep_renewing, l) != 0) {
        give_back(l);
        r = err_set(err, E_NOMEM, 0, "no thread to renew a lock");
    }
    if (r < 0) {
        free_lock(l);
        return r;
    }
    *out = &l->base;
    return 0;
}
