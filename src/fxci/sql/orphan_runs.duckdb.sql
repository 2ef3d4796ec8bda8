-- SPDX-License-Identifier: MPL-2.0
-- Runs whose task has no row, for its first run was never seen. Source: fxci-etl.md H19.
SELECT count(*) AS n
FROM {runs} AS runs
WHERE
    runs.submission_date >= {since}
    AND NOT EXISTS (
        SELECT 1
        FROM {tasks} AS tasks
        WHERE tasks.submission_date >= {tasks_since} AND tasks.task_id = runs.task_id
    )
