-- SPDX-License-Identifier: MPL-2.0
-- One row for each machine of a day: its first interval. Source: fxci-etl.md 1.1, 5.4.
-- The warehouse's own column of hashes is not among a view's.
SELECT * NOT LIKE 'row_key(%'
FROM {table}
QUALIFY
    row_number() OVER (
        PARTITION BY submission_date, project, zone, instance_id ORDER BY interval_start_time
    ) = 1
