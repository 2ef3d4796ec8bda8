/* sql.h - the texts of sql/, as scripts/embed-sql puts them into the program. */
#pragma once

#include "warehouse/warehouse.h"

extern const struct sql_text sql_worker_costs, sql_worker_usage, sql_run_costs;
extern const struct sql_text sql_view_tasks, sql_view_task_runs, sql_view_task_definitions,
    sql_view_worker_metrics, sql_view_worker_costs, sql_view_worker_usage, sql_view_task_run_costs;
extern const struct sql_text sql_report_costs, sql_orphan_runs, sql_missing_tasks;
/* DuckDB only; several statements each. */
extern const struct sql_text sql_billing_gcp, sql_billing_azure;
