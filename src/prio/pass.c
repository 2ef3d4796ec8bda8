/* SPDX-License-Identifier: MPL-2.0 */
#include "base/secret.h"
#include "prio/server.h"

#include <stdlib.h>

struct prio_pass {
    const struct prio_server *server;
    struct prg prg; // idle in first mode
};

int prio_pass_new(struct prio_pass **out, const struct prio_server *server)
{
    if (out == NULL || server == NULL)
        return PRIO_E_ARG;
    struct prio_pass *p = calloc(1, sizeof *p);
    if (p == NULL)
        return PRIO_E_NOMEM;
    p->server = server;
    int r = prg_init(&p->prg, &server->batch->suite);
    if (r == PRIO_OK)
        r = server_points_start(server, &p->prg);
    if (r != PRIO_OK) {
        prio_pass_free(p);
        return r;
    }
    *out = p;
    return PRIO_OK;
}

void prio_pass_free(struct prio_pass *pass)
{
    if (pass != NULL)
        prg_deinit(&pass->prg);
    free(pass);
}

int prio_pass_next(struct prio_pass *pass, struct prio_point *point)
{
    if (pass == NULL || point == NULL)
        return PRIO_E_ARG;
    struct fe r = pass->server->first_point;
    if (pass->server->points == PRIO_POINTS_SEQUENTIAL) {
        const int status = server_points_next(pass->server, &pass->prg, &r);
        if (status != PRIO_OK)
            return status;
    }
    fe_to_bytes(point->bytes, r);
    return PRIO_OK;
}
