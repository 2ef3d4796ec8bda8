#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""bigquery_contract PORT - the part of BigQuery's REST API that the warehouse uses, strictly.

The emulators lack partition decorators, repeated job ids, resumable uploads in several chunks, quota
errors and tokens. This server refuses what BigQuery refuses, as the public reference says:
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
"""
import base64
import datetime
import http.server
import json
import re
import sys
import threading
import urllib.parse

STEP = 256 << 10
JOB_ID = re.compile(r"[A-Za-z0-9_-]{1,1024}$")
SCAN = re.compile(r"SELECT (?P<what>.+) FROM `(?P<p>[^`]+)`\.`(?P<d>[^`]+)`\.`(?P<t>[^`]+)`"
                  r"(?: WHERE `(?P<part>\w+)` = DATE '(?P<date>[0-9-]+)')?"
                  r"(?: ORDER BY (?P<order>.+))?$")
DELETE = re.compile(r"(?:TRUNCATE TABLE|DELETE FROM) `[^`]+`\.`(?P<d>[^`]+)`\.`(?P<t>[^`]+)`"
                    r"(?: WHERE `(?P<part>\w+)` = DATE '(?P<date>[0-9-]+)')?$")
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


def check_value(field, value):
    """As NDJSON loads read it. Returns the text that answers show."""
    kind, name = field["type"], field["name"]
    patterns = {"DATE": r"\d{4}-\d\d-\d\d$", "DATETIME": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?$",
                "TIMESTAMP": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$"}
    if kind == "STRING" and isinstance(value, str):
        return value
    if kind == "INTEGER" and type(value) is int and -2**63 <= value < 2**63:
        return str(value)
    if kind == "FLOAT" and (type(value) in (int, float) or value in ("NaN", "Infinity", "-Infinity")):
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
    raise JobFailure("invalid", "Error while reading data, error message: JSON table encountered too many "
                     "errors, giving up. Rows: 1; errors: 1.",
                     [f"Could not parse '{value}' as {kind} for field {name}"])


def read_rows(table, data):
    fields = {field["name"]: field for field in table["schema"]["fields"]}
    rows = []
    for line in data.decode().split("\n"):
        if not line:
            continue
        row = json.loads(line)
        for name in row:
            if name not in fields:
                raise JobFailure("invalid", f"No such field: {name}.")
        for name, field in fields.items():
            if field["mode"] == "REQUIRED" and row.get(name) is None:
                raise JobFailure("invalid", f"Missing required field: {name}.")
        rows.append({name: None if row.get(name) is None else check_value(field, row[name])
                     for name, field in fields.items()})
    return rows


def load(world, configuration, data):
    want(configuration.get("sourceFormat") == "NEWLINE_DELIMITED_JSON", "sourceFormat")
    want(configuration.get("createDisposition") == "CREATE_NEVER", "createDisposition")
    target = configuration["destinationTable"]
    name, _, decorator = target["tableId"].partition("$")
    key = (target["datasetId"], name)
    if key not in world.tables:
        raise JobFailure("notFound", f"Not found: Table {key}")
    table = world.tables[key]
    time = table.get("timePartitioning")
    if decorator and (not time or not re.match(r"\d{8}$", decorator)):
        raise JobFailure("invalid", "Invalid partition decorator")
    if configuration.get("timePartitioning") != time:
        raise JobFailure("invalid", "Incompatible table partitioning specification.")
    rows = read_rows(table, data)
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
    return {"load": {"outputRows": str(len(rows))}}


def query(world, configuration):
    want(configuration.get("useLegacySql") is False, "useLegacySql")
    sql = configuration["query"]
    match = DELETE.match(sql)
    if match:
        table = world.tables[(match["d"], match["t"])]
        table["rows"] = [row for row in table["rows"] if match["part"] and row[match["part"]] != match["date"]]
        return [], []
    match = SCAN.match(sql)
    if not match or (match["d"], match["t"]) not in world.tables:
        raise JobFailure("invalidQuery", f"Syntax error: Unexpected \"{sql[:20]}\" at [1:1]")
    table = world.tables[(match["d"], match["t"])]
    rows = [row for row in table["rows"] if not match["part"] or row[match["part"]] == match["date"]]
    if match["what"] == "count(*) AS n":
        return [{"name": "n", "type": "INTEGER", "mode": "NULLABLE"}], [[str(len(rows))]]
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
    return [fields[n] for n in names], [[row[n] for n in names] for row in sorted(rows, key=key)]


def start_job(world, project, job, data=None):
    reference, configuration = job["jobReference"], job["configuration"]
    want(reference.get("projectId") == project and JOB_ID.match(reference.get("jobId", "")), "jobReference")
    job_id = reference["jobId"]
    if job_id in world.jobs:
        raise Refusal(409, "duplicate", f"Already Exists: Job {project}:{job_id}")
    if world.has("quota"):
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
            made["answer"] = query(world, configuration["query"])
    except JobFailure as failure:
        made["status"]["errorResult"] = {"reason": failure.reason, "message": str(failure)}
        made["status"]["errors"] = [made["status"]["errorResult"]] + [
            {"reason": failure.reason, "message": detail} for detail in failure.details]
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

    def log_message(self, *_):
        pass

    def send(self, code, answer=None, headers=()):
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
        try:
            with lock:
                world = worlds.setdefault(name, World(name))
                self.admit(world, name, path)
                self.route(world, name, path, arguments, body)
        except Refusal as refusal:
            self.send(refusal.code, {"error": {"code": refusal.code, "message": str(refusal), "errors": [
                {"domain": "global", "reason": refusal.reason, "message": str(refusal)}]}})

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

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
            if key in world.tables:
                raise Refusal(409, "duplicate", "Already Exists: Table")
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
                want(new[:len(old)] == old and all(f["mode"] == "NULLABLE" for f in new[len(old):]),
                     "Provided Schema does not match Table")
                table["schema"] = content["schema"]
                for row in table["rows"]:
                    for field in new[len(old):]:
                        row[field["name"]] = None
            self.send(200, {key: value for key, value in table.items() if key != "rows"})
        else:
            want(False, "no such method")

    def upload(self, world, name, project, arguments, body):
        want(arguments.get("uploadType") == "resumable", "uploadType")
        if self.command == "POST":
            if world.has("large"):
                raise Refusal(413, "uploadTooLarge", "Payload size exceeds the limit")
            length = int(self.headers["X-Upload-Content-Length"])
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
