/* SPDX-License-Identifier: MPL-2.0 */
#include "taar/whitelist.h"
#include "warehouse/warehouse.h"

int whitelist_literals(struct buf *out, struct warehouse *w, const struct whitelist *whitelist,
                       struct err *err)
{
    int r = 0;
    if (whitelist->guids.n == 0)
        return err_set(err, E_FORMAT, 0, "the whitelist is empty");
    for (size_t i = 0; i < whitelist->guids.n && r == 0; i++) {
        char *guid = span_to_text(whitelist->guids.list[i]);
        const struct sql_value values[] = {{"guid", SQL_TEXT, guid, 0}, {.name = NULL}};
        if (i > 0)
            out->data[out->len - 1] = ','; // in place of the NUL
        r = guid ? warehouse_fill_sql(out, w, "{guid}", values, err)
                 : err_set(err, E_NOMEM, 0, "no memory for a guid");
        free(guid);
    }
    return r;
}
