#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""fxci_sql.py COMMAND ... - data for fxci_sql.sh, and the comparison of what comes of it.

  make DIR SEED          write random exports, metrics, runs, tasks and older rows as NDJSON into DIR
  small DIR              write the three cases in which DuckDB and BigQuery differ by nature
  serve URL DIR          create the exports, nested, in BigQuery and put the rows of DIR into them
                         and into the tables of fxci_derived, which exist
  same FILE FILE         are these rows the same, floating numbers to 1e-9?
"""
import json
import math
import pathlib
import random
import sys
import urllib.request

PROJECT, DAY = "a-project", "2026-01-31"
WORKERS = ["fxci-production-level1-workers", "fxci-production-level3-workers"]
BATCH = 500
TABLES = ["worker_metrics_v1", "task_runs_v1", "tasks_v2", "worker_costs_v1", "worker_usage_v1"]
AZURE = ["fxci_daily_actual_load", "fxci_daily_actual_lookup",
         "taskcluster_daily_actual_load", "taskcluster_daily_actual_lookup"]


def columns(text, **records):
    plain = [{"name": n, "type": t, "mode": "NULLABLE"}
             for n, t in (word.split(":") for word in text.split())]
    return plain + [{"name": n, "type": "RECORD", "fields": columns(t.lstrip("*")),
                     "mode": "REPEATED" if t.startswith("*") else "NULLABLE"}
                    for n, t in records.items()]


GCP_COLUMNS = columns("usage_start_time:TIMESTAMP cost:FLOAT", project="id:STRING",
                      resource="name:STRING global_name:STRING", credits="*amount:FLOAT")
LOAD_COLUMNS = columns("sourceDataId:STRING subscriptionName:STRING date:DATE ResourceId:STRING "
                       "resourceLocation:STRING costInBillingCurrency:FLOAT quantity:FLOAT "
                       "chargeType:STRING meterCategory:STRING unitOfMeasure:STRING")
LOOKUP_COLUMNS = columns("sourceDataId:STRING")


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def read(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


class Maker:
    """Few zones, machines and ids, so that rows meet; NULL and letter cases anywhere."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.zones = ["us-a", "US-A", "eastus2", "EastUS2", None]
        self.ids = ["1", "22", "vm-a", "VM-A", "vm-ä", "vm-Ä", None]

    def one(self, *values):
        return self.random.choice(values)

    def number(self, low, high):
        return None if self.random.random() < 0.1 else round(self.random.uniform(low, high), 6)

    def day(self):
        return self.one(DAY, DAY, "2026-01-30", "2026-01-01", "2025-12-31", "2026-02-01")

    def time(self):
        return (f"{self.day()}T{self.one('00:00:00', '23:59:59', '12:30:15')}"
                f"{self.one('', '.000001', '.5', '.999999')}Z")

    def gcp(self):
        place = "".join([self.one("//compute/projects/1", "x", ""),
                         self.one("/zones/us-a", "/zones/", "/zones/US-A/zones/b", ""),
                         self.one("/instances/1", "/instances/22/more", "/instances/", "/disks/1")])
        amounts = [self.number(-1, 0) for _ in range(self.random.randrange(4))]
        return {"project": {"id": self.one(*WORKERS, "other", None)},
                "resource": self.one(None, {"name": self.one("w", None, "a/instances/w",
                                                              "/instances/", "l\n/instances/e\nf"),
                                            "global_name": self.one(place, place, None)}),
                "usage_start_time": self.time(), "cost": self.number(0, 2),
                "credits": [{"amount": amount} for amount in amounts]}

    def azure(self):
        export = self.one("fxci", "taskcluster")
        if self.random.random() < 0.1:
            return {"table": f"{export}_daily_actual_lookup",
                    "row": {"sourceDataId": self.one("S1", "S2", "S3")}}
        path = "".join([self.one("/subscriptions/1", ""),
                        self.one("/virtualMachines/", "/virtualmachines/", "/VIRTUALMACHINES/"),
                        self.one("vm-a", "VM-A", "vm-ä", "build", "vm-a/", "vm-a/extensions/e",
                                 "vm-a/virtualMachines/b")])
        return {"table": f"{export}_daily_actual_load",
                "row": {"sourceDataId": self.one("S1", "S2", "S3", "S4", None),
                        "subscriptionName": self.one("Sub", "Other", None), "date": self.day(),
                        "ResourceId": self.one(path, path, path, None),
                        "resourceLocation": self.one("eastus2", "EastUS2", None),
                        "costInBillingCurrency": self.number(0, 2), "quantity": self.number(0, 30),
                        "chargeType": self.one("Usage", "Usage", "usage", "Purchase", None),
                        "meterCategory": self.one("Virtual Machines", "Storage", None),
                        "unitOfMeasure": self.one("1 Hour", "1 Hour", "1 GB", None)}}

    def metric(self, number):
        return {"submission_date": self.day(), "instance_id": self.one("1", "22", "333"),
                "project": self.one(*WORKERS), "zone": self.one("us-a", "US-A"),
                "uptime": self.number(0, 3600),
                "interval_start_time": f"2026-01-31T00:{number // 60 % 60:02}:{number % 60:02}Z",
                "interval_end_time": "2026-01-31T23:59:59Z"}

    def run(self, number):
        start, seconds = self.random.randrange(60), self.random.randrange(60)
        fraction = [self.one("", ".1", ".000001", ".999999") for _ in range(2)]
        return {"submission_date": self.day(), "task_id": f"T{number // 2}", "run_id": number % 2,
                "reason_created": "scheduled", "reason_resolved": "completed", "state": "completed",
                "scheduled": "2026-01-30T00:00:00Z",
                "started": self.one(None, *[f"2026-01-30T01:{start:02}:00{fraction[0]}Z"] * 5),
                "resolved": f"2026-01-30T01:{min(start + 10, 59):02}:{seconds:02}{fraction[1]}Z",
                "worker_group": self.one(*self.zones), "worker_id": self.one(*self.ids)}

    def task(self, number):
        return {"submission_date": self.day(), "task_id": f"T{number}", "scheduler_id": "s",
                "task_group_id": f"G{number % 7}", "task_queue_id": f"q/{number % 5}",
                "tags": {"project": self.one("try", "autoland", None)}}

    def worker(self):
        """A STRING_AGG(DISTINCT) of nothing but NULL ends the emulator's query: none in projects
        and methods."""
        return {"cloud_provider": self.one("gcp", "azure", "aws", None),
                "project": self.one(*WORKERS, "Sub", "other"), "zone": self.one(*self.zones),
                "instance_id": self.one(*self.ids), "usage_start_date": self.day()}

    def cost(self):
        return {**self.worker(), "name": self.one("n", "m", None), "total_cost": self.number(0, 5)}

    def usage(self):
        return {**self.worker(), "uptime": self.number(-10, 2000),
                "attribution_method": self.one("m1", "m2")}


