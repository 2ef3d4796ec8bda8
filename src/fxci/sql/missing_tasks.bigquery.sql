-- SPDX-License-Identifier: MPL-2.0
-- Definitions of tasks that have runs but no row. Source: fxci-etl.md 9.3, H19.
SELECT schedulerId, taskGroupId, taskId, taskQueueId, tags
FROM {definitions} AS definitions
WHERE
    submission_date >= DATE '1970-01-01'
    AND EXISTS (
        SELECT 1
        FROM {runs} AS runs
        WHERE
            runs.submission_date BETWEEN {from} AND {to} AND runs.task_id = definitions.taskId
    )
    AND NOT EXISTS (
        SELECT 1
        FROM {tasks} AS tasks
        WHERE tasks.submission_date >= DATE '1970-01-01' AND tasks.task_id = definitions.taskId
    )
QUALIFY ROW_NUMBER() OVER (PARTITION BY taskId ORDER BY submission_date) = 1
ORDER BY taskId
