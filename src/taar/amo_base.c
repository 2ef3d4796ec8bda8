/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/amo_base.h"

static const char amo_itself[] = "https://addons.mozilla.org";

/* Behind "https://", or NULL. */
static const char *host_of(const char *url)
{
    static const char *const schemes[] = {"http://", "https://"};
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
        if (strncmp(url, schemes[i], strlen(schemes[i])) == 0)
            return url + strlen(schemes[i]);
    return NULL;
}

static int write_base(struct buf *out, const char *url, bool origin_only,
                      enum generation generation, struct err *err)
{
    const char *host = host_of(url);
    if (!host)
        return err_set(err, E_ARG, 0, "%.200s is no http:// or https:// URL", url);
    const size_t origin = (size_t)(host - url) + strcspn(host, "/?#");
    size_t len = origin_only ? origin : strlen(url);
    while (len > 0 && url[len - 1] == '/')
        len--;
    const char *path = generation == GENERATION_1 ? "/api/v3/" : "/api/v4/";
    const int r = buf_append(out, url, len, err);
    return r == 0 ? buf_append_str(out, len > origin ? "/" : path, err) : r;
}

int amo_base_write(struct buf *out, const char *url, enum generation generation, struct err *err)
{
    return write_base(out, url ? url : amo_itself, false, generation, err);
}

int amo_base_of(struct buf *out, const char *url, enum generation generation, struct err *err)
{
    return write_base(out, url, true, generation, err);
}

bool amo_is_loopback(const char *url)
{
    static const char *const hosts[] = {"127.", "localhost", "[::1]"};
    const char *host = url ? host_of(url) : NULL;
    for (size_t i = 0; host && i < ARRAY_LEN(hosts); i++)
        if (strncmp(host, hosts[i], strlen(hosts[i])) == 0)
            return true;
    return false;
}
