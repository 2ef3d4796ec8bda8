-- SPDX-License-Identifier: MPL-2.0
-- Rows that may count, with the add-ons that pass every test; null passes none. A null locale is
-- the text: neither counts. Source: taar-etl.md 6.
SELECT
    client_id,
    submission_date,
    IFNULL(locale, 'null') AS locale,
    ARRAY(
        SELECT addon.addon_id
        FROM UNNEST(active_addons) AS addon WITH OFFSET AS place
        WHERE
            addon.addon_id IS NOT NULL
            AND addon.blocklisted = FALSE
            AND addon.type = 'extension'
            AND addon.signed_state = 2
            AND addon.user_disabled = FALSE
            AND addon.app_disabled = FALSE
            AND addon.is_system = FALSE
        ORDER BY place
    ) AS addons
FROM {relation} AS clients
WHERE
    client_id IS NOT NULL
    AND channel = 'release'
    AND app_name = 'Firefox'
