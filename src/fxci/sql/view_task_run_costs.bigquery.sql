-- SPDX-License-Identifier: MPL-2.0
-- One row for each run: the machine that was up for longest. A filter on submission_date reaches the
-- table, see view_tasks. Source: fxci-etl.md X2.
WITH ranked AS (
    SELECT
        *,
        -- Sorted as the columns one after the other: chr(1) is below all that they hold.
        CONCAT(
            COALESCE(cloud_provider, ''), CHR(1), COALESCE(worker_zone, ''), CHR(1),
            COALESCE(worker_instance_id, ''), CHR(1), CAST(submission_date AS STRING)
        ) AS place,
        COALESCE(attribution_worker_uptime, -1) AS uptime
    FROM {table}
)
SELECT * EXCEPT (place, uptime)
FROM ranked AS this
WHERE
    NOT EXISTS (
        SELECT 1
        FROM ranked AS other
        WHERE
            other.submission_date >= DATE '1970-01-01'
            AND other.task_id = this.task_id
            AND other.run_id = this.run_id
            AND other.submission_date != this.submission_date
            AND (other.uptime > this.uptime OR (other.uptime = this.uptime AND other.place < this.place))
    )
QUALIFY
    ROW_NUMBER() OVER (
        PARTITION BY submission_date, task_id, run_id ORDER BY uptime DESC, place
    ) = 1
