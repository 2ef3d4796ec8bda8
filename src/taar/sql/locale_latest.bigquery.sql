-- SPDX-License-Identifier: MPL-2.0
-- The latest row of each client; of several of one day, always the same one. Source: taar-etl.md 6.
SELECT
    client_id,
    locale,
    addons
FROM {rows} AS days
QUALIFY
    ROW_NUMBER() OVER (
        PARTITION BY client_id
        ORDER BY
            submission_date DESC,
            locale,
            ARRAY_TO_STRING(addons, ' ')
    ) = 1
