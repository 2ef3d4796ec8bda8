-- SPDX-License-Identifier: MPL-2.0
-- worker_usage_v1 of a day. Source: fxci-etl.md 5.2.
WITH
azure AS (
    SELECT subscriptionName, resourceLocation, quantity, ResourceId
    FROM {fxci_load}
    WHERE
        `date` = {date}
        AND chargeType = 'Usage'
        AND meterCategory = 'Virtual Machines'
        AND unitOfMeasure = '1 Hour'
        AND sourceDataId IN (SELECT sourceDataId FROM {fxci_lookup})
    UNION ALL
    SELECT subscriptionName, resourceLocation, quantity, ResourceId
    FROM {taskcluster_load}
    WHERE
        `date` = {date}
        AND chargeType = 'Usage'
        AND meterCategory = 'Virtual Machines'
        AND unitOfMeasure = '1 Hour'
        AND sourceDataId IN (SELECT sourceDataId FROM {taskcluster_lookup})
),
machines AS (
    SELECT
        subscriptionName,
        resourceLocation,
        quantity,
        REGEXP_EXTRACT(ResourceId, r'(?i)/virtualmachines/([^/]+)$') AS machine
    FROM azure
    WHERE REGEXP_CONTAINS(ResourceId, r'(?i)/virtualmachines/vm-')
)
SELECT
    {date} AS usage_start_date,
    'gcp' AS cloud_provider,
    project,
    zone,
    instance_id,
    SUM(uptime) AS uptime,
    'gcp_monitoring_instance_uptime' AS attribution_method
FROM {metrics}
WHERE submission_date = {date}
GROUP BY project, zone, instance_id
UNION ALL
SELECT
    {date},
    'azure',
    subscriptionName,
    resourceLocation,
    machine,
    SUM(CAST(quantity AS FLOAT64) * 3600),
    'azure_billing_vm_quantity'
FROM machines
GROUP BY subscriptionName, resourceLocation, machine
