-- SPDX-License-Identifier: MPL-2.0
-- Clients of a day with an add-on. The product is an exact decimal, and halves are rounded away from
-- zero. Source: taar-etl.md 4, 9.
SELECT
    client_id,
    city AS geo_city,
    SAFE_CAST(SAFE_MULTIPLY(subsession_hours_sum, 3600) AS INT64) AS subsession_length,
    locale,
    os,
    active_addons,
    places_bookmarks_count_mean AS bookmark_count,
    scalar_parent_browser_engagement_tab_open_event_count_sum AS tab_open_count,
    scalar_parent_browser_engagement_total_uri_count_sum AS total_uri,
    scalar_parent_browser_engagement_unique_domains_count_mean AS unique_tlds
FROM {relation} AS clients
WHERE ARRAY_LENGTH(active_addons) > 0 {sample}
