/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/state_json.h"

#include "base/buf.h"

#include <stdlib.h>

int state_json_write(const json_t *json, struct store *store, const char *key, struct err *err)
{
    char *text = json ? json_dumps(json, JSON_INDENT(1)) : NULL;
    if (!text)
        return err_set(err, E_NOMEM, 0, "no memory for %s", key);
    const int r = store_put(store, key, span_str(text), NULL, NULL, err);
    free(text);
    return r;
}

int state_json_read(json_t **out, struct store *store, const char *key, struct err *err)
{
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(STATE_JSON_MAX);
    const int r = store_get_all(store, key, &text, NULL, err);
    if (r < 0)
        return r;
    json_error_t error;
    json_t *json = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, &error);
    if (!json)
        return err_set(err, E_FORMAT, 0, "%s: %s: line %d: %s", store_name(store), key, error.line,
                       error.text);
    *out = json;
    return 0;
}
