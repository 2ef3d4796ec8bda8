#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""taskcluster_contract PORT [FIXTURE] - Taskcluster's bulk call for task definitions, strictly.

Nobody can run Taskcluster's queue for a test. This server refuses what it refuses
(fxci-etl.md 6.1): POST /api/queue/v1/tasks with {"taskIds": [..]} as JSON, at most 1,000 ids of 22
characters, a limit of at most 1,000, continuation tokens that it gave for the same body.

FIXTURE has the definitions: {"pages": [{"tasks": [{"taskId", "task"}]}]}, or such pages one a line.
PORT 0 takes a free one; the port is printed. Where standard input is a pipe, its end is the server's.

It holds any number of worlds side by side: the first part of a path names one, and the words in that
name, separated by "-", are the trouble in it:

  page7      pages of 7, whatever the limit
  any        every id has a definition, made up where the fixture has none
  sparse     every second id of a request is unknown
  fail       the first call ends with 500, as often as the world is new
  down       every call ends with 500
  gateway    the first call ends with a proxy's 502 in HTML
  login      every call is answered 200 with a proxy's HTML
  large10    more than 10 ids are 413
  picky      a request that holds an id of the word's list is 400: ids that begin with "X_"
  slow       bodies come in small pieces
  breaks     the first body ends in the middle
  malformed  the first definition of each page lacks "created"
  repeat     the last definition of a page comes once more on the next, with another "priority"
  big2, big9 payloads of 2 or 9 MB
  loop       the last page has a token, too

