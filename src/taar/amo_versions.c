/* SPDX-License-Identifier: MPL-2.0 */
/* The date of an add-on's first file, by the last page of its versions. Source: taar-etl.md 3.2. */
#include "base/log.h"
#include "taar/amo_crawl.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static int write_url(struct buf *url, const struct amo_crawl *c, const struct amo_record *record,
                     uint64_t page, struct err *err)
{
    buf_clear(url);
    int r = buf_append(url, c->base.data, c->base.len, err);
    if (r == 0)
        r = buf_append_str(url, "addons/addon/", err);
    if (r == 0)
        r = amo_escape_guid(url, amo_record_guid(record), err);
    if (r == 0)
        r = buf_append_str(url, "/versions/", err);
    if (r == 0 && page > 1)
        r = buf_printf(url, err, "?page=%" PRIu64, page);
    return r == 0 ? buf_append_byte(url, 0, err) : r;
}

static int note(struct amo_crawl *c, struct amo_record *record, enum amo_ending ending,
                struct span text, struct err *err)
{
    const struct amo_line line = {.guid = amo_record_guid(record),
                                  .ending = ending,
                                  .text = text,
                                  .page_count = record->page_count};
    return amo_journal_add(c->journal, &line, err);
}

static int drop(struct amo_crawl *c, struct amo_record *record, const char *prefix, const char *why,
                struct err *err)
{
    char whole[AMO_REASON_BYTES + 16];
    (void)snprintf(whole, sizeof whole, "%s%s", prefix, why);
    log_event(LOG_LEVEL_DEBUG, "an add-on is left out", LOG_S("guid", record->guid),
              LOG_S("why", whole));
    record->is_done = true;
    amo_drop(c, "", whole);
    return note(c, record, AMO_DROPPED, span_str(whole), err);
}

/* @return 1: an answer, 0: none, and that is noted or counted, or E_*. */
static int ask(struct amo_crawl *c, struct amo_record *record, uint64_t page, struct amo_answer *a,
               struct buf *text, struct err *err)
{
    int r = write_url(text, c, record, page, err);
    if (r == 0)
        r = amo_get(&c->client, (const char *)text->data, a, err);
    if (r < 0 || a->outcome == AMO_STOPPED)
        return r;
    if (a->outcome == AMO_ANSWERED)
        return 1;
    if (a->outcome == AMO_REFUSED)
        return drop(c, record, "versions_", a->reason, err);
    log_event(LOG_LEVEL_DEBUG, "an add-on is left out: it cannot be had now",
              LOG_S("guid", record->guid), LOG_S("why", a->reason));
    amo_drop(c, "versions_", a->reason);
    return amo_fail(c, &c->counts->n_failed, c->counts->n_guids, "add-ons", err);
}

/* @return 1: record->page_count holds, 0: there is none, or E_*. */
static int take_page_count(struct amo_crawl *c, struct amo_record *record,
                           const struct amo_answer *a, struct err *err)
{
    struct span value;
    uint64_t n;
    if (!amo_member(&c->ops, buf_span(&a->text), "page_count", &value) || !amo_integer(value, &n))
        return drop(c, record, "versions_", "no_page_count", err);
    if (n > AMO_MAX_PAGES)
        return drop(c, record, "versions_", "too_many_pages", err);
    record->page_count = n > 1 ? (uint32_t)n : 1;
    const int r = n > 1 ? note(c, record, AMO_HALF_WAY, (struct span){0}, err) : 0;
    return r < 0 ? r : 1;
}

static int take_date(struct amo_crawl *c, struct amo_record *record, const struct amo_answer *a,
                     struct err *err)
{
    const char *missing;
    CLEANUP(buf_deinit) struct buf date = BUF_INIT(AMO_MAX_ANSWER);
    const int r = amo_first_created(&date, &c->ops, buf_span(&a->text), &missing, err);
    if (r < 0)
        return r;
    if (missing || date.len > AMO_MAX_DATE)
        return drop(c, record, "", missing ? missing : "versions_no_created", err);
    record->date = span_to_text(buf_span(&date));
    if (!record->date)
        return err_set(err, E_NOMEM, 0, "no memory for the catalogue");
    record->is_done = true;
    return note(c, record, AMO_DATED, buf_span(&date), err);
}

static int do_addon(struct amo_crawl *c, uint64_t i, struct amo_answer *a, struct buf *text,
                    struct err *err)
{
    struct amo_record *record = &c->records.items[i];
    if (record->is_done)
        return 0;
    int r = 1;
    bool is_last = false;
    if (record->page_count == 0) {
        r = ask(c, record, 1, a, text, err);
        if (r == 1)
            r = take_page_count(c, record, a, err);
        is_last = record->page_count == 1;
    }
    if (r == 1 && !is_last)
        r = ask(c, record, record->page_count, a, text, err);
    return r == 1 ? take_date(c, record, a, err) : r;
}

static int recall(void *arg, const struct amo_line *line, struct err *err)
{
    struct amo_crawl *c = arg;
    struct amo_record *record = amo_records_find(&c->records, line->guid);
    if (!record || record->is_done)
        return 0;
    if (line->ending == AMO_HALF_WAY) {
        record->page_count = (uint32_t)line->page_count;
        return 0;
    }
    record->is_done = true;
    if (line->ending == AMO_DATED) {
        record->date = span_to_text(line->text);
        return record->date ? 0 : err_set(err, E_NOMEM, 0, "no memory for the catalogue");
    }
    char why[AMO_REASON_BYTES + 16];
    (void)snprintf(why, sizeof why, "%.*s", (int)line->text.len, (const char *)line->text.ptr);
    amo_drop(c, "", why);
    return 0;
}

int amo_versions(struct amo_crawl *c, struct err *err)
{
    const int r = amo_journal_lines(c->journal, recall, c, err);
    if (r < 0)
        return r;
    amo_records_sort_by_page(&c->records);
    return amo_work(c, "amodump add-ons", c->records.n, do_addon, err);
}
