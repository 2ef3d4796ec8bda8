#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""monitoring_contract PORT FIXTURE - Cloud Monitoring's timeSeries.list, strictly.

Nobody can run Cloud Monitoring for a test. This server refuses what it refuses (fxci-etl.md 6.4,
6.5), and whatever the exporter should not ask for: another filter than a metric's type, an interval
that is not one whole day, another alignment period, aligner, reducer, order of group fields, a page
token that it did not give for this query, a call without a living token.

FIXTURE is {"requests": [{"project", "pages": [answers]}]}, or such requests one a line. PORT 0 takes
a free one; the port is printed. Where standard input is a pipe, its end is the server's.

It holds any number of worlds side by side: the first part of a path names one, and the words in that
name, separated by "-", are the trouble in it:

  page5        pages of 5 series
  ratelimit    the first call ends with 429
  unavailable  the first call ends with 503
  backend      the first call ends with 403 backendError
  breaks       the first answer ends in the middle
  partial      the last page of the second project has executionErrors
  denied       the second project is 403
  missing      the second project is 404
  silent       the second project answers {}
  empty        every project answers {}
  html         every answer is HTML
  expired      a token dies after two calls
  revoked      no token is given: invalid_grant
  open         no token is wanted, and none may come
  other        values are one more
  fine         times have a fraction, numbers are int64Value

