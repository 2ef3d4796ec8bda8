-- SPDX-License-Identifier: MPL-2.0
-- The latest row of each client; of several of one day, always the same one. Source: taar-etl.md 5
-- step 1 (G1), Y11.
SELECT *
FROM ({sample}) AS sample
QUALIFY
    ROW_NUMBER() OVER (
        PARTITION BY client_id
        ORDER BY
            submission_date DESC,
            subsession_hours_sum,
            city,
            locale,
            os,
            bookmark_count,
            tab_open_count,
            total_uri,
            unique_tlds,
            TO_JSON_STRING(active_addons)
    ) = 1
