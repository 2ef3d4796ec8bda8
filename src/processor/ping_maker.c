/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/ping_maker.h"

#include "codec/base64.h"
#include "codec/record.h"
#include "codec/uuid.h"
#include "stage/stage.h"

#include <inttypes.h>
#include <stdlib.h>

enum { MAX_ROUNDS = 3, MAX_PING = 64 << 20, DEFAULT_HOURS = 4 };

struct ping_maker {
    const struct ping_plan *plan;
    struct base64_ops base64;
    struct prio_encoder **encoders; // by entry
    struct ping_sums *sums;
    uint8_t *bits;
    struct buf ping; // its JSON
};

/* The text before the last hyphen: all parts of a metric share it. */
static struct span metric_of(const char *batch_id)
{
    const char *hyphen = strrchr(batch_id, '-');
    return span_of(batch_id, hyphen ? (size_t)(hyphen - batch_id) : strlen(batch_id));
}

static void find_metrics(struct ping_plan *plan)
{
    const struct data_config *config = plan->options->config;
    for (size_t i = 0; i < config->n; i++) {
        size_t first = 0;
        while (!span_equal(metric_of(config->entries[first].batch_id),
                           metric_of(config->entries[i].batch_id)))
            first++;
        plan->group[i] = first;
        if (first == i)
            plan->metrics[plan->n_metrics++] = i;
    }
}

int ping_plan_init(struct ping_plan *plan, const struct generate_pings_options *options,
                   struct err *err)
{
    const struct data_config *config = options->config;
    *plan = (struct ping_plan){.options = options};
    plan->batches = calloc(config->n, sizeof *plan->batches);
    plan->group = calloc(config->n, sizeof *plan->group);
    plan->metrics = calloc(config->n, sizeof *plan->metrics);
    if (!plan->batches || !plan->group || !plan->metrics)
        return err_set(err, E_NOMEM, 0, "no memory for %zu batches", config->n);
    find_metrics(plan);
    int r = 0;
    for (size_t i = 0; i < config->n && r == 0; i++)
        r = share_batch_init(&plan->batches[i], &options->shares,
                             span_str(config->entries[i].batch_id), config->entries[i].n_data, err);
    return r;
}

void ping_plan_deinit(struct ping_plan *plan)
{
    for (size_t i = 0; plan->batches && i < plan->options->config->n; i++)
        share_batch_deinit(&plan->batches[i]);
    free(plan->batches);
    free(plan->group);
    free(plan->metrics);
}

/* SplitMix64: good enough for test data, and the same everywhere. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* Few sites are met often, most of them hardly ever: a site's part of the rounds falls with its
 * place in a ranking that is shuffled by entry and position. It is 62 % for the first of RANKS. */
enum { RANKS = 256, FIRST_OF_65536 = 41000 };

static unsigned popularity(size_t entry, size_t position)
{
    uint64_t state = entry << 32 | position;
    const unsigned place = (unsigned)(next_random(&state) >> 48); // in parts of 1/256 of a rank
    return FIRST_OF_65536 * RANKS / (RANKS + place);
}

static void fill(uint8_t *bits, size_t n, size_t entry, uint64_t *random)
{
    uint64_t word = 0;
    for (size_t i = 0; i < n; i++) {
        if (i % 4 == 0)
            word = next_random(random);
        bits[i] = (word & 0xffff) < popularity(entry, i);
        word >>= 16;
    }
}

int ping_maker_new(struct ping_maker **out, const struct ping_plan *plan, struct err *err)
{
    const struct data_config *config = plan->options->config;
    CLEANUP(ping_maker_freep) struct ping_maker *m = calloc(1, sizeof *m);
    size_t longest = 1;
    if (!m)
        return err_set(err, E_NOMEM, 0, "no memory for a worker");
    m->plan = plan;
    base64_ops_init(&m->base64, plan->options->shares.cpu);
    m->ping = BUF_INIT(MAX_PING);
    m->encoders = calloc(config->n, sizeof *m->encoders);
    m->sums = calloc(config->n, sizeof *m->sums);
    bool ok = m->encoders && m->sums;
    for (size_t i = 0; i < config->n && ok; i++) {
        const size_t n = config->entries[i].n_data;
        longest = n > longest ? n : longest;
        m->sums[i].sums = calloc(n + 1, sizeof *m->sums[i].sums);
        ok = m->sums[i].sums &&
             prio_encoder_new(&m->encoders[i], plan->batches[i].client) == PRIO_OK;
    }
    m->bits = malloc(longest);
    if (!ok || !m->bits)
        return err_set(err, E_NOMEM, 0, "no memory for a worker");
    *out = m;
    m = NULL;
    return 0;
}

void ping_maker_free(struct ping_maker *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < m->plan->options->config->n; i++) {
        if (m->encoders)
            prio_encoder_free(m->encoders[i]);
        if (m->sums)
            free(m->sums[i].sums);
    }
    free(m->encoders);
    free(m->sums);
    free(m->bits);
    buf_deinit(&m->ping);
    free(m);
}

const struct ping_sums *ping_maker_sums(const struct ping_maker *m, size_t i)
{
    return &m->sums[i];
}

