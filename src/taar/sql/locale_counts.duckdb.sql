-- SPDX-License-Identifier: MPL-2.0
-- How many clients have each add-on of the whitelist, up to the limit a client. Every locale that
-- has an add-on of any kind has a row with guid null. Source: taar-etl.md 6.
WITH latest AS MATERIALIZED (
    SELECT
        client_id,
        locale,
        addons
    FROM ({latest}) AS all_clients
    WHERE locale <> 'null' AND len(addons) > 0
)

SELECT
    locale,
    guid,
    count(*) AS n
FROM
    (
        SELECT
            locale,
            guid,
            row_number() OVER (PARTITION BY client_id ORDER BY {turn}) AS in_turn
        FROM
            (
                SELECT
                    client_id,
                    locale,
                    unnest(addons) AS guid,
                    generate_subscripts(addons, 1) AS place
                FROM latest
            ) AS places
        WHERE guid IN ({whitelist})
    ) AS turns
WHERE in_turn <= {limit}
GROUP BY locale, guid
UNION ALL
SELECT DISTINCT
    locale,
    NULL,
    0
FROM latest