def make(place, seed):
    maker = Maker(int(seed))
    write(place / "gcp", [maker.gcp() for _ in range(600)])
    write(place / "azure", [maker.azure() for _ in range(600)] +
          [{"table": AZURE[1], "row": {"sourceDataId": "S1"}}] * 3)
    write(place / "worker_metrics_v1", [maker.metric(n) for n in range(200)])
    write(place / "task_runs_v1", [maker.run(n) for n in range(300)])
    write(place / "tasks_v2", [maker.task(n) for n in range(120)])
    costs = {json.dumps([row.get(k) for k in ("usage_start_date", "cloud_provider", "project",
                                              "name", "zone", "instance_id")]): row
             for row in (maker.cost() for _ in range(400)) if row["usage_start_date"] != DAY}
    usage = {json.dumps([row.get(k) for k in ("usage_start_date", "cloud_provider", "project",
                                              "zone", "instance_id", "attribution_method")]): row
             for row in (maker.usage() for _ in range(400)) if row["usage_start_date"] != DAY}
    write(place / "worker_costs_v1", costs.values())
    write(place / "worker_usage_v1", usage.values())


def small(place):
    """A provider of NULL beside gcp, a path that does not match, half seconds at both ends."""
    worker = {"project": WORKERS[0], "zone": "z", "instance_id": "i",
              "usage_start_date": "2026-01-15"}
    write(place / "gcp", [{"project": {"id": WORKERS[0]}, "usage_start_time": f"{DAY}T01:00:00Z",
                           "resource": {"name": None, "global_name": "no/instances/1"},
                           "cost": 1, "credits": []}])
    write(place / "azure", [])
    write(place / "worker_metrics_v1", [])
    write(place / "tasks_v2", [])
    write(place / "worker_costs_v1", [{**worker, "cloud_provider": p, "name": "n", "total_cost": 1}
                                      for p in (None, "gcp")])
    write(place / "worker_usage_v1", [{**worker, "cloud_provider": "gcp", "uptime": 1000,
                                       "attribution_method": "m"}])
    write(place / "task_runs_v1", [{
        "submission_date": DAY, "task_id": "T", "run_id": 0, "state": "completed",
        "scheduled": f"{DAY}T00:00:00Z", "started": f"{DAY}T01:00:00.9Z",
        "resolved": f"{DAY}T01:00:10.1Z", "worker_group": "z", "worker_id": "i"}])


