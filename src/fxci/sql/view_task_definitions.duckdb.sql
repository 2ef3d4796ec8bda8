-- SPDX-License-Identifier: MPL-2.0
-- task_definitions_v1 keeps each key once itself. Source: fxci-etl.md 5.4.
SELECT *
FROM {table}
