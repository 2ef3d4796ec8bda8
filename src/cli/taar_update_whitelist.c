/* SPDX-License-Identifier: MPL-2.0 */
/* taar-etl update-whitelist. Source: taar-etl.md 3.4, Y12. */
#include "cli/taar.h"
#include "taar/amo_base.h"
#include "taar/editorial.h"

enum { MAX_URL_BYTES = 8192, MAX_LIST_BYTES = 64 << 20 };

struct update_args {
    struct taar_amo_args amo;
    const char *url;
    bool only_recommended, validate, allow_shortlist;
};
static const struct update_args defaults = {
    .amo = TAAR_AMO_DEFAULTS, .only_recommended = true, .allow_shortlist = true};

#define ARGS struct update_args
static const struct opt options[] = {
    OPT_TEXT("url", ARGS, url, NULL, "URL",
             "What is asked for the editors' choice; the default is discovery/editorial/ below "
             "--amo-url."),
    OPT_BOOL("only-recommended", ARGS, only_recommended, NULL,
             "Ask for recommended add-ons only (recommended=true)."),
    OPT_BOOL("validate-guid", ARGS, validate, NULL,
             "Ask AMO for each guid, on the server of --url or at --amo-url."),
    OPT_BOOL("allow-shortlist", ARGS, allow_shortlist, NULL,
             "Take fewer than a hundred guids, too."),
    OPT_END,
};

/* Both NUL-terminated. */
static int name_urls(struct buf *base, struct buf *url, const struct update_args *a,
                     enum generation generation, struct err *err)
{
    const bool elsewhere = a->url && !a->amo.amo_url;
    int r = elsewhere ? amo_base_of(base, a->url, generation, err)
                      : amo_base_write(base, a->amo.amo_url, generation, err);
    if (r < 0)
        return err_wrap(err, r, elsewhere ? "--url" : "--amo-url");
    r = a->url ? 0 : buf_append(url, base->data, base->len, err);
    if (r == 0)
        r = buf_append_str(url, a->url ? a->url : "discovery/editorial/", err);
    if (r == 0)
        r = buf_append_byte(url, 0, err);
    return r == 0 ? buf_append_byte(base, 0, err) : r;
}

static int fetch(struct buf *json, const struct taar_setup *s, const struct update_args *a,
                 struct err *err)
{
    CLEANUP(buf_deinit) struct buf base = BUF_INIT(MAX_URL_BYTES);
    CLEANUP(buf_deinit) struct buf url = BUF_INIT(MAX_URL_BYTES);
    char agent[TAAR_AGENT_BYTES];
    struct record_ops ops;
    size_t n = 0;
    int r = name_urls(&base, &url, a, s->generation, err);
    if (r < 0)
        return r;
    const struct editorial_options what = {
        .url = (const char *)url.data,
        .base = (const char *)base.data,
        .only_recommended = a->only_recommended,
        .validate = a->validate,
        .allow_shortlist = a->allow_shortlist,
    };
    const struct amo_client_options how = taar_amo_client(&a->amo, agent, what.url);
    CLEANUP(amo_client_deinit) struct amo_client client = {0};
    record_ops_init(&ops, s->cpu);
    r = amo_client_init(&client, &ops, &how, err);
    return r == 0 ? editorial_fetch(json, &n, &client, &what, err) : r;
}

static int run(void *args, struct err *err)
{
    const struct update_args *a = args;
    const struct taar_args *common = &a->amo.common;
    CLEANUP(taar_end) struct taar_setup setup = {0};
    CLEANUP(taar_objects_close) struct objects objects = {0};
    CLEANUP(buf_deinit) struct buf json = BUF_INIT(MAX_LIST_BYTES);
    int r = taar_start(&setup, common, err);
    if (r == 0)
        r = taar_open_objects(&setup, JOB_AMO, &objects, err);
    if (r == 0)
        r = fetch(&json, &setup, a, err);
    if (r == 0 && !common->dry_run)
        r = objects_write(&objects, "only_guids_top_200", common->date, buf_span(&json), err);
    return taar_exit(r);
}

const struct opt_command taar_update_whitelist_command = {
    .name = "update-whitelist",
    .summary = "Store which add-ons AMO's editors recommend",
    .groups = TAAR_GROUPS(options, taar_amo_client_options, taar_place_options, taar_date_options,
                          taar_dry_run_options),
    .defaults = &defaults,
    .args_size = sizeof defaults,
    .run = run,
};
