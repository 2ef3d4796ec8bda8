-- SPDX-License-Identifier: MPL-2.0
-- One row for each machine of a day, of all methods together. Source: fxci-etl.md 1.1, 5.4.
SELECT
    usage_start_date,
    cloud_provider,
    project,
    zone,
    instance_id,
    sum(uptime) AS uptime,
    string_agg(DISTINCT attribution_method, ',' ORDER BY attribution_method) AS attribution_method
FROM {table}
GROUP BY usage_start_date, cloud_provider, project, zone, instance_id
