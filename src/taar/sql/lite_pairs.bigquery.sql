-- SPDX-License-Identifier: MPL-2.0
-- Pairs of different positions of a row's valid add-ons, the earlier one first. Source: taar-etl.md
-- 7.1 steps 1 to 5.
SELECT
    one.addon_id AS key_addon,
    other.addon_id AS co_addon,
    COUNT(*) AS n
FROM
    (
        SELECT
            ARRAY(
                SELECT AS STRUCT
                    addon.addon_id,
                    place
                FROM UNNEST(active_addons) AS addon WITH OFFSET AS place
                WHERE
                    addon.addon_id IS NOT NULL
                    AND addon.type = 'extension'
                    AND NOT IFNULL(addon.is_system, FALSE)
                    AND NOT IFNULL(addon.app_disabled, FALSE)
                    AND NOT IFNULL(addon.user_disabled, FALSE)
                    AND NOT IFNULL(addon.foreign_install, FALSE)
                    {whitelist}
            ) AS addons
        FROM {relation} AS clients
        WHERE
            client_id IS NOT NULL
            AND channel = 'release'
            AND normalized_channel = 'release'
            AND app_name = 'Firefox'
            AND ARRAY_LENGTH(active_addons) > 1
            {sample}
    ) AS lists,
    UNNEST(lists.addons) AS one,
    UNNEST(lists.addons) AS other
WHERE one.place < other.place
GROUP BY key_addon, co_addon
