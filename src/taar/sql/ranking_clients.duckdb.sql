-- SPDX-License-Identifier: MPL-2.0
-- Rows of clients by add-on. Source: taar-etl.md 7.2, the older job.
SELECT
    coalesce(addon.addon_id, 'null') AS guid,
    {count} AS n
FROM
    (
        SELECT
            client_id,
            unnest(active_addons) AS addon
        FROM {relation} AS clients
        WHERE
            channel = 'release'
            AND app_name = 'Firefox'
    ) AS exploded
GROUP BY guid
ORDER BY guid
