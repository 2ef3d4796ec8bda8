#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""gcs_contract.py DIR PORT - Cloud Storage's JSON API and Google's token server, strict and faulty.

Refuses what the real services refuse, which emulators let pass: calls without a good token, assertions
that are not signed by the key, names that are not escaped, unknown parameters, parts of odd size.
DIR holds tls.pem (certificate and key of the server) and robot.pub (the service account's public
key). DIR/faults: lines "OPERATION ACTION [NUMBER]", each used up by the next call of that operation;
DIR/calls: a line "OPERATION STATUS" for every call. Buckets exist as soon as DIR/BUCKET does; objects
live in memory.

Source: https://cloud.google.com/storage/docs/json_api/v1, performing-resumable-uploads,
https://developers.google.com/identity/protocols/oauth2/service-account, RFC 7523.
"""
import base64
import hashlib
import http.server
import json
import os
import pathlib
import re
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse

DIR = pathlib.Path(sys.argv[1])
PORT = int(sys.argv[2])
SCOPE = "https://www.googleapis.com/auth/devstorage.read_write"
TOKEN_USES = 200    # then it is refused, as if it had been revoked
PAGE = 3            # the service may always send shorter pages than asked for
QUANTUM = 256 << 10  # parts of a resumable upload

lock = threading.RLock()
tokens = {}    # token: uses left
objects = {}   # (bucket, name): dict
sessions = {}  # id: dict
clock = [0]    # the last generation


class Refusal(Exception):
    def __init__(self, status, message, headers=()):
        super().__init__(message)
        self.status, self.message, self.headers = status, message, dict(headers)


class Cut(Exception):
    """The connection ends without an answer."""


def take_fault(operation):
    with lock:
        path = DIR / "faults"
        lines = path.read_text().splitlines() if path.exists() else []
        for i, line in enumerate(lines):
            words = line.split()
            if words and words[0] == operation:
                path.write_text("".join(f"{rest}\n" for rest in lines[:i] + lines[i + 1:]))
                return words[1], int(words[2]) if len(words) > 2 else 0
    return None, 0


def unescape(text):
    """Strict: what is not unreserved must be escaped, in upper case."""
    plain = urllib.parse.unquote(text, errors="strict")
    if urllib.parse.quote(plain, safe="-._~") != text:
        raise Refusal(400, f"not escaped as RFC 3986 has it: {text}")
    return plain


def read_query(text, allowed):
    query = {}
    for pair in text.split("&") if text else []:
        name, mark, value = pair.partition("=")
        if name not in allowed or not mark or name in query:
            raise Refusal(400, f"parameter {name}")
        query[name] = unescape(value)
    return query


def decode64url(text):
    if "=" in text:
        raise Refusal(400, "invalid_grant: padding")
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def grant(form):
    """RFC 7523 as Google has it: @return a new token."""
    if form.get("grant_type") != ["urn:ietf:params:oauth:grant-type:jwt-bearer"] or len(form) != 2:
        raise Refusal(400, "unsupported_grant_type")
    assertion = form["assertion"][0]
    head, claims, signature = assertion.split(".")
    header, claims_set = json.loads(decode64url(head)), json.loads(decode64url(claims))
    (DIR / "signature").write_bytes(decode64url(signature))
    good = subprocess.run(
        ["openssl", "dgst", "-sha256", "-verify", DIR / "robot.pub", "-signature", DIR / "signature"],
        input=f"{head}.{claims}".encode(), stdout=subprocess.DEVNULL, check=False).returncode == 0
    now = time.time()
    if not (good and header["alg"] == "RS256" and header["typ"] == "JWT"
            and claims_set["iss"] == "robot@test.iam" and claims_set["scope"] == SCOPE
            and claims_set["aud"] == f"https://127.0.0.1:{PORT}/token"
            and now - 300 < claims_set["iat"] < now + 60
            and claims_set["iat"] < claims_set["exp"] <= claims_set["iat"] + 3600):
        raise Refusal(400, "invalid_grant")
    token = "ya29." + base64.urlsafe_b64encode(os.urandom(24)).decode()
    tokens[token] = TOKEN_USES
    return token


def resource(name, item):
    stamp = item["generation"] / 1e6
    text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(stamp))
    return {"kind": "storage#object", "name": name, "size": str(len(item["bytes"])),
            "generation": str(item["generation"]), "metadata": item["metadata"],
            "updated": f"{text}.{item['generation'] // 1000 % 1000:03}Z",
            "md5Hash": base64.b64encode(hashlib.md5(item["bytes"]).digest()).decode()}


def check_generation(key, query):
    want = query.get("ifGenerationMatch")
    if want is None:
        return
    if not want.isdigit():
        raise Refusal(400, "ifGenerationMatch is no number")
    there = objects[key]["generation"] if key in objects else 0
    if int(want) != there:
        raise Refusal(412, "conditionNotMet")


def insert(key, data, metadata, query):
    check_generation(key, query)
    clock[0] = max(clock[0] + 1, time.time_ns() // 1000)
    objects[key] = {"bytes": data, "generation": clock[0], "metadata": metadata}
    return resource(key[1], objects[key])


def read_multipart(kind, body):
    match = re.fullmatch(r"multipart/related; boundary=([0-9A-Za-z]{1,70})", kind or "")
    if not match:
        raise Refusal(400, "no multipart/related")
    mark = b"--" + match[1].encode()
    if body.count(mark) != 3 or not body.startswith(mark) or not body.endswith(b"\r\n" + mark + b"--\r\n"):
        raise Refusal(400, "the parts of the body")
    parts = body[len(mark) + 2:-len(mark) - 6].split(b"\r\n" + mark + b"\r\n")
    (head, _, description), (_, _, data) = (part.partition(b"\r\n\r\n") for part in parts)
    if not head.lower().startswith(b"content-type: application/json"):
        raise Refusal(400, "the first part describes the object")
    return json.loads(description), data


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16  # an answer in one piece
    operation = "?"
    unread = False  # some of the request's body is left on the connection

    def log_message(self, *args):
        pass

    def note(self, status):
        with lock, (DIR / "calls").open("a", encoding="utf-8") as out:
            out.write(f"{self.operation} {status}\n")

    def answer(self, status, body=b"", headers=()):
        self.note(status)
        if isinstance(body, dict):
            body = json.dumps(body).encode()
        self.send_response(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        if "Content-Length" not in dict(headers):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle_all(self):
        length = int(self.headers.get("Content-Length", 0))
        self.unread = length > 0
        try:
            self.route(length)
        except Cut:
            self.note("cut")
            self.close_connection = True
        except Refusal as refusal:
            self.close_connection = self.unread
            self.answer(refusal.status, {"error": {"code": refusal.status, "message": refusal.message}},
                        refusal.headers)

    do_GET = do_POST = do_PUT = do_DELETE = handle_all

    def fail_early(self):
        """Faults that look the same for every operation."""
        action, number = take_fault(self.operation)
        if action == "status":
            if self.unread:  # closing on unread bytes resets the connection and may undo the answer
                self.rfile.read(int(self.headers["Content-Length"]))
                self.unread = False
            raise Refusal(number, "a fault", {"Retry-After": "1"} if number == 503 else {})
        if action == "cut":
            raise Cut
        return action, number

    def need_token(self):
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        with lock:
            if tokens.get(token, 0) <= 0:
                raise Refusal(401, "Invalid Credentials")
            tokens[token] -= 1

    def route(self, length):
        path, _, query = self.path.partition("?")
        if path == "/ready":
            self.answer(200)
        elif path == "/token" and self.command == "POST":
            self.operation = "token"
            self.fail_early()
            if self.headers.get("Content-Type") != "application/x-www-form-urlencoded":
                raise Refusal(400, "no form")
            form = urllib.parse.parse_qs(self.rfile.read(length).decode(), strict_parsing=True)
            with lock:
                self.answer(200, {"access_token": grant(form), "expires_in": 3599, "token_type": "Bearer"})
        elif path == "/session":
            self.serve_session(length, query)
        else:
            self.serve_storage(path, query, length)

    def serve_storage(self, path, query, length):
        match = re.fullmatch(r"(/upload)?/storage/v1/b/([^/]+)/o(?:/([^/]+))?", path)
        if not match:
            raise Refusal(404, f"no such address: {path}")
        upload, bucket, name = match[1], unescape(match[2]), unescape(match[3] or "")
        serve = {("GET", False, False): self.serve_list, ("GET", False, True): self.serve_get,
                 ("DELETE", False, True): self.serve_delete,
                 ("POST", True, False): self.serve_insert}.get((self.command, bool(upload), bool(name)))
        if not serve:
            raise Refusal(405, "no such method")
        body = self.rfile.read(length)
        self.unread = False
        serve(bucket, name, query, body)

    def admit(self, bucket, operation):
        self.operation = operation
        action = self.fail_early()
        self.need_token()
        if not (DIR / bucket).is_dir():
            raise Refusal(404, "The specified bucket does not exist.")
        return action

    def serve_list(self, bucket, _, query, _body):
        self.admit(bucket, "list")
        query = read_query(query, {"prefix", "fields", "delimiter", "pageToken", "maxResults"})
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter")
        with lock:
            entries = {}
            for (where, name), item in objects.items():
                if where != bucket or not name.startswith(prefix):
                    continue
                cut = name.find(delimiter, len(prefix)) if delimiter else -1
                entries[name[:cut + 1] if cut >= 0 else name] = None if cut >= 0 else item
        names = sorted(name for name in entries if name > query.get("pageToken", ""))
        page = {"kind": "storage#objects"}
        for name in names[:PAGE]:
            if entries[name] is None:
                page.setdefault("prefixes", []).append(name)
            else:
                page.setdefault("items", []).append(resource(name, entries[name]))
        if len(names) > PAGE:
            page["nextPageToken"] = names[PAGE - 1]
        self.answer(200, page)

    def serve_get(self, bucket, name, query, _body):
        query = read_query(query, {"alt", "fields", "ifGenerationMatch"})
        media = query.get("alt") == "media"
        action, number = self.admit(bucket, "media" if media else "stat")
        key = (bucket, name)
        with lock:
            if key not in objects:
                raise Refusal(404, f"No such object: {bucket}/{name}")
            check_generation(key, query)
            item = dict(objects[key])
        if not media:
            self.answer(200, resource(name, item))
            return
        if self.headers.get("Accept-Encoding") != "gzip":
            raise Refusal(400, "a stored gzip would come decompressed")
        self.send_media(item, action, number)

    def send_media(self, item, action, number):
        data, status = item["bytes"], 200
        headers = {"X-Goog-Generation": str(item["generation"]),
                   "Last-Modified": time.strftime("%a, %d %b %Y %H:%M:%S GMT",
                                                  time.gmtime(item["generation"] / 1e6)),
                   "X-Goog-Hash": "crc32c=AAAAAA==,md5="
                                  + base64.b64encode(hashlib.md5(data).digest()).decode()}
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if self.headers.get("Range") and not wanted:
            raise Refusal(400, "Range")
        if wanted:
            first = int(wanted[1])
            last = min(int(wanted[2] or len(data)), len(data) - 1)
            if first >= len(data):
                raise Refusal(416, "Range", {"Content-Range": f"bytes */{len(data)}"})
            headers["Content-Range"] = f"bytes {first}-{last}/{len(data)}"
            data, status = data[first:last + 1], 206
        headers["Content-Length"] = str(len(data))
        if action == "truncate":
            data = data[:number]
            self.close_connection = True
        if action == "replace":
            with lock:  # somebody writes the object anew, and the connection breaks
                for key, other in objects.items():
                    if other["generation"] == item["generation"]:
                        insert(key, b"other", {}, {})
                        break
            data = data[:number]
            self.close_connection = True
        self.answer(status, data, headers)

    def serve_delete(self, bucket, name, query, _body):
        self.admit(bucket, "delete")
        query = read_query(query, {"ifGenerationMatch"})
        with lock:
            if (bucket, name) not in objects:
                raise Refusal(404, "Not Found")
            check_generation((bucket, name), query)
            del objects[bucket, name]
        self.answer(204)

    def serve_insert(self, bucket, _, query, body):
        query = read_query(query, {"uploadType", "name", "fields", "ifGenerationMatch"})
        kind = query.get("uploadType")
        action, _number = self.admit(bucket, "insert" if kind == "multipart" else "session")
        key = (bucket, query["name"])
        if kind == "resumable":
            with lock:
                check_generation(key, query)
                session = base64.urlsafe_b64encode(os.urandom(12)).decode()
                sessions[session] = {"key": key, "query": query, "bytes": b"", "whole": None}
            self.answer(200, b"", {"Location": f"https://127.0.0.1:{PORT}/session?upload_id={session}"})
            return
        if kind != "multipart":
            raise Refusal(400, "uploadType")
        description, data = read_multipart(self.headers.get("Content-Type"), body)
        with lock:
            made = insert(key, data, description.get("metadata", {}), query)
        if action == "lose":
            raise Cut
        self.answer(200, made)

    def serve_session(self, length, query):
        session = sessions.get(query.removeprefix("upload_id="))
        if self.headers.get("Authorization"):
            raise Refusal(400, "a token that nobody needs")
        if not session:
            raise Refusal(404, "no such upload")
        if self.command == "DELETE":
            self.operation = "cancel"
            sessions.pop(query.removeprefix("upload_id="))
            self.answer(499)
            return
        content = re.fullmatch(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)", self.headers.get("Content-Range", ""))
        if self.command != "PUT" or not content:
            raise Refusal(400, "Content-Range")
        self.operation = "chunk" if content[1] else "ask"
        action, number = self.fail_early()
        if content[1]:
            self.take_part(session, content, length, action, number)
        self.report(session, content[3], action)

    def take_part(self, session, content, length, action, number):
        first, last = int(content[1]), int(content[2])
        final = content[3] != "*" and int(content[3]) == last + 1
        have = len(session["bytes"])
        if last - first + 1 != length or (length % QUANTUM != 0 and not final):
            raise Refusal(400, "the size of a part")
        if first != have:
            raise Refusal(400, f"a part begins at {first}, not at {have}")
        if action == "break":  # in the middle; whole quanta of it are kept
            data = self.rfile.read(number)
            session["bytes"] += data[:number // QUANTUM * QUANTUM]
            raise Cut
        session["bytes"] += self.rfile.read(length)

    def report(self, session, total, action):
        have = len(session["bytes"])
        with lock:
            if session["whole"] is None and total != "*" and int(total) == have:
                session["whole"] = insert(session["key"], session["bytes"], {}, session["query"])
        if action == "lose":
            raise Cut
        if session["whole"] is not None:
            self.answer(200, session["whole"])
        else:
            self.answer(308, b"", {"Range": f"bytes=0-{have - 1}"} if have else {})


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], (ConnectionError, ssl.SSLError)):
            super().handle_error(request, client_address)


def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(DIR / "tls.pem")
    server = Server(("127.0.0.1", PORT), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.serve_forever()


main()
