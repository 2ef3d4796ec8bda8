-- SPDX-License-Identifier: MPL-2.0
-- A random order of a client's add-ons, the same one for the same seed in every warehouse. Source:
-- taar-etl.md 6.
md5(concat({seed}, client_id, ' ', CAST(place AS VARCHAR), ' ', guid)), place
