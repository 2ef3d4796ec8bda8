-- SPDX-License-Identifier: MPL-2.0
-- Pings by add-on. Source: taar-etl.md 7.2, Y13.
SELECT
    IFNULL(addon_id, 'null') AS guid,
    {count} AS n
FROM {relation} AS addons
GROUP BY guid
ORDER BY guid
