-- SPDX-License-Identifier: MPL-2.0
-- BigQuery puts twelve digits in place of the star. Source: taar-etl.md 4.
EXPORT DATA OPTIONS (uri = {uri}, format = 'AVRO', overwrite = TRUE) AS
SELECT * FROM {table}
