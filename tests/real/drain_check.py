#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""drain_check - what the tests of `pulse drain` on real servers share.

    drain_check.py vectors BUILD ROOT [OPTION...]     do the tables and the state hold what the vectors say?
    drain_check.py messages KIND FIRST N [FAILING]    N messages of runs on standard output; every FAILING-th
                                                      cannot be mapped
    drain_check.py counts LOG                         do the counts in the log of one run add up?
    drain_check.py rows BUILD N [OPTION...]           N runs, each once, and N tasks
    drain_check.py hold FILE SECONDS                  keep others off a DuckDB file
    drain_check.py run LIMIT COMMAND...               run it; its seconds and its largest memory, MiB, go to
                                                      standard error; exit 1 above LIMIT MiB
OPTIONs are those of `fxci-etl dump`.
"""
import datetime
import fcntl
import json
import pathlib
import re
import resource
import subprocess
import sys
import time

TABLES = {"tasks_v2": ("task_id",), "task_runs_v1": ("task_id", "run_id"), "task_definitions_v1": ("taskId",)}
PREFIX = "exchange/taskcluster-queue/v1/"
NOW = "2026-08-20T04:30:00Z"
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z$")


def lines_of(build, *words):
    done = subprocess.run([f"{build}/fxci-etl", *words], capture_output=True, encoding="utf-8", check=False)
    if done.returncode != 0:
        sys.exit(f"{words}: {done.returncode}: {done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def dump(build, table, options):
    return lines_of(build, "dump", table, "--format", "ndjson", *options)


def plain(value):
    """Equal where the same instant is meant."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, str) and INSTANT.match(value):
        return datetime.datetime.fromisoformat(value.replace("Z", "+00:00")).isoformat()
    return value


def compare_tables(build, vectors, options):
    want = json.loads((vectors / "expected-small.json").read_text(encoding="utf-8"))
    want.update(json.loads((vectors / "expected-taskdefs.json").read_text(encoding="utf-8")))
    for table, key in TABLES.items():
        def place(row, key=key):
            return [row[name] for name in key]
        got = sorted(map(plain, dump(build, table, options)), key=place)
        wanted = sorted(map(plain, want[table]), key=place)
        assert list(map(place, got)) == list(map(place, wanted)), (table, len(got), len(wanted))
        for one, other in zip(got, wanted):
            assert one == other, (table, one, other)
    return want


def compare_state(build, vectors, want, options):
    messages = [json.loads(line) for line in (vectors / "messages-small.ndjson").open(encoding="utf-8")]
    listed = lines_of(build, "failed", "list", *options)
    def text(kind, key):
        return sorted(json.dumps([entry[name] for name in key], sort_keys=True)
                      for entry in listed if entry["kind"] == kind)
    failed = [messages[number - 1] for number in want["failed_lines"]]
    assert text("event", ("exchange", "routing_key", "body")) == sorted(
        json.dumps([m["exchange"], m["routingKey"], m["payload"]], sort_keys=True) for m in failed), listed
    assert text("pending-id", ("body",)) == sorted(json.dumps([i]) for i in want["missing_task_ids"]), listed
    assert len(listed) == len(failed) + len(want["missing_task_ids"]), listed


def vectors_hold(build, root, *options):
    vectors = pathlib.Path(root) / "tests/vectors/fxci"
    want = compare_tables(build, vectors, options)
    compare_state(build, vectors, want, options)


def message(kind, number, is_failing):
    task = f"{number:021d}A"
    run = {"runId": 0, "state": "completed", "reasonCreated": "scheduled", "reasonResolved": "completed",
           "workerGroup": "us-central1-a", "workerId": "4182740955201873361", "takenUntil": "2026-08-20T02:52:18.286Z",
           "scheduled": "2026-08-20T02:00:29.989Z", "started": "2026-08-20T02:03:30.104Z",
           "resolved": "2026-08-20T02:35:18.286Z"}
    status = {"taskId": task, "provisionerId": "gecko-t", "workerType": "t-linux-docker-noscratch-amd",
              "taskQueueId": "gecko-t/t-linux-docker-noscratch-amd", "schedulerId": "gecko-level-1",
              "projectId": "none", "taskGroupId": "SGJlGoi3RaWlTDllb0PxoA", "priority": "low",
              "deadline": "2026-08-21T09:30:00.000Z", "expires": "2027-08-20T04:30:00.000Z", "retriesLeft": 5,
              "state": "completed", "runs": 17 if is_failing else [run]}
    tags = {"createdForUser": "dev@example.org", "kind": "test", "os": "linux", "trust-domain": "gecko",
            "worker-implementation": "docker-worker", "label": f"test-linux1804-64/opt-{number}"}
    return {"exchange": PREFIX + kind, "routingKey": f"primary.{task}.0.us-central1-a.1.gecko-t.t-linux._",
            "payload": {"version": 1, "runId": 0, "workerGroup": "us-central1-a", "workerId": "4182740955201873361",
                        "status": status, "task": {"tags": tags}}}


def messages(kind, first, n, failing="0"):
    for number in range(int(first), int(first) + int(n)):
        is_failing = int(failing) > 0 and number % int(failing) == 0
        print(json.dumps(message(kind, number, is_failing), separators=(",", ":")))


def counts(path):
    text = pathlib.Path(path).read_text(encoding="utf-8")
    def numbers(line):
        return {key: int(value) for key, value in re.findall(r" (\w+)=(\d+)(?= |$)", line)}
    queues = [numbers(line) for line in re.findall(r"drained (queue=.*)", text)]
    totals = [numbers(" " + line) for line in re.findall(r": total (.*)", text)]
    assert len(totals) == 1, text
    parts = ("runs", "ids", "ignored", "failed")
    for each in [*queues, *totals]:
        assert each["taken"] == sum(each[part] for part in parts), each
    for part in ("taken", *parts):
        assert totals[0][part] == sum(queue[part] for queue in queues), (part, text)


def rows(build, n, *options):
    runs = [(row["task_id"], row["run_id"]) for row in dump(build, "task_runs_v1", options)]
    tasks = [row["task_id"] for row in dump(build, "tasks_v2", options)]
    assert len(runs) == len(set(runs)) == int(n), (len(runs), len(set(runs)))
    assert len(tasks) == len(set(tasks)) == int(n), (len(tasks), len(set(tasks)))


def hold(path, seconds):
    with open(f"{path}.lock", "a+", encoding="ascii") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)
        print("held", flush=True)
        time.sleep(float(seconds))


def run(limit, *command):
    began = time.monotonic()
    status = subprocess.run(command, check=False).returncode
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    print(f"{time.monotonic() - began:.1f} s, {peak} MiB", file=sys.stderr)
    sys.exit(status or int(peak > int(limit)))


COMMANDS = {"vectors": vectors_hold, "messages": messages, "counts": counts, "rows": rows, "hold": hold, "run": run}

if __name__ == "__main__":
    COMMANDS[sys.argv[1]](*sys.argv[2:])
