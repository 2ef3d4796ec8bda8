-- SPDX-License-Identifier: MPL-2.0
-- Clients with 3 to 99 add-ons of any kind, and of these what may be on the whitelist, in order: the
-- whitelist itself is looked up in the program. Source: taar-etl.md 5 steps 1 and 2.
SELECT
    submission_date,
    client_id,
    city,
    CAST(subsession_hours_sum AS VARCHAR) AS subsession_hours_sum,
    locale,
    os,
    places_bookmarks_count_mean AS bookmark_count,
    scalar_parent_browser_engagement_tab_open_event_count_sum AS tab_open_count,
    scalar_parent_browser_engagement_total_uri_count_sum AS total_uri,
    scalar_parent_browser_engagement_unique_domains_count_mean AS unique_tlds,
    [
        addon.addon_id FOR addon IN active_addons
        IF addon.addon_id IS NOT NULL
            AND addon.type = 'extension'
            AND NOT coalesce(addon.is_system, FALSE)
            AND NOT coalesce(addon.app_disabled, FALSE)
            AND NOT coalesce(addon.user_disabled, FALSE)
            AND NOT coalesce(addon.foreign_install, FALSE)
    ] AS active_addons
FROM {relation} AS clients
WHERE
    client_id IS NOT NULL
    AND channel = 'release'
    AND app_name = 'Firefox'
    AND len(active_addons) BETWEEN 3 AND 99
