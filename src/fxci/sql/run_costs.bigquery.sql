-- SPDX-License-Identifier: MPL-2.0
-- task_run_costs_v1 of a day. Source: fxci-etl.md 5.3, 5.5, X15.
WITH
runs AS (
    SELECT
        task_id,
        run_id,
        worker_group,
        worker_id,
        TIMESTAMP_DIFF(resolved, started, SECOND) AS run_duration
    FROM {runs}
    WHERE submission_date = {date} AND started IS NOT NULL AND resolved IS NOT NULL
),
costs AS (
    SELECT
        COALESCE(cloud_provider, 'gcp') AS provider,
        zone,
        instance_id,
        STRING_AGG(DISTINCT project, ',' ORDER BY project) AS project,
        SUM(total_cost) AS total_cost
    FROM {worker_costs}
    WHERE
        usage_start_date BETWEEN {first} AND {date}
        AND (
            cloud_provider IN ('azure', 'gcp')
            OR (cloud_provider IS NULL AND project IN ({projects}))
        )
    GROUP BY COALESCE(cloud_provider, 'gcp'), zone, instance_id
),
uses AS (
    SELECT
        cloud_provider AS provider,
        zone,
        instance_id,
        SUM(uptime) AS uptime,
        STRING_AGG(DISTINCT attribution_method, ',' ORDER BY attribution_method)
            AS attribution_method
    FROM {worker_usage}
    WHERE usage_start_date BETWEEN {first} AND {date}
    GROUP BY cloud_provider, zone, instance_id
)
SELECT
    {date} AS submission_date,
    runs.task_id,
    runs.run_id,
    runs.run_duration / uses.uptime * costs.total_cost AS run_cost,
    costs.provider AS cloud_provider,
    costs.project AS worker_project,
    costs.zone AS worker_zone,
    costs.instance_id AS worker_instance_id,
    costs.total_cost AS attribution_worker_cost,
    uses.uptime AS attribution_worker_uptime,
    runs.run_duration,
    uses.attribution_method
FROM costs
JOIN uses
    ON costs.provider = uses.provider
    AND costs.zone = uses.zone
    AND costs.instance_id = uses.instance_id
JOIN runs
    ON LOWER(runs.worker_group) = LOWER(costs.zone)
    AND LOWER(runs.worker_id) = LOWER(costs.instance_id)
WHERE uses.uptime > 0 AND uses.uptime >= runs.run_duration
