/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/amo.h"

#include "base/log.h"
#include "base/pool.h"
#include "taar/amo_base.h"
#include "taar/amo_crawl.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char database[] = "extended_addons_database";
static const char search_query[] = "addons/search/?app=firefox&sort=created&type=extension";

void amo_drop(struct amo_crawl *c, const char *prefix, const char *why)
{
    struct amo_drop drop = {.n = 1};
    struct amo_counts *n = c->counts;
    (void)snprintf(drop.why, sizeof drop.why, "%s%s", prefix, why);
    (void)pthread_mutex_lock(&c->lock);
    size_t i = 0;
    while (i < n->n_drops && strcmp(n->drops[i].why, drop.why) != 0)
        i++;
    if (i < n->n_drops)
        n->drops[i].n++;
    else if (i < AMO_MAX_DROPS)
        n->drops[n->n_drops++] = drop;
    else
        n->drops[AMO_MAX_DROPS - 1].n++; // a server that invents statuses
    (void)pthread_mutex_unlock(&c->lock);
}

int amo_fail(struct amo_crawl *c, uint64_t *n_failed, uint64_t n, const char *what, struct err *err)
{
    (void)pthread_mutex_lock(&c->lock);
    const uint64_t failed = ++*n_failed;
    (void)pthread_mutex_unlock(&c->lock);
    if ((double)failed <= c->options->max_failed * (double)n)
        return 0;
    return err_set(err, E_IO, 0,
                   "%" PRIu64 " of %" PRIu64 " %s could not be had, more than --max-failed allows; "
                   "the last good catalogue stays, and a run with the same date goes on from here",
                   failed, n, what);
}

struct work {
    struct amo_crawl *crawl;
    uint64_t n;
    amo_work_fn *fn;
};

static bool take_piece(struct amo_crawl *c, uint64_t n, uint64_t *i)
{
    (void)pthread_mutex_lock(&c->lock);
    *i = c->next;
    c->next += *i < n;
    (void)pthread_mutex_unlock(&c->lock);
    return *i < n;
}

static int run_worker(unsigned index, void *arg, struct err *err)
{
    const struct work *w = arg;
    struct amo_answer answer;
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(AMO_MAX_URL);
    uint64_t i;
    int r = 0;
    (void)index;
    amo_answer_init(&answer);
    while (r == 0 && take_piece(w->crawl, w->n, &i)) {
        r = w->fn(w->crawl, i, &answer, &text, err);
        if (answer.outcome == AMO_STOPPED)
            break; // by another, which says why
        progress_add(&w->crawl->progress, 1, 0);
    }
    if (r < 0)
        amo_pace_stop(&w->crawl->client.pace);
    amo_answer_deinit(&answer);
    return r;
}

int amo_work(struct amo_crawl *c, const char *label, uint64_t n, amo_work_fn *fn, struct err *err)
{
    struct work w = {.crawl = c, .n = n, .fn = fn};
    c->next = 0;
    progress_start(&c->progress, label, 0, c->options->progress);
    const int r = pool_run(c->options->n_workers, run_worker, &w, err);
    progress_end(&c->progress);
    return r;
}

static int write_urls(struct amo_crawl *c, struct err *err)
{
    const struct amo_options *o = c->options;
    int r = amo_base_write(&c->base, o->amo_url, o->objects->generation, err);
    if (r == 0)
        r = buf_append(&c->search, c->base.data, c->base.len, err);
    return r == 0 ? buf_append_str(&c->search, search_query, err) : r;
}

static int open_journal(struct amo_crawl *c, struct err *err)
{
    char *source = span_to_text(buf_span(&c->search));
    if (!source)
        return err_set(err, E_NOMEM, 0, "no memory for a URL");
    const struct amo_journal_place place = {.store = c->options->objects->store,
                                            .prefix = c->options->objects->prefix,
                                            .date = c->options->date,
                                            .source = source};
    const int r = amo_journal_open(&c->journal, &place, &c->ops, err);
    free(source);
    if (r == 0 && amo_journal_resumes(c->journal))
        log_info("an earlier crawl of this date was not finished: it goes on");
    return r;
}

static int start(struct amo_crawl *c, struct err *err)
{
    record_ops_init(&c->ops, c->options->cpu);
    int r = amo_records_init(&c->records, c->options->temp_dir, err);
    const int opened =
        amo_client_init(&c->client, &c->ops, &c->options->client, r < 0 ? NULL : err);
    r = r < 0 ? r : opened;
    if (r == 0)
        r = write_urls(c, err);
    return r == 0 ? open_journal(c, err) : r;
}

static int write_result(struct amo_crawl *c, struct err *err)
{
    CLEANUP(buf_deinit) struct buf json = BUF_INIT(OBJECT_MAX_BYTES);
    for (size_t i = 0; i < c->records.n; i++)
        c->counts->n_written += c->records.items[i].date != NULL;
    if (c->counts->n_written == 0)
        log_warning("the catalogue is empty");
    int r = amo_records_write(&c->records, &json, err);
    if (r == 0)
        r = objects_write(c->options->objects, database, c->options->date, buf_span(&json), err);
    return r == 0 ? amo_journal_remove(c->journal, err) : r;
}

static void crawl_deinit(struct amo_crawl *c)
{
    amo_journal_close(c->journal);
    amo_records_deinit(&c->records);
    amo_client_deinit(&c->client);
    buf_deinit(&c->base);
    buf_deinit(&c->search);
    (void)pthread_mutex_destroy(&c->lock);
    free(c);
}

int amo_dump(const struct amo_options *options, struct amo_counts *counts, struct err *err)
{
    struct amo_crawl *c = calloc(1, sizeof *c);
    if (!c)
        return err_set(err, E_NOMEM, 0, "no memory for a crawl");
    *counts = (struct amo_counts){0};
    c->options = options;
    c->counts = counts;
    c->base = c->search = BUF_INIT(AMO_MAX_URL);
    (void)pthread_mutex_init(&c->lock, NULL); // never fails on Linux
    int r = start(c, err);
    if (r == 0)
        r = amo_plan(c, err);
    if (r == 0)
        r = amo_pages(c, err);
    if (r == 0)
        r = amo_versions(c, err);
    counts->n_requests = c->client.n_requests;
    if (r == 0)
        r = write_result(c, err);
    crawl_deinit(c);
    return r;
}
