-- SPDX-License-Identifier: MPL-2.0
-- A row's valid add-ons, in order; the whitelist is looked up in the program. Source: taar-etl.md
-- 7.1 steps 1 and 3.
SELECT
    [
        addon.addon_id FOR addon IN active_addons
        IF addon.addon_id IS NOT NULL
            AND addon.type = 'extension'
            AND NOT coalesce(addon.is_system, FALSE)
            AND NOT coalesce(addon.app_disabled, FALSE)
            AND NOT coalesce(addon.user_disabled, FALSE)
            AND NOT coalesce(addon.foreign_install, FALSE)
    ] AS addons
FROM {relation} AS clients
WHERE
    client_id IS NOT NULL
    AND channel = 'release'
    AND normalized_channel = 'release'
    AND app_name = 'Firefox'
    AND len(active_addons) > 1
    {sample}
