/* SPDX-License-Identifier: MPL-2.0 */
#include "profiles/profiles.h"

#include "profiles/backend.h"

#include <inttypes.h>

struct profiles {
    const struct profiles_ops *ops;
    void *impl;
    char *url;
    bool read_only;
    bool busy; // a callback of profiles_each runs
    struct batch *batch;
    struct failures failures; // since the last flush
};

static const char *behind(const char *url, const char *scheme)
{
    const size_t n = strlen(scheme);
    return strncmp(url, scheme, n) == 0 ? url + n : NULL;
}

static int open_backend(struct profiles *p, const struct profiles_config *config, struct err *err)
{
    const char *rest = behind(config->url, "lmdb://");
    if (rest) {
        p->ops = &lmdb_ops;
        return lmdb_backend_open(&p->impl, config, rest, err);
    }
    rest = behind(config->url, "bigtable://");
    if (!rest)
        return err_set(err, E_ARG, 0,
                       "profiles are at lmdb:///path or bigtable://project/instance, not at \"%s\"",
                       config->url);
    p->ops = &bigtable_ops;
    return bigtable_backend_open(&p->impl, config, rest, err);
}

int profiles_open(struct profiles **out, const struct profiles_config *config, struct err *err)
{
    CLEANUP(profiles_closep) struct profiles *p = calloc(1, sizeof *p);
    if (!p || !(p->url = strdup(config->url)) || !(p->batch = batch_new()))
        return err_set(err, E_NOMEM, 0, "no memory for profiles");
    p->read_only = config->read_only;
    const int r = open_backend(p, config, err);
    if (r < 0)
        return r;
    *out = p;
    p = NULL;
    return 0;
}

void profiles_close(struct profiles *p)
{
    if (!p)
        return;
    if (p->impl)
        p->ops->close(p->impl);
    batch_free(p->batch);
    free(p->url);
    free(p);
}

const char *profiles_name(const struct profiles *p)
{
    return p->url;
}

static int check_idle(const struct profiles *p, struct err *err)
{
    return !p->busy ? 0 : err_set(err, E_ARG, 0, "%s: its rows are being read", p->url);
}

static int check_writable(const struct profiles *p, struct err *err)
{
    return !p->read_only ? check_idle(p, err)
                         : err_set(err, E_ARG, 0, "%s: opened for reading only", p->url);
}

static int check_key(const struct profiles *p, struct span key, struct err *err)
{
    if (key.len > 0 && key.len <= PROFILES_MAX_KEY)
        return 0;
    return err_set(err, E_ARG, 0, "%s: a row's key has 1 to %d bytes, not %zu", p->url,
                   PROFILES_MAX_KEY, key.len);
}

int profiles_ensure_table(struct profiles *p, struct err *err)
{
    int r = check_writable(p, err);
    if (r == 0)
        r = p->ops->ensure_table(p->impl, err);
    return r;
}

static void note_failure(struct failures *failures, uint64_t n, const struct err *cause)
{
    if (failures->n == 0)
        failures->first = *cause;
    failures->n += n;
}

static int send_batch(struct profiles *p, struct err *err)
{
    if (p->batch->n == 0)
        return 0;
    struct err cause = {0};
    const size_t n = p->batch->n;
    const int r = p->ops->send(p->impl, &p->batch, &cause);
    if (r < 0) {
        note_failure(&p->failures, n, &cause);
        (void)err_set(err, cause.code, cause.native, "%s: %s", p->url, cause.text);
    }
    batch_clear(p->batch);
    return r;
}

static int add(struct profiles *p, enum row_op op, struct span key, struct span value,
               int64_t timestamp_us, struct err *err)
{
    int r = check_writable(p, err);
    if (r == 0)
        r = check_key(p, key, err);
    if (r < 0)
        return r;
    if (!batch_has_room(p->batch, key.len, value.len) ||
        (p->ops->unordered && batch_may_hold(p->batch, key)))
        r = send_batch(p, err);
    return r < 0 ? r : batch_add(p->batch, op, key, value, timestamp_us, err);
}

int profiles_put(struct profiles *p, struct span key, struct span value, int64_t timestamp_us,
                 struct err *err)
{
    if (value.len > PROFILES_MAX_VALUE)
        return err_set(err, E_ARG, 0, "%s: a value has at most %d bytes, not %zu", p->url,
                       PROFILES_MAX_VALUE, value.len);
    if (timestamp_us < 0 || timestamp_us % 1000 != 0)
        return err_set(err, E_ARG, 0, "%s: a cell's time is a number of whole milliseconds",
                       p->url);
    return add(p, ROW_PUT, key, value, timestamp_us, err);
}

int profiles_delete(struct profiles *p, struct span key, struct err *err)
{
    return add(p, ROW_DELETE, key, (struct span){0}, 0, err);
}

int profiles_flush(struct profiles *p, struct err *err)
{
    int r = check_writable(p, err);
    if (r < 0)
        return r;
    struct err counted = {0};
    (void)!send_batch(p, &counted); // a failure was noted
    p->ops->settle(p->impl, &p->failures);
    const struct failures failures = p->failures;
    p->failures = (struct failures){0};
    if (failures.n == 0)
        return 0;
    return err_set(err, E_IO, 0, "%s: %" PRIu64 " row%s could not be written; the first: %s",
                   p->url, failures.n, failures.n == 1 ? "" : "s", failures.first.text);
}

int profiles_collect(struct profiles *p, int64_t now_us, uint64_t *n, struct err *err)
{
    static const int64_t age_us = INT64_C(90) * 86400 * 1000000;
    *n = 0;
    int r = check_writable(p, err);
    if (r == 0)
        r = p->ops->collect(p->impl, now_us - age_us, n, err);
    return r < 0 ? err_wrap(err, r, "%s", p->url) : 0;
}

int profiles_get(struct profiles *p, struct span key, struct buf *value, struct err *err)
{
    int r = check_idle(p, err);
    if (r == 0)
        r = check_key(p, key, err);
    if (r < 0)
        return r;
    r = p->ops->get(p->impl, key, value, err);
    return r < 0 ? err_wrap(err, r, "%s", p->url) : 0;
}

int profiles_each(struct profiles *p, profiles_fn *fn, void *arg, struct err *err)
{
    int r = check_idle(p, err);
    if (r < 0)
        return r;
    p->busy = true;
    r = p->ops->each(p->impl, fn, arg, err);
    p->busy = false;
    return r;
}
