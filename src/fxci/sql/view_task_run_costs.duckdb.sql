-- SPDX-License-Identifier: MPL-2.0
-- One row for each run: the machine that was up for longest. Source: fxci-etl.md X2.
SELECT * NOT LIKE 'row_key(%'
FROM {table}
QUALIFY
    row_number() OVER (
        PARTITION BY task_id, run_id
        ORDER BY
            attribution_worker_uptime DESC NULLS LAST,
            cloud_provider NULLS FIRST,
            worker_zone NULLS FIRST,
            worker_instance_id NULLS FIRST,
            submission_date
    ) = 1
