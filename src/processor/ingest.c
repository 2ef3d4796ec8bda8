/* SPDX-License-Identifier: MPL-2.0 */
#include "processor/ingest.h"

#include "processor/layout.h"

#include <stdlib.h>

int ingest_folder(struct buf *out, const struct ingest *ingest, enum prio_role role,
                  struct err *err)
{
    const enum prio_role other = role == PRIO_SERVER_A ? PRIO_SERVER_B : PRIO_SERVER_A;
    char *prefix = NULL;
    buf_clear(out);
    int r = layout_prefix(&prefix, ingest->bucket_prefix, ingest->public_key[other],
                          ingest->app_name, ingest->date, err);
    if (r == 0)
        r = buf_printf(out, err, "%sraw/shares", prefix);
    if (r == 0)
        r = buf_append_byte(out, '\0', err);
    free(prefix);
    return r;
}