static int append_base64(const struct ping_maker *m, struct buf *out, const void *bytes, size_t len,
                         struct err *err)
{
    const int r = buf_reserve(out, base64_encoded_len(len) + BASE64_SLACK, err);
    if (r == 0)
        out->len += m->base64.encode(out->data + out->len, bytes, len);
    return r;
}

static int append_share(struct ping_maker *m, const char *head, const uint8_t *share, size_t len,
                        struct err *err)
{
    const int r = buf_append_str(&m->ping, head, err);
    return r < 0 ? r : append_base64(m, &m->ping, share, len, err);
}

static void count_bits(struct ping_sums *s, const uint8_t *bits, size_t n)
{
    for (size_t i = 0; i < n; i++)
        s->sums[i] += bits[i];
    s->n_records++;
}

/* One element of prioData. */
static int append_element(struct ping_maker *m, size_t entry, bool first, bool count,
                          uint64_t *random, struct err *err)
{
    const struct data_entry *e = &m->plan->options->config->entries[entry];
    struct prio_shares shares;
    fill(m->bits, e->n_data, entry, random);
    if (count)
        count_bits(&m->sums[entry], m->bits, e->n_data);
    const int status = prio_encode_bits(m->encoders[entry], &shares, m->bits);
    if (status != PRIO_OK)
        return stage_prio_err(err, status, "encoding a row");
    int r = buf_append_str(&m->ping, first ? "{\"encoding\":" : ",{\"encoding\":", err);
    if (r == 0)
        r = json_write_string(&m->ping, span_str(e->batch_id), err);
    if (r == 0)
        r = append_share(m, ",\"prio\":{\"a\":\"", shares.a, shares.a_len, err);
    if (r == 0)
        r = append_share(m, "\",\"b\":\"", shares.b, shares.b_len, err);
    return r < 0 ? r : buf_append_str(&m->ping, "\"}}", err);
}

static int append_elements(struct ping_maker *m, bool count, uint64_t *random, struct err *err)
{
    const struct ping_plan *plan = m->plan;
    const unsigned rounds = 1 + (unsigned)(next_random(random) % MAX_ROUNDS);
    bool first = true;
    int r = 0;
    for (unsigned k = 0; k < rounds; k++) {
        const size_t metric = plan->metrics[next_random(random) % plan->n_metrics];
        for (size_t i = metric; i < plan->options->config->n && r == 0; i++) {
            if (plan->group[i] != metric)
                continue;
            r = append_element(m, i, first, count, random, err);
            first = false;
        }
    }
    return r;
}

/* What stands before the elements. */
static int append_head(struct ping_maker *m, uint64_t number, uint64_t *random, struct err *err)
{
    static const char *const reasons[] = {"periodic", "max", "shutdown"};
    const struct generate_pings_options *o = m->plan->options;
    const unsigned n_hours = o->n_hours > 0 ? o->n_hours : DEFAULT_HOURS;
    const uint64_t id[2] = {next_random(random), next_random(random)};
    const unsigned when = (unsigned)(next_random(random) % 3600000); // ms within the hour
    uint8_t id_bytes[sizeof id];
    char uuid[UUID_TEXT_BYTES];
    memcpy(id_bytes, id, sizeof id);
    uuid4_format(uuid, id_bytes);
    return buf_printf(
        &m->ping, err,
        "{\"type\":\"prio\",\"id\":\"%s\",\"creationDate\":\"%.10sT%02u:%02u:%02u.%03uZ\","
        "\"version\":4,\"application\":{\"architecture\":\"x86-64\",\"buildId\":"
        "\"20190626033455\",\"name\":\"Firefox\",\"version\":\"69.0a1\",\"displayVersion\":"
        "\"69.0a1\",\"vendor\":\"Mozilla\",\"platformVersion\":\"69.0a1\",\"xpcomAbi\":"
        "\"x86_64-gcc3\",\"channel\":\"nightly\"},\"payload\":{\"version\":\"1\",\"reason\":\"%s\","
        "\"prioData\":[",
        uuid, o->date, (unsigned)(number * n_hours / o->n_pings), when / 60000, when / 1000 % 60,
        when % 1000, reasons[next_random(random) % ARRAY_LEN(reasons)]);
}

int ping_maker_line(struct ping_maker *m, struct buf *out, uint64_t number, bool count,
                    struct err *err)
{
    uint64_t random = m->plan->options->seed;
    random = next_random(&random) ^ (number * UINT64_C(0xd1342543de82ef95) + 1);
    buf_clear(&m->ping);
    int r = append_head(m, number, &random, err);
    if (r == 0)
        r = append_elements(m, count, &random, err);
    if (r == 0)
        r = buf_append_str(&m->ping, "]}}", err);
    if (r == 0)
        r = buf_append_str(out,
                           "{\"attributeMap\":{\"document_namespace\":\"telemetry\","
                           "\"document_type\":\"prio\",\"document_version\":\"4\"},\"payload\":\"",
                           err);
    if (r == 0)
        r = append_base64(m, out, m->ping.data, m->ping.len, err);
    return r < 0 ? r : buf_append_str(out, "\"}\n", err);
}
