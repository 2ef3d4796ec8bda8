-- SPDX-License-Identifier: MPL-2.0
-- What runs cost, by one of their properties. Each run counts once. A task's row may be of another
-- day than its later runs. Source: fxci-etl.md 9.3, X8.
WITH
runs AS (
    SELECT task_id, run_id, date_sub('second', started, resolved) AS run_seconds
    FROM {runs}
    WHERE submission_date BETWEEN {from} AND {to}
    QUALIFY
        row_number() OVER (PARTITION BY task_id, run_id ORDER BY submission_date, resolved) = 1
),
costs AS (
    SELECT task_id, run_id, run_cost, cloud_provider
    FROM {run_costs}
    WHERE submission_date BETWEEN {from} AND {to}
    QUALIFY
        row_number() OVER (
            PARTITION BY task_id, run_id
            ORDER BY
                attribution_worker_uptime DESC NULLS LAST,
                cloud_provider,
                worker_zone,
                worker_instance_id,
                submission_date
        ) = 1
),
tasks AS (
    SELECT task_id, task_group_id, task_queue_id, tags
    FROM {tasks}
    WHERE submission_date >= DATE '1970-01-01'
    QUALIFY row_number() OVER (PARTITION BY task_id ORDER BY submission_date) = 1
),
keyed AS (
    SELECT
        {key} AS key,
        costs.task_id IS NULL AS has_no_cost,
        coalesce(runs.run_seconds, 0) AS run_seconds,
        coalesce(costs.run_cost, 0) AS run_cost
    FROM runs
    LEFT JOIN costs ON costs.task_id = runs.task_id AND costs.run_id = runs.run_id
    LEFT JOIN tasks ON tasks.task_id = runs.task_id
)
SELECT
    key,
    count(*) AS runs,
    sum(run_seconds) AS run_seconds,
    sum(run_cost) AS cost,
    sum(CASE WHEN has_no_cost THEN 1 ELSE 0 END) AS runs_without_cost
FROM keyed
GROUP BY key
ORDER BY cost DESC, key NULLS FIRST