Tokens: POST /WORLD/token (a service account's assertion or a user's refresh token), or
GET /computeMetadata/v1/instance/service-accounts/default/token for worlds with the word "machine".
GET /WORLD/log tells {"calls", "tokens", "refused": [..], "projects": [..]}.
"""
import base64
import copy
import http.server
import json
import os
import re
import stat
import sys
import threading
import urllib.parse

GROUP_FIELDS = ["metric.labels.instance_name", "resource.labels.instance_id", "resource.labels.zone"]
DAY = re.compile(r"(\d{4}-\d\d-\d\d)T00:00:00(\.0+)?Z$")
END = re.compile(r"(\d{4}-\d\d-\d\d)T23:59:59(\.0+)?Z$")
SCOPES = {"https://www.googleapis.com/auth/monitoring.read", "https://www.googleapis.com/auth/cloud-platform"}
lock = threading.Lock()
worlds = {}
fixture = []


class Refusal(Exception):
    def __init__(self, code, status, message, reason=None):
        super().__init__(message)
        self.code, self.status, self.reason = code, status, reason


class World:
    def __init__(self, name):
        self.troubles = name.split("-")
        self.calls, self.tokens, self.calls_with_token = 0, 0, 0
        self.refused, self.projects, self.once, self.pages = [], [], set(), {}

    def has(self, trouble):
        return trouble in self.troubles

    def first(self, what):
        new = what not in self.once
        self.once.add(what)
        return new

    def page_size(self, otherwise):
        for word in self.troubles:
            if re.fullmatch(r"page\d+", word):
                return int(word[4:])
        return otherwise


def want(condition, message):
    if not condition:
        raise Refusal(400, "INVALID_ARGUMENT", message)


def read_fixture(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    try:
        values = [json.loads(text)]
    except ValueError:
        values = [json.loads(line) for line in text.splitlines() if line.strip()]
    for value in values:
        fixture.extend(value.get("requests", [value]))


def known_projects():
    return list(dict.fromkeys(request["project"] for request in fixture))


def series_of(project, metric):
    pages = [page for request in fixture if request["project"] == project for page in request["pages"]]
    return [series for page in pages for series in page.get("timeSeries", [])
            if series.get("metric", {}).get("type", metric) == metric]


def one(arguments, name):
    values = arguments.get(name, [])
    want(len(values) == 1, f"{name} must be given once")
    return values[0]


def read_query(query):
    arguments = urllib.parse.parse_qs(query, keep_blank_values=True, strict_parsing=True)
    allowed = {"filter", "interval.startTime", "interval.endTime", "view", "pageSize", "pageToken"} | {
        "aggregation." + name for name in ("alignmentPeriod", "perSeriesAligner", "crossSeriesReducer", "groupByFields")}
    want(set(arguments) <= allowed, f"Unknown name: {sorted(set(arguments) - allowed)}")
    match = re.fullmatch(r'metric\.type="([a-z0-9./_-]+)"', one(arguments, "filter"))
    want(match, "The filter is no metric.type")
    start, end = DAY.match(one(arguments, "interval.startTime")), END.match(one(arguments, "interval.endTime"))
    want(start and end and start[1] == end[1], "The interval is not a day")
    want(one(arguments, "aggregation.alignmentPeriod") == "86399s", "aggregation.alignmentPeriod")
    want(one(arguments, "aggregation.perSeriesAligner") in ("ALIGN_SUM", "ALIGN_MEAN"), "aggregation.perSeriesAligner")
    want(one(arguments, "aggregation.crossSeriesReducer") == "REDUCE_SUM", "aggregation.crossSeriesReducer")
    want(arguments.get("aggregation.groupByFields") == GROUP_FIELDS, "aggregation.groupByFields")
    want(one(arguments, "view") == "FULL", "view")
    token = one(arguments, "pageToken") if "pageToken" in arguments else None
    same = tuple(sorted((k, tuple(v)) for k, v in arguments.items() if k != "pageToken"))
    return match[1], token, same


def finer(series):
    for point in series.get("points", []):
        for name in ("startTime", "endTime"):
            if name in point.get("interval", {}):
                point["interval"][name] = point["interval"][name].replace("Z", ".000000000Z")
        if "doubleValue" in point.get("value", {}):
            point["value"] = {"int64Value": str(int(point["value"]["doubleValue"]))}


def change(world, series):
    series = copy.deepcopy(series)
    for point in series.get("points", []):
        if world.has("other") and "doubleValue" in point.get("value", {}):
            point["value"]["doubleValue"] += 1
    if world.has("fine"):
        finer(series)
    return series


def answer_of(world, project, query):
    metric, token, same = read_query(query)
    offset = 0
    if token is not None:
        want(world.pages.get(token, (None, None))[0] == (project, same), "The pageToken is not of this query")
        offset = world.pages[token][1]
    second = project == known_projects()[1]
    if second and world.has("denied"):
        raise Refusal(403, "PERMISSION_DENIED", f"Permission monitoring.timeSeries.list denied on {project}")
    if second and world.has("missing"):
        raise Refusal(404, "NOT_FOUND", f"Project {project} could not be found")
    if world.has("empty") or (second and world.has("silent")):
        return {}
    series = series_of(project, metric)
    size = world.page_size(100000)
    answer = {"timeSeries": [change(world, s) for s in series[offset:offset + size]], "unit": "s"}
    if offset + size < len(series):
        answer["nextPageToken"] = base64.b64encode(f"{project}/{len(world.pages)}".encode()).decode()
        world.pages[answer["nextPageToken"]] = ((project, same), offset + size)
    elif second and world.has("partial"):
        answer["executionErrors"] = [{"code": 4, "message": "a shard timed out"}]
    return answer


def part_of_jwt(text):
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def check_grant(body, own_url):
    form = urllib.parse.parse_qs(body.decode(), strict_parsing=True)
    if form.get("grant_type") == ["refresh_token"]:
        return bool(form.get("refresh_token") and form.get("client_id") and form.get("client_secret"))
    if form.get("grant_type") != ["urn:ietf:params:oauth:grant-type:jwt-bearer"]:
        return False
    parts = form["assertion"][0].split(".")
    header, claims = part_of_jwt(parts[0]), part_of_jwt(parts[1])
    return (len(parts) == 3 and len(parts[2]) > 100 and header["alg"] == "RS256" and header["typ"] == "JWT" and
            claims["exp"] == claims["iat"] + 3600 and claims["scope"] in SCOPES and bool(claims["iss"]) and
            claims["aud"] == own_url)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60

    def log_message(self, *_):
        pass

    def send(self, status, answer, kind="application/json; charset=UTF-8", in_part=False, headers=()):
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[:len(body) // 2] if in_part else body)
        self.close_connection = self.close_connection or in_part

    def admit(self, world):
        token = self.headers.get("Authorization")
        if world.has("open"):
            if token:
                raise Refusal(401, "UNAUTHENTICATED", "no token is wanted here")
            return
        world.calls_with_token += 1
        dead = world.has("expired") and world.tokens < 2 and world.calls_with_token > 2
        good = "Bearer token-machine" if world.has("machine") else f"Bearer token-{world.tokens}"
        if token != good or dead:
            raise Refusal(401, "UNAUTHENTICATED", "Request had invalid authentication credentials")

    def trouble(self, world):
        for word, code, status, reason in (("ratelimit", 429, "RESOURCE_EXHAUSTED", None),
                                           ("unavailable", 503, "UNAVAILABLE", None),
                                           ("backend", 403, "PERMISSION_DENIED", "backendError")):
            if world.has(word) and world.first(word):
                raise Refusal(code, status, "try again later", reason)

    def list_series(self, world, url, path):
        world.calls += 1
        match = re.fullmatch(r"v3/projects/([a-z0-9-]+)/timeSeries", path)
        if not match:
            raise Refusal(404, "NOT_FOUND", f"no such method: {path}")
        self.admit(world)
        self.trouble(world)
        if match[1] not in known_projects():
            raise Refusal(404, "NOT_FOUND", f"Project {match[1]} could not be found")
        world.projects.append(match[1])
        return answer_of(world, match[1], url.query)

    def get(self, world, url, path):
        with lock:
            answer = self.list_series(world, url, path)
            in_part = world.has("breaks") and world.first("breaks")
        if world.has("html"):
            self.send(200, b"<html>Sign in</html>", "text/html")
        else:
            self.send(200, answer, in_part=in_part)

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        _, name, path = url.path.split("/", 2)
        if name == "computeMetadata":
            good = self.headers.get("Metadata-Flavor") == "Google" and path.endswith("service-accounts/default/token")
            self.send(200 if good else 403, {"access_token": "token-machine", "expires_in": 3599, "token_type": "Bearer"},
                      headers=[("Metadata-Flavor", "Google")])
            return
        with lock:
            world = worlds.setdefault(name, World(name))
        if path == "log":
            self.send(200, {k: getattr(world, k) for k in ("calls", "tokens", "refused", "projects")})
            return
        try:
            self.get(world, url, path)
        except (Refusal, ValueError) as problem:
            code, status = getattr(problem, "code", 400), getattr(problem, "status", "INVALID_ARGUMENT")
            error = {"code": code, "message": str(problem), "status": status}
            if getattr(problem, "reason", None):
                error["errors"] = [{"reason": problem.reason, "domain": "global", "message": str(problem)}]
            elif code in (400, 401):
                world.refused.append(f"{code} {problem}")
            self.send(code, {"error": error})

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        _, name, path = self.path.split("/", 2)
        with lock:
            world = worlds.setdefault(name, World(name))
            good = path == "token" and not world.has("revoked") and check_grant(
                body, f"http://127.0.0.1:{self.server.server_address[1]}{self.path}")
            world.tokens += good
        if good:
            self.send(200, {"access_token": f"token-{world.tokens}", "expires_in": 3599, "token_type": "Bearer"})
        else:
            self.send(400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."})


def end_with_parent():
    if stat.S_ISFIFO(os.fstat(0).st_mode):
        sys.stdin.buffer.read()
        os._exit(0)


def main():
    read_fixture(sys.argv[2])
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
    print(server.server_address[1], flush=True)
    threading.Thread(target=end_with_parent, daemon=True).start()
    server.serve_forever()


if __name__ == "__main__":
    main()
