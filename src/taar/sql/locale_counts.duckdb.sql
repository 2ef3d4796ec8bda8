-- SPDX-License-Identifier: MPL-2.0
-- How many clients have each add-on of the whitelist, up to the limit a client. Every locale
-- that has an add-on of any kind has a row, with guid null if need be. Source: taar-etl.md 6.
SELECT
    locale,
    CASE WHEN listed AND in_turn <= {limit} THEN guid END AS guid,
    count(*) AS n
FROM
    (
        SELECT
            locale,
            guid,
            listed,
            row_number() OVER (PARTITION BY client_id, listed ORDER BY {turn}) AS in_turn
        FROM
            (
                SELECT
                    client_id,
                    locale,
                    guid,
                    place,
                    guid IN ({whitelist}) AS listed
                FROM
                    (
                        SELECT
                            client_id,
                            locale,
                            unnest(addons) AS guid,
                            generate_subscripts(addons, 1) AS place
                        FROM ({latest}) AS latest
                        WHERE locale <> 'null'
                    ) AS places
            ) AS addons
    ) AS turns
GROUP BY 1, 2
