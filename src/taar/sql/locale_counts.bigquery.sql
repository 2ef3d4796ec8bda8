-- SPDX-License-Identifier: MPL-2.0
-- How many clients have each add-on of the whitelist, up to the limit a client. Every locale that
-- has an add-on of any kind has a row, with guid null where none counts. Telemetry is scanned once:
-- BigQuery would scan it for each mention of a common table. Source: taar-etl.md 6.
SELECT
    locale,
    CASE WHEN listed AND in_turn <= {limit} THEN guid END AS guid,
    COUNT(*) AS n
FROM
    (
        SELECT
            locale,
            guid,
            listed,
            ROW_NUMBER() OVER (PARTITION BY client_id, listed ORDER BY {turn}) AS in_turn
        FROM
            (
                SELECT
                    client_id,
                    locale,
                    guid,
                    place + 1 AS place,
                    guid IN ({whitelist}) AS listed
                FROM
                    ({latest}) AS latest,
                    UNNEST(addons) AS guid WITH OFFSET AS place
                WHERE locale <> 'null'
            ) AS addons
    ) AS turns
GROUP BY 1, 2
