/* SPDX-License-Identifier: MPL-2.0 */
/* The S3 backend: any endpoint that speaks Amazon's protocol, addressed by path or by host name. */
#include "store/s3_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_secure(const char *endpoint)
{
    return strncasecmp(endpoint, "https://", 8) == 0;
}

/* "https://HOST[:PORT][/PATH]", in pieces of the text. */
struct endpoint {
    struct span scheme, host, port, path; // scheme with "://", port with ":", path with "/"
};

static int take_endpoint(struct endpoint *e, const char *text, struct err *err)
{
    const size_t scheme_len = is_secure(text) ? 8 : strncasecmp(text, "http://", 7) == 0 ? 7 : 0;
    const char *host = text + scheme_len;
    const size_t authority_len = strcspn(host, "/");
    const char *path = host + authority_len;
    // "[::1]:9000"
    const char *bracket = memchr(host, ']', authority_len);
    const char *from = bracket ? bracket : host;
    const char *colon = memchr(from, ':', authority_len - (size_t)(from - host));
    const char *host_end = colon ? colon : path;
    if (scheme_len == 0 || host_end == host || strpbrk(text, "@?# \t\r\n\"\\"))
        return err_set(err, E_ARG, 0,
                       "the endpoint must read http://HOST[:PORT][/PATH], or https://, without "
                       "user, query or spaces");
    size_t path_len = strlen(path);
    while (path_len > 0 && path[path_len - 1] == '/')
        path_len--;
    *e = (struct endpoint){.scheme = span_of(text, scheme_len),
                           .host = span_of(host, (size_t)(host_end - host)),
                           .path = span_of(path, path_len)};
    if (colon)
        e->port = span_of(colon, (size_t)(path - colon));
    uint64_t port = 0;
    if (colon && (!s3_number(&port, span_of(colon + 1, e->port.len - 1)) || port > 65535))
        return err_set(err, E_ARG, 0, "the endpoint's port is none");
    return 0;
}

/* Of the Host header, which leaves out the port that belongs to the scheme. */
static struct span port_to_say(const struct endpoint *e)
{
    const char *own = e->scheme.len == strlen("https://") ? ":443" : ":80";
    const struct span none = {0};
    return span_equal(e->port, span_str(own)) ? none : e->port;
}

#define TEXT(span) (int)(span).len, (span).len > 0 ? (const char *)(span).ptr : ""

static int set_place(struct s3 *s3, const struct store_place *place, const char *endpoint,
                     bool virtual_host, struct err *err)
{
    struct endpoint e = {0};
    const int r = take_endpoint(&e, endpoint, err);
    if (r < 0)
        return r;
    const struct span port = port_to_say(&e);
    const char *bucket = place->bucket;
    // asprintf leaves the text undefined when it fails.
    if (asprintf(&s3->host, "%s%s%.*s%.*s", virtual_host ? bucket : "", virtual_host ? "." : "",
                 TEXT(e.host), TEXT(port)) < 0)
        s3->host = NULL;
    if (s3->host && asprintf(&s3->origin, "%.*s%s", TEXT(e.scheme), s3->host) < 0)
        s3->origin = NULL;
    if (asprintf(&s3->root, "%.*s%s%s", TEXT(e.path), virtual_host ? "" : "/",
                 virtual_host ? "" : bucket) < 0)
        s3->root = NULL;
    s3->prefix = strdup(place->prefix);
    if (!s3->host || !s3->origin || !s3->root || !s3->prefix)
        return err_set(err, E_NOMEM, 0, "no memory for a store");
    return 0;
}

/* Amazon's own endpoint. */
static int set_regional_place(struct s3 *s3, const struct store_place *place, bool virtual_host,
                              struct err *err)
{
    char endpoint[128];
    const bool china = strncmp(s3->region, "cn-", 3) == 0;
    const int n = snprintf(endpoint, sizeof endpoint, "https://s3.%s.amazonaws.com%s", s3->region,
                           china ? ".cn" : "");
    if (n >= (int)sizeof endpoint)
        return err_set(err, E_ARG, 0, "\"%.60s...\" cannot be a region", s3->region);
    return set_place(s3, place, endpoint, virtual_host, err);
}

static int set_signer(struct s3 *s3, const struct store_config *c, struct err *err)
{
    const bool access = c->access_key && c->access_key->len > 0;
    const bool secret = c->secret_key && c->secret_key->len > 0;
    const bool token = c->session_token && c->session_token->len > 0;
    if (access != secret)
        return err_set(err, E_ARG, 0, "set both the access key and the secret key, or neither");
    if (!access)
        return token ? err_set(err, E_ARG, 0, "a session token needs its access and secret keys")
                     : 0;
    const struct s3_signer_options options = {
        .region = s3->region,
        .service = "s3",
        .access_key = c->access_key->text,
        .secret_key = c->secret_key->text,
        .session_token = token ? c->session_token->text : NULL,
    };
    return s3_signer_new(&s3->signer, &options, err);
}

static void close_s3(void *self)
{
    struct s3 *s3 = self;
    http_free(s3->http);
    s3_signer_free(s3->signer);
    free(s3->origin);
    free(s3->host);
    free(s3->root);
    free(s3->prefix);
    free(s3->region);
    free(s3);
}

static int set_up(struct s3 *s3, const struct store_place *place, const struct store_config *c,
                  struct err *err)
{
    const struct http_options options = {
        .connect_timeout_s = c->connect_timeout_s,
        .read_timeout_s = c->read_timeout_s,
        .ca_file = c->ca_file,
        .deadline_ms = c->deadline_ms,
    };
    s3->region = strdup(c->region && c->region[0] ? c->region : "us-east-1");
    if (!s3->region)
        return err_set(err, E_NOMEM, 0, "no memory for a store");
    int r = c->endpoint && c->endpoint[0] ? set_place(s3, place, c->endpoint, c->virtual_host, err)
                                          : set_regional_place(s3, place, c->virtual_host, err);
    if (r == 0)
        r = set_signer(s3, c, err);
    return r == 0 ? http_new(&s3->http, &options, err) : r;
}

static int open_s3(void **self, const struct store_place *place, const struct store_config *config,
                   struct err *err)
{
    struct s3 *s3 = calloc(1, sizeof *s3);
    if (!s3)
        return err_set(err, E_NOMEM, 0, "no memory for a store");
    const int r = set_up(s3, place, config, err);
    if (r < 0)
        close_s3(s3);
    else
        *self = s3;
    return r;
}

static int get(struct store_reader **out, void *self, const char *key, uint64_t offset,
               uint64_t len, struct err *err)
{
    return remote_get(out, &store_s3, self, s3_open_stream, key, offset, len, err);
}

const struct store_backend store_s3 = {
    .part_bytes = S3_PART_BYTES,
    .open = open_s3,
    .close = close_s3,
    .check = s3_check,
    .list = s3_list,
    .stat = s3_stat,
    .get = get,
    .put = s3_put,
    .upload_begin = s3_upload_begin,
    .upload_part = s3_upload_part,
    .upload_finish = s3_upload_finish,
    .upload_abort = s3_upload_abort,
    .delete_many = s3_delete_many,
    .delete_version = s3_delete_version,
};
