/* SPDX-License-Identifier: MPL-2.0 */
#include "stage/seen.h"

#include "base/secret.h"

int seen_init(struct seen *s, struct err *err)
{
    struct digest_key key = {0};
    const int r = digest_key_random(&key, err);
    seen_init_keyed(s, &key);
    return r;
}

void seen_init_keyed(struct seen *s, const struct digest_key *key)
{
    table_init(&s->ids, 0);
    table_init(&s->shares, 0);
    s->key = *key;
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