GET /WORLD/log tells {"calls", "refused": [..], "most_ids"}.
"""
import base64
import hashlib
import http.server
import json
import os
import re
import stat
import sys
import threading
import time
import urllib.parse

MOST = 1000
TASK_ID = re.compile(r"[A-Za-z0-9_-]{22}$")
lock = threading.Lock()
worlds = {}
definitions = {}


class Refusal(Exception):
    def __init__(self, status, code, message):
        super().__init__(message)
        self.status, self.code = status, code


class Html(Exception):
    def __init__(self, status):
        super().__init__(status)
        self.status = status


class World:
    def __init__(self, name):
        self.troubles = name.split("-")
        self.calls, self.refused, self.most_ids, self.once = 0, [], 0, set()

    def has(self, trouble):
        return trouble in self.troubles

    def first(self, what):
        new = what not in self.once
        self.once.add(what)
        return new

    def number(self, trouble, otherwise):
        for word in self.troubles:
            if re.fullmatch(trouble + r"\d+", word):
                return int(word[len(trouble):])
        return otherwise


def refuse_unless(condition, message, status=400, code="InputValidationError"):
    if not condition:
        raise Refusal(status, code, message)


def read_fixture(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    try:
        values = [json.loads(text)]
    except ValueError:
        values = [json.loads(line) for line in text.splitlines() if line.strip()]
    for page in [page for value in values for page in value.get("pages", [value])]:
        for item in page["tasks"]:
            definitions.setdefault(item["taskId"], item.get("task"))


def make_up(task_id):
    return {"provisionerId": "gecko-t", "workerType": "linux", "taskQueueId": "gecko-t/linux",
            "schedulerId": "gecko-level-1", "projectId": "none", "taskGroupId": task_id, "dependencies": [],
            "requires": "all-completed", "routes": [], "priority": "low", "retries": 5,
            "created": "2026-08-20T00:00:00.000Z", "deadline": "2026-08-21T00:00:00.000Z",
            "expires": "2027-08-20T00:00:00.000Z", "scopes": [], "payload": {"command": ["true"]},
            "metadata": {"name": task_id, "description": "d", "owner": "o@example.org", "source": "https://s"},
            "tags": {}, "extra": {}}


def define(world, task_id):
    task = definitions.get(task_id, make_up(task_id) if world.has("any") else None)
    megabytes = world.number("big", 0)
    if task is not None and megabytes:
        task = dict(task, payload={"filler": "x" * (megabytes * 1000000)})
    return task


def read_body(headers, body):
    kind = (headers.get("Content-Type") or "").split(";")[0].strip()
    refuse_unless(kind == "application/json", "the body must be of type application/json", code="MalformedPayload")
    refuse_unless(len(body) <= 10 << 20, "request entity too large", 413, "InputTooLarge")
    try:
        content = json.loads(body)
    except ValueError:
        raise Refusal(400, "MalformedPayload", "the body is no JSON") from None
    refuse_unless(isinstance(content, dict) and list(content) == ["taskIds"], "the body must be {taskIds}")
    ids = content["taskIds"]
    refuse_unless(isinstance(ids, list) and 0 < len(ids) <= MOST, f"taskIds must have 1 to {MOST} items")
    for task_id in ids:
        refuse_unless(isinstance(task_id, str) and TASK_ID.match(task_id), "taskIds must match the pattern of slugs")
    refuse_unless(len(set(ids)) == len(ids), "taskIds must be unique")
    return ids


def read_query(query, body):
    arguments = urllib.parse.parse_qs(query, keep_blank_values=True, strict_parsing=bool(query))
    refuse_unless(set(arguments) <= {"continuationToken", "limit"}, "unknown parameter")
    refuse_unless(all(len(values) == 1 for values in arguments.values()), "repeated parameter")
    limit = arguments.get("limit", [str(MOST)])[0]
    refuse_unless(re.fullmatch(r"[0-9]+", limit) and 0 < int(limit) <= MOST, f"limit must be 1 to {MOST}")
    token, offset = arguments.get("continuationToken", [None])[0], 0
    if token is not None:
        match = re.fullmatch(r"(\d+)/(\w+)", decode(token))
        refuse_unless(match and match[2] == digest(body), "Invalid continuationToken", code="InvalidRequestArguments")
        offset = int(match[1])
    return int(limit), offset


def digest(body):
    return hashlib.sha256(body).hexdigest()[:16]


def encode(text):
    return base64.b64encode(text.encode()).decode()


def decode(token):
    try:
        return base64.b64decode(token, validate=True).decode()
    except ValueError:
        return ""


def item_of(world, task_id, task, position, offset):
    if world.has("repeat") and offset > 0 and position < offset:
        task = dict(task, priority="highest")
    if world.has("malformed") and position == offset:
        task = {key: value for key, value in task.items() if key != "created"}
    return {"taskId": task_id, "task": task}


def page_of(world, ids, limit, offset, body):
    known = [(task_id, define(world, task_id)) for i, task_id in enumerate(ids)
             if not (world.has("sparse") and i % 2)]
    known = [(task_id, task) for task_id, task in known if task is not None]
    size = min(limit, world.number("page", MOST))
    begin = max(0, offset - 1) if world.has("repeat") else offset
    answer = {"tasks": [item_of(world, known[i][0], known[i][1], i, offset)
                        for i in range(begin, min(offset + size, len(known)))]}
    if offset + size < len(known) or world.has("loop"):
        answer["continuationToken"] = encode(f"{offset + size}/{digest(body)}")
    return answer


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60

    def log_message(self, *_):
        pass

    def send(self, status, body, kind="application/json", slowly=False, in_part=False):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if in_part:
            self.wfile.write(body[:len(body) // 2])
            self.close_connection = True
            return
        step = 64 if slowly else len(body) or 1
        for i in range(0, len(body), step):
            self.wfile.write(body[i:i + step])
            if slowly:
                self.wfile.flush()
                time.sleep(0.005)

    def answer(self, world, path, query, body):
        refuse_unless(self.command == "POST" and path == "api/queue/v1/tasks", "no such method", 404, "ResourceNotFound")
        refuse_unless(not self.headers.get("Authorization"), "no credentials are known", 401, "AuthenticationFailed")
        ids = read_body(self.headers, body)
        limit, offset = read_query(query, body)
        world.most_ids = max(world.most_ids, len(ids))
        refuse_unless(len(ids) <= world.number("large", MOST), "too large", 413, "InputTooLarge")
        refuse_unless(not (world.has("picky") and any(i.startswith("X_") for i in ids)), "an id is no slug")
        if world.has("down") or (world.has("fail") and world.first("fail")):
            raise Refusal(500, "InternalServerError", "Internal Server Error, incidentId 00000000")
        if world.has("gateway") and world.first("gateway"):
            raise Html(502)
        if world.has("login"):
            raise Html(200)
        return page_of(world, ids, limit, offset, body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urllib.parse.urlsplit(self.path)
        _, name, path = url.path.split("/", 2)
        world = None
        try:
            with lock:
                world = worlds.setdefault(name, World(name))
                world.calls += 1
                answer = self.answer(world, path, url.query, body)
                in_part = world.has("breaks") and world.first("breaks")
            self.send(200, json.dumps(answer).encode(), slowly=world.has("slow"), in_part=in_part)
        except ConnectionError:
            self.close_connection = True  # the client has had enough of a page that is too large
        except Html as html:
            self.send(html.status, b"<html><body>Sign in</body></html>", "text/html")
        except (Refusal, ValueError) as problem:
            status, code = getattr(problem, "status", 400), getattr(problem, "code", "InputValidationError")
            if status < 500:
                world.refused.append(f"{status} {problem}")
            self.send(status, json.dumps({"code": code, "message": str(problem), "requestInfo": {
                "method": "listTaskDefinitions", "params": {}, "payload": {}, "time": "2026-08-20T00:00:00Z"}}).encode())

    def do_GET(self):
        name = self.path.split("/")[1]
        with lock:
            world = worlds.get(name, World(name))
            shown = {"calls": world.calls, "refused": world.refused, "most_ids": world.most_ids}
        self.send(200, json.dumps(shown).encode())


def end_with_parent():
    if stat.S_ISFIFO(os.fstat(0).st_mode):
        sys.stdin.buffer.read()
        os._exit(0)


def main():
    if len(sys.argv) > 2:
        read_fixture(sys.argv[2])
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
    print(server.server_address[1], flush=True)
    threading.Thread(target=end_with_parent, daemon=True).start()
    server.serve_forever()


if __name__ == "__main__":
    main()
