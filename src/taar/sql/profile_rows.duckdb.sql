-- SPDX-License-Identifier: MPL-2.0
-- The rows to export, in their order; nested add-ons as JSON, every field of theirs in its place.
SELECT
    client_id,
    geo_city,
    subsession_length,
    locale,
    os,
    CAST(to_json(active_addons) AS VARCHAR) AS active_addons,
    bookmark_count,
    tab_open_count,
    total_uri,
    unique_tlds
FROM {table}
