-- SPDX-License-Identifier: MPL-2.0
-- tasks_v2 keeps each key once itself. Source: fxci-etl.md 5.4.
SELECT *
FROM {table}
