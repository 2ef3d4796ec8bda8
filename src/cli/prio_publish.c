/* SPDX-License-Identifier: MPL-2.0 */
#include "base/log.h"
#include "base/utc.h"
#include "cli/prio.h"
#include "codec/uuid.h"
#include "stage/totals.h"

#include <errno.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>

static void free_totals(uint64_t **totals)
{
    free(*totals);
}

static int read_aggregate(struct aggregate *out, const struct prio_args *a, unsigned cpu,
                          struct infile *in, struct err *err)
{
    CLEANUP(buf_deinit) struct buf text = BUF_INIT_SECRET(aggregate_max_bytes(a->n_data));
    int r = infile_read_all(in, &text, err);
    if (r < 0)
        return r;
    r = aggregate_parse(out, buf_span(&text), cpu, err);
    return r < 0 ? err_wrap(err, r, "%s", in->file.name) : 0;
}

static int write_object(struct outfile *out, const char *timestamp, const uint64_t *totals,
                        size_t n, struct err *err)
{
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(SIZE_MAX / 4);
    uint8_t random[16];
    char uuid[UUID_TEXT_BYTES];
    if (RAND_bytes(random, sizeof random) != 1)
        return err_set(err, E_CRYPTO, 0, "no random numbers from libcrypto");
    uuid4_format(uuid, random);
    const int r = totals_format(&text, uuid, timestamp, totals, n, err);
    return r < 0 ? r : outfile_write(out, text.data, text.len, err);
}

struct publish {
    const struct prio_args *args;
    struct setup setup;
    char timestamp[UTC_TEXT_BYTES];
    struct infile own_file, peer_file;
    struct aggregate own, peer;
};

static void publish_deinit(struct publish *p)
{
    aggregate_deinit(&p->own);
    aggregate_deinit(&p->peer);
    infile_close(&p->own_file);
    infile_close(&p->peer_file);
}

static int prepare(struct publish *p, struct err *err)
{
    const struct prio_args *a = p->args;
    const char *const paths[] = {a->input_internal, a->input_external, NULL};
    int64_t now_us = utc_now_us();
    int r = setup_start(&p->setup, a, err);
    if (r == 0 && a->now)
        r = utc_parse(&now_us, a->now, err);
    if (r == 0)
        r = setup_check_prec(a, err);
    if (r == 0)
        r = setup_check_keys(a, err);
    if (r == 0)
        r = files_one_stdin(paths, err);
    if (r == 0)
        r = infile_open(&p->own_file, a->input_internal, err);
    if (r == 0)
        r = infile_open(&p->peer_file, a->input_external, err);
    utc_format_naive(p->timestamp, now_us);
    return r;
}

static int combine(struct publish *p, uint64_t **totals, size_t *n, struct err *err)
{
    const struct prio_args *a = p->args;
    int r = read_aggregate(&p->own, a, p->setup.cpu, &p->own_file, err);
    if (r == 0)
        r = read_aggregate(&p->peer, a, p->setup.cpu, &p->peer_file, err);
    if (r < 0)
        return r;
    const struct totals_input in = {.own = &p->own,
                                    .peer = &p->peer,
                                    .own_is_a = a->server_id == PRIO_SERVER_A,
                                    .n_data = a->n_data,
                                    .precision = (unsigned)a->prec};
    *n = totals_count(&in);
    *totals = calloc(*n, sizeof **totals);
    if (!*totals)
        return err_set(err, E_NOMEM, 0, "no memory for %zu totals", *n);
    return totals_combine(*totals, &in, err);
}

/* Nothing is opened for writing before the totals are known: the sums may not belong together. */
static int publish(struct publish *p, struct err *err)
{
    const struct prio_args *a = p->args;
    CLEANUP(free_totals) uint64_t *totals = NULL;
    CLEANUP(outfile_abandon) struct outfile out = OUTFILE_INIT;
    const struct infile *const inputs[] = {&p->own_file, &p->peer_file, NULL};
    size_t n = 0;
    int r = combine(p, &totals, &n, err);
    if (r < 0)
        return setup_exit(r);
    r = files_open_output(&out, a->output, a->input_internal, inputs, err);
    if (r < 0)
        return setup_exit(r);
    FILE *const to = out.is_stdout ? stderr : stdout;
    (void)fputs("Running publish\n", to);
    if (fflush(to) != 0)
        r = err_set(err, E_IO, errno, "write standard output");
    if (r == 0)
        r = write_object(&out, p->timestamp, totals, n, err);
    if (r == 0)
        r = outfile_commit(&out, err);
    if (r == 0)
        log_event(LOG_LEVEL_INFO, "published", LOG_U("records", p->own.total - p->own.error),
                  LOG_U("totals", n));
    return r < 0 ? EXIT_FAILED : EXIT_DONE;
}

int cmd_publish(void *args, struct err *err)
{
    CLEANUP(publish_deinit)
    struct publish p = {.args = args, .own_file = INFILE_INIT, .peer_file = INFILE_INIT};
    aggregate_init(&p.own);
    aggregate_init(&p.peer);
    const int r = prepare(&p, err);
    return r < 0 ? setup_exit(r) : publish(&p, err);
}
