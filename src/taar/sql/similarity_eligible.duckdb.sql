-- SPDX-License-Identifier: MPL-2.0
-- Clients that are left with more than 2 add-ons. Source: taar-etl.md 5 step 2.
SELECT
    client_id,
    city,
    subsession_hours_sum,
    locale,
    os,
    bookmark_count,
    tab_open_count,
    total_uri,
    unique_tlds,
    active_addons
FROM ({sampled}) AS sampled
WHERE ARRAY_LENGTH(active_addons) > 2
