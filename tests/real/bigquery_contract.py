#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""bigquery_contract PORT - the part of BigQuery's REST API that the warehouse uses, strictly.

The emulators lack partition decorators, repeated job ids, resumable uploads in several chunks, quota
errors, rows that are refused one by one, required partition filters and tokens. This server refuses what BigQuery refuses, as the public reference says:
https://cloud.google.com/bigquery/docs/reference/rest, .../reference/api-uploads, .../error-messages.

It holds any number of worlds side by side: the first part of a path names one, and the words in that
name, separated by "-", are the trouble in it:

  ratelimit    every first call of a method and path ends with 403 rateLimitExceeded
  quota        jobs end with 403 quotaExceeded
  lost         the answer to the end of an upload, and to a query job, never arrives
  halfway      of a chunk only 256 KiB arrive
  gone         the first session of an upload is forgotten
  breaks       the first chunk breaks the connection
  large        uploads are refused with 413
  backend      the first job fails with backendError
  slow         jobs are pending for some time
  token        a token is needed; the first one dies after three calls
  elsewhere    sessions lie on another server
  short        answers have pages of 100 rows
  huge         answers of rows exceed what BigQuery keeps without a table for them
  eu           datasets lie in the EU, where jobs are found only with their location
  quotaonce    the first job ends with 403 quotaExceeded
  unavailable  every first call of a method and path ends with 503
  small        uploads of more than 2000 bytes are refused with 413
  unnamed      what a load refuses is not placed
  lines        it is placed by its line, not by its first byte
  new          the first job that names a table does not know it yet
  expires      the first staging table ends as soon as it is loaded
  drops        the first staging table ends once a MERGE has read it and its answer is lost
  serialize    the first MERGE meets another one
  fast         somebody else creates each table between our look and our attempt
  noruns       MERGEs into task_runs_v1 are denied, until POST /WORLD/allow
  stopped      see below

A text that holds "refuse me" is refused by loads, as a value would be that BigQuery cannot store.

