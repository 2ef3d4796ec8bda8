/* SPDX-License-Identifier: MPL-2.0 */
#include "base/log.h"
#include "taar/amo_crawl.h"

static const struct amo_part *part_of(const struct amo_crawl *c, uint64_t page)
{
    size_t i = 0;
    while (i + 1 < c->n_parts && page >= c->parts[i + 1].first_page)
        i++;
    return &c->parts[i];
}

static void drop_record(void *crawl, const char *why)
{
    amo_drop(crawl, "", why);
}

static int take_page(struct amo_crawl *c, uint64_t page, const struct amo_answer *a,
                     struct err *err)
{
    struct amo_page_counts counts = {.dropped = drop_record, .arg = c};
    const int r = amo_records_add(&c->records, &c->ops, buf_span(&a->text), page, &counts, err);
    if (r == 0)
        amo_drop(c, "page_", "no_results");
    (void)pthread_mutex_lock(&c->lock);
    c->counts->n_records += counts.n_records;
    (void)pthread_mutex_unlock(&c->lock);
    return r < 0 ? r : 0;
}

static int do_page(struct amo_crawl *c, uint64_t i, struct amo_answer *a, struct buf *text,
                   struct err *err)
{
    const struct amo_part *part = part_of(c, i);
    const int r = amo_page(c, part, i - part->first_page + 1, a, text, err);
    if (r < 0 || a->outcome == AMO_STOPPED)
        return r;
    if (a->outcome == AMO_ANSWERED)
        return take_page(c, i, a, err);
    amo_drop(c, "page_", a->reason);
    if (a->outcome == AMO_REFUSED)
        return 0;
    return amo_fail(c, &c->counts->n_pages_failed, c->counts->n_pages, "pages of the search", err);
}

int amo_pages(struct amo_crawl *c, struct err *err)
{
    struct amo_counts *n = c->counts;
    const int r = amo_work(c, "amodump pages", n->n_pages, do_page, err);
    if (r < 0)
        return r;
    amo_records_merge(&c->records);
    n->n_guids = c->records.n;
    if (n->n_records < n->n_listed)
        log_event(LOG_LEVEL_WARNING, "fewer add-ons were seen than the search counts",
                  LOG_U("seen", n->n_records), LOG_U("counted", n->n_listed));
    return 0;
}