def call(url, method, path, body=None):
    request = urllib.request.Request(
        f"{url}/bigquery/v2/projects/{PROJECT}{path}", method=method,
        data=json.dumps(body).encode() if body else None,
        headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def insert(url, dataset, table, rows):
    for start in range(0, len(rows), BATCH):
        answer = call(url, "POST", f"/datasets/{dataset}/tables/{table}/insertAll",
                      {"rows": [{"json": row} for row in rows[start:start + BATCH]]})
        if "insertErrors" in answer:
            sys.exit(f"{table}: {answer['insertErrors'][:2]}")


def create(url, table, fields, rows):
    call(url, "POST", "/datasets/billing/tables", {
        "tableReference": {"projectId": PROJECT, "datasetId": "billing", "tableId": table},
        "schema": {"fields": fields}})
    insert(url, "billing", table,
           [{field["name"]: row.get(field["name"]) for field in fields} for row in rows])


def serve(url, place):
    call(url, "POST", "/datasets",
         {"datasetReference": {"projectId": PROJECT, "datasetId": "billing"}})
    create(url, "gcp", GCP_COLUMNS, read(place / "gcp"))
    azure = read(place / "azure")
    for table in AZURE:
        create(url, table, LOAD_COLUMNS if table.endswith("load") else LOOKUP_COLUMNS,
               [line["row"] for line in azure if line["table"] == table])
    for table in TABLES:
        insert(url, "fxci_derived", table, read(place / table))


def key(row):
    return [(value is not None, str(value)) for name, value in sorted(row.items())
            if not isinstance(value, float)]


def alike(a, b):
    if isinstance(a, float) or isinstance(b, float):
        return a is not None and b is not None and math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12)
    return a == b


def same(one, other):
    a, b = sorted(read(one), key=key), sorted(read(other), key=key)
    print(f"{len(a)} and {len(b)} rows")
    different = [(x, y) for x, y in zip(a, b)
                 if x.keys() != y.keys() or not all(alike(x[name], y[name]) for name in x)]
    for x, y in different[:3]:
        print(x, y, sep="\n")
    return 0 if a and len(a) == len(b) and not different else 1


def main():
    command, *words = sys.argv[1:]
    if command == "same":
        return same(*words)
    if command == "serve":
        return serve(words[0], pathlib.Path(words[1]))
    place = pathlib.Path(words[0])
    place.mkdir(exist_ok=True)
    return make(place, words[1]) if command == "make" else small(place)


sys.exit(main())