In a world "stopped", POST /WORLD/stop?at=N&before=B makes the N-th call from now on hang, before or after
it took effect; GET /WORLD/stopped says whether one hangs; POST /WORLD/go ends all that. POST /WORLD/expire
ends all tables that have an end.
"""
import base64
import datetime
import http.server
import json
import re
import sys
import threading
import time
import urllib.parse

STEP = 256 << 10
JOB_ID = re.compile(r"[A-Za-z0-9_-]{1,1024}$")
SCAN = re.compile(r"SELECT (?P<what>.+) FROM `(?P<p>[^`]+)`\.`(?P<d>[^`]+)`\.`(?P<t>[^`]+)`"
                  r"(?: WHERE (?:`(?P<part>\w+)` = DATE '(?P<date>[0-9-]+)'"
                  r"|\(`(?P<all>\w+)` >= DATE '0001-01-01' OR `(?P=all)` IS NULL\)))?"
                  r"(?: ORDER BY (?P<order>.+))?$")
DELETE = re.compile(r"(?:TRUNCATE TABLE|DELETE FROM) `[^`]+`\.`(?P<d>[^`]+)`\.`(?P<t>[^`]+)`"
                    r"(?: WHERE `(?P<part>\w+)` = DATE '(?P<date>[0-9-]+)')?$")
MERGE = re.compile(r"MERGE `[^`]+`\.`(?P<d>[^`]+)`\.`(?P<t>[^`]+)` AS t USING `[^`]+`\.`(?P<sd>[^`]+)`\.`(?P<s>[^`]+)` "
                   r"AS s ON (?P<on>.+) WHEN NOT MATCHED THEN INSERT \((?P<names>.+)\) VALUES \((?P<values>.+)\)$")
EQUAL = re.compile(r"t\.`(\w+)` = s\.`\1`$")
EQUAL_OR_NULL = re.compile(r"IFNULL\(CAST\(t\.`(\w+)` AS STRING\), ''\) = IFNULL\(CAST\(s\.`\1` AS STRING\), ''\)$")
BOTH_NULL = re.compile(r"\(t\.`(\w+)` IS NULL\) = \(s\.`\1` IS NULL\)$")
SINCE = re.compile(r"t\.`(\w+)` >= DATE '([0-9-]+)'$")
SINCE_OR_NULL = re.compile(r"\(t\.`(\w+)` >= DATE '([0-9-]+)' OR t\.`\1` IS NULL\)$")
DROP = re.compile(r"DROP TABLE (\w+)\.(\w+)$")
VIEW = re.compile(r"CREATE OR REPLACE VIEW `[^`]+`\.`(?P<d>[^`]+)`\.`(?P<t>[^`]+)` AS (?P<select>.+)$", re.S)
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
lock = threading.Lock()
worlds = {}


class Refusal(Exception):
    def __init__(self, code, reason, message):
        super().__init__(message)
        self.code, self.reason = code, reason


class JobFailure(Exception):
    def __init__(self, reason, message, details=()):
        super().__init__(message)
        self.reason, self.details = reason, details


class World:
    def __init__(self, name):
        self.troubles = set(name.split("-"))
        self.datasets, self.tables, self.jobs, self.sessions = {}, {}, {}, {}
        self.once, self.calls_with_token, self.tokens = set(), 0, 0
        self.calls_left, self.stop_before, self.hanging, self.gate = None, False, False, threading.Event()

    def first(self, what):
        new = what not in self.once
        self.once.add(what)
        return new

    def has(self, trouble):
        return trouble in self.troubles

    @property
    def location(self):
        return "EU" if self.has("eu") else "US"


def want(condition, message):
    if not condition:
        raise Refusal(400, "invalid", message)


def known(mapping, key, what):
    if key not in mapping:
        raise Refusal(404, "notFound", f"Not found: {what} {key}")
    return mapping[key]


def unreadable(detail):
    raise JobFailure("invalid", "Error while reading data, error message: JSON table encountered too many "
                     "errors, giving up. Rows: 1; errors: 1. Please look into the errors[] collection for more "
                     "details.", [detail])


def check_text(value, name):
    if not isinstance(value, str):
        unreadable(f"Could not convert value to string. Field: {name}")
    if "refuse me" in value:
        unreadable(f"Could not parse '{value}' for field {name}")
    return value


def check_nested(field, value):
    """Lists and records, as answers show them."""
    name = field["name"]
    if field["mode"] == "REPEATED":
        if not isinstance(value, list):
            unreadable(f"Nonarray specified for repeated field: {name}.")
        return [{"v": check_text(item, name)} for item in value]
    if not isinstance(value, dict) or set(value) - {part["name"] for part in field["fields"]}:
        unreadable(f"No such field: {name}.{list(value)}")
    return {"f": [{"v": None if value.get(part["name"]) is None else check_text(value[part["name"]], name)}
                  for part in field["fields"]]}


def check_value(field, value):
    """As NDJSON loads read it. Returns what answers show."""
    kind, name = field["type"], field["name"]
    patterns = {"DATE": r"\d{4}-\d\d-\d\d$", "DATETIME": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?$",
                "TIMESTAMP": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$"}
    if field["mode"] == "REPEATED" or kind == "RECORD":
        return check_nested(field, value)
    if kind == "STRING":
        return check_text(value, name)
    if kind == "INTEGER" and type(value) is int and -2**63 <= value < 2**63:
        return str(value)
    if kind == "FLOAT64" and (type(value) in (int, float) or value in ("NaN", "Infinity", "-Infinity")):
        return repr(float(value))
    if kind == "BOOLEAN" and isinstance(value, bool):
        return str(value).lower()
    if kind == "JSON":
        return json.dumps(value)
    if kind in patterns and isinstance(value, str) and re.match(patterns[kind], value):
        if kind != "TIMESTAMP":
            return value
        moment = datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
        return str((moment - EPOCH) // datetime.timedelta(microseconds=1))
    return unreadable(f"Could not parse '{value}' as {kind} for field {name}")


def read_row(fields, row):
    for name in row:
        if name not in fields:
            unreadable(f"No such field: {name}.")
    for name, field in fields.items():
        if field["mode"] == "REQUIRED" and row.get(name) is None:
            unreadable(f"Missing required field: {name}.")
        if field["mode"] == "REPEATED" and name in row and row[name] is None:
            unreadable(f"Only optional fields can be set to NULL. Field: {name}; Value: NULL")
    return {name: ([] if field["mode"] == "REPEATED" else None) if row.get(name) is None
            else check_value(field, row[name]) for name, field in fields.items()}


def read_rows(world, table, data):
    """The first row that cannot be read is named, by its place."""
    fields = {field["name"]: field for field in table["schema"]["fields"]}
    rows, position = [], 0
    for number, line in enumerate(data.split(b"\n"), 1):
        if len(line) > 100 * 1000 * 1000:
            raise JobFailure("invalid", "Row size is larger than: 104857600.")
        try:
            if line:
                rows.append(read_row(fields, json.loads(line)))
        except JobFailure as failure:
            place = f"JSON parsing error in row starting at position {position}: "
            if world.has("lines"):
                place = f"File: 0 / Line:{number} / Field:2: "
            failure.details = [("" if world.has("unnamed") else place) + failure.details[0]]
            raise
        position += len(line) + 1
    return rows


def layout_of(table):
    time = table.get("timePartitioning")
    return time and {"type": time["type"], "field": time["field"]}, table.get("clustering")


def is_unknown_yet(world, key):
    return world.has("new") and world.first(("new", key))


def load(world, configuration, data):
    want(configuration.get("sourceFormat") == "NEWLINE_DELIMITED_JSON", "sourceFormat")
    want(configuration.get("createDisposition") == "CREATE_NEVER", "createDisposition")
    target = configuration["destinationTable"]
    name, _, decorator = target["tableId"].partition("$")
    key = (target["datasetId"], name)
    if key not in world.tables or is_unknown_yet(world, key):
        raise JobFailure("notFound", f"Not found: Table {key}")
    table = world.tables[key]
    time, clustering = layout_of(table)
    if decorator and (not time or not re.match(r"\d{8}$", decorator)):
        raise JobFailure("invalid", "Invalid partition decorator")
    if (configuration.get("timePartitioning"), configuration.get("clustering")) != (time, clustering):
        raise JobFailure("invalid", f"Incompatible table partitioning specification. Expected {time} {clustering}")
    rows = read_rows(world, table, data)
    if decorator:
        day = f"{decorator[:4]}-{decorator[4:6]}-{decorator[6:]}"
        if any(row[time["field"]] != day for row in rows):
            raise JobFailure("invalid", "Some rows belong to different partitions rather than "
                             f"destination partition {decorator}")
        kept = [row for row in table["rows"] if row[time["field"]] != day]
    else:
        kept = []
    if configuration["writeDisposition"] == "WRITE_APPEND":
        kept = table["rows"]
    table["rows"] = kept + rows
    if world.has("expires") and "expirationTime" in table and world.first("expires"):
        del world.tables[key]
    return {"load": {"outputRows": str(len(rows))}}


def table_of(world, dataset, name):
    if (dataset, name) not in world.tables or is_unknown_yet(world, (dataset, name)):
        raise JobFailure("notFound", f"Not found: Table {dataset}.{name}")
    return world.tables[(dataset, name)]


def need_filter(table, column, name):
    if table.get("requirePartitionFilter") and column != table["timePartitioning"]["field"]:
        raise JobFailure("invalidQuery", f"Cannot query over table '{name}' without a filter over column(s) "
                         f"'{table['timePartitioning']['field']}' that can be used for partition elimination")


def read_condition(text):
    """Returns the columns that are equal, those that may both be null, and the oldest partition."""
    plain, nullable, both_null, since, with_null = [], [], [], (None, None), False
    for term in text.split(" AND "):
        equal, equal_or_null = EQUAL.match(term), EQUAL_OR_NULL.match(term)
        after, after_or_null = SINCE.match(term), SINCE_OR_NULL.match(term)
        if equal:
            plain.append(equal[1])
        elif equal_or_null:
            nullable.append(equal_or_null[1])
        elif BOTH_NULL.match(term):
            both_null.append(BOTH_NULL.match(term)[1])
        elif after or after_or_null:
            since, with_null = (after or after_or_null).groups(), bool(after_or_null)
        else:
            raise JobFailure("invalidQuery", f"Syntax error: Unexpected \"{term}\"")
    want(nullable == both_null, "null is not told from nothing")
    return plain, nullable, since, with_null


def merge(world, match):
    target, staged = table_of(world, match["d"], match["t"]), table_of(world, match["sd"], match["s"])
    if world.has("noruns") and match["t"] == "task_runs_v1":
        raise JobFailure("accessDenied", f"Access Denied: Table {match['t']}")
    if world.has("serialize") and world.first("serialize"):
        raise JobFailure("invalidQuery", f"Could not serialize access to table {match['t']} due to concurrent update")
    plain, nullable, (column, day), with_null = read_condition(match["on"])
    need_filter(target, column, match["t"])
    names, values = re.findall(r"`(\w+)`", match["names"]), re.findall(r"s\.`(\w+)`", match["values"])
    want(names == values and set(names) <= {f["name"] for f in target["schema"]["fields"]}, "columns of the MERGE")

    def key(row):
        return tuple(row[name] for name in plain + nullable)
    seen = {key(row) for row in target["rows"]
            if not column or (with_null if row[column] is None else row[column] >= day)}
    # Rows are compared with what was there before: those that are equal to each other all go in.
    fresh = [row for row in staged["rows"] if key(row) not in seen or any(row[name] is None for name in plain)]
    for field in target["schema"]["fields"]:
        if field["mode"] == "REQUIRED" and any(row.get(field["name"]) is None for row in fresh):
            raise JobFailure("invalidQuery", f"Required field {field['name']} cannot be null")
    blank = {field["name"]: [] if field["mode"] == "REPEATED" else None for field in target["schema"]["fields"]}
    target["rows"] = target["rows"] + [{**blank, **{name: row[name] for name in names}} for row in fresh]
    if world.has("drops") and world.first("drops"):
        del world.tables[(match["sd"], match["s"])]
        raise JobFailure("backendError", "Error encountered during execution. Retrying may solve it.")
    return len(fresh)


def change(world, sql):
    """Statements without an answer. Returns the number of rows they wrote, or None: it is no such one."""
    match = DELETE.match(sql)
    if match:
        table = table_of(world, match["d"], match["t"])
        if not sql.startswith("TRUNCATE"):
            need_filter(table, match["part"], match["t"])
        before = len(table["rows"])
        table["rows"] = [row for row in table["rows"] if match["part"] and row[match["part"]] != match["date"]]
        return before - len(table["rows"])
    match = MERGE.match(sql)
    if match:
        return merge(world, match)
    match = DROP.match(sql)
    if match:
        table_of(world, *match.groups())
        del world.tables[match.groups()]
        return 0
    match = VIEW.match(sql)
    if match and match["d"] in world.datasets:
        world.tables[(match["d"], match["t"])] = {"view": match["select"], "rows": []}
        return 0
    return None


def query(world, configuration):
    want(configuration.get("useLegacySql") is False, "useLegacySql")
    sql = configuration["query"]
    written = change(world, sql)
    if written is not None:
        return [], [], written
    match = SCAN.match(sql)
    if not match:
        raise JobFailure("invalidQuery", f"Syntax error: Unexpected \"{sql[:20]}\" at [1:1]")
    table = table_of(world, match["d"], match["t"])
    need_filter(table, match["part"] or match["all"], match["t"])
    rows = [row for row in table["rows"] if not match["part"] or row[match["part"]] == match["date"]]
    if match["what"] == "count(*) AS n":
        return [{"name": "n", "type": "INTEGER", "mode": "NULLABLE"}], [[str(len(rows))]], None
    names = re.findall(r"`([^`]+)`", match["what"])
    fields = {field["name"]: field for field in table["schema"]["fields"]}

    if world.has("huge") and "destinationTable" not in configuration:
        raise JobFailure("responseTooLarge", "Response too large to return. Consider specifying a destination "
                         "table in your job configuration.")
    if "destinationTable" in configuration:
        target = configuration["destinationTable"]
        made = known(world.tables, (target["datasetId"], target["tableId"]), "Table")
        want(configuration.get("writeDisposition") == "WRITE_EMPTY" and not made["rows"], "writeDisposition")
        want(int(made["expirationTime"]) > 0, "a table for an answer that never ends")

    def key(row):
        columns = re.findall(r"`([^`]+)` NULLS FIRST", match["order"] or "")
        return [(row[c] is not None, int(row[c]) if row[c] and fields[c]["type"] == "INTEGER" else row[c] or "")
                for c in columns]
    return [fields[n] for n in names], [[row[n] for n in names] for row in sorted(rows, key=key)], None


def start_job(world, project, job, data=None):
    reference, configuration = job["jobReference"], job["configuration"]
    want(reference.get("projectId") == project and JOB_ID.match(reference.get("jobId", "")), "jobReference")
    job_id = reference["jobId"]
    if job_id in world.jobs:
        raise Refusal(409, "duplicate", f"Already Exists: Job {project}:{job_id}")
    if world.has("quota") or (world.has("quotaonce") and world.first("quota")):
        raise Refusal(403, "quotaExceeded", "Quota exceeded: your table exceeded quota for imports")
    made = {"kind": "bigquery#job", "configuration": configuration, "polls": 3 if world.has("slow") else 0,
            "jobReference": {"projectId": project, "jobId": job_id, "location": world.location},
            "status": {"state": "DONE"}, "answer": ([], [])}
    try:
        if world.has("backend") and world.first("backend"):
            raise JobFailure("backendError", "Error encountered during execution. Retrying may solve it.")
        if data is not None:
            made["statistics"] = load(world, configuration["load"], data)
        else:
            *made["answer"], written = query(world, configuration["query"])
            made["statistics"] = {"query": {} if written is None else {"numDmlAffectedRows": str(written)}}
    except JobFailure as failure:
        made["status"]["errorResult"] = {"reason": failure.reason, "message": str(failure)}
        made["status"]["errors"] = [made["status"]["errorResult"]] + [
            {"reason": failure.reason, "message": f"Error while reading data, error message: {detail}"}
            for detail in failure.details]
    world.jobs[job_id] = made
    return made


def show_job(job):
    shown = {key: value for key, value in job.items() if key not in ("polls", "answer")}
    if job["polls"] > 0:
        job["polls"] -= 1
        shown["status"] = {"state": "RUNNING"}
    return shown


def find_job(world, job_id, arguments):
    job = known(world.jobs, job_id, "Job")
    if world.location != "US" and arguments.get("location") != world.location:
        raise Refusal(404, "notFound", f"Not found: Job {job_id}: set its location")
    return job


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hangs = False

    def log_message(self, *_):
        pass

    def send(self, code, answer=None, headers=()):
        if self.hangs:
            self.hangs = False
            self.hang(worlds[self.path.split("/")[1]])
        body = b"" if answer is None else json.dumps(answer).encode()
        self.send_response(code)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urllib.parse.urlsplit(self.path)
        _, name, path = url.path.split("/", 2)
        arguments = dict(urllib.parse.parse_qsl(url.query))
        world = worlds.setdefault(name, World(name))
        if world.has("noruns") and path == "allow":
            world.troubles.discard("noruns")
            self.send(200, {})
            return
        if world.has("stopped") and path in ("stop", "stopped", "go", "expire"):
            self.control(world, path, arguments)
            return
        try:
            if self.is_the_one(world) and world.stop_before:
                self.hang(world)
            with lock:
                self.admit(world, name, path)
                self.route(world, name, path, arguments, body)
        except Refusal as refusal:
            self.send(refusal.code, {"error": {"code": refusal.code, "message": str(refusal), "errors": [
                {"domain": "global", "reason": refusal.reason, "message": str(refusal)}]}})

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

    def control(self, world, path, arguments):
        if path == "stop":
            world.calls_left, world.stop_before = int(arguments["at"]), arguments["before"] == "1"
            world.hanging, world.gate = False, threading.Event()
        elif path == "expire":
            world.tables = {key: table for key, table in world.tables.items() if "expirationTime" not in table}
        elif path == "go":
            world.calls_left = None
            world.gate.set()
        self.send(200, {"hanging": world.hanging})

    def is_the_one(self, world):
        """Is this the call that shall hang?"""
        with lock:
            if world.calls_left is None:
                return False
            world.calls_left -= 1
            self.hangs = world.calls_left == 0
            return self.hangs

    def hang(self, world):
        world.hanging = True
        world.gate.wait(60)
        self.close_connection = True
        raise ConnectionAbortedError

    def handle_one_request(self):
        try:
            super().handle_one_request()
        except ConnectionError:  # of a client that was killed meanwhile
            self.close_connection = True

    def admit(self, world, name, path):
        if path == "token":
            return
        token = self.headers.get("Authorization")
        if world.has("token"):
            world.calls_with_token += 1
            alive = 1 if world.calls_with_token <= 3 else world.tokens
            if token != f"Bearer token-{alive}" or (world.calls_with_token > 3 and world.tokens < 2):
                raise Refusal(401, "authError", "Invalid Credentials")
        elif token:
            raise Refusal(401, "authError", f"{name} wants no token")
        if world.has("unavailable") and world.first((self.command, path)):
            raise Refusal(503, "backendError", "The service is currently unavailable.")
        if world.has("ratelimit") and world.first((self.command, path)):
            raise Refusal(403, "rateLimitExceeded", "Exceeded rate limits: too many requests")

    def route(self, world, name, path, arguments, body):
        if path == "token" and self.command == "POST":
            world.tokens += 1
            self.send(200, {"access_token": f"token-{world.tokens}", "expires_in": 3600, "token_type": "Bearer"})
            return
        match = re.match(r"(upload/)?bigquery/v2/projects/([a-z0-9-]+)/(.*)$", path)
        want(match, f"no such path: {path}")
        upload, project, rest = match.groups()
        parts = rest.split("/")
        if upload:
            self.upload(world, name, project, arguments, body)
        elif parts[0] == "datasets":
            self.datasets(world, project, parts, body)
        elif self.command == "POST" and parts == ["jobs"]:
            job = start_job(world, project, json.loads(body))
            if world.has("lost") and world.first("lost query"):
                self.close_connection = True
                return
            self.send(200, show_job(job))
        elif self.command == "GET" and len(parts) == 2 and parts[0] == "jobs":
            self.send(200, show_job(find_job(world, parts[1], arguments)))
        elif self.command == "GET" and len(parts) == 2 and parts[0] == "queries":
            self.answer(world, find_job(world, parts[1], arguments), arguments)
        else:
            want(False, f"no such method: {self.command} {path}")

    def answer(self, world, job, arguments):
        fields, rows = job["answer"]
        first = int(base64.b64decode(arguments.get("pageToken", "MA==")))
        size = min(int(arguments["maxResults"]), 100 if world.has("short") else 10**6)
        want(arguments.get("formatOptions.useInt64Timestamp") == "true", "timestamps would lose digits")
        page = {"jobComplete": True, "totalRows": str(len(rows)), "schema": {"fields": fields},
                "rows": [{"f": [{"v": v} for v in row]} for row in rows[first:first + size]]}
        if first + size < len(rows):
            page["pageToken"] = base64.b64encode(str(first + size).encode()).decode()
        self.send(200, page)

    def datasets(self, world, project, parts, body):
        content = json.loads(body) if body else None
        if self.command == "POST" and len(parts) == 1:
            reference = content["datasetReference"]
            want(reference["projectId"] == project and content["location"] == world.location, "dataset")
            if reference["datasetId"] in world.datasets:
                raise Refusal(409, "duplicate", "Already Exists: Dataset")
            world.datasets[reference["datasetId"]] = content
            self.send(200, content)
            return
        dataset = known(world.datasets, parts[1], "Dataset")
        if len(parts) == 2 and self.command == "GET":
            self.send(200, dataset)
        elif len(parts) == 3 and parts[2] == "tables" and self.command == "POST":
            reference = content["tableReference"]
            key = (parts[1], reference["tableId"])
            want(reference["datasetId"] == parts[1] and reference["projectId"] == project, "tableReference")
            if world.has("fast") and world.first(key) and "expirationTime" not in content:
                world.tables[key] = {**content, "rows": []}
            if key in world.tables:
                raise Refusal(409, "duplicate", "Already Exists: Table")
            clusters = content.get("clustering", {}).get("fields", ["-"])
            want(1 <= len(clusters) <= 4, "clustering")
            want(not content.get("requirePartitionFilter") or "timePartitioning" in content, "requirePartitionFilter")
            end = int(content.get("expirationTime", 2**62)) / 1000
            want(end > time.time() + 3600, "expirationTime")
            world.tables[key] = {**content, "rows": []}
            self.send(200, content)
        elif len(parts) == 3 and parts[2] == "tables" and self.command == "GET":
            self.send(200, {"totalItems": sum(d == parts[1] for d, _ in world.tables)})
        elif len(parts) == 4 and parts[2] == "tables" and self.command == "DELETE":
            known(world.tables, (parts[1], parts[3]), "Table")
            del world.tables[(parts[1], parts[3])]
            self.send(204)
        elif len(parts) == 4 and parts[2] == "tables" and self.command in ("GET", "PATCH"):
            table = known(world.tables, (parts[1], parts[3]), "Table")
            if self.command == "PATCH":
                old, new = table["schema"]["fields"], content["schema"]["fields"]
                want(new[:len(old)] == old and all(f["mode"] != "REQUIRED" for f in new[len(old):]),
                     "Provided Schema does not match Table")
                table["schema"] = content["schema"]
                for row in table["rows"]:
                    for field in new[len(old):]:
                        row[field["name"]] = [] if field["mode"] == "REPEATED" else None
            self.send(200, {**{key: value for key, value in table.items() if key != "rows"},
                            "numRows": str(len(table["rows"]))})
        else:
            want(False, "no such method")

    def upload(self, world, name, project, arguments, body):
        want(arguments.get("uploadType") == "resumable", "uploadType")
        if self.command == "POST":
            if world.has("large"):
                raise Refusal(413, "uploadTooLarge", "Payload size exceeds the limit")
            length = int(self.headers["X-Upload-Content-Length"])
            if world.has("small") and length > 2000:
                raise Refusal(413, "uploadTooLarge", "Payload size exceeds the limit")
            want(length > 0 and self.headers["Content-Type"].startswith("application/json"), "session")
            session = str(len(world.sessions))
            world.sessions[session] = {"job": json.loads(body), "length": length, "data": b""}
            host = "elsewhere.example" if world.has("elsewhere") else self.headers["Host"]
            self.send(200, headers=[("Location", f"http://{host}/{name}/upload/bigquery/v2/projects/{project}"
                                     f"/jobs?uploadType=resumable&upload_id={session}")])
            return
        session = known(world.sessions, arguments["upload_id"], "upload")
        if world.has("gone") and world.first("gone"):
            del world.sessions[arguments["upload_id"]]
            raise Refusal(404, "notFound", "upload session")
        if world.has("breaks") and world.first("breaks"):
            session["data"] += body[:len(body) // STEP * STEP]
            self.close_connection = True
            return
        self.take_chunk(world, project, session, body)

    def take_chunk(self, world, project, session, body):
        asked = re.match(r"bytes (?:(\d+)-(\d+)|\*)/(\d+)$", self.headers["Content-Range"])
        want(asked and int(asked[3]) == session["length"], "Content-Range")
        if asked[1]:
            first, last = int(asked[1]), int(asked[2])
            want(first == len(session["data"]) and last - first + 1 == len(body), "bytes out of order")
            want(last + 1 == session["length"] or len(body) % STEP == 0, "chunks are multiples of 256 KiB")
            if world.has("halfway"):
                body = body[:STEP]
            session["data"] += body
        if len(session["data"]) < session["length"]:
            end = len(session["data"]) - 1
            self.send(308, headers=[("Range", f"bytes=0-{end}")] if end >= 0 else ())
            return
        job = session.get("made") or start_job(world, project, session["job"], session["data"])
        session["made"] = job
        if world.has("lost") and world.first("lost upload"):
            self.close_connection = True
            return
        self.send(200, show_job(job))


server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
server.daemon_threads = True
server.serve_forever()
