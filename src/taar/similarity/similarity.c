/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/similarity/similarity.h"

#include "base/log.h"
#include "taar/similarity/bisect.h"
#include "taar/similarity/curve.h"
#include "taar/similarity/distance.h"
#include "taar/similarity/pairs.h"

void similarity_result_deinit(struct similarity_result *r)
{
    free(r->cluster_of);
    buf_deinit(&r->donors);
    buf_deinit(&r->curve);
}

static int cluster(struct similarity_result *out, const struct clients *clients,
                   const struct similarity_config *config, struct err *err)
{
    struct features f = {.n = 0};
    const struct bisect_config how = {config->n_clusters, config->seed, config->n_workers};
    int r = features_build(&f, clients, err);
    if (r < 0)
        return r;
    uint32_t *cluster_of = malloc((f.n + 1) * sizeof *cluster_of);
    r = cluster_of ? bisect(&f, &how, cluster_of, &out->n_clusters, err)
                   : err_set(err, E_NOMEM, 0, "no memory for %zu clients", f.n);
    features_deinit(&f);
    if (r == 0)
        out->cluster_of = cluster_of;
    else
        free(cluster_of);
    return r;
}

static int sample(struct donors *donors, const struct similarity_result *out,
                  const struct clients *clients, const struct similarity_config *config,
                  struct err *err)
{
    uint64_t n_wanted = config->n_donors;
    if (n_wanted < SIMILARITY_DONORS_MIN) {
        n_wanted = SIMILARITY_DONORS_MIN;
        log_warning("fewer than %d donors are of no use; %d are taken", SIMILARITY_DONORS_MIN,
                    SIMILARITY_DONORS_MIN);
    }
    const int r = donors_sample(donors, out->cluster_of, clients_count(clients), out->n_clusters,
                                n_wanted, config->seed, err);
    if (r < 0)
        return r;
    if (donors->n_kept < n_wanted)
        log_event(LOG_LEVEL_WARNING, "fewer donors than asked for", LOG_U("wanted", n_wanted),
                  LOG_U("donors", donors->n));
    return donors->n >= 2 ? 0
                          : err_set(err, E_FORMAT, 0,
                                    "fewer than 2 donors are left of %zu clients: there is no "
                                    "curve; there are too few clients, or too many --num_clusters",
                                    clients_count(clients));
}

static int write_donors(struct similarity_result *out, const struct clients *clients,
                        const struct donors *donors, bool service_keys, struct err *err)
{
    int r = buf_append_byte(&out->donors, '[', err);
    for (size_t i = 0; i < donors->n && r == 0; i++) {
        r = i > 0 ? buf_append_str(&out->donors, ", ", err) : 0;
        if (r == 0)
            r = similarity_client_json(&out->donors, clients, donors->client[i], false,
                                       service_keys, err);
    }
    return r < 0 ? r : buf_append_byte(&out->donors, ']', err);
}

static void score(double *scores, const struct pair *pairs, size_t n, const struct clients *clients,
                  const struct donors *donors)
{
    for (size_t i = 0; i < n; i++)
        scores[i] = distance(clients, clients_get(clients, donors->client[pairs[i].a]),
                             clients_get(clients, donors->client[pairs[i].b]));
}

static int write_curve(struct similarity_result *out, const struct clients *clients,
                       const struct donors *donors, const struct pairs *pairs,
                       const struct similarity_config *config, struct err *err)
{
    CLEANUP(curve_deinit) struct curve curve = {.n = 0};
    const struct curve_config how = {config->bandwidth, config->n_points};
    double *same = malloc((pairs->n_same + pairs->n_different + 1) * sizeof *same);
    if (!same)
        return err_set(err, E_NOMEM, 0, "no memory for scores");
    double *different = same + pairs->n_same;
    score(same, pairs->same, pairs->n_same, clients, donors);
    score(different, pairs->different, pairs->n_different, clients, donors);
    const struct scores scores = {same, different, pairs->n_same, pairs->n_different};
    int r = curve_make(&curve, &how, &scores, err);
    if (r == 0)
        r = curve_json(&out->curve, &curve, err);
    free(same);
    return r;
}

int similarity_run(struct similarity_result *out, const struct clients *clients,
                   const struct similarity_config *config, struct err *err)
{
    CLEANUP(donors_deinit) struct donors donors = {.n = 0};
    CLEANUP(pairs_deinit) struct pairs pairs = {.n_same = 0};
    *out = (struct similarity_result){.donors = BUF_INIT(SIMILARITY_JSON_BYTES_MAX),
                                      .curve = BUF_INIT(SIMILARITY_JSON_BYTES_MAX)};
    if (clients_count(clients) == 0)
        return err_set(err, E_FORMAT, 0,
                       "no client has more than 2 add-ons of the whitelist; is the date complete, "
                       "and the whitelist the right one?");
    int r = cluster(out, clients, config, err);
    if (r == 0)
        r = sample(&donors, out, clients, config, err);
    if (r == 0)
        r = pairs_make(&pairs, &donors, out->n_clusters, config->seed, err);
    if (r == 0)
        r = write_curve(out, clients, &donors, &pairs, config, err);
    if (r == 0)
        r = write_donors(out, clients, &donors, config->service_keys, err);
    out->n_donors = donors.n;
    out->n_same = pairs.n_same;
    out->n_different = pairs.n_different;
    return r;
}
