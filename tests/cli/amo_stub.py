#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""addons.mozilla.org with made-up add-ons, for what recorded answers cannot show: queries by users,
a window, storms, hanging.

usage: amo_stub.py LOG [--addons N] [--page-size N] [--window N] [--two-pages EVERY] [--bytes N]
       [--ignore-users] [--hang K,K..] [--storm K,K..] [--broken SHARE] [--api v4]

Prints its URL, and serves until standard input ends. LOG gets a line a request when it comes:
"SECONDS AT_A_TIME STATUS TARGET", and a line "hung" when one of number K is left without an
answer. A storm is a 429 with Retry-After 1. Add-on i has i * i users.
"""
import argparse
import gzip
import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

parser = argparse.ArgumentParser()
parser.add_argument("log")
parser.add_argument("--addons", type=int, default=20)
parser.add_argument("--page-size", type=int, default=5)
parser.add_argument("--window", type=int, default=10**9)
parser.add_argument("--two-pages", type=int, default=4)
parser.add_argument("--bytes", type=int, default=10)
parser.add_argument("--ignore-users", action="store_true")
parser.add_argument("--same-users", action="store_true")
parser.add_argument("--hang", default="")
parser.add_argument("--storm", default="")
parser.add_argument("--broken", type=int, default=0, help="so many add-ons answer 503")
parser.add_argument("--missing", type=int, default=0, help="so many further add-ons answer 404")
parser.add_argument("--delay", type=float, default=0)
parser.add_argument("--api", default="v4")
args = parser.parse_args()

hang = {int(k) for k in args.hang.split(",") if k}
storm = {int(k) for k in args.storm.split(",") if k}
log = open(args.log, "a", buffering=1)
lock = threading.Lock()
state = {"n": 0, "now": 0}
filler = "é" * args.bytes


def users(i):
    return 7 if args.same_users else i * i


def search(query):
    low, high = int(query.get("users__gte", ["0"])[0]), int(query.get("users__lt", ["1" + "0" * 12])[0])
    known = {"app", "sort", "type", "page"} | (set() if args.ignore_users else {"users__gte", "users__lt"})
    if not args.ignore_users and not set(query) <= known:
        return 400, {"detail": "unknown parameter"}
    every = range(args.addons)
    if not args.ignore_users:
        every = [i for i in every if low <= users(i) < high]
    pages = -(-min(len(every), args.window) // args.page_size)
    page = int(query.get("page", ["1"])[0])
    if page < 1 or page > max(pages, 1):
        return 404, {"detail": "Invalid page."}
    some = every[(page - 1) * args.page_size : page * args.page_size]
    return 200, {
        "page_size": args.page_size,
        "page_count": pages,
        "count": len(every),
        "results": [{"guid": f"{{{i}}}@x", "big": 2**63 - 1, "users": users(i), "text": filler} for i in some],
    }


def versions(guid, query):
    i = int(guid[1 : guid.index("}")])
    if i < args.broken:
        return 503, {"detail": "maintenance"}
    if i < args.broken + args.missing:
        return 404, {"detail": "Not found."}
    pages = 2 if args.two_pages and i % args.two_pages == 0 else 1
    page = int(query.get("page", ["1"])[0])
    created = f"2020-01-{i % 28 + 1:02d}T00:00:0{page}Z"
    return 200, {"page_size": 25, "page_count": pages, "results": [{"files": [{"created": created}]}]}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True

    def answer(self):
        where = urlsplit(self.path)
        query = parse_qs(where.query)
        parts = where.path.split("/")
        if parts[:5] == ["", "api", args.api, "addons", "search"]:
            return search(query)
        if parts[:5] == ["", "api", args.api, "addons", "addon"] and parts[6:] == ["versions", ""]:
            return versions(unquote(parts[5]), query)
        return 404, {"detail": "Not found."}

    def do_GET(self):
        with lock:
            state["n"] += 1
            state["now"] += 1
            n, now = state["n"], state["now"]
        try:
            self.serve(n, now)
        finally:
            with lock:
                state["now"] -= 1

    def serve(self, n, now):
        status, body = (429, {}) if n in storm else self.answer()
        log.write(f"{time.monotonic():.3f} {now} {0 if n in hang else status} {self.path}\n")
        if n in hang:
            log.write("hung\n")
            self.connection.recv(1)
            self.close_connection = True
            return
        time.sleep(args.delay)
        raw = json.dumps(body).encode()
        packed = "gzip" in self.headers.get("Accept-Encoding", "")
        raw = gzip.compress(raw, 1) if packed else raw
        self.send_response(status)
        if packed:
            self.send_header("Content-Encoding", "gzip")
        if status == 429:
            self.send_header("Retry-After", "1")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
print(f"http://127.0.0.1:{server.server_port}", flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
