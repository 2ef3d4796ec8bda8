-- SPDX-License-Identifier: MPL-2.0
-- One row for each machine of a day: its first interval. Source: fxci-etl.md 1.1, 5.4.
SELECT *
FROM {table}
WHERE true
QUALIFY
    ROW_NUMBER() OVER (
        PARTITION BY submission_date, project, zone, instance_id ORDER BY interval_start_time
    ) = 1
