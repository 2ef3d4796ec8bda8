#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""taar_telemetry.py URL PROJECT DATASET TABLE FILE - create a table of client telemetry in BigQuery
and put the rows of FILE, one JSON object a line, into it: clients_daily, or pings with an add-on a row.
Source: taar-etl.md section 2, 7.2."""
import json
import sys
import urllib.request

BATCH = 100
STRINGS = "client_id channel normalized_channel app_name locale city os"
PING = "document_id client_id addon_id"
ADDON = [("addon_id", "STRING"), ("blocklisted", "BOOL"), ("name", "STRING"), ("user_disabled", "BOOL"),
         ("app_disabled", "BOOL"), ("version", "STRING"), ("scope", "INT64"), ("type", "STRING"),
         ("foreign_install", "BOOL"), ("has_binary_components", "BOOL"), ("install_day", "INT64"),
         ("update_day", "INT64"), ("signed_state", "INT64"), ("is_system", "BOOL"),
         ("is_web_extension", "BOOL"), ("multiprocess_compatible", "BOOL")]
COLUMNS = [("submission_date", "DATE")] + [(name, "STRING") for name in STRINGS.split()] + [
    ("subsession_hours_sum", "NUMERIC"), ("places_bookmarks_count_mean", "FLOAT64"),
    ("scalar_parent_browser_engagement_unique_domains_count_mean", "FLOAT64"),
    ("scalar_parent_browser_engagement_tab_open_event_count_sum", "INT64"),
    ("scalar_parent_browser_engagement_total_uri_count_sum", "INT64")]


def field(name, kind, **more):
    return {"name": name, "type": kind, "mode": "NULLABLE", **more}


def call(url, path, body):
    request = urllib.request.Request(url + path, json.dumps(body).encode(), method="POST",
                                     headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def main():
    url, project, dataset, table, file = sys.argv[1:]
    base = f"{url}/bigquery/v2/projects/{project}/datasets"
    call(base, "", {"datasetReference": {"projectId": project, "datasetId": dataset}})
    with open(file, encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    fields = [field("submission_date", "DATE")] + [field(name, "STRING") for name in PING.split()]
    if "addon_id" not in rows[0]:
        addons = field("active_addons", "RECORD", fields=[field(*column) for column in ADDON])
        addons["mode"] = "REPEATED"
        fields = [field(*column) for column in COLUMNS] + [addons]
        for row in rows:
            row["active_addons"] = row["active_addons"] or []
    call(base, f"/{dataset}/tables",
         {"tableReference": {"projectId": project, "datasetId": dataset, "tableId": table},
          "schema": {"fields": fields}})
    for i in range(0, len(rows), BATCH):
        answer = call(base, f"/{dataset}/tables/{table}/insertAll",
                      {"rows": [{"json": row} for row in rows[i:i + BATCH]]})
        if answer.get("insertErrors"):
            sys.exit(f"not inserted: {answer['insertErrors'][:1]}")


main()
