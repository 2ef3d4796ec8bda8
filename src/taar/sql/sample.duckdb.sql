-- SPDX-License-Identifier: MPL-2.0
-- A share of the clients, the same ones for the same seed in every warehouse. Source: taar-etl.md 9.
AND substr(md5(concat({seed}, client_id)), 1, 16) < {limit}
