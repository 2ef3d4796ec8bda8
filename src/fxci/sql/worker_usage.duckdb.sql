-- SPDX-License-Identifier: MPL-2.0
-- worker_usage_v1 of a day. Source: fxci-etl.md 5.2.
SELECT
    {date} AS usage_start_date,
    'gcp' AS cloud_provider,
    project,
    zone,
    instance_id,
    sum(uptime) AS uptime,
    'gcp_monitoring_instance_uptime' AS attribution_method
FROM {metrics}
WHERE submission_date = {date}
GROUP BY project, zone, instance_id
UNION ALL
SELECT
    {date},
    'azure',
    subscription_name,
    resource_location,
    nullif(regexp_extract(resource_id, '(?i)/virtualmachines/([^/]+)$', 1), '') AS machine,
    sum(quantity * 3600),
    'azure_billing_vm_quantity'
FROM {azure} AS loaded
WHERE
    NOT is_lookup
    AND usage_date = {date}
    AND charge_type = 'Usage'
    AND meter_category = 'Virtual Machines'
    AND unit_of_measure = '1 Hour'
    AND regexp_matches(resource_id, '(?i)/virtualmachines/vm-')
    AND EXISTS (
        SELECT 1
        FROM {azure} AS lookup
        WHERE
            lookup.is_lookup
            AND lookup.export = loaded.export
            AND lookup.source_data_id = loaded.source_data_id
    )
GROUP BY subscription_name, resource_location, machine
