-- SPDX-License-Identifier: MPL-2.0
-- worker_costs_v1 of a day, from the billing exports where they are. Source: fxci-etl.md 5.1, X15.
WITH
azure AS (
    SELECT subscriptionName, resourceLocation, costInBillingCurrency, ResourceId
    FROM {fxci_load}
    WHERE
        `date` = {date}
        AND chargeType = 'Usage'
        AND sourceDataId IN (SELECT sourceDataId FROM {fxci_lookup})
    UNION ALL
    SELECT subscriptionName, resourceLocation, costInBillingCurrency, ResourceId
    FROM {taskcluster_load}
    WHERE
        `date` = {date}
        AND chargeType = 'Usage'
        AND sourceDataId IN (SELECT sourceDataId FROM {taskcluster_lookup})
),
machines AS (
    SELECT
        subscriptionName,
        resourceLocation,
        costInBillingCurrency,
        REGEXP_EXTRACT(ResourceId, r'(?i)/virtualmachines/([^/]+)$') AS machine
    FROM azure
    WHERE REGEXP_CONTAINS(ResourceId, r'(?i)/virtualmachines/vm-')
),
instances AS (
    SELECT
        project.id AS project,
        IF(
            STRPOS(resource.name, '/instances/') > 0,
            NULLIF(REGEXP_EXTRACT(resource.name, r'(?s)/instances/(.*)'), ''),
            resource.name
        ) AS name,
        NULLIF(REGEXP_EXTRACT(resource.global_name, r'/zones/([^/]*)'), '') AS zone,
        NULLIF(REGEXP_EXTRACT(resource.global_name, r'/instances/([^/]*)'), '') AS instance_id,
        cost,
        (SELECT SUM(credit.amount) FROM UNNEST(credits) AS credit) AS credited
    FROM {gcp}
    WHERE
        DATE(usage_start_time) = {date}
        AND project.id IN ({projects})
        AND STRPOS(resource.global_name, '/instances/') > 0
)
SELECT
    {date} AS usage_start_date,
    'gcp' AS cloud_provider,
    project,
    name,
    zone,
    instance_id,
    SUM(CAST(cost AS FLOAT64)) + SUM(COALESCE(CAST(credited AS FLOAT64), 0)) AS total_cost
FROM instances
GROUP BY project, name, zone, instance_id
UNION ALL
SELECT
    {date},
    'azure',
    subscriptionName,
    machine AS name,
    resourceLocation,
    machine AS instance_id,
    SUM(CAST(costInBillingCurrency AS FLOAT64))
FROM machines
GROUP BY subscriptionName, machine, resourceLocation
