/* sql.h - the texts of sql/, as scripts/embed-sql puts them into the program. */
#pragma once

#include "warehouse/warehouse.h"

extern const struct sql_text sql_similarity_sample, sql_similarity_latest, sql_similarity_eligible;
/* lite_lists: DuckDB only; lite_pairs: BigQuery only. */
extern const struct sql_text sql_lite_lists, sql_lite_pairs;
extern const struct sql_text sql_sample, sql_ranking, sql_ranking_clients;
extern const struct sql_text sql_locale_rows, sql_locale_latest, sql_locale_counts,
    sql_locale_random;
/* profile_rows: DuckDB only; profile_export: BigQuery only. */
extern const struct sql_text sql_profile_fill, sql_profile_rows, sql_profile_export;
