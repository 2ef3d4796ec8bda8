/* sql.h - the texts of sql/, as scripts/embed-sql puts them into the program. */
#pragma once

#include "warehouse/warehouse.h"

extern const struct sql_text sql_similarity_sample, sql_similarity_latest, sql_similarity_eligible;
