/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Which queries reach all add-ons. The search shows a window of its result only; above that, the
 * query is split by numbers of users, at the geometric middle, as most add-ons have few. Source:
 * taar-etl.md 3.1, 3.2, Y5, H7.
 */
#include "base/log.h"
#include "taar/amo_crawl.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

static const uint64_t most_users = UINT64_C(1) << 33; // more than there are people

static int write_query(struct buf *url, const struct amo_crawl *c, const struct amo_part *part,
                       uint64_t page, struct err *err)
{
    buf_clear(url);
    int r = buf_append(url, c->search.data, c->search.len, err);
    if (r == 0 && part->from > 0)
        r = buf_printf(url, err, "&users__gte=%" PRIu64, part->from);
    if (r == 0 && part->to != AMO_NO_END)
        r = buf_printf(url, err, "&users__lt=%" PRIu64, part->to);
    if (r == 0 && page > 0)
        r = buf_printf(url, err, "&page=%" PRIu64, page);
    return r == 0 ? buf_append_byte(url, 0, err) : r;
}

static void name_page(char out[AMO_JOURNAL_NAME_BYTES], const struct amo_part *part, uint64_t page)
{
    if (part->to == AMO_NO_END)
        (void)snprintf(out, AMO_JOURNAL_NAME_BYTES, "%" PRIu64 "-/%06" PRIu64, part->from, page);
    else
        (void)snprintf(out, AMO_JOURNAL_NAME_BYTES, "%" PRIu64 "-%" PRIu64 "/%06" PRIu64,
                       part->from, part->to, page);
}

/* @return 1, 0: not there, or E_*. */
static int recall(struct amo_crawl *c, const char *name, struct amo_answer *a, struct err *err)
{
    struct buf *body = &a->response.body;
    buf_clear(body);
    body->max = AMO_MAX_ANSWER;
    int r = amo_journal_get(c->journal, name, &a->status, body, err);
    if (r != 1)
        return r;
    a->outcome = a->status == 200 ? AMO_ANSWERED : AMO_REFUSED;
    (void)snprintf(a->reason, sizeof a->reason, "http_%d", a->status);
    r = a->status == 200 ? amo_answer_read(a, &c->ops, buf_span(body), err) : 0;
    return r < 0 ? err_wrap(err, r, "the journal's %s", name) : 1;
}

int amo_page(struct amo_crawl *c, const struct amo_part *part, uint64_t page, struct amo_answer *a,
             struct buf *text, struct err *err)
{
    char name[AMO_JOURNAL_NAME_BYTES];
    name_page(name, part, page);
    int r = recall(c, name, a, err);
    if (r != 0)
        return r < 0 ? r : 0;
    r = write_query(text, c, part, page, err);
    if (r == 0)
        r = amo_get(&c->client, (const char *)text->data, a, err);
    if (r < 0 || (a->outcome != AMO_ANSWERED && a->outcome != AMO_REFUSED))
        return r;
    const struct span body =
        a->outcome == AMO_ANSWERED ? buf_span(&a->response.body) : (struct span){0};
    return amo_journal_put(c->journal, name, a->status, body, err);
}

/* What is needed to ask how many there are. */
struct probe {
    struct amo_crawl *crawl;
    struct amo_answer answer;
    struct buf text;
};

/* Beside 0 and E_*: the server refuses this query. */
enum { REFUSED = 1 };

static int probe_part(struct probe *p, struct amo_part *part, struct err *err)
{
    const struct amo_answer *a = &p->answer;
    const int r = amo_page(p->crawl, part, 0, &p->answer, &p->text, err);
    if (r < 0)
        return r;
    if (a->outcome == AMO_REFUSED)
        return REFUSED;
    if (a->outcome != AMO_ANSWERED)
        return err_set(err, E_IO, 0, "the search cannot be had: %s", a->reason);
    return amo_listing_read(&p->crawl->ops, buf_span(&a->text), &part->listing, err);
}

