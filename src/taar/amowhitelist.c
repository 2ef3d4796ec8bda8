/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/amowhitelist.h"

#include "base/utc.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

const char *const amo_verdict_names[AMO_N_VERDICTS] = {
    [AMO_WHITELISTED] = "whitelisted",
    [AMO_PIONEER] = "pioneer",
    [AMO_BAD_FILES] = "bad_files",
    [AMO_NO_FILES] = "no_files",
    [AMO_NO_WEBEXTENSION] = "no_webextension",
    [AMO_BAD_RATING] = "bad_rating",
    [AMO_LOW_RATING] = "low_rating",
    [AMO_BAD_DATE] = "bad_first_create_date",
    [AMO_TOO_YOUNG] = "too_young",
};

enum { DAY_BYTES = 10, MAX_DATE_BYTES = 64 };

static bool is_kind(struct span value, char first)
{
    return value.len > 0 && value.ptr[0] == (uint8_t)first;
}

/* "Z", "+01:00" or nothing. */
static bool is_zone(struct span text)
{
    const uint8_t *p = text.ptr;
    if (text.len <= 1)
        return text.len == 0 || p[0] == 'Z';
    return text.len == 6 && (p[0] == '+' || p[0] == '-') && isdigit(p[1]) && isdigit(p[2]) &&
           p[3] == ':' && isdigit(p[4]) && isdigit(p[5]) && p[4] < '6' &&
           (p[1] < '2' || (p[1] == '2' && p[2] < '4'));
}

bool amo_wall_clock(int64_t *us, struct span text)
{
    char moment[MAX_DATE_BYTES + sizeof "T00:00:00Z"];
    if (text.len < DAY_BYTES || text.len > MAX_DATE_BYTES)
        return false;
    size_t end = DAY_BYTES;
    while (end < text.len && !memchr("Z+-", text.ptr[end], 3))
        end++;
    if (!is_zone(span_of(text.ptr + end, text.len - end)))
        return false;
    (void)snprintf(moment, sizeof moment, "%.*s%s", (int)end, (const char *)text.ptr,
                   end == DAY_BYTES ? "T00:00:00Z" : "Z");
    return utc_parse_rfc3339(us, span_str(moment));
}

static bool read_date(int64_t *us, struct span value)
{
    uint8_t inside[MAX_DATE_BYTES];
    if (!is_kind(value, '"') || value.len - 2 > sizeof inside)
        return false;
    const size_t len = json_unescape(inside, span_of(value.ptr + 1, value.len - 2));
    return amo_wall_clock(us, span_of(inside, len));
}

static enum amo_verdict judge_files(struct span record)
{
    const struct span version = database_member(record, "current_version");
    const struct span files = database_member(version, "files");
    if (!is_kind(record, '{') || (version.len > 0 && !is_kind(version, '{')) ||
        (files.len > 0 && !is_kind(files, '[')))
        return AMO_BAD_FILES;
    const struct span first = database_first(files);
    if (first.len == 0)
        return AMO_NO_FILES;
    if (!is_kind(first, '{'))
        return AMO_BAD_FILES;
    const struct span is_webextension = database_member(first, "is_webextension");
    return is_webextension.len == 0 || database_is(is_webextension, "false") ? AMO_NO_WEBEXTENSION
                                                                             : AMO_WHITELISTED;
}

static enum amo_verdict judge_rating(struct span record, double least)
{
    const struct span ratings = database_member(record, "ratings");
    const struct span average = database_member(ratings, "average");
    double rating = 0;
    if (ratings.len > 0 && !is_kind(ratings, '{'))
        return AMO_BAD_RATING;
    if (average.len > 0) {
        char *text = span_to_text(average);
        const bool is_number = text && (isdigit(average.ptr[0]) || average.ptr[0] == '-');
        rating = is_number ? strtod(text, NULL) : 0;
        free(text);
        if (!is_number)
            return AMO_BAD_RATING;
    }
    return rating >= least ? AMO_WHITELISTED : AMO_LOW_RATING;
}

static enum amo_verdict judge_date(struct span record, int64_t youngest_us)
{
    int64_t us;
    if (!read_date(&us, database_member(record, "first_create_date")))
        return AMO_BAD_DATE;
    return us <= youngest_us ? AMO_WHITELISTED : AMO_TOO_YOUNG;
}

enum amo_verdict amo_judge(const struct amo_rules *rules, struct span guid, struct span record)
{
    if (span_equal(guid, span_str("pioneer-opt-in@mozilla.org")))
        return AMO_PIONEER;
    enum amo_verdict v = judge_files(record);
    if (v == AMO_WHITELISTED)
        v = judge_rating(record, rules->min_rating);
    return v == AMO_WHITELISTED ? judge_date(record, rules->youngest_us) : v;
}

bool amo_is_featured(const struct amo_rules *rules, struct span record)
{
    if (rules->v3)
        return database_is(database_member(record, "is_featured"), "true");
    const struct span category = database_member(database_member(record, "promoted"), "category");
    return is_kind(category, '"') &&
           json_inside_equals(span_of(category.ptr + 1, category.len - 2), "recommended");
}

static int add(struct buf *out, struct span guid, struct span record, struct err *err)
{
    int r = buf_append_str(out, out->len == 0 ? "{" : ", ", err);
    if (r == 0)
        r = json_write_string(out, guid, err);
    if (r == 0)
        r = buf_append_str(out, ": ", err);
    return r < 0 ? r : buf_append(out, record.ptr, record.len, err);
}

static int sort_in(struct amo_lists *out, const struct amo_rules *rules, struct span guid,
                   struct span record, struct err *err)
{
    const enum amo_verdict v = amo_judge(rules, guid, record);
    const bool featured = amo_is_featured(rules, record), both = featured && v == AMO_WHITELISTED;
    int r = 0;
    out->n[v]++;
    out->n_featured += featured;
    out->n_both += both;
    if (v == AMO_WHITELISTED)
        r = add(&out->whitelist, guid, record, err);
    if (r == 0 && featured)
        r = add(&out->featured, guid, record, err);
    return r == 0 && both ? add(&out->both, guid, record, err) : r;
}

static int finish(struct buf *out, struct err *err)
{
    return buf_append_str(out, out->len == 0 ? "{}" : "}", err);
}

int amo_lists_make(struct amo_lists *out, const struct database *d, const struct amo_rules *rules,
                   struct err *err)
{
    *out = (struct amo_lists){.whitelist = BUF_INIT(SIZE_MAX),
                              .featured = BUF_INIT(SIZE_MAX),
                              .both = BUF_INIT(SIZE_MAX)};
    int r = 0;
    for (size_t i = 0; r == 0 && i < d->guids.n; i++)
        r = sort_in(out, rules, d->guids.list[i], d->records[i], err);
    if (r == 0)
        r = finish(&out->whitelist, err);
    if (r == 0)
        r = finish(&out->featured, err);
    return r == 0 ? finish(&out->both, err) : r;
}

void amo_lists_deinit(struct amo_lists *l)
{
    buf_deinit(&l->whitelist);
    buf_deinit(&l->featured);
    buf_deinit(&l->both);
}
