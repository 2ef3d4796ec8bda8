-- SPDX-License-Identifier: MPL-2.0
-- task_definitions_v1 keeps each key once itself. Source: fxci-etl.md 5.4.
-- The warehouse's own column of hashes is not among a view's.
SELECT * NOT LIKE 'row_key(%'
FROM {table}
