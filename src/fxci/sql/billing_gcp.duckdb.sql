-- SPDX-License-Identifier: MPL-2.0
-- The days of a new export take the place of what was there of them. Source: fxci-etl.md X5.
DELETE FROM {gcp} WHERE usage_date IN (SELECT usage_date FROM {staged});
INSERT INTO {gcp} BY NAME SELECT * FROM {staged};
DROP TABLE {staged};
