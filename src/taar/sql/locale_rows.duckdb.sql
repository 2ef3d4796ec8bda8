-- SPDX-License-Identifier: MPL-2.0
-- Rows that may count, with the add-ons that pass every test; null passes none. A null locale is
-- the text: neither counts. Source: taar-etl.md 6.
SELECT
    client_id,
    submission_date,
    coalesce(locale, 'null') AS locale,
    coalesce(
        [
            addon.addon_id FOR addon IN active_addons
            IF addon.addon_id IS NOT NULL
                AND addon.blocklisted = FALSE
                AND addon.type = 'extension'
                AND addon.signed_state = 2
                AND addon.user_disabled = FALSE
                AND addon.app_disabled = FALSE
                AND addon.is_system = FALSE
        ],
        []
    ) AS addons
FROM {relation} AS clients
WHERE
    client_id IS NOT NULL
    AND channel = 'release'
    AND app_name = 'Firefox'
