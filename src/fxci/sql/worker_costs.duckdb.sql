-- SPDX-License-Identifier: MPL-2.0
-- worker_costs_v1 of a day, from the loaded billing exports. Source: fxci-etl.md 5.1, X15.
SELECT usage_start_date, cloud_provider, project, name, zone, instance_id, total_cost
FROM (
    SELECT
        {date} AS usage_start_date,
        'gcp' AS cloud_provider,
        project_id AS project,
        CASE
            WHEN contains(resource_name, '/instances/')
            THEN nullif(regexp_extract(resource_name, '(?s)/instances/(.*)', 1), '')
            ELSE resource_name
        END AS name,
        nullif(regexp_extract(global_name, '/zones/([^/]*)', 1), '') AS zone,
        nullif(regexp_extract(global_name, '/instances/([^/]*)', 1), '') AS instance_id,
        sum(cost) + sum(coalesce(credits, 0)) AS total_cost
    FROM {gcp}
    WHERE
        usage_date = {date}
        AND project_id IN ({projects})
        AND contains(global_name, '/instances/')
    GROUP BY ALL
    UNION ALL
    SELECT
        {date},
        'azure',
        subscription_name,
        nullif(regexp_extract(resource_id, '(?i)/virtualmachines/([^/]+)$', 1), '') AS machine,
        resource_location,
        machine,
        sum(cost)
    FROM {azure} AS loaded
    WHERE
        NOT is_lookup
        AND usage_date = {date}
        AND charge_type = 'Usage'
        AND regexp_matches(resource_id, '(?i)/virtualmachines/vm-')
        AND EXISTS (
            SELECT 1
            FROM {azure} AS lookup
            WHERE
                lookup.is_lookup
                AND lookup.export = loaded.export
                AND lookup.source_data_id = loaded.source_data_id
        )
    GROUP BY ALL
)
