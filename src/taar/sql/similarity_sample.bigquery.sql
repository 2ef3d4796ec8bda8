-- SPDX-License-Identifier: MPL-2.0
-- Clients with 3 to 99 add-ons of any kind, and of these the valid ones, in order. The whitelist is
-- looked up here, too, so that fewer rows travel. Source: taar-etl.md 5 steps 1 and 2.
SELECT
    submission_date,
    client_id,
    city,
    CAST(subsession_hours_sum AS STRING) AS subsession_hours_sum,
    locale,
    os,
    places_bookmarks_count_mean AS bookmark_count,
    scalar_parent_browser_engagement_tab_open_event_count_sum AS tab_open_count,
    scalar_parent_browser_engagement_total_uri_count_sum AS total_uri,
    scalar_parent_browser_engagement_unique_domains_count_mean AS unique_tlds,
    ARRAY(
        SELECT addon.addon_id
        FROM UNNEST(active_addons) AS addon WITH OFFSET AS place
        WHERE
            addon.addon_id IN ({whitelist})
            AND addon.type = 'extension'
            AND NOT IFNULL(addon.is_system, FALSE)
            AND NOT IFNULL(addon.app_disabled, FALSE)
            AND NOT IFNULL(addon.user_disabled, FALSE)
            AND NOT IFNULL(addon.foreign_install, FALSE)
        ORDER BY place
    ) AS active_addons
FROM {relation} AS clients
WHERE
    client_id IS NOT NULL
    AND channel = 'release'
    AND app_name = 'Firefox'
    AND ARRAY_LENGTH(active_addons) BETWEEN 3 AND 99
