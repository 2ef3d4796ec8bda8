/* SPDX-License-Identifier: MPL-2.0 */
#include "fxci/failed.h"
#include "fxci/member.h"

int failed_definition(struct span *task_id, struct span *task, const struct record_ops *ops,
                      struct span body, struct buf *scratch, struct err *err)
{
    static const struct span names[] = {{(const uint8_t *)"taskId", 6},
                                        {(const uint8_t *)"task", 4}};
    struct member m[2];
    if (!members_of_text(ops, body, RECORD_MAX_DEPTH, names, 2, m) || !member_is_text(&m[0]))
        return 0;
    *task = m[1].text;
    if (member_is_absent(&m[1]))
        task->len = 0;
    const int r = member_text(task_id, &m[0], scratch, body.len, err);
    return r < 0 ? r : 1;
}