static uint64_t window_of(const struct amo_listing *l)
{
    return l->page_size > 0 ? l->page_count * l->page_size : AMO_NO_END;
}

static bool fits(const struct amo_part *part)
{
    return part->listing.count <= window_of(&part->listing);
}

static int add_part(struct amo_crawl *c, const struct amo_part *part, struct err *err)
{
    if (c->n_parts == AMO_MAX_PARTS)
        return err_set(err, E_FORMAT, 0,
                       "the search would have to be split into more than %d parts", AMO_MAX_PARTS);
    c->parts[c->n_parts++] = *part;
    return 0;
}

/* As good as it gets: the newest of it are there, the oldest missing. */
static int add_cut(struct amo_crawl *c, const struct amo_part *part, const char *why,
                   struct err *err)
{
    log_event(LOG_LEVEL_WARNING, "the search shows less than there is", LOG_S("why", why),
              LOG_U("there", part->listing.count), LOG_U("shown", window_of(&part->listing)),
              LOG_U("from_users", part->from));
    return add_part(c, part, err);
}

static uint64_t middle_of(const struct amo_part *part)
{
    const uint64_t end = part->to == AMO_NO_END ? most_users : part->to;
    const uint64_t m = (uint64_t)sqrt((double)(part->from + 1) * (double)(end + 1));
    return m <= part->from ? part->from + 1 : m >= end ? end - 1 : m;
}

static bool can_be_split(const struct amo_part *part)
{
    const uint64_t end = part->to == AMO_NO_END ? most_users : part->to;
    return end - part->from > 1;
}

/* Parts in ascending order. Depth: that of halving 33 bits, at most. */
static int split(struct probe *p, const struct amo_part *part, struct err *err)
{
    struct amo_crawl *c = p->crawl;
    if (fits(part))
        return part->listing.count > 0 || part->listing.page_count > 0 ? add_part(c, part, err) : 0;
    if (!can_be_split(part))
        return add_cut(c, part, "so many add-ons have the same number of users", err);
    const uint64_t middle = middle_of(part);
    struct amo_part low = {.from = part->from, .to = middle};
    struct amo_part high = {.from = middle, .to = part->to};
    int r = probe_part(p, &low, err);
    if (r == 0)
        r = probe_part(p, &high, err);
    if (r < 0)
        return r;
    // Halves that are as large as the whole: their bounds were not looked at.
    const uint64_t both = low.listing.count + high.listing.count, whole = part->listing.count;
    if (r == REFUSED || both > whole + whole / 2)
        return add_cut(c, part, "the server does not split by users", err);
    r = split(p, &low, err);
    return r < 0 ? r : split(p, &high, err);
}

static void number_pages(struct amo_crawl *c)
{
    uint64_t n = 0;
    for (size_t i = 0; i < c->n_parts; i++) {
        c->parts[i].first_page = n;
        n += c->parts[i].listing.page_count;
    }
    c->counts->n_pages = n;
    c->counts->n_parts = c->n_parts;
}

int amo_plan(struct amo_crawl *c, struct err *err)
{
    struct probe p = {.crawl = c, .text = BUF_INIT(AMO_MAX_URL)};
    struct amo_part all = {.to = AMO_NO_END};
    amo_answer_init(&p.answer);
    int r = probe_part(&p, &all, err);
    if (r == REFUSED)
        r = err_set(err, E_IO, 0, "the search refuses: %s", p.answer.reason);
    if (r == 0) {
        c->counts->n_listed = all.listing.count;
        if (!fits(&all))
            log_event(LOG_LEVEL_WARNING,
                      "the search shows less than there is: it is split by users",
                      LOG_U("there", all.listing.count), LOG_U("shown", window_of(&all.listing)));
        r = split(&p, &all, err);
    }
    number_pages(c);
    amo_answer_deinit(&p.answer);
    buf_deinit(&p.text);
    return r;
}
