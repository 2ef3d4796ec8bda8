/* SPDX-License-Identifier: MPL-2.0 */
#include "stage/seen.h"

#include "base/secret.h"

int seen_init(struct seen *s, struct err *err)
{
    table_init(&s->ids, 0);
    table_init(&s->shares, 0);
    return digest_key_random(&s->key, err);
}

void seen_deinit(struct seen *s)
{
    table_deinit(&s->ids);
    table_deinit(&s->shares);
    secret_wipe(&s->key, sizeof s->key);
}

int seen_id(struct seen *s, const struct digest *id, struct err *err)
{
    return table_put(&s->ids, id, NULL, err);
}

int seen_share(struct seen *s, const struct digest *share, struct err *err)
{
    return table_put(&s->shares, share, NULL, err);
}
