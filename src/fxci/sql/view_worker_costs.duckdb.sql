-- SPDX-License-Identifier: MPL-2.0
-- One row for each machine of a day; its names are one. Source: fxci-etl.md X2.
SELECT
    usage_start_date,
    cloud_provider,
    project,
    min(name) AS name,
    zone,
    instance_id,
    sum(total_cost) AS total_cost
FROM {table}
GROUP BY usage_start_date, cloud_provider, project, zone, instance_id
