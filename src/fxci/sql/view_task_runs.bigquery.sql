-- SPDX-License-Identifier: MPL-2.0
-- One row for each key, the first submission_date's. A filter on submission_date reaches the table:
-- the window is cut by that column, and what earlier days hold is looked up by key alone.
-- Source: fxci-etl.md 5.4.
SELECT *
FROM {table} AS this
WHERE
    NOT EXISTS (
        SELECT 1
        FROM {table} AS earlier
        WHERE
            earlier.submission_date >= DATE '1970-01-01'
            AND earlier.task_id = this.task_id
            AND earlier.run_id = this.run_id
            AND earlier.submission_date < this.submission_date
    )
QUALIFY ROW_NUMBER() OVER (PARTITION BY submission_date, task_id, run_id ORDER BY resolved, state) = 1
