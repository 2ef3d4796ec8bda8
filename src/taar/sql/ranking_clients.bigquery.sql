-- SPDX-License-Identifier: MPL-2.0
-- Rows of clients by add-on. Source: taar-etl.md 7.2, the older job.
SELECT
    IFNULL(addon.addon_id, 'null') AS guid,
    {count} AS n
FROM
    {relation} AS clients,
    UNNEST(active_addons) AS addon
WHERE
    channel = 'release'
    AND app_name = 'Firefox'
GROUP BY guid
ORDER BY guid
