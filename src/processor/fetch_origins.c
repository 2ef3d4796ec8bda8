/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/fetch_origins.h"

#include "net/http.h"
#include "processor/whole.h"

enum { MAX_BYTES = 16 << 20 };

static bool begins(const char *text, const char *head)
{
    return strncmp(text, head, strlen(head)) == 0;
}

static int from_web(struct buf *text, const struct fetch_origins_options *options, struct err *err)
{
    CLEANUP(http_freep) struct http *http = NULL;
    CLEANUP(http_response_deinit) struct http_response response;
    const struct http_request request = {
        .method = "GET", .url = options->url, .max_response = MAX_BYTES};
    http_response_init(&response);
    int r = http_new(&http, &(struct http_options){.ca_file = options->ca_file}, err);
    if (r == 0)
        r = http_send(http, &request, &response, err);
    if (r < 0)
        return r;
    if (response.status != 200)
        return err_set(err, response.status == 404 ? E_ABSENT : E_IO, 0,
                       "the server answers with status %d; --url also takes a file",
                       response.status);
    return buf_append(text, response.body.data, response.body.len, err);
}

int fetch_origins_run(const struct fetch_origins_options *options,
                      struct fetch_origins_result *result, struct err *err)
{
    static const char file_scheme[] = "file://";
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(MAX_BYTES);
    CLEANUP(origins_deinit) struct origins origins = {0};
    const char *const url = options->url;
    *result = (struct fetch_origins_result){.json = BUF_INIT(ORIGINS_MAX_BYTES)};
    int r;
    if (begins(url, "https://") || begins(url, "http://"))
        r = from_web(&text, options, err);
    else
        r = read_whole(&text, begins(url, file_scheme) ? url + sizeof file_scheme - 1 : url, err);
    if (r < 0)
        return err_wrap(err, r, "fetching origins from %s", url);
    r = origins_parse_list(&origins, buf_span(&text), url, err);
    if (r == 0)
        r = origins_format(&result->json, &origins, err);
    if (r == 0)
        result->n_origins = origins.n;
    else
        buf_deinit(&result->json);
    return r;
}
