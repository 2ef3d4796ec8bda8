-- SPDX-License-Identifier: MPL-2.0
-- Days and snapshots of a new export take the place of what was there of them; of the look-up go the
-- snapshots that have new rows, and come those that the file names. Source: fxci-etl.md X5.
DELETE FROM {azure} AS old
WHERE
    NOT old.is_lookup
    AND EXISTS (
        SELECT 1
        FROM {staged} AS fresh
        WHERE
            NOT fresh.is_lookup
            AND fresh.export = old.export
            AND fresh.usage_date = old.usage_date
    );
DELETE FROM {azure} AS old
WHERE EXISTS (
    SELECT 1
    FROM {staged} AS fresh
    WHERE
        fresh.export = old.export
        AND fresh.source_data_id = old.source_data_id
        AND (old.is_lookup OR NOT fresh.is_lookup)
);
INSERT INTO {azure} BY NAME SELECT * FROM {staged} WHERE NOT is_lookup;
INSERT INTO {azure} BY NAME SELECT DISTINCT * FROM {staged} WHERE is_lookup;
DROP TABLE {staged};
